//! Issuers that publish whatever a test needs.

use axum::{Router, extract::Request, http::StatusCode};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::OAUTH;

/// Serves what `documents` makes of its own origin, by path.
pub(crate) async fn serve(documents: impl Fn(&str) -> Vec<(String, Value)>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let documents = documents(&origin);
    let router = Router::new().fallback(async move |request: Request| {
        let found = documents.iter().find(|(path, _)| path == request.uri().path());
        found
            .map(|(_, document)| document.to_string())
            .ok_or(StatusCode::NOT_FOUND)
    });
    tokio::spawn(async { axum::serve(listener, router).await });
    origin
}

/// Metadata with which everything works, for changes.
fn metadata(origin: &str) -> Value {
    json!({
        "issuer": origin,
        "jwks_uri": format!("{origin}/jwks"),
        "authorization_endpoint": format!("{origin}/authorize"),
        "token_endpoint": format!("{origin}/token"),
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none"],
        "client_id_metadata_document_supported": true,
        "authorization_response_iss_parameter_supported": true,
        "protected_resources": ["http://localhost:3001"],
    })
}

/// The key of RFC 7517 appendix A.1.
pub(crate) fn good_key() -> Value {
    json!({
        "kty": "EC", "crv": "P-256", "kid": "1",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    })
}

/// An issuer whose metadata is changed by `change`, with these keys.
pub(crate) async fn issuer_with(keys: &[Value], change: impl Fn(&mut serde_json::Map<String, Value>)) -> String {
    serve(|origin| {
        let mut document = metadata(origin);
        change(document.as_object_mut().unwrap());
        vec![
            (OAUTH.to_owned(), document),
            ("/jwks".to_owned(), json!({ "keys": keys })),
        ]
    })
    .await
}
