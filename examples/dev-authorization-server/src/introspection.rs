//! The introspection endpoint (RFC 7662): a resource server asks what an access token stands for.
//!
//! What passes: a resource server that is configured with a secret, and authenticates with it in one way. Without any configured the
//! endpoint does not exist. Everything that is not a valid access token is inactive, refresh tokens and codes too: a resource server has no
//! use for them, and must not mistake one for an access token.

use std::sync::Arc;

use axum::{
    Json,
    extract::{RawForm, State, rejection::RawFormRejection},
    http::HeaderMap,
};
use serde_json::{Value, json};

use crate::{introspection_client, oauth_error::OAuthError, parameters::Parameters, server::Shared};

/// Answers `POST /introspect`.
pub(crate) async fn introspect(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    form: Result<RawForm, RawFormRejection>,
) -> Result<Json<Value>, OAuthError> {
    let parameters = Parameters::of_form(form)?;
    let client = introspection_client::authenticate(&shared.settings.introspection_clients, &headers, &parameters)?;
    let token = parameters.required("token")?;
    let grants = shared.grants();
    let Some(issued) = grants.access_token(token) else {
        // Nothing else: why it is inactive is nobody's business (RFC 7662 section 2.2).
        return Ok(Json(json!({ "active": false })));
    };
    tracing::debug!(resource_server = client.client_id(), "introspected a token");
    let grant = &issued.grant;
    let mut answer = json!({
        "active": true,
        "client_id": grant.client_id,
        "sub": grant.subject,
        "aud": grant.resource,
        "iss": shared.settings.issuer.as_str(),
        "exp": issued.expires_at,
        "iat": issued.issued_at,
        "token_type": "Bearer",
    });
    if let (false, Some(members)) = (grant.scopes.is_empty(), answer.as_object_mut()) {
        members.insert("scope".to_owned(), json!(grant.scopes.join(" ")));
    }
    Ok(Json(answer))
}
