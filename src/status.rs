//! What an operator asks a running server: which policy is in force, and what was decided.

use std::time::SystemTime;

use mcp_auth_policy::Policy;
use serde::Serialize;

use crate::timestamp;

/// The state of one protected resource; [`McpAuth::status`](crate::McpAuth::status) gives it.
///
/// Serializes to JSON. It names no caller, but the error texts repeat lines of the policy file: serve it to operators only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    policy: Option<PolicyStatus>,
    decisions: DecisionCounts,
}

/// Which policy is in force, since when, and what went wrong with the last one that was to replace it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PolicyStatus {
    name: String,
    file: String,
    revision: String,
    #[serde(with = "timestamp")]
    loaded_at: SystemTime,
    reloads: u64,
    refused: u64,
    last_error: Option<ReloadError>,
}

/// Why the last attempt to replace a policy failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReloadError {
    #[serde(with = "timestamp")]
    at: SystemTime,
    text: String,
}

/// How many calls were decided, and how. Exact, whatever part of the records is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct DecisionCounts {
    pub(crate) allowed: u64,
    pub(crate) denied: u64,
    pub(crate) revoked: u64,
    pub(crate) unauthenticated: u64,
    pub(crate) records_lost: u64,
}

impl Status {
    pub(crate) fn new(policy: Option<PolicyStatus>, decisions: DecisionCounts) -> Self {
        Self { policy, decisions }
    }

    /// Returns the state of the policy. `None` if the resource has none.
    #[must_use]
    pub fn policy(&self) -> Option<&PolicyStatus> {
        self.policy.as_ref()
    }

    /// Returns how many calls were decided since the start.
    #[must_use]
    pub fn decisions(&self) -> DecisionCounts {
        self.decisions
    }
}

impl PolicyStatus {
    pub(crate) fn new(
        policy: &Policy,
        loaded_at: SystemTime,
        reloads: u64,
        refused: u64,
        last_error: Option<ReloadError>,
    ) -> Self {
        Self {
            name: policy.name().to_owned(),
            file: policy.file_name().to_owned(),
            revision: policy.revision().to_owned(),
            loaded_at,
            reloads,
            refused,
            last_error,
        }
    }

    /// Returns the name of the policy in force.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the file of the policy in force, as its messages call it.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Returns the revision of the policy in force: the one that `mcp-policy check` shows and each decision record names.
    #[must_use]
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// Returns when the policy came into force.
    #[must_use]
    pub fn loaded_at(&self) -> SystemTime {
        self.loaded_at
    }

    /// Returns how often the policy was replaced since the start.
    #[must_use]
    pub fn reloads(&self) -> u64 {
        self.reloads
    }

    /// Returns how often a replacement failed since the start.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// Returns why the last attempt failed. `None` if it did not: the policy in force is then the newest one.
    #[must_use]
    pub fn last_error(&self) -> Option<&ReloadError> {
        self.last_error.as_ref()
    }
}

impl ReloadError {
    pub(crate) fn new(at: SystemTime, text: String) -> Self {
        Self { at, text }
    }

    /// Returns when it failed.
    #[must_use]
    pub fn at(&self) -> SystemTime {
        self.at
    }

    /// Returns every mistake, as in the log.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl DecisionCounts {
    /// Returns how many calls were allowed.
    #[must_use]
    pub fn allowed(self) -> u64 {
        self.allowed
    }

    /// Returns how many calls were denied to an authenticated caller.
    #[must_use]
    pub fn denied(self) -> u64 {
        self.denied
    }

    /// Returns how many refusals came after a call had been allowed, from the tool itself: somebody else's object, a stricter annotation.
    #[must_use]
    pub fn revoked(self) -> u64 {
        self.revoked
    }

    /// Returns how many requests had no token, or a bad one.
    #[must_use]
    pub fn unauthenticated(self) -> u64 {
        self.unauthenticated
    }

    /// Returns how many records the decision log lost because it could not be written fast enough, or not at all.
    #[must_use]
    pub fn records_lost(self) -> u64 {
        self.records_lost
    }
}
