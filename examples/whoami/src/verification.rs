//! How access tokens are verified: by signature, by introspection, or by the userinfo endpoint.

use mcp_auth::{AuthorizationServer, ClientAuthentication, ConfigError, Introspection, Userinfo};

use crate::settings::{Mode, ServerType, Settings};

/// The settings contradict the mode.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModeError {
    /// Nobody has accepted that tokens for other servers pass.
    #[error(
        "`--mode userinfo` proves that a token is good, not that it was issued for this server: whoever gets a token of this issuer can use \
         it here; verify by `--mode jwt` or `--mode introspection`, or accept it with `--insecure-no-audience-check` \
         (MCP_AUTH_INSECURE_NO_AUDIENCE_CHECK)"
    )]
    AudienceNotProved,
    /// The audience is checked in this mode.
    #[error(
        "`--insecure-no-audience-check` (MCP_AUTH_INSECURE_NO_AUDIENCE_CHECK) is for `--mode userinfo` alone, the others check the audience: \
         remove it"
    )]
    AudienceIsChecked,
    /// An audience that nobody compares.
    #[error(
        "`--audience` (MCP_AUTH_AUDIENCE) has no effect in `--mode userinfo`, which learns no audience: remove it, or use another mode"
    )]
    AudienceUnknown,
    /// A scope that no caller can have.
    #[error(
        "`--required-scopes` (MCP_AUTH_REQUIRED_SCOPES) would refuse everybody in `--mode userinfo`, which learns no scopes: remove it, or \
         use another mode"
    )]
    ScopesUnknown,
    /// The issuer would not answer.
    #[error(
        "`--mode introspection` needs the credentials of this server at the issuer: set `--introspection-client-id` and \
         `--introspection-client-secret` (MCP_AUTH_INTROSPECTION_CLIENT_ID, MCP_AUTH_INTROSPECTION_CLIENT_SECRET)"
    )]
    NoCredentials,
}

/// The credentials at the embedded authorization server. No secret: who asks it about a token has to have that token.
pub(crate) const EMBEDDED_CLIENT: (&str, &str) = ("whoami", "development-only");

/// Refuses settings that contradict the mode.
///
/// # Errors
/// They do.
pub fn check(settings: &Settings) -> Result<(), ModeError> {
    // The embedded issuer has tokens for this server only, and the banner says what is not checked.
    let is_embedded = settings.issuer.is_none();
    match settings.mode {
        Mode::Userinfo if !settings.audience.is_empty() => Err(ModeError::AudienceUnknown),
        Mode::Userinfo if !settings.required_scopes.is_empty() => Err(ModeError::ScopesUnknown),
        Mode::Userinfo if !is_embedded && !settings.insecure_no_audience_check => Err(ModeError::AudienceNotProved),
        Mode::Userinfo => Ok(()),
        Mode::Jwt | Mode::Introspection if settings.insecure_no_audience_check => Err(ModeError::AudienceIsChecked),
        Mode::Introspection if !is_embedded && credentials(settings).is_none() => Err(ModeError::NoCredentials),
        Mode::Jwt | Mode::Introspection => Ok(()),
    }
}

/// Trusts an issuer in the way that the mode says.
///
/// # Errors
/// The issuer is no URL that can be used, or the credentials are not.
pub fn trust(settings: &Settings, issuer: &str) -> Result<AuthorizationServer, ConfigError> {
    let builder = AuthorizationServer::builder(issuer).server_type(match settings.server_type {
        ServerType::Oidc => mcp_auth::ServerType::Oidc,
        ServerType::Oauth => mcp_auth::ServerType::OAuth,
        ServerType::Auto => mcp_auth::ServerType::Auto,
    });
    match settings.mode {
        Mode::Jwt => builder,
        // A JWT is verified by its signature first, and never asked about when that fails.
        Mode::Introspection => {
            let (id, secret) = credentials(settings).unwrap_or(EMBEDDED_CLIENT);
            builder.introspection(Introspection::new(ClientAuthentication::client_secret_basic(
                id, secret,
            )))
        }
        // Also about JWTs: they do not say what the endpoint says.
        Mode::Userinfo => builder.insecure_userinfo_without_audience(Userinfo::new().every_token()),
    }
    .build()
}

/// The configured credentials for introspection.
pub(crate) fn credentials(settings: &Settings) -> Option<(&str, &str)> {
    let id = settings.introspection_client_id.as_deref()?;
    Some((id, settings.introspection_client_secret.as_ref()?.as_str()))
}
