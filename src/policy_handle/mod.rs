//! The policy that is in force, and its replacement while requests are served.
//!
//! What a replacement has to pass: the checks that the server registered (such as the start-up audit of its tools) and, with
//! [`ReloadMode::NarrowOnly`], the proof that it lets nobody in further. What fails one of them changes nothing, is logged, and stays visible in
//! [`PolicyHandle::status`] until a policy is accepted.

mod refused;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    error::Error,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use arc_swap::{ArcSwap, ArcSwapOption};
use mcp_auth_policy::{Operation, OperationId, OperationKind, Policy};

pub use self::refused::ReloadRefused;
use crate::status::{PolicyStatus, ReloadError};

/// Which policies may replace the one in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReloadMode {
    /// Every policy that passes the registered checks.
    #[default]
    Any,
    /// Only a policy that lets nobody in further than the one in force ([`Policy::diff`]). To widen, restart the server.
    NarrowOnly,
}

/// The policy in force. Cheap to clone: all clones see a replacement at once.
///
/// Each request is decided by the policy that was in force when its token was verified, to the end, even if another one comes meanwhile.
///
/// ```
/// use mcp_auth::{Policy, PolicyHandle};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let handle = PolicyHandle::from(Policy::parse("version: 1\ntools: { ping: { requires: [] } }")?);
/// // Given to `McpAuth::builder(…).policy(handle.clone())`; later:
/// handle.replace(Policy::parse("version: 1\ntools: { ping: { requires: [] }, pong: { requires: [] } }")?)?;
/// assert_eq!(handle.status().reloads(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct PolicyHandle(Arc<Shared>);

struct Shared {
    current: ArcSwap<Policy>,
    arguments: ArcSwap<DeclaredArguments>,
    /// What audited code annotates: only its guarded functions may answer. Nothing before the first audit.
    annotated: ArcSwapOption<Annotated>,
    mode: ReloadMode,
    /// Held during a replacement: of two at once, the second is compared with the first.
    checks: Mutex<Vec<Check>>,
    state: Mutex<State>,
}

/// The names of the arguments of each tool and prompt.
type DeclaredArguments = BTreeMap<(&'static str, String), BTreeSet<String>>;

/// The names of annotated operations, of each kind.
type Annotated = HashMap<OperationKind, BTreeSet<String>>;

type Check = Box<dyn Fn(&Policy) -> Result<(), Box<dyn Error + Send + Sync>> + Send + Sync>;

#[derive(Debug)]
struct State {
    loaded_at: SystemTime,
    reloads: u64,
    refused: u64,
    last_error: Option<ReloadError>,
}

impl PolicyHandle {
    /// Begins with a policy. Nothing is checked yet.
    pub fn new(policy: impl Into<Arc<Policy>>, mode: ReloadMode) -> Self {
        Self(Arc::new(Shared {
            current: ArcSwap::new(policy.into()),
            arguments: ArcSwap::default(),
            annotated: ArcSwapOption::empty(),
            mode,
            checks: Mutex::default(),
            state: Mutex::new(State {
                loaded_at: SystemTime::now(),
                reloads: 0,
                refused: 0,
                last_error: None,
            }),
        }))
    }

    /// Returns the policy in force.
    #[must_use]
    pub fn current(&self) -> Arc<Policy> {
        self.0.current.load_full()
    }

    /// Puts another policy in force. Requests under way finish on the one they began with.
    ///
    /// # Errors
    /// A registered check or the mode refuses the policy. Then the old one stays.
    pub fn replace(&self, policy: impl Into<Arc<Policy>>) -> Result<(), ReloadRefused> {
        let new = policy.into();
        let checks = self.checks();
        let old = self.current();
        if let Err(refused) = self.examine(&checks, &new, &old) {
            self.report_failure(&refused);
            return Err(refused);
        }
        let mut state = self.state();
        self.0.current.store(Arc::clone(&new));
        state.loaded_at = SystemTime::now();
        state.reloads += 1;
        state.last_error = None;
        tracing::info!(
            policy = new.name(),
            revision = new.revision(),
            old_revision = old.revision(),
            "policy replaced"
        );
        Ok(())
    }

    /// Demands something of every policy that comes later, and of the one in force at once.
    ///
    /// # Errors
    /// What the check says of the policy in force. It is registered only if that passes.
    pub fn require<E>(&self, check: impl Fn(&Policy) -> Result<(), E> + Send + Sync + 'static) -> Result<(), E>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let mut checks = self.checks();
        check(&self.current())?;
        checks.push(Box::new(move |policy| check(policy).map_err(Into::into)));
        Ok(())
    }

    /// Audits the guarded blocks of a server against the policy in force, and against every one that is to replace it.
    ///
    /// Then no replacement reaches further than an annotation in the code, lacks a tool or prompt that is served, or lists one that is not.
    ///
    /// # Errors
    /// All disagreements with the policy in force, as [`audit`](crate::audit).
    #[cfg(feature = "rmcp")]
    pub fn require_audit<S: crate::Guarded>(&self) -> Result<(), crate::AuditErrors> {
        self.require_inventory(crate::rmcp::Inventory::of::<S>())
    }

    /// Audits as [`require_audit`](Self::require_audit), with what the server itself says it serves.
    ///
    /// From either audit on, gate and [`LocalServer`](crate::LocalServer) pass on a success only if the guard of the annotated function ran.
    ///
    /// # Errors
    /// All disagreements with the policy in force, as [`audit_server`](crate::audit_server).
    #[cfg(feature = "rmcp")]
    pub async fn require_audit_of<S>(&self, server: &S) -> Result<(), crate::AuditErrors>
    where
        S: crate::Guarded + rmcp::ServerHandler,
    {
        let inventory = crate::rmcp::Inventory::of_server(server).await;
        self.require_inventory(inventory.map_err(crate::rmcp::unlistable)?)
    }

    /// Audits every annotated function that is no tool, prompt or resource, as [`audit_operations`](crate::audit_operations).
    ///
    /// # Errors
    /// All disagreements with the policy in force.
    #[cfg(feature = "registry")]
    pub fn require_operations_audit(&self) -> Result<(), crate::AuditErrors> {
        self.require(crate::audit_operations)
    }

    #[cfg(feature = "rmcp")]
    fn require_inventory(&self, inventory: crate::rmcp::Inventory) -> Result<(), crate::AuditErrors> {
        let inventory = Arc::new(inventory);
        let audited = Arc::clone(&inventory);
        self.require(move |policy| crate::rmcp::audit_inventory(&audited, policy).map(drop))?;
        self.0.annotated.rcu(|annotated| {
            let mut annotated = annotated.as_deref().cloned().unwrap_or_default();
            for (kind, name) in inventory.annotated() {
                annotated.entry(kind).or_default().insert(name);
            }
            Some(Arc::new(annotated))
        });
        for (kind, name, arguments) in inventory.all_arguments() {
            self.declare_arguments(kind, name, arguments);
        }
        Ok(())
    }

    /// Says which arguments a tool or prompt takes, under all names it takes them. [`require_audit`](Self::require_audit) does it for audited tools.
    ///
    /// # Security
    /// A forbid that reads arguments is judged by them only if each has a declared name. Otherwise a call could carry the forbidden value under a
    /// name that the forbid does not know, such as a `#[serde(alias)]`; so the forbid stands, and the call is denied.
    pub fn declare_arguments<T: Into<String>>(
        &self,
        kind: OperationKind,
        name: impl Into<String>,
        arguments: impl IntoIterator<Item = T>,
    ) {
        let name = name.into();
        let arguments: BTreeSet<String> = arguments.into_iter().map(Into::into).collect();
        self.0.arguments.rcu(|declared| {
            let mut declared = DeclaredArguments::clone(declared);
            declared.insert((kind.as_str(), name.clone()), arguments.clone());
            declared
        });
    }

    /// Tells the operator of an MCP endpoint what was forgotten: tools that nobody guards, or that the policy does not list, are found by an audit
    /// alone.
    #[cfg(feature = "rmcp")]
    pub(crate) fn warn_if_not_audited(&self, resource: &str) {
        if self.0.annotated.load().is_none() {
            tracing::warn!(
                resource,
                policy = self.current().name(),
                "the policy of this MCP endpoint was never compared with the tools that the server has; call `require_audit_of(&server)` of \
                 the `PolicyHandle` before `mcp_layer()`, and give `McpAuth::builder(…).policy(…)` a clone of that handle"
            );
        }
    }

    /// Returns whether audited code annotates an operation of the policy.
    pub(crate) fn annotates(&self, policy: &Policy, operation: OperationId) -> bool {
        let annotated = self.0.annotated.load();
        let Some(name) = policy.operation(operation).map(Operation::name) else {
            return false;
        };
        let mut kinds = annotated.iter().flat_map(|annotated| annotated.iter());
        kinds.any(|(kind, names)| names.contains(name) && policy.find(*kind, name) == Some(operation))
    }

    /// Returns whether all these arguments were declared.
    pub(crate) fn declares<'a>(
        &self,
        kind: OperationKind,
        name: &str,
        mut arguments: impl Iterator<Item = &'a str>,
    ) -> bool {
        let declared = self.0.arguments.load();
        let declared = declared.get(&(kind.as_str(), name.to_owned()));
        declared.is_some_and(|declared| arguments.all(|argument| declared.contains(argument)))
    }

    /// Notes that a replacement could not even be read: logs it as an error and shows it in [`status`](Self::status). The old policy stays.
    ///
    /// For policies that come from elsewhere than a file, which `PolicyFile` watches.
    pub fn report_failure(&self, error: &dyn fmt::Display) {
        let text = error.to_string();
        let mut state = self.state();
        tracing::error!(
            revision = self.0.current.load().revision(),
            "policy not replaced, the old one stays in force: {text}"
        );
        state.refused += 1;
        state.last_error = Some(ReloadError::new(SystemTime::now(), text));
    }

    /// Returns what is in force since when, and what went wrong last.
    #[must_use]
    pub fn status(&self) -> PolicyStatus {
        let state = self.state();
        let policy = self.current();
        PolicyStatus::new(
            &policy,
            state.loaded_at,
            state.reloads,
            state.refused,
            state.last_error.clone(),
        )
    }

    /// Runs the checks against a policy, and compares it with the old one if it may only narrow.
    fn examine(&self, checks: &[Check], new: &Policy, old: &Policy) -> Result<(), ReloadRefused> {
        checks
            .iter()
            .try_for_each(|check| check(new))
            .map_err(ReloadRefused::Check)?;
        if self.0.mode == ReloadMode::NarrowOnly {
            let diff = new.diff(old);
            if diff.widens() {
                return Err(ReloadRefused::Widens(diff));
            }
        }
        Ok(())
    }

    fn checks(&self) -> MutexGuard<'_, Vec<Check>> {
        self.0.checks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<Policy> for PolicyHandle {
    fn from(policy: Policy) -> Self {
        Self::new(policy, ReloadMode::Any)
    }
}

impl From<Arc<Policy>> for PolicyHandle {
    fn from(policy: Arc<Policy>) -> Self {
        Self::new(policy, ReloadMode::Any)
    }
}

/// Shows the status, not the whole policy.
impl fmt::Debug for PolicyHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyHandle")
            .field("mode", &self.0.mode)
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}
