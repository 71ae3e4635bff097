//! How access tokens are verified: by signature, or by introspection.

use mcp_auth::{AuthorizationServer, ClientAuthentication, ConfigError, Introspection};

use crate::settings::{Mode, ServerType, Settings};

/// The settings contradict the mode.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModeError {
    /// The tools need what this mode does not learn.
    #[error(
        "`--mode userinfo` learns neither scopes nor the server that a token was issued for, and here scopes decide what a caller may do to \
         whose items: use `--mode jwt` or `--mode introspection` (MCP_AUTH_MODE)"
    )]
    NoScopes,
    /// The issuer would not answer.
    #[error(
        "`--mode introspection` needs the credentials of this server at the issuer: set `--introspection-client-id` and \
         `--introspection-client-secret` (MCP_AUTH_INTROSPECTION_CLIENT_ID, MCP_AUTH_INTROSPECTION_CLIENT_SECRET)"
    )]
    NoCredentials,
}

/// The credentials at the embedded authorization server. No secret: who asks it about a token has to have that token.
pub(crate) const EMBEDDED_CLIENT: (&str, &str) = ("todo-manager", "development-only");

/// Refuses settings that contradict the mode.
///
/// # Errors
/// They do.
pub fn check(settings: &Settings) -> Result<(), ModeError> {
    let is_embedded = settings.issuer.is_none();
    match settings.mode {
        Mode::Userinfo => Err(ModeError::NoScopes),
        Mode::Introspection if !is_embedded && credentials(settings).is_none() => Err(ModeError::NoCredentials),
        Mode::Jwt | Mode::Introspection => Ok(()),
    }
}

/// Trusts an issuer in the way that the mode says.
///
/// # Errors
/// The issuer is no URL that can be used, or the credentials are not.
pub fn trust(settings: &Settings, issuer: &str) -> Result<AuthorizationServer, ConfigError> {
    let mut builder = AuthorizationServer::builder(issuer).server_type(match settings.server_type {
        ServerType::Oidc => mcp_auth::ServerType::Oidc,
        ServerType::Oauth => mcp_auth::ServerType::OAuth,
        ServerType::Auto => mcp_auth::ServerType::Auto,
    });
    if settings.mode == Mode::Introspection {
        // A JWT is verified by its signature first, and never asked about when that fails.
        let (id, secret) = credentials(settings).unwrap_or(EMBEDDED_CLIENT);
        builder = builder.introspection(Introspection::new(ClientAuthentication::client_secret_basic(
            id, secret,
        )));
    }
    builder.build()
}

/// The configured credentials for introspection.
pub(crate) fn credentials(settings: &Settings) -> Option<(&str, &str)> {
    let id = settings.introspection_client_id.as_deref()?;
    Some((id, settings.introspection_client_secret.as_ref()?.as_str()))
}
