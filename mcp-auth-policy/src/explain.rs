//! Why one call is allowed or denied, and what would change the answer.

use std::cell::Cell;

use crate::{
    Arguments, Because, Challenge, Decision, Grants, OperationId, OperationKind, Ownership, Policy, Reach, TokenFacts,
    bits::{Bits, holds},
    decide::IfUnknown,
    explain_forbid::{ForbidAnswer, Known},
    grants::Granted,
    operation::Operation,
};

/// Sufficient sets of scopes that an explanation names at most.
const SETS: usize = 12;
/// Scopes that are tried at most, counted in every set, so that a huge policy cannot make an explanation slow.
const TRIED: usize = 100_000;

/// One call that is to be explained.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The token of the caller.
    pub facts: TokenFacts<'a>,
    /// What the policy granted for that token.
    pub grants: &'a Grants,
    /// The arguments. Unknown: those that are best for the caller.
    pub arguments: Arguments<'a>,
    /// Who owns the object, if that is known.
    pub owner: Option<Ownership>,
}

/// Why a call is allowed or denied. Contains names from the policy only, never a claim or an argument.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct Explanation {
    /// The answer, settled for the owner if that is known.
    pub decision: Decision,
    /// The line of the rule that decides, counted from 1.
    pub line: usize,
    /// The scopes that count, closed under `implies`, in the order of the file.
    pub held: Vec<String>,
    /// Every forbid that the operation is subject to, in the order of the file.
    pub forbids: Vec<ForbidAnswer>,
    /// The alternatives of `requires`; an empty one is `requires: []`.
    pub requires: Vec<Vec<ScopeAnswer>>,
    /// The line of `requires`, counted from 1.
    pub requires_line: usize,
    /// What `owner_fallback` asks of an owner.
    pub owner_fallback: Option<OwnerAnswer>,
    /// What would allow the call.
    pub sufficient: Sufficient,
    /// The scopes to ask for, if some would help.
    pub challenge: Option<Challenge>,
}

/// A scope that a rule asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScopeAnswer {
    /// Its name.
    pub scope: String,
    /// Whether the caller holds it, or one that implies it.
    pub held: bool,
}

/// What `owner_fallback` asks of an owner.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OwnerAnswer {
    /// The scopes that an owner must hold; none for `owner_fallback: true`.
    pub scopes: Vec<ScopeAnswer>,
    /// The line of the rule, counted from 1.
    pub line: usize,
}

/// Sets of scopes that would allow a call if the token carried them too. Each was tried, and none has a scope too many.
///
/// First those of scopes that the policy names literally, then those with one broader scope that implies some of them; at most 12 each. There may be more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sufficient {
    /// For objects of everybody. Empty if nothing helps, or if the caller reaches them already.
    pub for_any: Vec<Vec<String>>,
    /// For one's own objects; the empty set if owning the object is enough. Empty if nothing helps, or if the call is allowed.
    pub for_own: Vec<Vec<String>>,
}

impl Policy {
    /// Explains one call. `None` if the policy does not list the operation, or for grants of another policy.
    #[must_use]
    pub fn explain(&self, id: OperationId, question: &Question<'_>) -> Option<Explanation> {
        let operation = self.operation(id)?;
        let granted = question.grants.of(self.id())?;
        let reached = self.reached(operation, granted, question.arguments);
        let decision = match question.owner {
            Some(owner) => reached.on_object(owner),
            None => reached,
        };
        let no_arguments = serde_json::Map::new();
        let known = Known {
            facts: question.facts,
            granted,
            arguments: match (operation.kind, question.arguments) {
                (OperationKind::Resource | OperationKind::Operation, _) => Some(&no_arguments),
                (_, Arguments::Known(arguments)) => Some(arguments),
                (_, Arguments::Unknown) => None,
            },
        };
        let challenge = self.challenge_call(id, question.grants, question.arguments);
        let forbids = self.forbids_on(operation);
        let rule = &operation.rule;
        Some(Explanation {
            decision,
            line: self.line_of(id, decision)?,
            held: self.names(&granted.held),
            forbids: (forbids.into_iter())
                .filter_map(|forbid| self.explain_forbid(forbid, &known))
                .collect(),
            requires: (rule.alternatives.iter())
                .map(|alternative| self.answers(&alternative.scopes, granted))
                .collect(),
            requires_line: rule.requires_line,
            owner_fallback: rule.owner.as_ref().map(|owner| OwnerAnswer {
                scopes: self.answers(&owner.scopes, granted),
                line: owner.line,
            }),
            sufficient: self.sufficient(operation, granted, question, decision),
            challenge: challenge.filter(|_| decision.reach == Reach::Deny),
        })
    }

    /// How far the caller gets with the arguments, or with those that are best for it.
    fn reached(&self, operation: &Operation, granted: &Granted, arguments: Arguments<'_>) -> Decision {
        self.decide_granted(operation, granted, arguments, IfUnknown::Allow)
    }

    fn answers(&self, scopes: &[usize], granted: &Granted) -> Vec<ScopeAnswer> {
        let answers = scopes.iter().filter_map(|scope| {
            Some(ScopeAnswer {
                scope: self.scope_name(*scope)?.to_owned(),
                held: holds(granted.held.words(), *scope),
            })
        });
        answers.collect()
    }

    fn names(&self, scopes: &Bits) -> Vec<String> {
        let held = self
            .scopes
            .iter()
            .enumerate()
            .filter(|(number, _)| scopes.contains(*number));
        held.map(|(_, scope)| scope.name.clone()).collect()
    }

    fn sufficient(
        &self,
        operation: &Operation,
        granted: &Granted,
        question: &Question<'_>,
        decision: Decision,
    ) -> Sufficient {
        let reaches = |wanted: Reach| {
            move |granted: &Granted| self.reached(operation, granted, question.arguments).reach >= wanted
        };
        let excepting = self.excepting(operation, granted);
        let (rule, mut sets) = (&operation.rule, Sufficient::default());
        if decision.reach != Reach::Any {
            let wanted: Vec<&[usize]> = (rule.alternatives.iter()).map(|all| all.scopes.as_slice()).collect();
            sets.for_any = self.sets(&wanted, &excepting, granted, reaches(Reach::Any));
        }
        if let (Reach::Deny, Some(owner)) = (decision.reach, &rule.owner) {
            sets.for_own = match decision.because {
                Because::NotOwner | Because::OwnerUnknown => vec![Vec::new()],
                _ => self.sets(&[&owner.scopes], &excepting, granted, reaches(Reach::Own)),
            };
            sets.for_own.retain(|set| !sets.for_any.contains(set));
        }
        sets
    }

    /// Returns the scopes that `unless` of a forbid asks for.
    fn excepting(&self, operation: &Operation, granted: &Granted) -> Vec<usize> {
        let forbids = self.forbids_on(operation).into_iter().filter_map(|id| self.forbid(id));
        let scopes = forbids
            .filter_map(|forbid| forbid.unless.as_ref())
            .flat_map(|unless| &unless.scope_numbers);
        let mut missing: Vec<usize> = scopes.copied().filter(|scope| !granted.held.contains(*scope)).collect();
        missing.sort_unstable();
        missing.dedup();
        missing
    }

    /// Finds sets of scopes that help: what is missing of a wanted set, the same with the scopes that lift forbids, and one
    /// broader scope with what is then still missing.
    fn sets(
        &self,
        wanted: &[&[usize]],
        excepting: &[usize],
        granted: &Granted,
        helps: impl Fn(&Granted) -> bool,
    ) -> Vec<Vec<String>> {
        let left = Cell::new(TRIED);
        let helps = |scopes: &[usize]| {
            left.set(left.get().saturating_sub(scopes.len() + 1));
            if left.get() == 0 {
                return false;
            }
            let asked = self.with_more(granted, self.closure_of(scopes.iter().copied()));
            asked.of(self.id()).is_some_and(&helps)
        };
        let missing = wanted.iter().map(|scopes| {
            let missing = scopes.iter().copied();
            missing
                .filter(|scope| !granted.held.contains(*scope))
                .collect::<Vec<usize>>()
        });
        let missing: Vec<Vec<usize>> = missing.collect();
        let lifted = missing.iter().map(|missing| {
            let more = excepting.iter().filter(|scope| !missing.contains(scope));
            missing.iter().chain(more).copied().collect()
        });
        let broader = (self.scopes.iter().enumerate())
            .filter(|(number, _)| !granted.held.contains(*number))
            .flat_map(|(number, scope)| {
                missing.iter().map(move |missing| {
                    let rest = missing.iter().copied().filter(|other| !scope.closure.contains(*other));
                    std::iter::once(number).chain(rest).collect()
                })
            });
        let mut found: Vec<Vec<usize>> = Vec::new();
        for set in missing.iter().cloned().chain(lifted).chain(broader) {
            let contains = |known: &Vec<usize>| known.iter().all(|scope| set.contains(scope));
            if found.len() == SETS || left.get() == 0 {
                break;
            }
            if found.iter().any(contains) || !helps(&set) {
                continue;
            }
            let set = without_spare(set, helps);
            if !found.contains(&set) {
                found.push(set);
            }
        }
        let named = found
            .iter()
            .map(|set| set.iter().filter_map(|scope| self.scope_name(*scope)));
        named.map(|names| names.map(str::to_owned).collect()).collect()
    }
}

/// Leaves out each scope that is not needed.
fn without_spare(set: Vec<usize>, helps: impl Fn(&[usize]) -> bool) -> Vec<usize> {
    let mut needed = set.clone();
    for scope in set {
        let fewer: Vec<usize> = needed.iter().copied().filter(|other| *other != scope).collect();
        if helps(&fewer) {
            needed = fewer;
        }
    }
    needed
}
