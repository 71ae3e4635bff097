//! What a client reads when it asked for something it cannot have.

use axum::{
    Json,
    http::{StatusCode, header},
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
    /// Given where the caller has a way to authenticate.
    challenge: Option<&'static str>,
}

impl OAuthError {
    pub(crate) fn new(code: &'static str, description: impl Into<String>) -> Self {
        Self {
            code,
            description: description.into(),
            challenge: None,
        }
    }

    /// Makes the answer a 401.
    pub(crate) fn with_challenge(self, challenge: &'static str) -> Self {
        Self {
            challenge: Some(challenge),
            ..self
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
        // RFC 6749 section 5.2 would allow 401 for every `invalid_client`, but HTTP wants a challenge with it, and public clients have none.
        let status = match self.code {
            _ if self.challenge.is_some() => StatusCode::UNAUTHORIZED,
            "server_error" => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        };
        let body = json!({ "error": self.code, "error_description": self.description });
        let challenge = self.challenge.map(|challenge| [(header::WWW_AUTHENTICATE, challenge)]);
        match challenge {
            Some(challenge) => (status, challenge, Json(body)).into_response(),
            None => (status, Json(body)).into_response(),
        }
    }
}
