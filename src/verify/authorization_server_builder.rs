//! The settings of one trusted issuer.

use std::time::Duration;

use super::{
    AuthorizationServer, ScopeClaim,
    authorization_server::Inner,
    token_rules::{MAX_LEEWAY, TokenRules},
};
use crate::{
    algorithm::Algorithm,
    discovery::{Discovery, ServerType},
    error::ConfigError,
    http_client::{DEFAULT_DEADLINE, HttpClient},
    key_set::RemoteKeySet,
    remote_check::{Introspection, MAX_CACHE, Method, RemoteCheck, Userinfo},
    secure_url,
};

/// Collects the settings of an [`AuthorizationServer`].
#[derive(Debug, Clone)]
#[must_use]
pub struct AuthorizationServerBuilder {
    issuer: String,
    server_type: ServerType,
    rules: TokenRules,
    introspection: Option<Introspection>,
    userinfo: Option<Userinfo>,
    fetch_deadline: Duration,
}

impl AuthorizationServerBuilder {
    pub(super) fn new(issuer: String) -> Self {
        Self {
            issuer,
            server_type: ServerType::default(),
            rules: TokenRules::default(),
            introspection: None,
            userinfo: None,
            fetch_deadline: DEFAULT_DEADLINE,
        }
    }

    /// Sets where its metadata is looked for. Default [`ServerType::Auto`].
    pub fn server_type(mut self, server_type: ServerType) -> Self {
        self.server_type = server_type;
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
    /// when the HTTPS client cannot be set up.
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
        let client = HttpClient::new(&self.issuer, self.fetch_deadline)?;
        let discovery = Discovery::new(&self.issuer, &url, self.server_type, client.clone());
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
