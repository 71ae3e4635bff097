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
use http::{Request, StatusCode, header};
use tower_service::Service;

use super::{ProtectedResource, challenge::Challenge, refusal::Refusal, request_id::RequestId};
use crate::{Denied, origin};

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
    B: Send + 'static,
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
                    parts.extensions.insert(request_id);
                    request = Request::from_parts(parts, body);
                    challenge_denial(&resource, inner.call(request).await?.map(Body::new))
                }
                Err(refusal) => refuse(&resource, &refusal, &request_id),
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

/// Adds the challenge to a denial that the inner service answered with: it knows the scopes, and only this layer knows the metadata URL.
fn challenge_denial(resource: &ProtectedResource, mut response: Response) -> Response {
    let Some(denied) = response.extensions().get::<Denied>() else {
        return response;
    };
    // Without scopes that would help, a challenge would send the client in circles.
    if response.status() == StatusCode::FORBIDDEN && !denied.scopes().is_empty() {
        let description = denied.to_string();
        let challenge = Challenge {
            error: Some("insufficient_scope"),
            scopes: denied.scopes(),
            resource_metadata: &resource.metadata_url,
            error_description: Some(&description),
        };
        let challenge = challenge.to_header_value();
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}
