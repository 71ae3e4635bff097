//! The documents that clients and resource servers begin with.

use std::sync::Arc;

use axum::{Json, extract::State};
use serde_json::{Map, Value, json};

use crate::server::{Settings, Shared};

/// Answers the authorization server metadata (RFC 8414 section 2).
pub(crate) async fn authorization_server(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(Value::Object(document(&shared.settings)))
}

/// Answers the same as an OpenID Connect Discovery document, for resource servers that look only there.
///
/// Discovery makes two members obligatory that are about ID tokens. This server issues none.
pub(crate) async fn openid_provider(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let mut document = document(&shared.settings);
    let algorithm = shared.keys().current().algorithm().as_str();
    document.insert("subject_types_supported".to_owned(), json!(["public"]));
    document.insert("id_token_signing_alg_values_supported".to_owned(), json!([algorithm]));
    Json(Value::Object(document))
}

/// Answers the key set (RFC 7517 section 5).
pub(crate) async fn key_set(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(shared.keys().key_set())
}

fn document(settings: &Settings) -> Map<String, Value> {
    let scopes: Vec<&str> = settings.scopes.iter().map(|scope| scope.name.as_str()).collect();
    let resources: Vec<&str> = settings.resources.iter().map(|resource| resource.as_str()).collect();
    let mut introspection = Vec::new();
    if !settings.introspection_clients.is_empty() {
        introspection = vec![
            ("introspection_endpoint", json!(settings.issuer.url("/introspect"))),
            (
                "introspection_endpoint_auth_methods_supported",
                json!(["client_secret_basic", "client_secret_post"]),
            ),
        ];
    }
    let members = [
        // Not registered anywhere. For the person who reads this.
        ("development_only", json!("signs anybody in without a password")),
        ("issuer", json!(settings.issuer.as_str())),
        ("authorization_endpoint", json!(settings.issuer.url("/authorize"))),
        ("token_endpoint", json!(settings.issuer.url("/token"))),
        ("revocation_endpoint", json!(settings.issuer.url("/revoke"))),
        ("userinfo_endpoint", json!(settings.issuer.url("/userinfo"))),
        ("registration_endpoint", json!(settings.issuer.url("/register"))),
        ("jwks_uri", json!(settings.issuer.url("/jwks"))),
        ("scopes_supported", json!(scopes)),
        ("response_types_supported", json!(["code"])),
        ("response_modes_supported", json!(["query"])),
        ("grant_types_supported", json!(["authorization_code", "refresh_token"])),
        ("token_endpoint_auth_methods_supported", json!(["none"])),
        ("revocation_endpoint_auth_methods_supported", json!(["none"])),
        ("code_challenge_methods_supported", json!(["S256"])),
        ("authorization_response_iss_parameter_supported", json!(true)),
        (
            "claims_supported",
            json!(["sub", "name", "preferred_username", "email"]),
        ),
        ("protected_resources", json!(resources)),
    ];
    members
        .into_iter()
        .chain(introspection)
        .filter(|(_, value)| *value != json!([]))
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
