//! The lines of an operation's decision table: each decision comes from one of them.

use super::looked_at::forbid_numbers;
use crate::{Because, Decision, Operation, Policy, bits::Bits, text::quoted};

/// A line of a decision table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Decider {
    /// A forbid, by its number.
    Forbid(u32),
    /// An alternative of `requires`.
    Alternative(usize),
    OwnerFallback,
    /// The last line: everybody else.
    Deny,
}

impl Decider {
    /// Tells which line a decision came from, for a caller that holds these scopes.
    pub(super) fn of(decision: Decision, operation: &Operation, held: &Bits) -> Option<Self> {
        Some(match decision.because {
            Because::Forbidden(forbid) => Self::Forbid(forbid.0),
            Because::Open | Because::Scope => {
                let mut alternatives = operation.rule.alternatives.iter();
                Self::Alternative(alternatives.position(|alternative| alternative.mask.is_held(held.words()))?)
            }
            Because::Owner | Because::NotOwner | Because::OwnerUnknown => Self::OwnerFallback,
            Because::MissingScope => Self::Deny,
            Because::UnknownOperation => return None,
        })
    }

    /// Lists the lines of an operation, without those that no set of scopes gets to.
    pub(super) fn all(policy: &Policy, operation: &Operation) -> Vec<Self> {
        let rule = &operation.rule;
        let forbids = forbid_numbers(policy, operation).map(Self::Forbid);
        let alternatives = (0..rule.alternatives.len()).map(Self::Alternative);
        let others = rule.owner.iter().map(|_| Self::OwnerFallback).chain([Self::Deny]);
        let gets_there = |line: &Self| {
            // More scopes only lead to earlier lines, so it is enough to look at the least that a line asks for.
            let least = policy.closure_of(line.scopes(operation).iter().copied());
            Self::of(rule.decide(least.words()), operation, &least) == Some(*line)
        };
        forbids.chain(alternatives.chain(others).filter(gets_there)).collect()
    }

    /// The scopes that the line asks for.
    pub(super) fn scopes(self, operation: &Operation) -> &[usize] {
        let rule = &operation.rule;
        match self {
            Self::Alternative(number) => rule
                .alternatives
                .get(number)
                .map(|alternative| alternative.scopes.as_slice()),
            Self::OwnerFallback => rule.owner.as_ref().map(|owner| owner.scopes.as_slice()),
            Self::Forbid(_) | Self::Deny => None,
        }
        .unwrap_or_default()
    }

    pub(super) fn scope_names<'p>(self, operation: &Operation, policy: &'p Policy) -> Vec<&'p str> {
        let scopes = self.scopes(operation).iter();
        scopes.filter_map(|scope| policy.scope_name(*scope)).collect()
    }

    /// Names the line, in the words of the policy.
    pub(super) fn describe(self, operation: &Operation, policy: &Policy) -> String {
        match self {
            Self::Forbid(number) => {
                let forbid = usize::try_from(number)
                    .ok()
                    .and_then(|number| policy.forbids.get(number));
                format!(
                    "forbid {}",
                    quoted(forbid.map(|forbid| forbid.id()).unwrap_or_default())
                )
            }
            Self::Alternative(_) => match self.scope_names(operation, policy).as_slice() {
                [] => "`requires: []`".to_owned(),
                scopes => format!("`requires` with {}", quoted(&scopes.join(", "))),
            },
            Self::OwnerFallback => "`owner_fallback`".to_owned(),
            Self::Deny => "missing scopes".to_owned(),
        }
    }
}
