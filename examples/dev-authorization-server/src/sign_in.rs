//! A client for tests and the command line: signs a demo user in by the real authorization code flow.

use std::fmt;

use crate::{secret, sign_in_flow::Flow};

/// Whom to sign in, where, and what for.
#[derive(Debug, Clone, Default)]
pub struct SignIn {
    /// The issuer of a running development authorization server, like `http://localhost:3002`.
    pub issuer: String,
    /// The resource the token is for. Can stay away if the server is configured for one only.
    pub resource: Option<String>,
    /// The subject of a demo user.
    pub user: String,
    /// The scopes to request. Empty requests everything that the user's role gives.
    pub scopes: Vec<String>,
}

/// An access token and what it is good for. `Debug` does not show the token.
#[derive(Clone)]
pub struct AccessToken {
    pub(crate) token: String,
    pub(crate) scopes: Vec<String>,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignInError {
    /// The issuer is not a server of this machine; only a development server signs in without a password.
    #[error(
        "the issuer `{0}` is not an http URL of this machine: use the one the server printed, like `http://localhost:3002`"
    )]
    Issuer(String),
    /// Nobody answers.
    #[error(
        "no development authorization server answers at `{issuer}`: start one with `cargo run -p todo-manager` (it has one built in) or \
         `cargo run -p dev-authorization-server -- serve`"
    )]
    Unreachable {
        /// The configured issuer.
        issuer: String,
        /// What failed.
        #[source]
        source: reqwest::Error,
    },
    /// The server answers something else than a development authorization server does.
    #[error("{step} at `{issuer}` gave no usable answer ({problem}): is another program listening there?")]
    Unexpected {
        /// The configured issuer.
        issuer: String,
        /// What was asked for.
        step: &'static str,
        /// What was wrong with it.
        problem: String,
    },
    /// There is no such demo user.
    #[error("there is no demo user `{user}`: choose one of {}", .known.join(", "))]
    User {
        /// Who was asked for.
        user: String,
        /// Who exists.
        known: Vec<String>,
    },
    /// The server refused.
    #[error("the authorization server refused: {error} ({description})")]
    Refused {
        /// The registered error code.
        error: String,
        /// The server's text.
        description: String,
    },
    /// The authorization response is not for this request, or not from this server (RFC 6749 section 10.12, RFC 9207 section 2.4).
    #[error("the authorization response has another `{0}` than expected, so it is not an answer to this sign-in")]
    Mismatch(&'static str),
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    NoRandomBytes,
}

/// Signs in and returns an access token: metadata, registration, authorization with PKCE, the sign-in form, token.
///
/// ```no_run
/// use dev_authorization_server::{SignIn, sign_in};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let token = sign_in(&SignIn {
///     issuer: "http://localhost:3002".into(),
///     user: "alice".into(),
///     scopes: vec!["create:todos".into()],
///     ..SignIn::default()
/// })
/// .await?;
/// assert_eq!(token.scopes(), ["create:todos"]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When the server does not answer, does not know the user or the resource, or behaves as no development authorization server does.
pub async fn sign_in(request: &SignIn) -> Result<AccessToken, SignInError> {
    let flow = Flow::start(request).await?;
    let client_id = flow.register().await?;
    let random = || secret::random().map_err(|_| SignInError::NoRandomBytes);
    let (verifier, state) = (random()?, random()?);
    let page = flow.authorize(&client_id, &secret::s256(&verifier), &state).await?;
    let location = flow.allow(page).await?;
    let code = flow.code(&location, &state)?;
    flow.token(&client_id, &code, &verifier).await
}

impl AccessToken {
    /// Returns the token itself.
    ///
    /// # Security
    /// Whoever has it is the user until it expires.
    #[must_use]
    pub fn dangerous_raw_token(&self) -> &str {
        &self.token
    }

    /// Returns the granted scopes: those requested that the user's role has.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("scopes", &self.scopes)
            .finish_non_exhaustive()
    }
}
