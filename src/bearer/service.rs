//! The tower service.

use std::{
    future::Future,
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::{Body, HttpBody},
    response::Response,
};
use bytes::Bytes;
use http::{Request, StatusCode, header, request::Parts};
use mcp_auth_policy::Scope;
use tower_service::Service;

use super::{ProtectedResource, challenge::Challenge, refusal::Refusal, request_id::RequestId};
use crate::{Caller, Denied, drain::drain, origin, protocol_version};

/// The service that [`BearerAuthLayer`](super::BearerAuthLayer) puts around another one.
#[derive(Debug, Clone)]
pub struct BearerAuth<S> {
    inner: S,
    resource: Arc<ProtectedResource>,
}

impl<S> BearerAuth<S> {
    pub(crate) fn new(inner: S, resource: Arc<ProtectedResource>) -> Self {
        Self { inner, resource }
    }
}

impl<S, B, R> Service<Request<B>> for BearerAuth<S>
where
    S: Service<Request<B>, Response = http::Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: HttpBody + Send + 'static,
    B::Data: Send,
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

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // The clone is not ready; the service that was polled is the one to call.
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        let resource = Arc::clone(&self.resource);
        Box::pin(async move {
            let request_id = RequestId::random();
            if let Err(refusal) = resource.check_origin(request.uri(), request.headers()) {
                drain(request.into_body()).await;
                return Ok(refuse(&resource, &refusal, &request_id));
            }
            if let Some(headers) = resource.origins.preflight(request.method(), request.headers()) {
                let mut response = Response::new(Body::empty());
                *response.status_mut() = StatusCode::NO_CONTENT;
                *response.headers_mut() = headers;
                return Ok(response);
            }
            let origin = request.headers().get(header::ORIGIN).cloned();
            let (mut parts, body) = request.into_parts();
            let authenticated = resource
                .authenticate(&parts.headers, &mut parts.extensions, &request_id)
                .await;
            let mut response = match authenticated {
                Ok(()) => {
                    // Nothing behind this layer needs the token, and MCP forbids passing it on.
                    parts.headers.remove(header::AUTHORIZATION);
                    parts.extensions.insert(request_id);
                    let held = held_scopes(&parts);
                    request = Request::from_parts(parts, body);
                    challenge_denial(&resource, &held, inner.call(request).await?.map(Body::new))
                }
                Err(refusal) => {
                    drain(body).await;
                    refuse(&resource, &refusal, &request_id)
                }
            };
            origin::expose_to(origin, response.headers_mut());
            Ok(response)
        })
    }
}

/// The answer to a request that does not reach the inner service.
fn refuse(resource: &ProtectedResource, refusal: &Refusal, request_id: &RequestId) -> Response {
    tracing::info!(target: "mcp_auth::refusal", reason = refusal.reason(), %request_id, "request refused");
    let mut response = refusal.to_response(request_id.as_str());
    if let Some(challenge) = refusal.challenge(&resource.metadata_url) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

/// The scopes that a client of this request's version would lose by asking only for what it is told to ask for.
///
/// Up to 2025-11-25 a client replaces its scopes by those of the challenge; from 2026-07-28 on it adds them. Only scopes that the request's
/// policy declares, in its order: two denials of one operation give the same challenge.
fn held_scopes(parts: &Parts) -> Vec<String> {
    match parts.extensions.get::<Caller>() {
        Some(caller) if !protocol_version::is_stateless(&parts.headers) => {
            let held = caller.auth().scopes();
            let declared = caller.policy().scopes().map(Scope::name);
            let kept = declared.filter(|scope| held.iter().any(|held| held == scope));
            kept.map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

/// Adds the challenge to a denial that the inner service answered with: it knows the scopes, and only this layer knows the metadata URL.
fn challenge_denial(resource: &ProtectedResource, held: &[String], mut response: Response) -> Response {
    let Some(denied) = response.extensions().get::<Denied>() else {
        return response;
    };
    // Without scopes that would help, a challenge would send the client in circles.
    if response.status() == StatusCode::FORBIDDEN && !denied.scopes().is_empty() {
        let description = denied.to_string();
        let challenge = Challenge {
            error: Some("insufficient_scope"),
            scopes: &resource.scopes_to_ask_for(denied.scopes(), held),
            resource_metadata: &resource.metadata_url,
            error_description: Some(&description),
        };
        let challenge = challenge.to_header_value();
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}
