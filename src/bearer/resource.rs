//! What the bearer layer knows of one protected resource, and its verdict on one request.

use std::sync::Arc;

use http::{Extensions, HeaderMap, Uri, header};
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
        self.origins.check(uri, headers).map_err(|foreign| {
            tracing::warn!(
                host = ?headers.get(header::HOST),
                origin = ?headers.get(header::ORIGIN),
                "request for a foreign host or from a foreign origin; allow it by `allowed_host` or `allowed_origin` if it is yours"
            );
            Refusal::foreign(foreign)
        })
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
        let trail = Arc::new(trail);
        let caller = self
            .current_policy()
            .map(|policy| Caller::new(auth.clone(), policy, Some(Arc::clone(&trail))));
        self.check_required_scopes(&auth, caller.as_ref(), &trail)?;
        if let Some(caller) = caller {
            extensions.insert(caller);
        }
        extensions.insert(auth);
        Ok(())
    }

    /// The complete set for a challenge: what every request needs, what the denied operation needs, and what the client would lose.
    pub(crate) fn scopes_to_ask_for(&self, denied: &[String], kept: &[String]) -> Vec<String> {
        let mut scopes: Vec<String> = Vec::new();
        for scope in self.required_scopes.iter().chain(denied).chain(kept) {
            if !scopes.contains(scope) {
                scopes.push(scope.clone());
            }
        }
        scopes
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
                // The failure itself was a warning; anybody can send tokens meanwhile.
                tracing::debug!(%error, "access token not verified: nobody can say now whether it is good");
                Refusal::unavailable(error, *retry_after)
            }
        }
    }

    fn check_required_scopes(
        &self,
        auth: &AuthInfo,
        caller: Option<&Caller>,
        trail: &Trail,
    ) -> Result<(), Box<Refusal>> {
        let missing: Vec<String> = self
            .required_scopes
            .iter()
            .filter(|scope| !holds(auth, caller, scope))
            .cloned()
            .collect();
        if missing.is_empty() {
            Ok(())
        } else {
            let policy = caller.map(|caller| &**caller.policy());
            trail.missing_required_scopes(policy, auth, &missing, &self.required_scopes);
            Err(Refusal::missing_required_scopes(&self.required_scopes, missing))
        }
    }
}

/// Whether the token has a scope, or the caller holds it by what the policy makes of the token: implied scopes, other claims, roles.
fn holds(auth: &AuthInfo, caller: Option<&Caller>, scope: &str) -> bool {
    let by_policy = |caller: &Caller| caller.policy().holds(caller.grants(), scope);
    auth.scopes().iter().any(|held| held == scope) || caller.is_some_and(by_policy)
}
