//! The scopes to ask for after a denial.

use crate::{
    Grants, OperationId, Policy, Reach,
    grants::{ScopeSet, holds},
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
    /// Finds the scopes that would let this caller reach `any`: the alternative of `requires` with the fewest missing scopes,
    /// the first written of equals.
    ///
    /// Only scopes that `requires` names literally are asked for, never a broader one that implies them. `None` if no scope
    /// can help, or if the caller already reaches `any`.
    #[must_use]
    pub fn challenge(&self, id: OperationId, grants: &Grants) -> Option<Challenge> {
        let operation = self.operation(id)?;
        let held = grants.of(self.id())?;
        if operation.rule.decide(held).reach == Reach::Any {
            return None;
        }
        let lacking = |scopes: &[usize]| scopes.iter().filter(|scope| !holds(held, **scope)).count();
        // `min_by_key` gives the first of equals.
        let chosen = operation
            .rule
            .alternatives
            .iter()
            .min_by_key(|alternative| lacking(&alternative.scopes))?;

        // A client that asks for scopes that do not help goes in circles: only an answer that was tried is given.
        let mut granted = self.closure_of(chosen.scopes.iter().copied());
        granted.extend(&ScopeSet::from_words(held));
        if operation.rule.decide(granted.words()).reach != Reach::Any {
            return None;
        }
        let name = |scope: &usize| self.scope_name(*scope).map(str::to_owned);
        Some(Challenge {
            scopes: chosen.scopes.iter().filter_map(name).collect(),
            missing: chosen
                .scopes
                .iter()
                .filter(|scope| !holds(held, **scope))
                .filter_map(name)
                .collect(),
        })
    }
}
