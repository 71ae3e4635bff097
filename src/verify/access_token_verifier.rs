//! From the text of a token to the verified facts about its caller.

use std::{fmt, sync::Arc, time::SystemTime};

use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{
    AuthorizationServer, CustomVerifier, InvalidToken, StoredVerifier, VerifyError,
    claims::{self, Expected, Source},
    compact::{self, CompactToken},
    install_crypto, jwt, mismatch,
};
use crate::{
    auth_info::{AuthInfo, Facts},
    bearer_token::BearerToken,
    error::ConfigError,
    metadata::ResourceIdentifier,
    remote_check::{Answer, RemoteCheck},
};

type Clock = dyn Fn() -> SystemTime + Send + Sync;

/// Verifies the access tokens of one protected resource: signed JWTs of configured issuers (RFC 7519, RFC 9068, RFC 8725), and by setting tokens
/// that one of these issuers is asked about (RFC 7662).
///
/// ```no_run
/// use mcp_auth::{AccessTokenVerifier, AuthorizationServer, BearerToken};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let verifier = AccessTokenVerifier::builder("https://mcp.example.com/todo")
///     .authorization_server(AuthorizationServer::new("https://auth.example.com")?)
///     .build()?;
/// let caller = verifier.verify(&BearerToken::new("eyJhbGciOi…")).await?;
/// println!("{} may {:?}", caller.subject(), caller.scopes());
/// # Ok(())
/// # }
/// ```
///
/// # Security
/// The audience is always checked: a token that does not name this resource in `aud` was meant for another server, which may be the one that
/// sends it here. Cheap to clone.
#[derive(Clone)]
pub struct AccessTokenVerifier(Arc<Inner>);

/// Who says whether a token is good.
enum Route<'a> {
    /// The keys of its issuer.
    Keys(&'a AuthorizationServer, CompactToken<'a>),
    /// The server's own code.
    Custom(&'a StoredVerifier),
    /// The authorization server itself.
    Remote(&'a AuthorizationServer, &'a RemoteCheck),
}

struct Inner {
    resource: ResourceIdentifier,
    authorization_servers: Vec<AuthorizationServer>,
    audiences: Vec<String>,
    custom_verifier: Option<StoredVerifier>,
    keep_token: bool,
    clock: Arc<Clock>,
}

impl AccessTokenVerifier {
    /// Begins a verifier for a resource, exactly as in its metadata.
    pub fn builder(resource: impl Into<String>) -> AccessTokenVerifierBuilder {
        AccessTokenVerifierBuilder {
            resource: resource.into(),
            authorization_servers: Vec::new(),
            audiences: Vec::new(),
            custom_verifier: None,
            keep_token: false,
            clock: Arc::new(SystemTime::now),
        }
    }

    /// Returns the resource as configured.
    #[must_use]
    pub fn resource(&self) -> &str {
        self.0.resource.as_str()
    }

    /// Returns the trusted authorization servers.
    #[must_use]
    pub fn authorization_servers(&self) -> &[AuthorizationServer] {
        &self.0.authorization_servers
    }

    /// Verifies a token, fetching the keys of its issuer if they are not at hand.
    ///
    /// # Errors
    /// [`VerifyError::Invalid`] when the token is bad, [`VerifyError::Unavailable`] when that cannot be known: the keys of its issuer cannot be
    /// had, its issuer cannot be asked, or a custom verifier failed.
    pub async fn verify(&self, token: &BearerToken) -> Result<AuthInfo, VerifyError> {
        let arrived = Instant::now();
        let mut facts = match self.route(token.dangerous_raw_token())? {
            Route::Keys(server, compact) => {
                jwt::check_signature(&compact.signed, server, arrived).await?;
                let is_at_jwt = compact.signed.is_at_jwt;
                self.check(compact.claims.into(), Source::Jwt { is_at_jwt }, server)?
            }
            Route::Custom(verifier) => {
                let claims = verifier.claims(token).await?;
                let server = self.server(claims::unverified_issuer(&claims))?;
                self.check(claims.into(), Source::Custom, server)?
            }
            Route::Remote(server, check) => match &*check.ask(token).await? {
                Answer::Active(claims) => self.check(Arc::clone(claims), Source::of(check.method()), server)?,
                Answer::Inactive => return Err(InvalidToken::Inactive.into()),
            },
        };
        facts.token = self.0.keep_token.then(|| token.clone());
        Ok(AuthInfo::new(facts))
    }

    /// Decides who says whether a token is good. Nothing is asked yet.
    fn route<'a>(&'a self, token: &'a str) -> Result<Route<'a>, InvalidToken> {
        compact::check_length(token)?;
        if let Some(verifier) = &self.0.custom_verifier {
            return Ok(Route::Custom(verifier));
        }
        let servers = &self.0.authorization_servers;
        // At most one, see `build`.
        let remote = servers.iter().find_map(|server| Some((server, server.remote_check()?)));
        if !compact::is_jwt(token) {
            let (server, check) = remote.ok_or(InvalidToken::NotCompact)?;
            return Ok(Route::Remote(server, check));
        }
        match CompactToken::parse(token) {
            Ok(jwt) => {
                let server = self.server(claims::unverified_issuer(&jwt.claims))?;
                match server.remote_check() {
                    Some(check) if check.method().is_for_every_token() => Ok(Route::Remote(server, check)),
                    _ => Ok(Route::Keys(server, jwt)),
                }
            }
            // Three parts, but nothing that could be verified here: good only where no JWT is.
            Err(invalid) => match remote {
                Some((server, check)) if check.method().is_for_every_token() => match compact::claimed_issuer(token) {
                    Some(other) if other != server.issuer() => Err(self.server(Some(&other)).err().unwrap_or(invalid)),
                    _ => Ok(Route::Remote(server, check)),
                },
                _ => Err(invalid),
            },
        }
    }

    /// Returns the authorization server that an issuer names, letter by letter.
    fn server(&self, issuer: Option<&str>) -> Result<&AuthorizationServer, InvalidToken> {
        let servers = &self.0.authorization_servers;
        let named = servers.iter().find(|server| Some(server.issuer()) == issuer);
        named.ok_or_else(|| {
            let trusted = servers.iter().map(AuthorizationServer::issuer);
            mismatch::log_issuer(trusted, issuer);
            InvalidToken::Issuer
        })
    }

    fn check(
        &self,
        claims: Arc<Map<String, Value>>,
        source: Source,
        server: &AuthorizationServer,
    ) -> Result<Facts, InvalidToken> {
        let expected = Expected {
            issuer: server.issuer(),
            audiences: &self.0.audiences,
            rules: server.rules(),
            now: (self.0.clock)(),
        };
        claims::check(claims, source, &expected)
    }
}

impl fmt::Debug for AccessTokenVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessTokenVerifier")
            .field("resource", &self.resource())
            .field("authorization_servers", &self.0.authorization_servers)
            .field("audiences", &self.0.audiences)
            .finish_non_exhaustive()
    }
}

/// Collects the settings of an [`AccessTokenVerifier`].
#[derive(Clone)]
#[must_use]
pub struct AccessTokenVerifierBuilder {
    resource: String,
    authorization_servers: Vec<AuthorizationServer>,
    audiences: Vec<String>,
    custom_verifier: Option<StoredVerifier>,
    keep_token: bool,
    clock: Arc<Clock>,
}

impl AccessTokenVerifierBuilder {
    /// Adds a trusted authorization server. At least one is needed.
    pub fn authorization_server(mut self, server: AuthorizationServer) -> Self {
        self.authorization_servers.push(server);
        self
    }

    /// Accepts a further `aud` value, for authorization servers that know this resource under another name. Compared letter by letter.
    pub fn additional_audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Gives every token to the server's own verifier, instead of verifying JWTs and asking authorization servers. Issuer, audience, times and the
    /// types of claims are still checked, on what it says.
    pub fn custom_verifier(self, verifier: impl CustomVerifier) -> Self {
        self.stored_verifier(StoredVerifier::new(verifier))
    }

    pub(crate) fn stored_verifier(mut self, verifier: StoredVerifier) -> Self {
        self.custom_verifier = Some(verifier);
        self
    }

    /// Keeps the token in the [`AuthInfo`] that it gave, for a token exchange (RFC 8693). Default: the text is gone once it is verified.
    ///
    /// # Security
    /// Whatever handles requests can then use the token in the caller's name. See [`AuthInfo::dangerous_token`].
    pub fn dangerous_keep_token(mut self) -> Self {
        self.keep_token = true;
        self
    }

    /// Replaces the clock against which `exp`, `nbf` and `iat` are checked. For tests.
    #[cfg(any(test, feature = "testing"))]
    pub fn clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Checks the settings. Fetches nothing.
    ///
    /// # Errors
    /// When the resource is no absolute https URL (http on this machine), holds credentials or a fragment; when there is no authorization
    /// server, one issuer twice, or more than one with introspection or userinfo, or such a one beside a custom verifier; when an additional audience is empty.
    pub fn build(self) -> Result<AccessTokenVerifier, ConfigError> {
        let resource = ResourceIdentifier::new(self.resource)?;
        if self.authorization_servers.is_empty() {
            return Err(ConfigError::NoAuthorizationServer {
                resource: resource.as_str().to_owned(),
            });
        }
        for (index, server) in self.authorization_servers.iter().enumerate() {
            if self
                .authorization_servers
                .iter()
                .take(index)
                .any(|earlier| earlier.issuer() == server.issuer())
            {
                return Err(ConfigError::DuplicateIssuer {
                    issuer: server.issuer().to_owned(),
                });
            }
        }
        if self.audiences.iter().any(String::is_empty) {
            return Err(ConfigError::EmptyAudience {
                resource: resource.as_str().to_owned(),
            });
        }
        let remote_checks = self
            .authorization_servers
            .iter()
            .filter_map(AuthorizationServer::remote_check)
            .count();
        if remote_checks > 0 && self.custom_verifier.is_some() {
            return Err(ConfigError::CustomVerifierAndRemoteCheck {
                resource: resource.as_str().to_owned(),
            });
        }
        if remote_checks > 1 {
            return Err(ConfigError::SeveralForOpaqueTokens {
                resource: resource.as_str().to_owned(),
            });
        }
        install_crypto();

        let mut audiences = resource.audiences();
        audiences.extend(self.audiences);
        Ok(AccessTokenVerifier(Arc::new(Inner {
            resource,
            authorization_servers: self.authorization_servers,
            audiences,
            custom_verifier: self.custom_verifier,
            keep_token: self.keep_token,
            clock: self.clock,
        })))
    }
}

impl fmt::Debug for AccessTokenVerifierBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessTokenVerifierBuilder")
            .field("resource", &self.resource)
            .field("authorization_servers", &self.authorization_servers)
            .field("audiences", &self.audiences)
            .finish_non_exhaustive()
    }
}
