//! A denial inside a tool, while it can still become an HTTP status.
//!
//! The gate holds the head of the response to a call that may turn out to be about somebody else's object, and waits for the first of: a denial
//! that the function ends with, or the release. Released is a call whose function passed an ownership check, ended otherwise, panicked or was dropped.
//!
//! The function that counts is the first guarded one that the request entered. It may call others with the same caller; their denials are its own
//! business until it ends with an error itself.

use std::sync::{
    Mutex, OnceLock, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::oneshot;

use crate::denied::Denied;

/// The tool's end of a held response.
#[derive(Debug)]
pub(crate) struct Deferral {
    sender: Mutex<Option<oneshot::Sender<Denied>>>,
    entered: AtomicBool,
    /// What a function was refused that was called by the one that counts: of several, the first.
    inner: OnceLock<Denied>,
}

/// The gate's end: gives a denial, or ends without one when the response is released.
pub(crate) type Held = oneshot::Receiver<Denied>;

impl Deferral {
    pub(crate) fn new() -> (Self, Held) {
        let (sender, held) = oneshot::channel();
        let deferral = Self {
            sender: Mutex::new(Some(sender)),
            entered: AtomicBool::new(false),
            inner: OnceLock::new(),
        };
        (deferral, held)
    }

    /// Notes that a guarded function begins, and tells whether it is the one that counts.
    pub(crate) fn enter(&self) -> bool {
        !self.entered.swap(true, Ordering::AcqRel)
    }

    /// A function was refused before it began: that ends the call, unless another function called it and may go on.
    pub(crate) fn refuse(&self, denied: Denied) {
        if self.entered.load(Ordering::Acquire) {
            self.note(denied);
        } else {
            self.deny(denied);
        }
    }

    /// Keeps the denial of a function that another one called.
    pub(crate) fn note(&self, denied: Denied) {
        let _ = self.inner.set(denied);
    }

    /// Returns what was kept.
    pub(crate) fn noted(&self) -> Option<&Denied> {
        self.inner.get()
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
        self.sender.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
