//! An annotation in the code against the policy: the policy may be stricter, never looser.

use crate::{
    Grants, OperationId, Policy, Reach,
    bits::{Bits, holds},
};

/// What an annotation in the code demands.
#[derive(Debug, Clone, Copy)]
pub struct Annotation<'a> {
    /// Any of these, each all of. One empty alternative means every authenticated caller; no alternative means nobody.
    pub requires: &'a [&'a [&'a str]],
    /// Whether an owner may act without those scopes.
    pub owner_fallback: bool,
}

/// A caller whom the policy lets in further than an annotation does.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Looser {
    /// A caller holding exactly these scopes ...
    pub example_scopes: Vec<String>,
    /// ... gets this from the policy ...
    pub policy_reach: Reach,
    /// ... and this from the annotation.
    pub annotation_reach: Reach,
    /// The line of the rule in the policy file, counted from 1.
    pub line: usize,
}

impl Policy {
    /// Returns whether the grants hold a scope, by itself or because another one implies it. An undeclared scope is never held.
    #[must_use]
    pub fn holds(&self, grants: &Grants, scope: &str) -> bool {
        self.scope_number(scope)
            .zip(grants.of(self.id()))
            .is_some_and(|(scope, granted)| granted.held.contains(scope))
    }

    /// Returns what an annotation alone would answer for these grants.
    ///
    /// A scope that the policy does not declare is never held. Grants of another policy reach nothing.
    #[must_use]
    pub fn decide_annotation(&self, annotation: &Annotation<'_>, grants: &Grants) -> Reach {
        match grants.of(self.id()) {
            Some(granted) => self.annotation_reach(annotation, granted.held.words()),
            None => Reach::Deny,
        }
    }

    /// Proves that the policy never reaches further than the annotation.
    ///
    /// Both sides only ever gain from more scopes, so it is enough to look at the least callers that a rule lets in: those
    /// who hold one alternative, and what it implies, and nothing else. Forbids only take away, so they are not looked at. An id of another policy has nothing to compare.
    ///
    /// # Errors
    /// Gives a caller for whom the policy reaches further.
    pub fn compare(&self, id: OperationId, annotation: &Annotation<'_>) -> Result<(), Looser> {
        let Some(operation) = self.operation(id) else {
            return Ok(());
        };
        let rule = &operation.rule;
        let alternatives = rule
            .alternatives
            .iter()
            .map(|all| (&all.scopes, Reach::Any, rule.requires_line));
        let owner = rule.owner.iter().map(|owner| (&owner.scopes, Reach::Own, owner.line));
        for (scopes, policy_reach, line) in alternatives.chain(owner) {
            let least: Bits = self.closure_of(scopes.iter().copied());
            let annotation_reach = self.annotation_reach(annotation, least.words());
            if annotation_reach < policy_reach {
                let example_scopes = scopes
                    .iter()
                    .filter_map(|scope| self.scope_name(*scope))
                    .map(str::to_owned)
                    .collect();
                return Err(Looser {
                    example_scopes,
                    policy_reach,
                    annotation_reach,
                    line,
                });
            }
        }
        Ok(())
    }

    fn annotation_reach(&self, annotation: &Annotation<'_>, held: &[u64]) -> Reach {
        let is_held = |name: &&str| self.scope_number(name).is_some_and(|scope| holds(held, scope));
        if annotation.requires.iter().any(|all| all.iter().all(is_held)) {
            Reach::Any
        } else if annotation.owner_fallback {
            Reach::Own
        } else {
            Reach::Deny
        }
    }
}
