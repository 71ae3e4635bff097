//! Serves the metadata of an authorization server at this resource server, for clients that look for it there.

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{
    HeaderValue, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER},
};
use serde_json::json;

use super::router::{ANY_ORIGIN, MAX_AGE, preflight};
use crate::{
    refusal_body::{RefusalBody, retry_after},
    verify::AuthorizationServer,
};

/// Where clients of MCP 2025-03-26 look: at the root of the server's origin, whatever the path of its MCP endpoint.
const PATH: &str = "/.well-known/oauth-authorization-server";

impl AuthorizationServer {
    /// Returns a router that serves this authorization server's metadata at `/.well-known/oauth-authorization-server` of your own server, for
    /// clients of MCP 2025-03-26 alone.
    ///
    /// The route is deprecated: since MCP 2025-06-18 clients learn from [`McpAuth::metadata_router`](crate::McpAuth::metadata_router) which
    /// authorization server to ask, and ask it themselves. Add this one only if you must still serve clients that do not; merge it
    /// outside of the bearer layer. Such a client can know one authorization server only: where you trust several, choose the one to show.
    ///
    /// The document is the one that is used here, corrected if you correct it, with all members; it is fetched on the first request and then
    /// shared. GET and HEAD give it, OPTIONS the answer to a preflight of any site, other methods 405 with `Allow`. While it cannot be had the
    /// answer is 503 with `Retry-After`.
    ///
    /// ```
    /// use mcp_auth::{AuthorizationServer, McpAuth};
    ///
    /// # fn main() -> Result<(), mcp_auth::ConfigError> {
    /// let issuer = AuthorizationServer::new("https://auth.example.com")?;
    /// let auth = McpAuth::builder("https://mcp.example.com").authorization_server(issuer.clone()).build()?;
    /// let metadata = auth.metadata_router().merge(issuer.legacy_metadata_router());
    /// # let _: axum::Router = metadata;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Security
    /// The document names its real issuer, not the origin that serves it. RFC 8414 section 3.3 tells clients to refuse such a document; those that
    /// accept it take this server's word for where to send their users.
    pub fn legacy_metadata_router(&self) -> Router {
        Router::new().route(PATH, get(serve).options(preflight).with_state(self.clone()))
    }
}

async fn serve(State(server): State<AuthorizationServer>) -> Response {
    match server.discovery().metadata().await {
        Ok(metadata) => {
            let headers = [
                (CONTENT_TYPE, HeaderValue::from_static("application/json")),
                (CACHE_CONTROL, MAX_AGE),
                ANY_ORIGIN,
            ];
            (headers, json!(metadata.value.members()).to_string()).into_response()
        }
        // Why stands in the log.
        Err(unavailable) => {
            let body = RefusalBody {
                error: None,
                error_description: "The authorization server cannot be reached; try again later",
                reason: "authorization_server_unavailable",
                missing_scopes: &[],
                request_id: None,
            };
            let headers = [(RETRY_AFTER, retry_after(unavailable.retry_after)), ANY_ORIGIN];
            (headers, body.to_response(StatusCode::SERVICE_UNAVAILABLE)).into_response()
        }
    }
}
