//! What a client reads when it asked for something it cannot have.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;

/// An error response in JSON (RFC 6749 section 5.2, RFC 7591 section 3.2.2).
#[derive(Debug)]
pub(crate) struct OAuthError {
    /// A registered code.
    code: &'static str,
    /// For the developer of the client.
    description: String,
}

impl OAuthError {
    pub(crate) fn new(code: &'static str, description: impl Into<String>) -> Self {
        Self {
            code,
            description: description.into(),
        }
    }

    /// The operating system gave no random bytes, or the key would not sign.
    pub(crate) fn server() -> Self {
        Self::new("server_error", "the authorization server failed, see its log")
    }
}

pub(crate) fn invalid_request(description: impl Into<String>) -> OAuthError {
    OAuthError::new("invalid_request", description)
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        // RFC 6749 section 5.2 would allow 401 for `invalid_client`, but HTTP wants a challenge with every 401, and there is none to give.
        let status = match self.code {
            "server_error" => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        };
        let body = json!({ "error": self.code, "error_description": self.description });
        (status, Json(body)).into_response()
    }
}
