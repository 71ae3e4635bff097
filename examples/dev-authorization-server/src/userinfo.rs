//! The userinfo endpoint (OpenID Connect Core section 5.3): who signed in, for whoever has the access token.
//!
//! What passes: one bearer token in the `Authorization` header, known here, not expired, with the scope `openid`. Its audience is not looked
//! at: an MCP server that has nothing but this endpoint sends on the token it got, whose audience is the MCP server. So success proves that
//! the token is good, not whom it was meant for.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use crate::{demo_user::DemoUser, server::Shared};

/// Why there is no answer (RFC 6750 section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// No token: the challenge says only that one is needed.
    NoToken,
    /// The header cannot be read, or came twice.
    Malformed,
    /// Unknown, expired or revoked.
    BadToken,
    /// The token is good, but not for this.
    NoOpenId,
}

/// Answers `GET /userinfo` and `POST /userinfo`.
pub(crate) async fn userinfo(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Result<Json<Value>, Refused> {
    let token = bearer_token(&headers)?;
    let grants = shared.grants();
    let issued = grants.access_token(token).ok_or(Refused::BadToken)?;
    let scopes = &issued.grant.scopes;
    let has = |scope: &str| scopes.iter().any(|known| known == scope);
    if !has("openid") {
        return Err(Refused::NoOpenId);
    }
    let user = shared.settings.user(&issued.grant.subject).ok_or(Refused::BadToken)?;
    Ok(Json(Value::Object(claims(user, has("profile"), has("email")))))
}

/// Returns the claims that the scopes ask for (OpenID Connect Core section 5.4).
fn claims(user: &DemoUser, profile: bool, email: bool) -> Map<String, Value> {
    let mut claims = Map::new();
    let mut insert = |name: &str, value: &str| claims.insert(name.to_owned(), json!(value));
    insert("sub", &user.subject);
    if profile {
        insert("name", &user.name);
        insert("preferred_username", &user.subject);
    }
    if email {
        // Nobody's, for good (RFC 2606 section 3).
        insert("email", &format!("{}@example.com", user.subject));
    }
    claims
}

/// Reads the token from the header (RFC 6750 section 2.1); OAuth 2.1 leaves it no other place that matters here.
fn bearer_token(headers: &HeaderMap) -> Result<&str, Refused> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = match (values.next(), values.next()) {
        (None, _) => return Err(Refused::NoToken),
        (Some(value), None) => value.to_str().map_err(|_| Refused::Malformed)?,
        (Some(_), Some(_)) => return Err(Refused::Malformed),
    };
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Refused::NoToken);
    }
    let is_token = !token.is_empty()
        && token
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b));
    is_token.then_some(token).ok_or(Refused::Malformed)
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, challenge, error) = match self {
            Self::NoToken => (StatusCode::UNAUTHORIZED, "Bearer realm=\"userinfo\"", None),
            Self::Malformed => (
                StatusCode::BAD_REQUEST,
                "Bearer error=\"invalid_request\", error_description=\"send one bearer token in the Authorization header\"",
                Some("invalid_request"),
            ),
            Self::BadToken => (
                StatusCode::UNAUTHORIZED,
                "Bearer error=\"invalid_token\", error_description=\"the token is unknown, expired or revoked\"",
                Some("invalid_token"),
            ),
            Self::NoOpenId => (
                StatusCode::FORBIDDEN,
                "Bearer error=\"insufficient_scope\", scope=\"openid\", error_description=\"the token is without the scope openid\"",
                Some("insufficient_scope"),
            ),
        };
        let challenge = [(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge))];
        match error {
            Some(error) => (status, challenge, Json(json!({ "error": error }))).into_response(),
            None => (status, challenge).into_response(),
        }
    }
}
