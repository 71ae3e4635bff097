//! The record itself, as an event and as JSON.

use std::time::{Duration, SystemTime};

use mcp_auth_policy::{Policy, Reach};
use serde::{Serialize, Serializer};

use super::DecisionLog;
use crate::{auth_info::AuthInfo, timestamp};

/// What a client may call a tool at most (MCP, "Tool Names"), in characters.
const NAME: usize = 128;

/// How a decision ended, for counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The call may run.
    Allowed,
    /// The call of a known caller may not run.
    Denied,
    /// The call had been allowed, and was denied later.
    Revoked,
    /// There is no caller to decide about.
    Unauthenticated,
}

/// A decision in the words of the record.
#[derive(Debug)]
pub(crate) struct Decided<'a> {
    pub(crate) policy: Option<&'a Policy>,
    pub(crate) kind: Option<&'static str>,
    pub(crate) operation: Option<&'a str>,
    pub(crate) auth: Option<&'a AuthInfo>,
    pub(crate) reach: Reach,
    pub(crate) outcome: Outcome,
    /// A word of a closed vocabulary.
    pub(crate) because: &'static str,
    /// The line of the deciding rule.
    pub(crate) line: Option<usize>,
    pub(crate) missing: &'a [String],
    /// The scopes that a challenge names.
    pub(crate) challenge: &'a [String],
}

/// The line of JSON, its members in this order.
#[derive(Serialize)]
struct Record<'a> {
    #[serde(with = "timestamp")]
    time: SystemTime,
    policy: Option<&'a str>,
    revision: Option<&'a str>,
    kind: Option<&'static str>,
    operation: Option<&'a str>,
    issuer: Option<&'a str>,
    subject: Option<&'a str>,
    client: Option<&'a str>,
    #[serde(serialize_with = "reach")]
    reach: Reach,
    outcome: &'static str,
    because: &'static str,
    rule: Option<String>,
    missing: &'a [String],
    challenge: &'a [String],
    request_id: &'a str,
    micros: u64,
}

impl Decided<'_> {
    /// Writes the record to whoever wants it.
    pub(super) fn write(&self, request_id: &str, took: Duration, log: Option<&DecisionLog>) {
        let event = tracing::enabled!(target: "mcp_auth::decision", tracing::Level::INFO);
        if !event && log.is_none() {
            return;
        }
        let record = self.record(request_id, took);
        if event {
            record.emit();
        }
        if let Some(log) = log {
            log.write(&record);
        }
    }

    fn record<'a>(&'a self, request_id: &'a str, took: Duration) -> Record<'a> {
        let rule = self.policy.zip(self.line);
        Record {
            time: SystemTime::now(),
            policy: self.policy.map(Policy::name),
            revision: self.policy.map(Policy::revision),
            kind: self.kind,
            operation: self.operation.map(cut),
            issuer: self.auth.map(AuthInfo::issuer),
            subject: self.auth.map(AuthInfo::subject),
            client: self.auth.and_then(AuthInfo::client_id),
            reach: self.reach,
            outcome: if self.outcome == Outcome::Allowed {
                "allow"
            } else {
                "deny"
            },
            because: self.because,
            rule: rule.map(|(policy, line)| format!("{}:{line}", policy.file_name())),
            missing: self.missing,
            challenge: self.challenge,
            request_id,
            micros: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        }
    }
}

impl Record<'_> {
    fn emit(&self) {
        let list = |scopes: &[String]| (!scopes.is_empty()).then(|| scopes.join(" "));
        tracing::info!(
            target: "mcp_auth::decision",
            policy = self.policy,
            revision = self.revision,
            kind = self.kind,
            operation = self.operation,
            issuer = self.issuer,
            subject = self.subject,
            client = self.client,
            reach = self.reach.as_str(),
            outcome = self.outcome,
            because = self.because,
            rule = self.rule.as_deref(),
            missing = list(self.missing),
            challenge = list(self.challenge),
            request_id = self.request_id,
            micros = self.micros,
        );
    }
}

/// An unlisted name is whatever the client sent, up to megabytes.
fn cut(name: &str) -> &str {
    match name.char_indices().nth(NAME) {
        Some((end, _)) => name.get(..end).unwrap_or_default(),
        None => name,
    }
}

fn reach<S: Serializer>(reach: &Reach, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(reach.as_str())
}
