//! Where a decision becomes final: the hook is asked, and the record is made.

use mcp_auth_policy::{Because, OperationId, OperationKind, Reach};

use super::{Decided, Outcome};
use crate::{
    caller::Caller,
    denied::{Denied, DeniedReason},
    hook::DecisionView,
};

/// Who decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The tool gate, before the call is dispatched.
    Gate,
    /// The guard at the top of the function.
    Guard,
}

impl Caller {
    /// Makes a decision final: asks the hook about a call that is allowed, then counts and records the result.
    ///
    /// What the gate decided alike is neither asked nor recorded again by the guard.
    ///
    /// # Errors
    /// The denial it was given, or that of the hook.
    pub(crate) fn settle(
        &self,
        stage: Stage,
        kind: OperationKind,
        name: &str,
        decision: Result<Reach, Denied>,
    ) -> Result<Reach, Denied> {
        let Some(trail) = self.trail() else { return decision };
        let rule = self.policy().find(kind, name);
        let allowed_at_gate = rule.is_some() && rule.as_ref() == trail.gate.get();
        match (allowed_at_gate, decision) {
            // The same call: the hook has seen it, and it is counted. An annotation may have narrowed `any` to `own`.
            (true, Ok(reach)) => Ok(reach),
            (true, Err(denied)) => {
                self.revoke(kind, &denied);
                Err(denied)
            }
            (false, Ok(reach)) => {
                let because = self.allowed_because(kind, name, reach);
                let view = DecisionView {
                    caller: self,
                    kind: kind.as_str(),
                    operation: name,
                    reach,
                    because,
                };
                if let Some(Err(message)) = trail.decisions.hook.as_ref().map(|hook| hook.ask(&view)) {
                    let denied = Denied::by_hook(name.to_owned(), message);
                    self.deny(kind, name, rule, &denied);
                    return Err(denied);
                }
                if let (Stage::Gate, Some(rule)) = (stage, rule) {
                    // One request holds one call, so there is nothing to replace.
                    let _ = trail.gate.set(rule);
                }
                self.record((kind, name, rule), reach, Outcome::Allowed, because, None);
                Ok(reach)
            }
            (false, Err(denied)) => {
                self.deny(kind, name, rule, &denied);
                Err(denied)
            }
        }
    }

    /// Records a denial.
    fn deny(&self, kind: OperationKind, name: &str, rule: Option<OperationId>, denied: &Denied) {
        self.record(
            (kind, name, rule),
            Reach::Deny,
            Outcome::Denied,
            because(denied.reason()),
            Some(denied),
        );
    }

    /// Records the denial of a call that had been allowed.
    pub(crate) fn revoke(&self, kind: OperationKind, denied: &Denied) {
        let name = denied.operation();
        let rule = self.policy().find(kind, name);
        let because = because(denied.reason());
        self.record((kind, name, rule), Reach::Deny, Outcome::Revoked, because, Some(denied));
    }

    fn record(
        &self,
        (kind, name, rule): (OperationKind, &str, Option<OperationId>),
        reach: Reach,
        outcome: Outcome,
        because: &'static str,
        denied: Option<&Denied>,
    ) {
        let Some(trail) = self.trail() else { return };
        trail.record(&Decided {
            policy: Some(self.policy()),
            kind: Some(kind.as_str()),
            operation: Some(name),
            auth: Some(self.auth()),
            reach,
            outcome,
            because,
            line: rule.and_then(|id| self.policy().line_of(id, self.decide(kind, name))),
            missing: denied.map_or(&[], Denied::missing_scopes),
            challenge: denied.map_or(&[], Denied::scopes),
        });
    }

    /// Why this reach was given, which is less than the policy gives where the annotation is stricter.
    fn allowed_because(&self, kind: OperationKind, name: &str, reach: Reach) -> &'static str {
        match self.decide(kind, name) {
            decision if reach == Reach::Any && decision.reach == Reach::Any => decision.because.code(),
            _ => Because::Owner.code(),
        }
    }
}

/// The closed vocabulary of denials.
fn because(reason: DeniedReason) -> &'static str {
    match reason {
        DeniedReason::UnknownOperation => "unknown-tool",
        DeniedReason::MissingScope => "missing-scope",
        DeniedReason::Forbidden => "forbidden",
        DeniedReason::NotOwner => "not-owner",
        DeniedReason::OwnerUnknown => "owner-unknown",
        DeniedReason::OwnershipUnchecked => "ownership-unchecked",
        DeniedReason::MissingIdentity => "missing-identity",
        DeniedReason::Hook => "hook",
    }
}
