//! Serves the protected resource metadata.
//!
//! The document is public: no token, no origin check, any site may read it. Browsers ask first (preflight), because MCP clients send
//! `MCP-Protocol-Version` with the request; that is answered here as well, so that no other CORS layer is needed on this path.

use std::{collections::BTreeMap, sync::Arc};

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
use crate::error::ConfigError;

/// Short enough for clients to notice a move to another authorization server, in seconds.
pub(super) const MAX_AGE: HeaderValue = HeaderValue::from_static("public, max-age=3600");

/// Any site may read the document.
pub(super) const ANY_ORIGIN: (HeaderName, HeaderValue) = (ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));

/// The documents of one path as sent, and the queries under which they are found.
#[derive(Clone)]
struct Documents(Arc<[(Option<String>, Bytes)]>);

impl ProtectedResourceMetadata {
    /// Returns a router that answers [`metadata_path`](Self::metadata_path) and nothing else. Merge it outside of the bearer layer.
    ///
    /// GET and HEAD give the document, OPTIONS the answer to a preflight, other methods 405 with `Allow`.
    pub fn router(&self) -> Router {
        let path = self.metadata_path();
        route(Router::new(), &path, &[self])
    }

    /// Returns one router for the metadata of several resources of this process.
    ///
    /// # Errors
    /// When two of them have one metadata URL: a client could find only one.
    pub fn router_of<'a>(resources: impl IntoIterator<Item = &'a Self>) -> Result<Router, ConfigError> {
        let mut paths: BTreeMap<String, Vec<&Self>> = BTreeMap::new();
        for resource in resources {
            let same_path = paths.entry(resource.metadata_path()).or_default();
            let mut queries = same_path.iter().map(|other| other.resource.query());
            if queries.any(|query| query == resource.resource.query()) {
                return Err(ConfigError::DuplicateResource {
                    resource: resource.resource().to_owned(),
                });
            }
            same_path.push(resource);
        }
        let routed = |router, (path, resources): (&String, &Vec<&Self>)| route(router, path, resources);
        Ok(paths.iter().fold(Router::new(), routed))
    }
}

/// Adds the resources that share a path, and differ in their query at most.
fn route(router: Router, path: &str, resources: &[&ProtectedResourceMetadata]) -> Router {
    let document = |metadata: &&ProtectedResourceMetadata| {
        let query = metadata.resource.query().map(str::to_owned);
        (query, metadata.to_json().to_string().into())
    };
    let documents = Documents(resources.iter().map(document).collect());
    let handlers = get(serve).options(preflight).with_state(documents);
    // Paths of configured URLs may begin a segment with `:` or `*`; axum 0.8 takes them literally, but only without its warning check.
    router.without_v07_checks().route(path, handlers)
}

async fn serve(State(Documents(documents)): State<Documents>, request: Request) -> Response {
    // A resource identifier with a query differs from the one without (RFC 9728 section 3.1). Without one, a query is just noise.
    let find = |wanted: Option<&str>| documents.iter().find(|(query, _)| query.as_deref() == wanted);
    let Some((_, document)) = find(request.uri().query()).or_else(|| find(None)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, MAX_AGE),
        ANY_ORIGIN,
    ];
    (headers, document.clone()).into_response()
}

pub(super) async fn preflight(request: HeaderMap) -> Response {
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
