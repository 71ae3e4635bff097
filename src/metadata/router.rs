//! Serves the protected resource metadata.
//!
//! The document is public: no token, no origin check, any site may read it. Browsers ask first (preflight), because MCP clients send
//! `MCP-Protocol-Version` with the request; that is answered here as well, so that no other CORS layer is needed on this path.

use axum::{
    Router,
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, StatusCode,
    header::{
        ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
        ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, CACHE_CONTROL, CONTENT_TYPE, VARY,
    },
};

use super::ProtectedResourceMetadata;

/// Short enough for clients to notice a move to another authorization server, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("public, max-age=3600");

/// Any site may read the document.
const ANY_ORIGIN: (HeaderName, HeaderValue) = (ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));

/// The document as sent, and the query under which it is found.
#[derive(Clone)]
struct Document {
    body: Bytes,
    query: Option<String>,
}

impl ProtectedResourceMetadata {
    /// Returns a router that answers [`metadata_path`](Self::metadata_path) and nothing else. Merge it outside of the bearer layer.
    ///
    /// GET and HEAD give the document, OPTIONS the answer to a preflight, other methods 405 with `Allow`.
    pub fn router(&self) -> Router {
        let document = Document {
            body: self.to_json().to_string().into(),
            query: self.resource.query().map(str::to_owned),
        };
        // Paths of configured URLs may begin a segment with `:` or `*`; axum 0.8 takes them literally, but only without its warning check.
        Router::new()
            .without_v07_checks()
            .route(&self.metadata_path(), get(serve).options(preflight))
            .with_state(document)
    }
}

async fn serve(State(document): State<Document>, request: Request) -> Response {
    // A resource identifier with a query differs from the one without (RFC 9728 section 3.1). Without one, a query is just noise.
    if document.query.is_some() && document.query.as_deref() != request.uri().query() {
        return StatusCode::NOT_FOUND.into_response();
    }
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, MAX_AGE),
        ANY_ORIGIN,
    ];
    (headers, document.body).into_response()
}

async fn preflight(request: HeaderMap) -> Response {
    let headers = [
        ANY_ORIGIN,
        (
            ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static("GET, HEAD, OPTIONS"),
        ),
        (ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600")),
        (VARY, HeaderValue::from_static("access-control-request-headers")),
    ];
    let mut response = (StatusCode::NO_CONTENT, headers).into_response();
    if let Some(wanted) = request.get(ACCESS_CONTROL_REQUEST_HEADERS) {
        response
            .headers_mut()
            .insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
    }
    response
}
