//! Ends a stream when the access token that opened it ends.
//!
//! A stream may stay open for hours, and whatever is sent on it goes to a caller whose token was checked once. So it ends [`GRACE`] after the
//! token does; a client opens a new one, with a new token. Where nobody said when the token ends, it ends after [`WITHOUT_EXPIRY`].

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, SystemTime},
};

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// How long after its token a stream may go on: an answer that is nearly there still arrives.
const GRACE: Duration = Duration::from_secs(5);

/// How long a stream may go on when its token has no known end: introspection, userinfo and custom verifiers need not say. The client's next
/// request is verified again, so this is how long a revoked token may listen.
const WITHOUT_EXPIRY: Duration = Duration::from_secs(10 * 60);

/// A body that ends in time.
pub(super) struct UntilExpiry {
    body: Body,
    end: Pin<Box<Sleep>>,
}

impl UntilExpiry {
    pub(super) fn new(body: Body, expires_at: Option<SystemTime>) -> Self {
        let left = match expires_at {
            Some(expires_at) => expires_at.duration_since(SystemTime::now()).unwrap_or_default(),
            None => WITHOUT_EXPIRY,
        };
        Self {
            body,
            end: Box::pin(sleep(left + GRACE)),
        }
    }
}

impl HttpBody for UntilExpiry {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.end.as_mut().poll(context).is_ready() {
            tracing::debug!("ended a stream: the access token that opened it has expired");
            return Poll::Ready(None);
        }
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
