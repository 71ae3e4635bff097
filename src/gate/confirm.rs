//! Makes sure that the guard of a call really ran.
//!
//! Which functions are guarded is known from the start-up audit ([`PolicyHandle::require_audit`](crate::PolicyHandle::require_audit)). What the
//! server dispatches a call to is known only to the server: a route that was added under the same name, or a handler of its own, would answer
//! unguarded. So a success without a word from the guard is not passed on. What the function did is done; its answer, and the next call, are stopped.
//!
//! The same holds, audit or not, for a caller that reaches only its own objects: nothing but a guard hands out the `Access` that tells them apart.
//! An error passes: arguments that cannot be read are refused before the guard is reached.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::{
    body::{Body, HttpBody},
    response::Response,
};
use bytes::{Bytes, BytesMut};
use http::header;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};

use super::{answer, list_filter::is_event_stream, sse::Events};
use crate::Caller;

/// Waits for the guard of one call.
#[derive(Debug)]
pub(super) struct Confirm(Caller);

impl Confirm {
    pub(super) fn new(caller: Caller) -> Self {
        Self(caller)
    }

    /// Lets the answer pass if the guard ran, or the call failed.
    pub(super) async fn apply(self, response: Response) -> Response {
        if self.0.was_guarded() {
            return response;
        }
        let (mut parts, body) = response.into_parts();
        if is_event_stream(&parts.headers) {
            let body = ConfirmedEvents {
                body,
                events: Events::default(),
                confirm: self,
            };
            return Response::from_parts(parts, Body::new(body));
        }
        let Ok(body) = body.collect().await else {
            return answer::internal_error("the answer to a call broke off");
        };
        let body = body.to_bytes();
        let Some(refusal) = self.refusal(&body) else {
            return Response::from_parts(parts, Body::from(body));
        };
        parts.headers.remove(header::CONTENT_LENGTH);
        Response::from_parts(parts, Body::from(refusal))
    }

    /// Returns what takes the place of a message, if that is the success of a call whose guard did not run.
    fn refusal(&self, message: &[u8]) -> Option<Vec<u8>> {
        let message: Value = serde_json::from_slice(message).ok()?;
        let result = message.get("result")?;
        if self.0.was_guarded() || result.get("isError") == Some(&Value::Bool(true)) {
            return None;
        }
        tracing::error!(
            "refused: a call was answered, but not by a function with `#[requires_scope]` for it; look for a route or handler of the same name, or \
             annotate the one that answers"
        );
        let error = json!({ "code": -32603, "message": "Internal error" });
        let refusal = json!({ "jsonrpc": "2.0", "id": message.get("id"), "error": error });
        Some(refusal.to_string().into_bytes())
    }
}

/// A stream of events, each confirmed when it is complete.
struct ConfirmedEvents {
    body: Body,
    events: Events,
    confirm: Confirm,
}

impl HttpBody for ConfirmedEvents {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        loop {
            let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(context)?) else {
                return Poll::Ready(None);
            };
            let data = match frame.into_data() {
                Ok(data) => data,
                Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
            };
            self.events.push(&data);
            let mut confirmed = BytesMut::new();
            while let Some(event) = self.events.next() {
                let bytes = match self.confirm.refusal(&event.data()) {
                    Some(refusal) => event.with_data(&refusal),
                    None => event.into_bytes(),
                };
                confirmed.extend_from_slice(&bytes);
            }
            if !confirmed.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(confirmed.freeze()))));
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
