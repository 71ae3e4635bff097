//! Who calls, resolved against one policy.

use std::{fmt, sync::Arc};

use mcp_auth_policy::{Because, Decision, Grants, OperationKind, Policy, Reach};

use crate::{
    auth_info::AuthInfo,
    decision_record::Trail,
    denied::{Denied, DeniedReason},
};

/// The caller of one request: its verified identity, and what it was granted by the policy of that moment.
///
/// The bearer layer puts it into the request extensions; take it as an axum extractor or as an argument of an `rmcp` tool. A reload of the
/// policy does not change a `Caller` that exists: gate and guard answer from one snapshot. Cheap to clone.
#[derive(Clone)]
pub struct Caller(Arc<Snapshot>);

struct Snapshot {
    auth: AuthInfo,
    policy: Arc<Policy>,
    grants: Grants,
    /// The request it is the caller of. A caller made for a test has none.
    trail: Option<Trail>,
}

impl Caller {
    /// Resolves the scopes of a verified token against a policy.
    ///
    /// # Security
    /// Not public: a `Caller` means that a token was verified, so only the bearer layer and the feature `testing` make one.
    pub(crate) fn new(auth: AuthInfo, policy: Arc<Policy>, trail: Option<Trail>) -> Self {
        let grants = policy.grants(auth.scopes().iter().map(String::as_str));
        Self(Arc::new(Snapshot {
            auth,
            policy,
            grants,
            trail,
        }))
    }

    /// Returns the facts of the access token.
    #[must_use]
    pub fn auth(&self) -> &AuthInfo {
        &self.0.auth
    }

    /// Returns the policy that this caller was resolved against.
    #[must_use]
    pub fn policy(&self) -> &Arc<Policy> {
        &self.0.policy
    }

    /// Returns the subject of the access token: whom the objects that this call creates belong to.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.0.auth.subject()
    }

    /// Decides what the policy alone lets this caller reach. An operation that the policy does not list is denied.
    ///
    /// An annotation may be stricter. To enforce a decision use `#[requires_scope]`, not this.
    pub fn decide(&self, kind: OperationKind, name: &str) -> Decision {
        let policy = self.policy();
        policy.find(kind, name).map_or(
            Decision {
                reach: Reach::Deny,
                because: Because::UnknownOperation,
            },
            |operation| policy.decide(operation, self.grants()),
        )
    }

    /// Decides as [`decide`](Self::decide), with a denial that a client can be answered with.
    ///
    /// What the tool gate asks before a tool is reached, and what a hand-written `ServerHandler` method may ask. It knows neither an
    /// annotation nor an object.
    ///
    /// # Errors
    /// If the policy alone denies the operation, whatever object it acts on.
    pub fn reach(&self, kind: OperationKind, name: &str) -> Result<Reach, Denied> {
        let decision = self.decide(kind, name);
        match decision.reach {
            Reach::Own if self.subject().is_empty() => Err(Denied::new(name.to_owned(), DeniedReason::OwnerUnknown)),
            Reach::Own | Reach::Any => Ok(decision.reach),
            Reach::Deny => {
                let challenge = self
                    .policy()
                    .find(kind, name)
                    .and_then(|operation| self.policy().challenge(operation, self.grants()));
                Err(match challenge {
                    Some(challenge) => Denied::missing_scopes_of(name.to_owned(), challenge),
                    None => Denied::new(name.to_owned(), decision.because.into()),
                })
            }
        }
    }

    pub(crate) fn trail(&self) -> Option<&Trail> {
        self.0.trail.as_ref()
    }

    pub(crate) fn grants(&self) -> &Grants {
        &self.0.grants
    }
}

/// Shows who calls and under which policy, not the whole policy.
impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("auth", self.auth())
            .field("policy", &self.policy().name())
            .finish_non_exhaustive()
    }
}
