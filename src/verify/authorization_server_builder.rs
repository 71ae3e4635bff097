//! The settings of one trusted issuer.

use std::{error::Error, time::Duration};

use serde_json::{Map, Value};
use url::Url;

use super::{
    AuthorizationServer, ScopeClaim,
    authorization_server::Inner,
    token_rules::{MAX_LEEWAY, TokenRules},
};
use crate::{
    algorithm::Algorithm,
    discovery::{Correction, Discovery, MetadataSource, ServerType},
    error::ConfigError,
    http_client::{DEFAULT_DEADLINE, HttpClient},
    key_set::RemoteKeySet,
    metadata::AuthorizationServerMetadata,
    remote_check::{Introspection, MAX_CACHE, Method, RemoteCheck, Userinfo},
    secure_url,
};

/// Where metadata comes from, as configured.
#[derive(Debug, Clone)]
enum Source {
    WellKnown(ServerType),
    Url(String),
    Given(Box<AuthorizationServerMetadata>),
}

/// Collects the settings of an [`AuthorizationServer`].
#[derive(Debug, Clone)]
#[must_use]
pub struct AuthorizationServerBuilder {
    issuer: String,
    source: Source,
    correction: Option<Correction>,
    rules: TokenRules,
    introspection: Option<Introspection>,
    userinfo: Option<Userinfo>,
    fetch_deadline: Duration,
}

impl AuthorizationServerBuilder {
    pub(super) fn new(issuer: String) -> Self {
        Self {
            issuer,
            source: Source::WellKnown(ServerType::default()),
            correction: None,
            rules: TokenRules::default(),
            introspection: None,
            userinfo: None,
            fetch_deadline: DEFAULT_DEADLINE,
        }
    }

    /// Looks for its metadata at the well-known locations of this kind. Default [`ServerType::Auto`].
    pub fn server_type(mut self, server_type: ServerType) -> Self {
        self.source = Source::WellKnown(server_type);
        self
    }

    /// Takes its metadata from this URL instead of the well-known locations.
    pub fn metadata_url(mut self, url: impl Into<String>) -> Self {
        self.source = Source::Url(url.into());
        self
    }

    /// Takes its metadata from the configuration; none is fetched.
    pub fn metadata(mut self, metadata: AuthorizationServerMetadata) -> Self {
        self.source = Source::Given(Box::new(metadata));
        self
    }

    /// Corrects its metadata each time before it is checked and used, for authorization servers that do not follow the specification: gets the
    /// members and returns them changed. The time counts for the deadline of the fetch.
    ///
    /// ```
    /// use std::convert::Infallible;
    ///
    /// # fn main() -> Result<(), mcp_auth::ConfigError> {
    /// let server = mcp_auth::AuthorizationServer::builder("https://auth.example.com/tenant-1")
    ///     .correct_metadata(async |mut members| {
    ///         // Served for all tenants alike.
    ///         members.insert("issuer".to_owned(), "https://auth.example.com/tenant-1".into());
    ///         Ok::<_, Infallible>(members)
    ///     })
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Security
    /// Whoever serves metadata with another issuer may be another issuer. Write `issuer` only where the URL that was asked proves whose it is.
    pub fn correct_metadata<F, Fut, E>(mut self, correct: F) -> Self
    where
        F: Fn(Map<String, Value>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Map<String, Value>, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.correction = Some(Correction::new(correct));
        self
    }

    /// Replaces the algorithms that its tokens may use. Default [`Algorithm::ALL`]; each key also fits only its own kind of them.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.rules.algorithms = algorithms.into_iter().collect();
        self
    }

    /// Accepts only JWTs in the form of RFC 9068: `typ` is `at+jwt`, and `client_id`, `iat` and `jti` are there. Default: a `typ` of `JWT` or
    /// none is fine too, because many servers write nothing else, unless the token has a claim that only ID tokens have.
    pub fn require_at_jwt(mut self) -> Self {
        self.rules.require_at_jwt = true;
        self
    }

    /// Replaces the claims that may hold the scopes of its tokens. The first that a token has counts, even if it is empty. Default
    /// [`ScopeClaim::Scope`] alone.
    pub fn scope_claims(mut self, claims: impl IntoIterator<Item = ScopeClaim>) -> Self {
        self.rules.scope_claims = claims.into_iter().collect();
        self
    }

    /// Sets how far clocks may differ, at most 60 s: how long a token passes after its `exp`, and how far its `nbf` and `iat` may be ahead.
    /// Default 0 s for `exp` and 30 s for the others.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.rules.leeway = Some(leeway);
        self
    }

    /// Asks the authorization server about tokens that are no JWTs, or by setting about every token (RFC 7662). Default: other tokens than JWTs
    /// are refused.
    ///
    /// What it answers is checked like the claims of a JWT: `iss`, `aud`, `exp`, `nbf`, `sub`, `cnf`; and `token_type`.
    pub fn introspection(mut self, introspection: Introspection) -> Self {
        self.introspection = Some(introspection);
        self
    }

    /// Accepts tokens that are no JWTs, or by setting every token, for which the userinfo endpoint gives the claims of a user (OpenID Connect
    /// Core section 5.3). For authorization servers that have no introspection.
    ///
    /// # Security
    /// Userinfo proves that the token is good, not that it was issued for this resource: any server that gets a token of this issuer can use it
    /// here. The token gets no scopes, so a policy gives such callers nothing that needs one.
    pub fn insecure_userinfo_without_audience(mut self, userinfo: Userinfo) -> Self {
        self.userinfo = Some(userinfo);
        self
    }

    /// Sets the time in which a whole fetch has to end, metadata and keys together. Default 5 s.
    pub fn fetch_deadline(mut self, deadline: Duration) -> Self {
        self.fetch_deadline = deadline;
        self
    }

    /// Checks the settings. Fetches nothing.
    ///
    /// # Errors
    /// When the issuer is no absolute https URL (http on this machine), or has credentials, a query or a fragment (RFC 8414 section 2);
    /// when the list of algorithms or of scope claims is empty, or the leeway too long; when introspection and userinfo are both there, lack credentials, or are kept for too long;
    /// when the metadata URL is no such URL either, or the given metadata has another issuer; when the HTTPS client cannot be set up.
    pub fn build(self) -> Result<AuthorizationServer, ConfigError> {
        let url = secure_url::parse_setting("issuer", &self.issuer)?;
        if url.query().is_some() {
            let problem = "has a query: remove the part from `?` on";
            return Err(ConfigError::InvalidUrl {
                what: "issuer",
                value: self.issuer,
                problem,
            });
        }
        if self.rules.algorithms.is_empty() {
            return Err(ConfigError::NoAlgorithm { issuer: self.issuer });
        }
        if self.rules.scope_claims.is_empty() {
            return Err(ConfigError::NoScopeClaim { issuer: self.issuer });
        }
        if self.rules.leeway.is_some_and(|leeway| leeway > MAX_LEEWAY) {
            return Err(ConfigError::LeewayTooLong { issuer: self.issuer });
        }
        let method = self.remote_check_method()?;
        let source = self.metadata_source(&url)?;
        let client = HttpClient::new(&self.issuer, self.fetch_deadline)?;
        let discovery = Discovery::new(&self.issuer, &url, source, self.correction, client.clone());
        let key_set = RemoteKeySet::new(&self.issuer, discovery.clone(), client.clone());
        let remote_check = method.map(|method| RemoteCheck::new(&self.issuer, method, discovery.clone(), client));
        Ok(AuthorizationServer::from_inner(Inner {
            issuer: self.issuer,
            rules: self.rules,
            discovery,
            key_set,
            remote_check,
        }))
    }

    fn metadata_source(&self, issuer: &Url) -> Result<MetadataSource, ConfigError> {
        match &self.source {
            Source::WellKnown(server_type) => Ok(MetadataSource::WellKnown(*server_type)),
            Source::Url(text) => {
                let url = secure_url::parse_setting("metadata URL", text)?;
                match url.scheme() == "http" && issuer.scheme() == "https" {
                    true => Err(ConfigError::InvalidUrl {
                        what: "metadata URL",
                        value: text.clone(),
                        problem: "uses plain http although the issuer uses https",
                    }),
                    false => Ok(MetadataSource::Url(url)),
                }
            }
            // A correction may be what makes them equal.
            Source::Given(metadata) if metadata.issuer() != self.issuer && self.correction.is_none() => {
                Err(ConfigError::MetadataOfAnotherIssuer {
                    issuer: self.issuer.clone(),
                    found: metadata.issuer().to_owned(),
                })
            }
            Source::Given(metadata) => Ok(MetadataSource::Given(metadata.clone())),
        }
    }

    fn remote_check_method(&self) -> Result<Option<Method>, ConfigError> {
        let issuer = || self.issuer.clone();
        let method = match (&self.introspection, &self.userinfo) {
            (Some(_), Some(_)) => return Err(ConfigError::IntrospectionAndUserinfo { issuer: issuer() }),
            (Some(introspection), None) => {
                introspection.check()?;
                Method::Introspection(introspection.clone())
            }
            (None, Some(userinfo)) => Method::Userinfo(userinfo.clone()),
            (None, None) => return Ok(None),
        };
        match method.keep() > MAX_CACHE {
            true => Err(ConfigError::CacheTooLong { issuer: issuer() }),
            false => Ok(Some(method)),
        }
    }
}
