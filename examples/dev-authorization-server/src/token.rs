//! The token endpoint (RFC 6749 section 3.2).

use std::sync::Arc;

use axum::{
    Json,
    extract::{RawForm, State, rejection::RawFormRejection},
};
use serde_json::{Value, json};

use crate::{
    access_token,
    client_registration::Client,
    grants::{Grant, Grants, Worthless},
    oauth_error::OAuthError,
    parameters::Parameters,
    secret,
    server::Shared,
};

/// Answers `POST /token`.
pub(crate) async fn token(
    State(shared): State<Arc<Shared>>,
    form: Result<RawForm, RawFormRejection>,
) -> Result<Json<Value>, OAuthError> {
    let parameters = Parameters::of_form(form)?;
    let redeem = match parameters.required("grant_type")? {
        "authorization_code" => redeem_code,
        "refresh_token" => refresh,
        _ => {
            return Err(OAuthError::new(
                "unsupported_grant_type",
                "`grant_type` must be `authorization_code` or `refresh_token`",
            ));
        }
    };
    let client = client(&shared, &parameters)?;
    redeem(&shared, &mut shared.grants(), &client, &parameters).map(Json)
}

/// Returns the client that a request names. All clients are public, so naming oneself is all there is to do.
pub(crate) fn client(shared: &Shared, parameters: &Parameters) -> Result<Client, OAuthError> {
    let client_id = parameters.required("client_id")?;
    shared
        .clients()
        .get(client_id)
        .cloned()
        .ok_or_else(|| OAuthError::new("invalid_client", "the client is not registered here: register again"))
}

/// The authorization code grant (RFC 6749 section 4.1.3, RFC 7636 section 4.6). A code is good for one attempt.
fn redeem_code(
    shared: &Shared,
    grants: &mut Grants,
    client: &Client,
    parameters: &Parameters,
) -> Result<Value, OAuthError> {
    let (code, verifier) = (parameters.required("code")?, parameters.required("code_verifier")?);
    let redirect_uri = parameters.required("redirect_uri")?;

    let code = grants.take_code(code).map_err(|worthless| match worthless {
        Worthless::Unknown => invalid_grant("the code is unknown or older than a minute"),
        Worthless::Reused => {
            tracing::warn!(
                client_id = client.client_id,
                "a code was used twice: revoked all that came of it"
            );
            invalid_grant("the code was used before")
        }
    })?;
    if code.grant.client_id != client.client_id {
        return Err(invalid_grant("the code was issued to another client"));
    }
    if code.redirect_uri != redirect_uri {
        return Err(invalid_grant("`redirect_uri` is not that of the authorization request"));
    }
    if !is_code_verifier(verifier) || !secret::equal(&secret::s256(verifier), &code.code_challenge) {
        return Err(invalid_grant("`code_verifier` does not fit the code challenge"));
    }
    check_resource(shared, &code.grant, parameters)?;

    let access_token = access_token::issue(shared, grants, &code.grant)?;
    let mut answer = answer(shared, &code.grant, access_token);
    if client.refreshes {
        let random = || secret::random().map_err(|_| OAuthError::server());
        let refresh_token = grants.start_refreshing(code.grant, [random()?, random()?]);
        insert(&mut answer, "refresh_token", refresh_token);
    }
    Ok(answer)
}

/// The refresh token grant (RFC 6749 section 6). Every refresh token is good once: the answer holds the next one.
fn refresh(
    shared: &Shared,
    grants: &mut Grants,
    client: &Client,
    parameters: &Parameters,
) -> Result<Value, OAuthError> {
    let refresh_token = parameters.required("refresh_token")?;
    let mut grant = grants.refreshable(refresh_token).map_err(|worthless| match worthless {
        Worthless::Unknown => invalid_grant("the refresh token is unknown, was revoked, or the sign-in is a day old"),
        Worthless::Reused => {
            tracing::warn!(
                client_id = client.client_id,
                "a refresh token was used twice: revoked all that came of it"
            );
            invalid_grant("the refresh token was used before, so every token of this sign-in is revoked: sign in again")
        }
    })?;
    if grant.client_id != client.client_id {
        return Err(invalid_grant("the refresh token was issued to another client"));
    }
    check_resource(shared, &grant, parameters)?;
    // The access token may have fewer scopes. The refresh token keeps those that the person consented to.
    if let Some(requested) = parameters.scopes() {
        if !requested.iter().all(|scope| grant.scopes.contains(scope)) {
            return Err(OAuthError::new(
                "invalid_scope",
                "a refreshed token cannot have a scope that the sign-in did not give: sign in again for more",
            ));
        }
        grant.scopes.retain(|scope| requested.contains(scope));
    }
    let random = secret::random().map_err(|_| OAuthError::server())?;
    let access_token = access_token::issue(shared, grants, &grant)?;
    let refresh_token = grants.rotate(refresh_token, &random).ok_or_else(OAuthError::server)?;
    let mut answer = answer(shared, &grant, access_token);
    insert(&mut answer, "refresh_token", refresh_token);
    Ok(answer)
}

/// Naming the resource again narrows nothing: a grant is for one only.
fn check_resource(shared: &Shared, grant: &Grant, parameters: &Parameters) -> Result<(), OAuthError> {
    let names_resource = parameters.get("resource").is_some();
    let named = shared.settings.resource(parameters.all("resource"));
    if names_resource && named.is_none_or(|resource| resource.as_str() != grant.resource) {
        return Err(OAuthError::new(
            "invalid_target",
            "`resource` is not that of the authorization request",
        ));
    }
    Ok(())
}

fn answer(shared: &Shared, grant: &Grant, access_token: String) -> Value {
    json!({
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": shared.settings.access_token_lifetime.as_secs(),
        // Empty rather than absent: without it a client takes all it requested for granted (RFC 6749 section 5.1).
        "scope": grant.scopes.join(" "),
    })
}

fn insert(answer: &mut Value, name: &str, value: String) {
    if let Some(members) = answer.as_object_mut() {
        members.insert(name.to_owned(), value.into());
    }
}

/// RFC 7636 section 4.1.
fn is_code_verifier(verifier: &str) -> bool {
    (43..=128).contains(&verifier.len())
        && verifier
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
}

fn invalid_grant(description: &'static str) -> OAuthError {
    OAuthError::new("invalid_grant", description)
}
