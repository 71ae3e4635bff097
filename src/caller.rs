//! Who calls, resolved against one policy.

use std::{fmt, sync::Arc};

use mcp_auth_policy::{Arguments, Because, Decision, Grants, OperationKind, Policy, Reach, Resolved, TokenFacts};
use serde_json::{Map, Value};

use crate::{
    auth_info::AuthInfo,
    decision_record::Trail,
    deferral::{Deferral, Held},
    denied::{Denied, DeniedReason},
    policy_handle::PolicyHandle,
};

/// The caller of one request: its verified identity, and what it was granted by the policy of that moment.
///
/// The bearer layer puts it into the request extensions; take it as an axum extractor or as an argument of an `rmcp` tool. A reload of the
/// policy does not change a `Caller` that exists: gate and guard answer from one snapshot. Cheap to clone.
#[derive(Clone)]
pub struct Caller(Arc<Snapshot>);

#[derive(Clone)]
struct Snapshot {
    auth: AuthInfo,
    policy: Arc<Policy>,
    resolved: Resolved,
    call: Option<Call>,
    /// The request it is the caller of. A caller made for a test has none.
    trail: Option<Arc<Trail>>,
}

/// The call that the caller's request makes, and its arguments.
#[derive(Clone)]
struct Call {
    kind: OperationKind,
    name: String,
    arguments: Arc<Map<String, Value>>,
}

impl Caller {
    /// Resolves a verified token against a policy.
    ///
    /// # Security
    /// Not public: a `Caller` means that a token was verified, so only the bearer layer and the feature `testing` make one.
    pub(crate) fn new(auth: AuthInfo, policy: Arc<Policy>, trail: Option<Arc<Trail>>) -> Self {
        let resolved = policy.resolve(&TokenFacts {
            issuer: auth.issuer(),
            subject: auth.subject(),
            client_id: auth.client_id(),
            scopes: auth.scopes(),
            claims: auth.claims(),
        });
        Self(Arc::new(Snapshot {
            auth,
            policy,
            resolved,
            call: None,
            trail,
        }))
    }

    /// Notes the call that this request makes, so that forbids on arguments can be judged: by the tool gate, and again by the guard, after the
    /// tool's parameters took the arguments away.
    ///
    /// # Security
    /// They count for the operation of this name only. Whatever else is reached with this caller has arguments that nobody knows, and a
    /// forbid that depends on them stands.
    pub(crate) fn with_call(&self, kind: OperationKind, name: String, arguments: Map<String, Value>) -> Self {
        let mut snapshot = Snapshot::clone(&self.0);
        let arguments = Arc::new(arguments);
        snapshot.call = Some(Call { kind, name, arguments });
        Self(Arc::new(snapshot))
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

    /// Returns the subject of the access token, its `sub` claim.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.0.auth.subject()
    }

    /// Returns what the objects that this call creates are marked with, and what decides which objects are the caller's own.
    ///
    /// The subject, unless `callers:` in the policy names another claim, or adds the issuer. Empty if the token lacks that claim: such a
    /// caller owns nothing.
    #[must_use]
    pub fn owner_key(&self) -> &str {
        self.0.resolved.owner_key()
    }

    /// Decides what the policy alone lets this caller reach. An operation that the policy does not list is denied.
    ///
    /// A forbid on arguments is judged by those of this request, if it calls the operation; otherwise it stands.
    ///
    /// An annotation may be stricter. To enforce a decision use `#[requires_scope]`, not this.
    pub fn decide(&self, kind: OperationKind, name: &str) -> Decision {
        let policy = self.policy();
        policy.find(kind, name).map_or(
            Decision {
                reach: Reach::Deny,
                because: Because::UnknownOperation,
            },
            |operation| policy.decide_call(operation, self.grants(), self.arguments(kind, name)),
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
            Reach::Own if self.owner_key().is_empty() => Err(Denied::new(name.to_owned(), DeniedReason::OwnerUnknown)),
            Reach::Own | Reach::Any => Ok(decision.reach),
            Reach::Deny => {
                let policy = self.policy();
                let challenge = policy
                    .find(kind, name)
                    .and_then(|operation| policy.challenge_call(operation, self.grants(), self.arguments(kind, name)));
                Err(match challenge {
                    Some(challenge) => Denied::missing_scopes_of(name.to_owned(), challenge),
                    None => Denied::because(name.to_owned(), decision.because, policy),
                })
            }
        }
    }

    /// The arguments of an operation, if it is the one that the request calls.
    pub(crate) fn arguments(&self, kind: OperationKind, name: &str) -> Arguments<'_> {
        match &self.0.call {
            Some(call) if call.kind == kind && call.name == name => Arguments::Known(&call.arguments),
            _ => Arguments::Unknown,
        }
    }

    /// Lets the guard of this request decide what becomes of the response.
    pub(crate) fn hold(&self) -> Option<Held> {
        self.trail()?.hold()
    }

    /// Tells whether the gate admitted this request to an operation that the server's audited code annotates.
    pub(crate) fn admitted_to(&self, handle: &PolicyHandle) -> bool {
        let admitted = self.trail().and_then(Trail::admitted);
        admitted.is_some_and(|admitted| handle.annotates(self.policy(), admitted))
    }

    pub(crate) fn was_guarded(&self) -> bool {
        self.trail().is_some_and(Trail::was_guarded)
    }

    pub(crate) fn deferral(&self) -> Option<&Deferral> {
        self.trail()?.deferral()
    }

    pub(crate) fn trail(&self) -> Option<&Trail> {
        self.0.trail.as_deref()
    }

    pub(crate) fn grants(&self) -> &Grants {
        self.0.resolved.grants()
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
