//! One record for each decision: who wanted what, how it was decided, by which rule, and in which request.
//!
//! A tool call is decided by the gate, and that is its record. The guard in the tool decides again; it makes a record only if no gate decided (an
//! axum route, a function that is no tool) or if it refuses what the gate allowed: a stricter annotation, somebody else's object, a limit that the
//! function ignored. Such a record has the `request_id` of the first one.
//!
//! Every record is a `tracing` event with the target `mcp_auth::decision`, and a line of the [`DecisionLog`] if there is one. It never holds a token,
//! a claim beside issuer, subject and client, or an argument. The name of a tool that the policy does not list comes from the client, so it is
//! cut to the 128 characters that MCP allows.

mod log;
mod record;
mod settle;

use std::{
    num::NonZeroU64,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};

use mcp_auth_policy::{Because, OperationId, Policy, Reach};

pub use self::log::DecisionLog;
pub(crate) use self::{
    record::{Decided, Outcome},
    settle::Stage,
};
use crate::{
    auth_info::AuthInfo,
    bearer::RequestId,
    deferral::{Deferral, Held},
    hook::Hook,
    status::DecisionCounts,
};

/// Counts and records the decisions of one protected resource.
#[derive(Debug, Default)]
pub(crate) struct Decisions {
    hook: Option<Hook>,
    log: Option<DecisionLog>,
    /// Of so many denials, one is recorded.
    denials_per_record: Option<NonZeroU64>,
    allowed: AtomicU64,
    denied: AtomicU64,
    revoked: AtomicU64,
    unauthenticated: AtomicU64,
}

/// The request that decisions belong to.
#[derive(Debug)]
pub(crate) struct Trail {
    decisions: Arc<Decisions>,
    request_id: RequestId,
    started: Instant,
    /// What the gate allowed, which the guard need not record again.
    gate: OnceLock<OperationId>,
    /// The guard of what the gate allowed has run.
    guarded: AtomicBool,
    /// Present if the gate holds the response until the tool has decided.
    deferral: OnceLock<Deferral>,
}

impl Decisions {
    pub(crate) fn new(
        hook: Option<Hook>,
        log: Option<DecisionLog>,
        denials_per_record: Option<NonZeroU64>,
    ) -> Arc<Self> {
        Arc::new(Self {
            hook,
            log,
            denials_per_record,
            ..Self::default()
        })
    }

    pub(crate) fn counts(&self) -> DecisionCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        DecisionCounts {
            allowed: read(&self.allowed),
            denied: read(&self.denied),
            revoked: read(&self.revoked),
            unauthenticated: read(&self.unauthenticated),
            records_lost: self.log.as_ref().map_or(0, DecisionLog::lost),
        }
    }

    /// Counts an outcome, and says whether it is to be recorded.
    fn count(&self, outcome: Outcome) -> bool {
        let counter = match outcome {
            Outcome::Allowed => &self.allowed,
            Outcome::Denied => &self.denied,
            Outcome::Revoked => &self.revoked,
            Outcome::Unauthenticated => &self.unauthenticated,
        };
        let before = counter.fetch_add(1, Ordering::Relaxed);
        outcome == Outcome::Allowed || self.denials_per_record.is_none_or(|n| before % n == 0)
    }
}

impl Trail {
    /// Begins with a request; its records count the time from here.
    pub(crate) fn new(decisions: Arc<Decisions>, request_id: RequestId) -> Self {
        Self {
            decisions,
            request_id,
            started: Instant::now(),
            gate: OnceLock::new(),
            guarded: AtomicBool::new(false),
            deferral: OnceLock::new(),
        }
    }

    /// Returns what the gate allowed.
    pub(crate) fn admitted(&self) -> Option<OperationId> {
        self.gate.get().copied()
    }

    /// Notes that a guard ran, which counts if it is that of what the gate allowed.
    pub(crate) fn note_guard(&self, operation: OperationId) {
        if self.admitted() == Some(operation) {
            self.guarded.store(true, Ordering::Release);
        }
    }

    pub(crate) fn was_guarded(&self) -> bool {
        self.guarded.load(Ordering::Acquire)
    }

    /// Lets the tool decide what becomes of the response; `None` if it can already.
    pub(crate) fn hold(&self) -> Option<Held> {
        let (deferral, held) = Deferral::new();
        self.deferral.set(deferral).ok().map(|()| held)
    }

    pub(crate) fn deferral(&self) -> Option<&Deferral> {
        self.deferral.get()
    }

    /// Records a request without a caller to decide about.
    pub(crate) fn unauthenticated(&self, policy: Option<&Policy>) {
        self.record(&Decided {
            policy,
            kind: None,
            operation: None,
            auth: None,
            reach: Reach::Deny,
            outcome: Outcome::Unauthenticated,
            because: "unauthenticated",
            line: None,
            missing: &[],
            challenge: &[],
        });
    }

    /// Records a caller who lacks scopes that every request needs.
    pub(crate) fn missing_required_scopes(
        &self,
        policy: Option<&Policy>,
        auth: &AuthInfo,
        missing: &[String],
        challenge: &[String],
    ) {
        self.record(&Decided {
            policy,
            kind: None,
            operation: None,
            auth: Some(auth),
            reach: Reach::Deny,
            outcome: Outcome::Denied,
            because: Because::MissingScope.code(),
            line: None,
            missing,
            challenge,
        });
    }

    /// Counts a decision, and records it unless sampling leaves it out.
    pub(crate) fn record(&self, decided: &Decided<'_>) {
        if self.decisions.count(decided.outcome) {
            decided.write(
                self.request_id.as_str(),
                self.started.elapsed(),
                self.decisions.log.as_ref(),
            );
        }
    }
}
