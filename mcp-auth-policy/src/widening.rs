//! One policy against the policy it replaces: whom it lets in further.

use std::fmt;

use crate::{
    OperationId, OperationKind, Policy, Reach,
    operation::{Alternative, Operation, OwnerRule, Rule, Scope},
};

/// Scope sets that are tried for one rule. Only a policy whose `implies` grew in many places at once needs more than a few.
const TRIED: usize = 4096;

/// An operation that the new policy lets somebody use further than the old one did, and who that is; or a whole section that may do so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Widening {
    /// What is called. `None` for a section.
    pub kind: Option<OperationKind>,
    /// The name of the operation, or the key of the section; `forbid ID` for one forbid.
    pub name: String,
    /// The line of the rule in the new file, counted from 1. `None` for a section.
    pub line: Option<usize>,
    /// A caller whose token holds exactly these scopes ...
    pub example_scopes: Vec<String>,
    /// ... got this from the old policy ...
    pub old_reach: Reach,
    /// ... and gets this from the new one.
    pub new_reach: Reach,
    /// What makes it a widening.
    pub cause: WideningCause,
}

/// Why an operation counts as widened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WideningCause {
    /// The example caller reaches further than before.
    Reach,
    /// The example caller is limited to its own objects before and after, but another kind of object, or another column, says which those are.
    Ownership,
    /// `implies` changed in so many places that not every scope set was tried, or a section changed that is compared only as written.
    /// Counted as a widening: what is not proved is not narrow.
    Unproved,
}

impl Policy {
    /// Finds the operations that this policy lets a caller use further than `old` does; at most one example for each, in the order of the file.
    ///
    /// Operations and scopes are compared by name, over every set of scopes that a token can hold. Both policies only ever give more for more
    /// scopes, so it is enough to look at the least sets that each rule lets in: its scopes as written, and in the place of a scope whatever
    /// implies it now and did not before. Names, descriptions, `advertise`, and roles that no token carries are not compared.
    ///
    /// Rules are compared without their forbids. A forbid that is gone or was changed counts as a widening, and so does every change of
    /// `callers`, of `roles` where tokens carry them, and of `implies` where roles or forbids depend on it; a resource that is gone, whose URI
    /// may belong to a template now; and a `visibility` or `on_not_owner` that tells more.
    #[must_use]
    pub fn widenings(&self, old: &Self) -> Vec<Widening> {
        // Every field is named, here and below: what the language learns later does not compile until somebody has decided whether it can widen.
        let Self {
            id: _,
            name: _,
            file_name: _,
            canonical: _, // of everything else
            revision,
            scopes: _,        // by name, in the comparison of each rule
            scope_numbers: _, // of `scopes`
            roles: _,         // as written, in `widening_sections`
            role_numbers: _,  // of `roles`
            objects: _,       // by name, in the comparison of each owner
            operations,
            indexes: _,            // of `operations`
            templates: _,          // of `operations`
            forbids: _,            // as written, in `widening_sections`
            forbids_everything: _, // of `forbids`
            callers: _,            // as written, in `widening_sections`
            visibility: _,         // as written, in `widening_sections`
            on_not_owner: _,       // as written, in `widening_sections`
            advertised: _,         // published; no decision asks for it
            warnings: _,
        } = self;
        if *revision == old.revision {
            return Vec::new();
        }
        let comparison = Comparison { new: self, old };
        let sections = self.changed_sections(old);
        let operations = operations.iter();
        sections
            .into_iter()
            .chain(operations.filter_map(|operation| comparison.widening(operation)))
            .collect()
    }
}

#[derive(Clone, Copy)]
struct Comparison<'p> {
    new: &'p Policy,
    old: &'p Policy,
}

impl<'p> Comparison<'p> {
    fn widening(self, operation: &Operation) -> Option<Widening> {
        let Operation {
            kind,
            name,
            line: _,
            object: _,
            owner_column: _,
            requires: _,
            owner_fallback: _,
            rule,
        } = operation;
        let Rule {
            alternatives,
            owner,
            forbids: _, // as written, in `widening_sections`
            requires_line,
        } = rule;
        let requires = alternatives.iter().map(|alternative| {
            let Alternative { mask: _, scopes } = alternative;
            (scopes, Reach::Any, *requires_line)
        });
        let fallback = owner.iter().map(|owner| {
            let OwnerRule { mask: _, scopes, line } = owner;
            (scopes, Reach::Own, *line)
        });
        requires.chain(fallback).find_map(|(scopes, new_reach, line)| {
            let (example_scopes, old_reach, cause) = self.further(operation, scopes, new_reach)?;
            Some(Widening {
                kind: Some(*kind),
                name: name.clone(),
                line: Some(line),
                example_scopes,
                old_reach,
                new_reach,
                cause,
            })
        })
    }

    /// Finds a set of scopes that meets a rule of the new policy and reaches less in the old one.
    fn further(
        self,
        operation: &Operation,
        rule: &[usize],
        reach: Reach,
    ) -> Option<(Vec<String>, Reach, WideningCause)> {
        let places: Vec<Vec<&str>> = rule.iter().map(|scope| self.stand_ins(*scope)).collect();
        for choice in 0..=TRIED {
            let mut scopes = choose(&places, choice)?;
            let old = self.old_reach(operation, &scopes);
            let cause = if old < reach {
                WideningCause::Reach
            } else if old == Reach::Own && self.owned_otherwise(operation) {
                WideningCause::Ownership
            } else if choice == TRIED {
                WideningCause::Unproved
            } else {
                continue;
            };
            self.shorten(&mut scopes, rule);
            let old = self.old_reach(operation, &scopes);
            let cause = if old < reach { WideningCause::Reach } else { cause };
            return Some((scopes.into_iter().map(str::to_owned).collect(), old, cause));
        }
        None
    }

    /// Leaves out the scopes that others of the set imply. The old policy gives nothing more for less.
    fn shorten(self, scopes: &mut Vec<&str>, rule: &[usize]) {
        let meets = |scopes: &[&str]| {
            let held = self
                .new
                .closure_of(scopes.iter().filter_map(|scope| self.new.scope_number(scope)));
            rule.iter().all(|scope| held.contains(*scope))
        };
        for index in (0..scopes.len()).rev() {
            let mut fewer = scopes.clone();
            fewer.remove(index);
            if meets(&fewer) {
                *scopes = fewer;
            }
        }
    }

    /// The scope itself, and those that imply it in the new policy only. One that implied it before gives at least what the scope gave.
    fn stand_ins(self, scope: usize) -> Vec<&'p str> {
        let Some(name) = self.new.scope_name(scope) else {
            return Vec::new();
        };
        let implying = self.new.scopes().filter(|other| {
            other.name() != name && other.closure.contains(scope) && !self.implied_before(other.name(), name)
        });
        std::iter::once(name).chain(implying.map(Scope::name)).collect()
    }

    fn implied_before(self, scope: &str, implied: &str) -> bool {
        self.old.holds(&self.old.grants([scope]), implied)
    }

    fn old_reach(self, operation: &Operation, scopes: &[&str]) -> Reach {
        // Without forbids: those of the old policy all stand in the new one, or are findings of their own.
        let held = self.old.closure_of_names(scopes.iter().copied());
        let old = self.old_operation(operation).and_then(|id| self.old.operation(id));
        old.map_or(Reach::Deny, |old| old.rule.decide(held.words()).reach)
    }

    fn owned_otherwise(self, operation: &Operation) -> bool {
        let old = self.old_operation(operation).and_then(|id| self.old.operation(id));
        old.is_none_or(|old| old.object() != operation.object() || old.owner_column() != operation.owner_column())
    }

    fn old_operation(self, operation: &Operation) -> Option<OperationId> {
        self.old.find(operation.kind(), operation.name())
    }
}

/// One sentence for the people who keep the policy.
impl fmt::Display for Widening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        let (Some(kind), Some(line)) = (self.kind, self.line) else {
            return write!(f, "`{name}` changed, and it is not proved that nobody reaches further");
        };
        write!(f, "{} `{name}` (line {line}): ", kind.as_str())?;
        match self.example_scopes.as_slice() {
            [] => f.write_str("a caller without scopes")?,
            scopes => write!(f, "a caller with only `{}`", scopes.join("`, `"))?,
        }
        let (old, new) = (self.old_reach.as_str(), self.new_reach.as_str());
        match self.cause {
            WideningCause::Reach => write!(f, " reaches `{new}` instead of `{old}`"),
            WideningCause::Ownership => f.write_str(" owns other objects than before"),
            WideningCause::Unproved => {
                f.write_str(" and too many others would have to be tried to know that nobody reaches further")
            }
        }
    }
}

/// The choice with this number: one scope for each place, without repetition. `None` when all have been given.
fn choose<'p>(places: &[Vec<&'p str>], mut number: usize) -> Option<Vec<&'p str>> {
    let mut chosen = Vec::with_capacity(places.len());
    for place in places {
        let scope = place.get(number.checked_rem(place.len())?)?;
        number /= place.len();
        if !chosen.contains(scope) {
            chosen.push(*scope);
        }
    }
    (number == 0).then_some(chosen)
}
