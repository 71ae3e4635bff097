//! Forbids: what is denied whatever a caller was granted.

use serde_json::{Map, Value};

use crate::{
    bits::Mask,
    claim_path::{ClaimPath, Found},
    token_facts::TokenFacts,
    value_test::{IfMissing, Side, ValueTest},
};

/// Names a forbid of the policy that decided, by its place under `forbid:`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ForbidId(pub(crate) u32);

impl ForbidId {
    /// Returns the place of the forbid in the file, counted from 1.
    #[must_use]
    pub fn place(self) -> usize {
        usize::try_from(self.0).map_or(usize::MAX, |number| number.saturating_add(1))
    }
}

/// One entry of `forbid:`.
#[derive(Debug, Clone)]
pub struct Forbid {
    pub(crate) id: String,
    pub(crate) message: Option<String>,
    pub(crate) line: usize,
    pub(crate) everything: bool,
    pub(crate) when: Condition,
    pub(crate) unless: Option<Condition>,
}

/// Atoms that must all hold.
#[derive(Debug, Clone, Default)]
pub(crate) struct Condition {
    pub(crate) scopes: Mask,
    pub(crate) scope_numbers: Vec<usize>,
    pub(crate) roles: Mask,
    pub(crate) role_numbers: Vec<usize>,
    pub(crate) issuer: Option<String>,
    pub(crate) client: Option<String>,
    pub(crate) claims: Vec<ValueAtom>,
    pub(crate) args: Vec<ValueAtom>,
}

/// A test of a claim or an argument.
#[derive(Debug, Clone)]
pub(crate) struct ValueAtom {
    pub(crate) path: ClaimPath,
    pub(crate) test: ValueTest,
    pub(crate) if_missing: IfMissing,
}

/// The conditions of a forbid that a token settles once for all its calls.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settled {
    pub(crate) when: bool,
    pub(crate) unless: bool,
}

impl Forbid {
    /// Returns the `id`, which is unique in the policy.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns what to tell the refused caller, if the author wrote it.
    #[must_use]
    pub fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// Returns the line of the entry, counted from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// Returns whether the forbid names everything instead of single tools, prompts, resources and operations.
    #[must_use]
    pub fn is_for_everything(&self) -> bool {
        self.everything
    }

    /// Returns the names of the arguments that its conditions read.
    pub fn arguments(&self) -> impl Iterator<Item = &str> {
        let unless = self.unless.iter().flat_map(|unless| &unless.args);
        self.when.args.iter().chain(unless).map(|atom| atom.path.last())
    }

    pub(crate) fn reads_arguments(&self) -> bool {
        self.arguments().next().is_some()
    }

    /// Judges all that does not change with scopes and arguments.
    pub(crate) fn settle(&self, facts: &TokenFacts<'_>, roles: &[u64]) -> Settled {
        Settled {
            when: self.when.is_settled(facts, roles, Side::When),
            unless: (self.unless.as_ref()).is_some_and(|unless| unless.is_settled(facts, roles, Side::Unless)),
        }
    }

    /// Tells whether the forbid matches; `None` if that depends on arguments that are not known.
    pub(crate) fn matches(
        &self,
        settled: Settled,
        held: &[u64],
        arguments: Option<&Map<String, Value>>,
    ) -> Option<bool> {
        let when = if settled.when && self.when.scopes.is_held(held) {
            self.when.arguments_hold(arguments, Side::When)
        } else {
            Some(false)
        };
        let excepted = match &self.unless {
            Some(unless) if settled.unless && unless.scopes.is_held(held) => {
                unless.arguments_hold(arguments, Side::Unless)
            }
            _ => Some(false),
        };
        match (when, excepted) {
            (Some(false), _) | (_, Some(true)) => Some(false),
            (Some(true), Some(false)) => Some(true),
            _ => None,
        }
    }
}

impl Condition {
    fn is_settled(&self, facts: &TokenFacts<'_>, roles: &[u64], side: Side) -> bool {
        let issuer = self.issuer.as_deref().is_none_or(|issuer| issuer == facts.issuer);
        // A token that names no client could be anybody's: as with a value of the wrong type, the forbid stands.
        let client = (self.client.as_deref())
            .is_none_or(|wanted| facts.client_id.map_or(side == Side::When, |client| client == wanted));
        issuer
            && client
            && self.roles.is_held(roles)
            && (self.claims.iter()).all(|atom| atom.test.holds(atom.path.find(facts.claims), atom.if_missing, side))
    }

    fn arguments_hold(&self, arguments: Option<&Map<String, Value>>, side: Side) -> Option<bool> {
        if self.args.is_empty() {
            return Some(true);
        }
        let arguments = arguments?;
        let mut atoms = self.args.iter();
        Some(atoms.all(|atom| {
            let found: Found<'_> = atom.path.find(arguments);
            atom.test.holds(found, atom.if_missing, side)
        }))
    }
}
