//! Makes access tokens: signed claims, or a text that says nothing.

use serde_json::json;

use crate::{
    grants::{self, Grant, Grants, IssuedToken},
    oauth_error::OAuthError,
    secret,
    server::Shared,
};

/// What an access token looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum AccessTokenFormat {
    /// A signed JWT (RFC 9068), which a resource server can check by itself. The default.
    #[default]
    Jwt,
    /// A random text. A resource server has to ask what it stands for: introspection, or userinfo.
    Opaque,
}

/// Issues an access token for a grant and remembers it.
pub(crate) fn issue(shared: &Shared, grants: &mut Grants, grant: &Grant) -> Result<String, OAuthError> {
    let issued_at = grants::now().ok_or_else(OAuthError::server)?;
    let issued = IssuedToken {
        grant: grant.clone(),
        issued_at,
        expires_at: issued_at.saturating_add(shared.settings.access_token_lifetime.as_secs()),
    };
    let random = secret::random().map_err(|_| OAuthError::server())?;
    let token = match shared.settings.access_token_format {
        AccessTokenFormat::Opaque => random,
        AccessTokenFormat::Jwt => jwt(shared, &issued, &random).ok_or_else(OAuthError::server)?,
    };
    grants.insert_access_token(&token, issued);
    tracing::info!(
        user = grant.subject,
        client_id = grant.client_id,
        scopes = ?grant.scopes,
        resource = grant.resource,
        "issued an access token"
    );
    Ok(token)
}

/// Makes the token of RFC 9068 section 2.2.
fn jwt(shared: &Shared, issued: &IssuedToken, id: &str) -> Option<String> {
    let grant = &issued.grant;
    let mut claims = json!({
        "iss": shared.settings.issuer.as_str(),
        "sub": grant.subject,
        "aud": grant.resource,
        "client_id": grant.client_id,
        "iat": issued.issued_at,
        "exp": issued.expires_at,
        "jti": id,
    });
    // As certified servers do it: who has no scopes has no claim either.
    if !grant.scopes.is_empty() {
        claims
            .as_object_mut()?
            .insert("scope".to_owned(), json!(grant.scopes.join(" ")));
    }
    let key = shared.keys().current();
    key.sign(&claims).ok()
}
