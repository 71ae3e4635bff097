//! The tower service.

use std::{
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    body::{Body, HttpBody},
    response::Response,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode, request::Parts};
use tower_service::Service;

use super::{
    admit::{Admitted, Answered, admit},
    answer::{internal_error, plain},
    expiry::UntilExpiry,
    hold::hold,
    list_filter::{ListFilter, is_event_stream},
};
use crate::{
    AuthInfo, Caller, PolicyHandle, PrincipalSeal,
    drain::drain,
    protocol_version,
    session::{self, SESSION_ID},
};

/// The service that [`McpGateLayer`](super::McpGateLayer) puts around an MCP endpoint.
#[derive(Debug, Clone)]
pub struct McpGate<S> {
    inner: S,
    seal: PrincipalSeal,
    policy: Option<PolicyHandle>,
    max_request_body_bytes: usize,
}

impl<S> McpGate<S> {
    pub(super) fn new(
        inner: S,
        seal: PrincipalSeal,
        policy: Option<PolicyHandle>,
        max_request_body_bytes: usize,
    ) -> Self {
        Self {
            inner,
            seal,
            policy,
            max_request_body_bytes,
        }
    }
}

impl<S, B, R> Service<Request<B>> for McpGate<S>
where
    S: Service<Request<Body>, Response = http::Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
    R: HttpBody<Data = Bytes> + Send + 'static,
    R::Error: Into<axum::BoxError>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The clone is not ready; the service that was polled is the one to call.
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        let seal = self.seal.clone();
        let policy = self.policy.clone();
        let limit = self.max_request_body_bytes;
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let Some(auth) = parts.extensions.get::<AuthInfo>().cloned() else {
                return Ok(internal_error(
                    "a request has no identity: put the bearer layer in front of the gate",
                ));
            };
            if let Err(ForeignSession) = unbind_session(&seal, &auth, &mut parts.headers) {
                drain(body).await;
                // In the words of the transport for a session that does not exist.
                return Ok(plain(StatusCode::NOT_FOUND, "Not Found: Session not found"));
            }
            // An event id belongs to no session and to no caller: whoever named one would get somebody else's answers again.
            parts.headers.remove("last-event-id");
            let Admitted { body, confirm, then } = match admit(&mut parts, body, limit, policy.as_ref(), &seal).await {
                Ok(admitted) => admitted,
                Err(response) => return Ok(response),
            };
            let stray = stray_lists(&parts, &then);
            let mut response = inner.call(Request::from_parts(parts, body)).await?.map(Body::new);
            bind_session(&seal, &auth, response.headers_mut());
            let response = match then {
                Answered::AsItIs => response,
                Answered::Filtered(filter) => filter.apply(response).await,
                Answered::Held(call, held) => match hold(response, held).await {
                    Ok(response) => response,
                    Err(denied) => call.deny(&denied),
                },
            };
            let response = match stray {
                Some(filter) if is_event_stream(response.headers()) => filter.apply(response).await,
                _ => response,
            };
            let response = match confirm {
                Some(confirm) => confirm.apply(response).await,
                None => response,
            };
            if is_event_stream(response.headers()) {
                return Ok(response.map(|body| Body::new(UntilExpiry::new(body, auth.expires_at()))));
            }
            Ok(response)
        })
    }
}

/// Within a session the transport leads an answer by the id of its request, and a client may give two requests the same one: a list may come on a
/// stream that was opened for something else.
fn stray_lists(parts: &Parts, then: &Answered) -> Option<ListFilter> {
    if matches!(then, Answered::Filtered(_)) || !parts.headers.contains_key(SESSION_ID) {
        return None;
    }
    let caller = parts.extensions.get::<Caller>()?;
    Some(ListFilter::new(caller.clone(), &parts.headers))
}

/// The session id that a request names is not one that its caller was given.
struct ForeignSession;

/// Replaces the bound session id by the transport's own one.
fn unbind_session(seal: &PrincipalSeal, auth: &AuthInfo, headers: &mut HeaderMap) -> Result<(), ForeignSession> {
    let mut presented = headers.get_all(SESSION_ID).iter();
    let Some(first) = presented.next() else { return Ok(()) };
    let one = presented.next().is_none().then_some(first);
    let session_id = one
        .and_then(|value| value.to_str().ok())
        .and_then(|value| session::unbind(seal, value, auth))
        .and_then(|session_id| HeaderValue::from_str(session_id).ok());
    match session_id {
        Some(session_id) => headers.insert(SESSION_ID, session_id),
        // These versions have no sessions, and ignore the header.
        None if protocol_version::is_stateless(headers) => headers.remove(SESSION_ID),
        None => return Err(ForeignSession),
    };
    Ok(())
}

/// Binds the id of a session that the transport opened to the caller that opened it.
fn bind_session(seal: &PrincipalSeal, auth: &AuthInfo, headers: &mut HeaderMap) {
    let Some(session_id) = headers.remove(SESSION_ID) else {
        return;
    };
    let bound = session_id
        .to_str()
        .ok()
        .and_then(|id| HeaderValue::from_str(&session::bind(seal, id, auth)).ok());
    if let Some(bound) = bound {
        headers.insert(SESSION_ID, bound);
    }
}
