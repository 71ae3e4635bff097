//! What the bearer layer knows of one protected resource, and its verdict on one request.

use std::sync::Arc;

use http::{Extensions, HeaderMap, Uri};
use mcp_auth_policy::Policy;

use super::{refusal::Refusal, request_id::RequestId, token::bearer_token};
use crate::{
    AuthInfo, Caller, PolicyHandle,
    decision_record::{Decisions, Trail},
    origin::AllowedOrigins,
    verify::{AccessTokenVerifier, VerifyError},
};

/// One protected resource (RFC 9728 section 1.2) as configured.
#[derive(Debug)]
pub(crate) struct ProtectedResource {
    pub(crate) verifier: AccessTokenVerifier,
    pub(crate) origins: AllowedOrigins,
    /// The absolute URL of the protected resource metadata.
    pub(crate) metadata_url: String,
    /// What a first challenge tells clients to ask for.
    pub(crate) advertised_scopes: Vec<String>,
    /// What every request needs.
    pub(crate) required_scopes: Vec<String>,
    pub(crate) policy: Option<PolicyHandle>,
    pub(crate) decisions: Arc<Decisions>,
    pub(crate) malformed_as_401: bool,
}

impl ProtectedResource {
    /// Checks `Host` and `Origin`, before anything else is looked at.
    pub(crate) fn check_origin(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Box<Refusal>> {
        self.origins.check(uri, headers).map_err(Refusal::foreign_origin)
    }

    /// Verifies the token and resolves its caller into `extensions`.
    pub(crate) async fn authenticate(
        &self,
        headers: &HeaderMap,
        extensions: &mut Extensions,
        request_id: &RequestId,
    ) -> Result<(), Box<Refusal>> {
        let trail = Trail::new(Arc::clone(&self.decisions), request_id.clone());
        let token = bearer_token(headers).map_err(|no_token| {
            trail.unauthenticated(self.current_policy().as_deref());
            Refusal::no_token(no_token, &self.advertised_scopes, self.malformed_as_401)
        })?;
        let auth = self
            .verifier
            .verify(&token)
            .await
            .map_err(|error| self.not_verified(&error, &trail))?;
        // The one look at the handle: whatever comes after it in this request uses this policy.
        let policy = self.current_policy();
        self.check_required_scopes(&auth, policy.as_deref(), &trail)?;
        if let Some(policy) = policy {
            extensions.insert(Caller::new(auth.clone(), policy, Some(trail)));
        }
        extensions.insert(auth);
        Ok(())
    }

    fn current_policy(&self) -> Option<Arc<Policy>> {
        self.policy.as_ref().map(PolicyHandle::current)
    }

    fn not_verified(&self, error: &VerifyError, trail: &Trail) -> Box<Refusal> {
        match error {
            VerifyError::Invalid(invalid) => {
                trail.unauthenticated(self.current_policy().as_deref());
                tracing::debug!(reason = invalid.reason(), detail = %invalid, "access token refused");
                Refusal::invalid_token(invalid, &self.advertised_scopes)
            }
            VerifyError::Unavailable(error, retry_after) => {
                tracing::warn!(%error, "access token not verified: the authorization server cannot be asked");
                Refusal::unavailable(*retry_after)
            }
        }
    }

    fn check_required_scopes(
        &self,
        auth: &AuthInfo,
        policy: Option<&Policy>,
        trail: &Trail,
    ) -> Result<(), Box<Refusal>> {
        let missing: Vec<String> = self
            .required_scopes
            .iter()
            .filter(|scope| !holds(auth, policy, scope))
            .cloned()
            .collect();
        if missing.is_empty() {
            Ok(())
        } else {
            trail.missing_required_scopes(policy, auth, &missing, &self.required_scopes);
            Err(Refusal::missing_required_scopes(&self.required_scopes, missing))
        }
    }
}

/// Whether the token has a scope, or one that implies it.
fn holds(auth: &AuthInfo, policy: Option<&Policy>, scope: &str) -> bool {
    let implied = |policy: &Policy| {
        let grants = policy.grants(auth.scopes().iter().map(String::as_str));
        policy.holds(&grants, scope)
    };
    auth.scopes().iter().any(|held| held == scope) || policy.is_some_and(implied)
}
