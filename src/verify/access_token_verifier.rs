//! From the text of a token to the verified facts about its caller.

use std::{fmt, sync::Arc, time::SystemTime};

use tokio::time::Instant;

use super::{AuthorizationServer, InvalidToken, VerifyError, claims, compact::CompactToken};
use crate::{
    auth_info::AuthInfo,
    bearer_token::BearerToken,
    error::ConfigError,
    key_set::{Candidates, KeySet, VerificationKey},
    metadata::ResourceIdentifier,
};

type Clock = dyn Fn() -> SystemTime + Send + Sync;

/// Verifies the access tokens of one protected resource: signed JWTs of configured issuers (RFC 7519, RFC 9068, RFC 8725).
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

struct Inner {
    resource: ResourceIdentifier,
    authorization_servers: Vec<AuthorizationServer>,
    audiences: Vec<String>,
    clock: Arc<Clock>,
}

impl AccessTokenVerifier {
    /// Begins a verifier for a resource, exactly as in its metadata.
    pub fn builder(resource: impl Into<String>) -> AccessTokenVerifierBuilder {
        AccessTokenVerifierBuilder {
            resource: resource.into(),
            authorization_servers: Vec::new(),
            audiences: Vec::new(),
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
    /// [`VerifyError::Invalid`] when the token is bad, [`VerifyError::Unavailable`] when that cannot be known because the keys of its issuer
    /// cannot be had.
    pub async fn verify(&self, token: &BearerToken) -> Result<AuthInfo, VerifyError> {
        let arrived = Instant::now();
        let token = CompactToken::parse(token.dangerous_raw_token())?;
        let issuer = claims::unverified_issuer(&token.claims)?;
        let server = self
            .0
            .authorization_servers
            .iter()
            .find(|server| server.issuer() == issuer);
        let server = server.ok_or(InvalidToken::Issuer)?;
        let rules = server.rules();
        if !rules.algorithms.contains(&token.algorithm) {
            return Err(InvalidToken::Algorithm.into());
        }
        if rules.require_at_jwt && !token.is_at_jwt {
            return Err(InvalidToken::Type.into());
        }

        let verify_with = |set: &KeySet| check_signature(&token, set.candidates(token.kid.as_deref(), token.algorithm));
        let mut set = server.key_set().current().await?;
        // Ends with a set that was asked for after the token arrived, at the latest: nothing newer is needed then.
        while let Err(invalid) = verify_with(&set.value) {
            match invalid {
                InvalidToken::UnknownKey => match server.key_set().newer_than(&set, arrived).await? {
                    Some(newer) => set = newer,
                    None => return Err(invalid.into()),
                },
                _ => return Err(invalid.into()),
            }
        }

        let facts = claims::check(
            token.claims,
            token.is_at_jwt,
            rules,
            &self.0.audiences,
            (self.0.clock)(),
        )?;
        Ok(AuthInfo::new(facts))
    }
}

fn check_signature(token: &CompactToken<'_>, candidates: Candidates<'_>) -> Result<(), InvalidToken> {
    let verifies = |key: &&VerificationKey| key.verifies(token.algorithm, token.signature, token.signing_input);
    match candidates {
        Candidates::Keys(keys) if keys.iter().any(verifies) => Ok(()),
        Candidates::Keys(_) => Err(InvalidToken::Signature),
        Candidates::Unknown => Err(InvalidToken::UnknownKey),
        Candidates::OtherAlgorithm => Err(InvalidToken::KeyForOtherAlgorithm),
        Candidates::Ambiguous => Err(InvalidToken::AmbiguousKey),
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
    /// server, or one issuer twice; when an additional audience is empty.
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
        // Two backends of jsonwebtoken in one tree make it panic at first use unless one was chosen. Whoever chose before us may.
        let _already_chosen = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();

        let mut audiences = resource.audiences();
        audiences.extend(self.audiences);
        Ok(AccessTokenVerifier(Arc::new(Inner {
            resource,
            authorization_servers: self.authorization_servers,
            audiences,
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
