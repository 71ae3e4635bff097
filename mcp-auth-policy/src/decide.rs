//! The decision: a fixed, total order of questions, a few comparisons of words each.

use crate::{
    Because, Decision, Grants, OperationId, Policy, Reach,
    operation::{Operation, Rule},
};

impl Policy {
    /// Decides one call, in constant time in the size of the policy and without allocation.
    ///
    /// The order is fixed: an unknown operation denies; a met `requires` gives `any`; an owner fallback gives `own`; all
    /// else denies. An id or grants of another policy deny.
    pub fn decide(&self, id: OperationId, grants: &Grants) -> Decision {
        let Some(operation) = self.operation(id) else {
            return Decision::UNKNOWN;
        };
        let Some(held) = grants.of(self.id()) else {
            return Decision::MISSING;
        };
        operation.rule.decide(held)
    }

    /// Returns the line of the rule that decides, counted from 1: `requires`, or `owner_fallback` where that gives `own`.
    ///
    /// `None` if the policy does not list the operation.
    #[must_use]
    pub fn deciding_line(&self, id: OperationId, grants: &Grants) -> Option<usize> {
        let operation = self.operation(id)?;
        Some(operation.deciding_line(self.decide(id, grants)))
    }
}

impl Operation {
    fn deciding_line(&self, decision: Decision) -> usize {
        match (&self.rule.owner, decision.reach) {
            (Some(owner), Reach::Own) => owner.line,
            _ => self.rule.requires_line,
        }
    }
}

impl Rule {
    pub(crate) fn decide(&self, held: &[u64]) -> Decision {
        for alternative in &self.alternatives {
            if alternative.mask.is_held(held) {
                let because = if alternative.scopes.is_empty() {
                    Because::Open
                } else {
                    Because::Scope
                };
                return Decision {
                    reach: Reach::Any,
                    because,
                };
            }
        }
        match &self.owner {
            Some(owner) if owner.mask.is_held(held) => Decision::OWN,
            _ => Decision::MISSING,
        }
    }
}
