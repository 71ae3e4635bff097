//! Holds the head of a response until it is known whether the call is refused.
//!
//! Only for a call whose reach is `own` under `on_not_owner: step_up`: a tool finds out late whose object it is about, and only a 403 with a
//! challenge lets a client step up. The response goes out when the ownership check passed, when the function sent its first message or ended, or
//! after [`LONGEST`], whichever is first. A denial after that stays in the tool's own answer.

use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, HttpBody},
    response::Response,
};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::time::{Instant, sleep_until};

use super::{list_filter::is_event_stream, sse::Events};
use crate::{deferral::Held, denied::Denied};

/// How long a response is held at most.
const LONGEST: Duration = Duration::from_secs(2);

/// Waits for the end of the hold: the response as it is to go out, or the denial that takes its place.
pub(super) async fn hold(response: Response, mut held: Held) -> Result<Response, Denied> {
    let (parts, mut body) = response.into_parts();
    let mut seen = VecDeque::new();
    if is_event_stream(&parts.headers) {
        let deadline = Instant::now() + LONGEST;
        let mut events = Events::default();
        loop {
            tokio::select! {
                // A denial is sent before the function's answer is, so it has to be looked at first.
                biased;
                ended = &mut held => match ended {
                    Ok(denied) => return Err(denied),
                    Err(_released) => break,
                },
                frame = body.frame() => {
                    let Some(frame) = frame else { break };
                    let says_something = match &frame {
                        Ok(frame) => frame.data_ref().is_none_or(|data| is_message(&mut events, data)),
                        Err(_) => true,
                    };
                    seen.push_back(frame);
                    if says_something { break }
                }
                () = sleep_until(deadline) => break,
            }
        }
    }
    // Without a stream the function has ended, and said what it had to say.
    if let Ok(denied) = held.try_recv() {
        return Err(denied);
    }
    Ok(Response::from_parts(parts, Body::new(Prefixed { seen, rest: body })))
}

/// Tells whether a complete event with data has arrived.
fn is_message(events: &mut Events, data: &[u8]) -> bool {
    events.push(data);
    std::iter::from_fn(|| events.next()).any(|event| !event.data().is_empty())
}

/// A body of which a part was read already.
struct Prefixed {
    seen: VecDeque<Result<Frame<Bytes>, axum::Error>>,
    rest: Body,
}

impl HttpBody for Prefixed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match self.seen.pop_front() {
            Some(frame) => Poll::Ready(Some(frame)),
            None => Pin::new(&mut self.rest).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.seen.is_empty() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        if self.seen.is_empty() {
            self.rest.size_hint()
        } else {
            SizeHint::default()
        }
    }
}
