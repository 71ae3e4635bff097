//! The endpoints of a test issuer that answer about one token.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    body::Bytes,
    extract::State,
    response::{IntoResponse, Response},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, StatusCode, header};
use serde_json::{Map, Value, json};

use super::{
    Fault,
    issuer::{Shared, json_answer},
};

/// The client that may introspect.
pub(super) const CLIENT_ID: &str = "test-resource-server";
pub(super) const CLIENT_SECRET: &str = "test-secret";

/// Claims that say something about the token, and nothing about the user.
const ABOUT_THE_TOKEN: [&str; 8] = ["iss", "aud", "exp", "iat", "nbf", "jti", "scope", "client_id"];

/// RFC 7662 section 2.
pub(super) async fn introspect(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    shared.introspections.fetch_add(1, Ordering::SeqCst);
    match shared.fault() {
        Some(Fault::Down | Fault::IntrospectionDown) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Some(Fault::Slow) => std::future::pending::<()>().await,
        Some(Fault::NotJson) => return "welcome".into_response(),
        _ => {}
    }
    let basic = format!(
        "Basic {}",
        BASE64_STANDARD.encode(format!("{CLIENT_ID}:{CLIENT_SECRET}"))
    );
    if headers
        .get(header::AUTHORIZATION)
        .is_none_or(|sent| sent != basic.as_str())
    {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let form = url::form_urlencoded::parse(&body);
    let token = form
        .into_iter()
        .find(|(name, _)| name == "token")
        .map(|(_, token)| token.into_owned());
    match active(&shared, &token.unwrap_or_default()) {
        Some(mut claims) => {
            claims.insert("active".to_owned(), true.into());
            claims.insert("token_type".to_owned(), "Bearer".into());
            json_answer(&Value::Object(claims))
        }
        None => json_answer(&json!({"active": false})),
    }
}

/// OpenID Connect Core section 5.3.
pub(super) async fn userinfo(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    shared.userinfo_requests.fetch_add(1, Ordering::SeqCst);
    match shared.fault() {
        Some(Fault::Down | Fault::UserinfoDown) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Some(Fault::Slow) => std::future::pending::<()>().await,
        Some(Fault::NotJson) => return "welcome".into_response(),
        _ => {}
    }
    let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header.and_then(|value| value.strip_prefix("Bearer "));
    match active(&shared, token.unwrap_or_default()) {
        Some(mut claims) => {
            claims.retain(|name, _| !ABOUT_THE_TOKEN.contains(&name.as_str()));
            json_answer(&Value::Object(claims))
        }
        None => StatusCode::UNAUTHORIZED.into_response(),
    }
}

/// The claims of a token that was issued, not revoked, and has not expired.
fn active(shared: &Shared, token: &str) -> Option<Map<String, Value>> {
    let claims = shared.issued.claims(token)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    let has_ended = claims.get("exp").and_then(Value::as_u64).is_some_and(|exp| exp <= now);
    (!has_ended).then_some(claims)
}
