//! The revocation endpoint (RFC 7009).

use std::sync::Arc;

use axum::{
    extract::{RawForm, State, rejection::RawFormRejection},
    http::StatusCode,
};

use crate::{grants::TokenKind, oauth_error::OAuthError, parameters::Parameters, server::Shared, token};

/// Answers `POST /revoke`. Success also for a token that nobody knows: it is as the client wants it to be (RFC 7009 section 2.2).
///
/// An access token goes alone. With a refresh token goes all that came of the same sign-in (section 2.1). `token_type_hint` is not needed
/// here. A JWT that was revoked still convinces a resource server that only checks its signature.
pub(crate) async fn revoke(
    State(shared): State<Arc<Shared>>,
    form: Result<RawForm, RawFormRejection>,
) -> Result<StatusCode, OAuthError> {
    let parameters = Parameters::of_form(form)?;
    let client = token::client(&shared, &parameters)?;
    let token = parameters.required("token")?;
    let mut grants = shared.grants();
    let Some((grant, kind)) = grants.grant_of(token) else {
        return Ok(StatusCode::OK);
    };
    if grant.client_id != client.client_id {
        return Err(OAuthError::new(
            "invalid_grant",
            "the token was issued to another client",
        ));
    }
    match kind {
        TokenKind::Access => grants.revoke_access_token(token),
        TokenKind::Refresh => {
            let id = grant.id.clone();
            grants.revoke(&id);
        }
    }
    tracing::info!(client_id = client.client_id, ?kind, "revoked a token");
    Ok(StatusCode::OK)
}
