//! One trusted issuer, with its metadata and keys.

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    algorithm::Algorithm,
    discovery::{Discovery, ServerType},
    error::{AuthorizationServerError, ConfigError},
    http_client::{DEFAULT_DEADLINE, HttpClient},
    key_set::RemoteKeySet,
    metadata::AuthorizationServerMetadata,
    secure_url,
};

/// An authorization server whose tokens are accepted.
///
/// Its metadata and keys are fetched when the first token arrives, so a server starts while its issuer is down, answers 503 to tokens, and
/// recovers by itself. Clones share both; give a clone to every [`AccessTokenVerifier`](super::AccessTokenVerifier) that trusts the issuer.
///
/// - Metadata is fetched again after an hour, keys after 10 minutes and for unknown key ids (at most once in 5 s). While that fails, keys
///   stay in use until they are an hour old.
/// - After a failure the next fetch waits 1 s, doubling up to 30 s.
/// - A fetch has 5 s, metadata may have 1 MiB and a key set 2 MiB. Redirects are not followed, proxy variables are ignored.
#[derive(Clone)]
pub struct AuthorizationServer(Arc<Inner>);

struct Inner {
    issuer: String,
    algorithms: Vec<Algorithm>,
    discovery: Discovery,
    key_set: RemoteKeySet,
}

impl AuthorizationServer {
    /// Trusts an issuer with all defaults. Fetches nothing.
    ///
    /// # Errors
    /// As [`AuthorizationServerBuilder::build`].
    pub fn new(issuer: impl Into<String>) -> Result<Self, ConfigError> {
        Self::builder(issuer).build()
    }

    /// Begins a trusted issuer: its identifier letter by letter as it stands in the `iss` of its tokens, with or without a final slash.
    pub fn builder(issuer: impl Into<String>) -> AuthorizationServerBuilder {
        AuthorizationServerBuilder {
            issuer: issuer.into(),
            server_type: ServerType::default(),
            algorithms: Algorithm::ALL.to_vec(),
            fetch_deadline: DEFAULT_DEADLINE,
        }
    }

    /// Returns the issuer as configured.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// Returns the metadata, fetching it if necessary.
    ///
    /// # Errors
    /// When it cannot be fetched or used; for some time after a failure also without asking again.
    pub async fn metadata(&self) -> Result<AuthorizationServerMetadata, AuthorizationServerError> {
        match self.0.discovery.metadata().await {
            Ok(metadata) => Ok(metadata.value.clone()),
            Err(unavailable) => Err(unavailable.error),
        }
    }

    pub(super) fn allows(&self, algorithm: Algorithm) -> bool {
        self.0.algorithms.contains(&algorithm)
    }

    pub(super) fn key_set(&self) -> &RemoteKeySet {
        &self.0.key_set
    }
}

impl fmt::Debug for AuthorizationServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationServer")
            .field("issuer", &self.0.issuer)
            .field("algorithms", &self.0.algorithms)
            .finish_non_exhaustive()
    }
}

/// Collects the settings of an [`AuthorizationServer`].
#[derive(Debug, Clone)]
#[must_use]
pub struct AuthorizationServerBuilder {
    issuer: String,
    server_type: ServerType,
    algorithms: Vec<Algorithm>,
    fetch_deadline: Duration,
}

impl AuthorizationServerBuilder {
    /// Sets where its metadata is looked for. Default [`ServerType::Auto`].
    pub fn server_type(mut self, server_type: ServerType) -> Self {
        self.server_type = server_type;
        self
    }

    /// Replaces the algorithms that its tokens may use. Default RS256 and ES256.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
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
    /// when the list of algorithms is empty; when the HTTPS client cannot be set up.
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
        if self.algorithms.is_empty() {
            return Err(ConfigError::NoAlgorithm { issuer: self.issuer });
        }
        let client = HttpClient::new(&self.issuer, self.fetch_deadline)?;
        let discovery = Discovery::new(&self.issuer, &url, self.server_type, client.clone());
        let key_set = RemoteKeySet::new(&self.issuer, discovery.clone(), client);
        Ok(AuthorizationServer(Arc::new(Inner {
            issuer: self.issuer,
            algorithms: self.algorithms,
            discovery,
            key_set,
        })))
    }
}
