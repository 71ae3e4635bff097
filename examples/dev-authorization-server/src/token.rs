//! The token endpoint (RFC 6749 section 3.2).

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    Json,
    extract::{RawForm, State, rejection::RawFormRejection},
};
use serde_json::{Value, json};

use crate::{oauth_error::OAuthError, parameters::Parameters, secret, server::Shared};

/// What an authorization code stands for. Everything in it must be proved again, or is what the person consented to.
#[derive(Debug)]
pub(crate) struct AuthorizationCode {
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) code_challenge: String,
    pub(crate) resource: String,
    pub(crate) subject: String,
    pub(crate) scopes: Vec<String>,
}

/// What a grant entitles to: the content of an access token.
struct Grant {
    client_id: String,
    subject: String,
    resource: String,
    scopes: Vec<String>,
}

/// Answers `POST /token`.
pub(crate) async fn token(
    State(shared): State<Arc<Shared>>,
    form: Result<RawForm, RawFormRejection>,
) -> Result<Json<Value>, OAuthError> {
    let RawForm(form) =
        form.map_err(|_| invalid_request("send the parameters as application/x-www-form-urlencoded, at most 16 KiB"))?;
    let parameters = Parameters::parse(&form).map_err(|_| invalid_request("a parameter was sent twice"))?;
    let grant = match required(&parameters, "grant_type")? {
        "authorization_code" => redeem_code(&shared, &parameters)?,
        _ => {
            return Err(OAuthError::new(
                "unsupported_grant_type",
                "`grant_type` must be `authorization_code`",
            ));
        }
    };
    let access_token = access_token(&shared, &grant).ok_or_else(OAuthError::server)?;
    Ok(Json(json!({
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": shared.settings.access_token_lifetime.as_secs(),
        // Empty rather than absent: without it a client takes all it requested for granted (RFC 6749 section 5.1).
        "scope": grant.scopes.join(" "),
    })))
}

/// The authorization code grant (RFC 6749 section 4.1.3, RFC 7636 section 4.6). A code is good for one attempt.
fn redeem_code(shared: &Shared, parameters: &Parameters) -> Result<Grant, OAuthError> {
    let client_id = required(parameters, "client_id")?;
    if shared.clients().get(client_id).is_none() {
        return Err(OAuthError::new(
            "invalid_client",
            "the client is not registered here: register again",
        ));
    }
    let (code, verifier) = (required(parameters, "code")?, required(parameters, "code_verifier")?);
    let redirect_uri = required(parameters, "redirect_uri")?;

    let invalid_grant = |what| Err(OAuthError::new("invalid_grant", what));
    let Some(code) = shared.codes().take(code) else {
        return invalid_grant("the code is unknown, was used before, or is older than a minute");
    };
    if !secret::equal(&code.client_id, client_id) {
        return invalid_grant("the code was issued to another client");
    }
    if code.redirect_uri != redirect_uri {
        return invalid_grant("`redirect_uri` is not that of the authorization request");
    }
    if !is_code_verifier(verifier) || !secret::equal(&secret::s256(verifier), &code.code_challenge) {
        return invalid_grant("`code_verifier` does not fit the code challenge");
    }
    // Naming the resource again narrows nothing: a code is for one only.
    let names_resource = parameters.get("resource").is_some();
    let named = shared.settings.resource(parameters.all("resource"));
    if names_resource && named.is_none_or(|resource| resource.as_str() != code.resource) {
        return Err(OAuthError::new(
            "invalid_target",
            "`resource` is not that of the authorization request",
        ));
    }
    Ok(Grant {
        client_id: code.client_id,
        subject: code.subject,
        resource: code.resource,
        scopes: code.scopes,
    })
}

/// Makes an access token (RFC 9068 section 2.2), or nothing if no random bytes can be had.
fn access_token(shared: &Shared, grant: &Grant) -> Option<String> {
    let issued_at = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    let mut claims = json!({
        "iss": shared.settings.issuer.as_str(),
        "sub": grant.subject,
        "aud": grant.resource,
        "client_id": grant.client_id,
        "iat": issued_at,
        "exp": issued_at.saturating_add(shared.settings.access_token_lifetime.as_secs()),
        "jti": secret::random().ok()?,
    });
    // As certified servers do it: who has no scopes has no claim either.
    if !grant.scopes.is_empty() {
        claims
            .as_object_mut()?
            .insert("scope".to_owned(), json!(grant.scopes.join(" ")));
    }
    let token = shared.keys().current().sign(&claims).ok()?;
    tracing::info!(
        user = grant.subject,
        client_id = grant.client_id,
        scopes = ?grant.scopes,
        resource = grant.resource,
        "issued an access token"
    );
    Some(token)
}

/// RFC 7636 section 4.1.
fn is_code_verifier(verifier: &str) -> bool {
    (43..=128).contains(&verifier.len())
        && verifier
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
}

fn required<'a>(parameters: &'a Parameters, name: &'static str) -> Result<&'a str, OAuthError> {
    let value = parameters.get(name);
    value.ok_or_else(|| invalid_request(format!("`{name}` is missing")))
}

fn invalid_request(description: impl Into<String>) -> OAuthError {
    OAuthError::new("invalid_request", description)
}
