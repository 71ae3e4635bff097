//! One trusted issuer, with its metadata and keys.

use std::{fmt, sync::Arc};

use super::{AuthorizationServerBuilder, token_rules::TokenRules};
use crate::{
    discovery::Discovery,
    error::{AuthorizationServerError, ConfigError},
    key_set::RemoteKeySet,
    metadata::AuthorizationServerMetadata,
    remote_check::RemoteCheck,
};

/// An authorization server whose tokens are accepted.
///
/// Its metadata and keys are fetched when the first token arrives, so a server starts while its issuer is down, answers 503 to tokens, and
/// recovers by itself. Clones share both; give a clone to every [`AccessTokenVerifier`](super::AccessTokenVerifier) that trusts the issuer.
///
/// - Metadata is fetched again in the background after an hour, keys after 10 minutes and for unknown key ids (at most once in 5 s). While that
///   fails, keys stay in use until they are an hour old.
/// - After a failure the next fetch waits 1 s, doubling up to 30 s.
/// - A fetch has 5 s, metadata may have 1 MiB and a key set 2 MiB. Redirects are not followed, proxy variables are ignored.
#[derive(Clone)]
pub struct AuthorizationServer(Arc<Inner>);

/// What the builder checked.
pub(super) struct Inner {
    pub(super) issuer: String,
    pub(super) rules: TokenRules,
    pub(super) discovery: Discovery,
    pub(super) key_set: RemoteKeySet,
    pub(super) remote_check: Option<RemoteCheck>,
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
        AuthorizationServerBuilder::new(issuer.into())
    }

    pub(super) fn from_inner(inner: Inner) -> Self {
        Self(Arc::new(inner))
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

    /// Fetches metadata and keys now, for a server that is not to start without them. Keys are left out where every token is asked about.
    ///
    /// # Errors
    /// When one of them cannot be fetched or used.
    pub async fn resolve(&self) -> Result<(), AuthorizationServerError> {
        self.metadata().await?;
        match self.remote_check() {
            Some(check) if check.method().is_for_every_token() => Ok(()),
            _ => match self.key_set().current().await {
                Ok(_) => Ok(()),
                Err(unavailable) => Err(unavailable.error),
            },
        }
    }

    /// The metadata as it is shared, with the time to wait after a failure.
    pub(crate) fn discovery(&self) -> &Discovery {
        &self.0.discovery
    }

    pub(super) fn rules(&self) -> &TokenRules {
        &self.0.rules
    }

    pub(super) fn remote_check(&self) -> Option<&RemoteCheck> {
        self.0.remote_check.as_ref()
    }

    pub(super) fn key_set(&self) -> &RemoteKeySet {
        &self.0.key_set
    }
}

impl fmt::Debug for AuthorizationServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationServer")
            .field("issuer", &self.0.issuer)
            .field("rules", &self.0.rules)
            .field("remote_check", &self.0.remote_check)
            .finish_non_exhaustive()
    }
}
