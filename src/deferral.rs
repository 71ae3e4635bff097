//! A denial inside a tool, while it can still become an HTTP status.
//!
//! The gate holds the head of the response to a call that may turn out to be about somebody else's object, and waits for the first of: a denial
//! that the function ends with, or the release. Released is a call whose function passed an ownership check, ended otherwise, panicked or was dropped.

use std::sync::{Mutex, PoisonError};

use tokio::sync::oneshot;

use crate::denied::Denied;

/// The tool's end of a held response.
#[derive(Debug)]
pub(crate) struct Deferral(Mutex<Option<oneshot::Sender<Denied>>>);

/// The gate's end: gives a denial, or ends without one when the response is released.
pub(crate) type Held = oneshot::Receiver<Denied>;

impl Deferral {
    pub(crate) fn new() -> (Self, Held) {
        let (sender, held) = oneshot::channel();
        (Self(Mutex::new(Some(sender))), held)
    }

    /// Turns the held response into a refusal. Does nothing once it was released.
    pub(crate) fn deny(&self, denied: Denied) {
        if let Some(sender) = self.take() {
            // Nobody waits any longer if the response went out meanwhile.
            let _ = sender.send(denied);
        }
    }

    /// Lets the response go.
    pub(crate) fn release(&self) {
        drop(self.take());
    }

    fn take(&self) -> Option<oneshot::Sender<Denied>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
