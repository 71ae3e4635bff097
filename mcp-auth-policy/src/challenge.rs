//! The scopes to ask for after a denial.

use crate::{
    Arguments, Grants, OperationId, Policy, Reach, bits::holds, decide::IfUnknown, grants::Granted,
    operation::Alternative,
};

/// The scopes that would allow a call: all of one alternative of `requires`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Challenge {
    /// Every scope of the chosen alternative, as written. RFC 6750 section 3 wants the whole set in the `scope` parameter.
    pub scopes: Vec<String>,
    /// Those of them that the caller lacks, in the same order.
    pub missing: Vec<String>,
}

impl Policy {
    /// As [`challenge_call`](Self::challenge_call), for a call whose arguments are not known: only scopes that help whatever
    /// they are.
    #[must_use]
    pub fn challenge(&self, id: OperationId, grants: &Grants) -> Option<Challenge> {
        self.challenge_call(id, grants, Arguments::Unknown)
    }

    /// Finds the scopes that would let this caller reach `any` with this call: the alternative of `requires` with the fewest
    /// missing scopes, the first written of equals, among those that would really help.
    ///
    /// Only scopes that `requires` names literally are asked for, never a broader one that implies them. `None` if no
    /// alternative helps, because a forbid stands or because roles do not leave its scopes; or if the caller already reaches
    /// `any`.
    #[must_use]
    pub fn challenge_call(&self, id: OperationId, grants: &Grants, arguments: Arguments<'_>) -> Option<Challenge> {
        let operation = self.operation(id)?;
        let granted = grants.of(self.id())?;
        let reaches_any = |granted: &Granted| {
            let decision = self.decide_granted(operation, granted, arguments, IfUnknown::Forbid);
            decision.reach == Reach::Any
        };
        if reaches_any(granted) {
            return None;
        }
        // A client that asks for scopes that do not help goes in circles: only an answer that was tried is given.
        let helps = |alternative: &&Alternative| {
            let asked = self.with_more(granted, self.closure_of(alternative.scopes.iter().copied()));
            asked.of(self.id()).is_some_and(reaches_any)
        };
        let held = granted.held.words();
        let lacks = |scope: &&usize| !holds(held, **scope);
        // `min_by_key` gives the first of equals.
        let chosen = (operation.rule.alternatives.iter())
            .filter(helps)
            .min_by_key(|alternative| alternative.scopes.iter().filter(lacks).count())?;
        let name = |scope: &usize| self.scope_name(*scope).map(str::to_owned);
        Some(Challenge {
            scopes: chosen.scopes.iter().filter_map(name).collect(),
            missing: chosen.scopes.iter().filter(lacks).filter_map(name).collect(),
        })
    }
}
