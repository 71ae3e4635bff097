//! Mistakes that somebody could make in a policy, each small enough to be overlooked.

use super::looked_at::forbid_numbers;
use crate::{
    Operation, OperationId, Policy,
    bits::Mask,
    operation::{Alternative, OwnerRule, Rule},
    text::quoted,
};

/// A change of the rule of one operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mutation {
    /// `requires` dropped: open to everybody.
    Open,
    /// One scope dropped of those that are required together, or one alternative. By the numbers of the alternative and of the scope in it.
    Without(usize, usize),
    /// One scope replaced by another: the numbers of the alternative and of the scope in it, and the other scope.
    Swap(usize, usize, usize),
    /// An open operation that asks for a scope.
    Require(usize),
    /// `owner_fallback` dropped, or given to every owner.
    FlipOwnerFallback,
    /// The forbid with this number does not count here.
    DropForbid(u32),
}

impl Mutation {
    /// Lists all changes of an operation.
    pub(super) fn of<'p>(policy: &'p Policy, operation: &'p Operation) -> impl Iterator<Item = Self> + 'p {
        let rule = &operation.rule;
        let is_open = operation.is_open();
        let scopes = || 0..policy.scopes.len();
        let alternatives = rule.alternatives.len();
        let required = rule.alternatives.iter().enumerate();
        let places = required.flat_map(|(number, all)| (0..all.scopes.len()).map(move |place| (number, place, all)));
        let of_places = places.filter(move |_| !is_open).flat_map(move |(number, place, all)| {
            let without = (all.scopes.len() > 1 || alternatives > 1).then_some(Self::Without(number, place));
            let known = |scope: &usize| rule.alternatives.iter().any(|other| other.scopes.contains(scope));
            let others = scopes().filter(move |scope| !known(scope));
            without
                .into_iter()
                .chain(others.map(move |scope| Self::Swap(number, place, scope)))
        });
        let open = (!is_open).then_some(Self::Open);
        let require = scopes().filter(move |_| is_open).map(Self::Require);
        // Owners make no difference where everybody reaches everything.
        let flip = (operation.object.is_some() && !is_open).then_some(Self::FlipOwnerFallback);
        let forbids = forbid_numbers(policy, operation).map(Self::DropForbid);
        open.into_iter()
            .chain(of_places)
            .chain(require)
            .chain(flip)
            .chain(forbids)
    }

    /// Changes the operation in a policy that is equal to the original.
    pub(super) fn apply(self, id: OperationId, twin: &mut Policy) {
        if let Self::DropForbid(dropped) = self {
            twin.forbids_everything = without(&twin.forbids_everything, dropped);
        }
        if let Some(operation) = twin.operations.get_mut(number(id)) {
            self.change(&mut operation.rule);
        }
    }

    /// Takes the change back.
    pub(super) fn undo(self, id: OperationId, twin: &mut Policy, original: &Policy) {
        if let Self::DropForbid(_) = self {
            twin.forbids_everything.clone_from(&original.forbids_everything);
        }
        if let (Some(changed), Some(operation)) =
            (twin.operations.get_mut(number(id)), original.operations.get(number(id)))
        {
            changed.rule.clone_from(&operation.rule);
        }
    }

    fn change(self, rule: &mut Rule) {
        match self {
            Self::Open => rule.alternatives = [requiring(Vec::new())].into(),
            Self::Require(scope) => rule.alternatives = [requiring(vec![scope])].into(),
            Self::Without(number, place) => {
                let mut alternatives: Vec<Alternative> = rule.alternatives.to_vec();
                if let Some(all) = alternatives.get_mut(number).filter(|all| all.scopes.len() > 1) {
                    let mut scopes = all.scopes.clone();
                    scopes.remove(place);
                    *all = requiring(scopes);
                } else {
                    alternatives.remove(number);
                }
                rule.alternatives = alternatives.into();
            }
            Self::Swap(number, place, other) => {
                if let Some(all) = rule.alternatives.get_mut(number) {
                    let mut scopes = all.scopes.clone();
                    if let Some(scope) = scopes.get_mut(place) {
                        *scope = other;
                    }
                    *all = requiring(scopes);
                }
            }
            Self::FlipOwnerFallback => {
                let everybody = OwnerRule {
                    mask: Mask::default(),
                    scopes: Vec::new(),
                    line: rule.requires_line,
                };
                rule.owner = match rule.owner {
                    Some(_) => None,
                    None => Some(everybody),
                };
            }
            Self::DropForbid(dropped) => rule.forbids = without(&rule.forbids, dropped),
        }
    }

    /// Says what was changed.
    pub(super) fn describe(self, operation: &Operation, policy: &Policy) -> String {
        let name = |scope: usize| quoted(policy.scope_name(scope).unwrap_or_default());
        let at = |number: usize, place: usize| {
            let all = operation.rule.alternatives.get(number);
            name(all.and_then(|all| all.scopes.get(place)).copied().unwrap_or(usize::MAX))
        };
        match self {
            Self::Open => "`requires` dropped".to_owned(),
            Self::Without(number, place) => format!("`requires` without {}", at(number, place)),
            Self::Swap(number, place, other) => {
                format!("`requires` with {} instead of {}", name(other), at(number, place))
            }
            Self::Require(scope) => format!("`requires: {}`", name(scope).replace('`', "")),
            Self::FlipOwnerFallback if operation.has_owner_fallback() => "`owner_fallback` dropped".to_owned(),
            Self::FlipOwnerFallback => "`owner_fallback: true` added".to_owned(),
            Self::DropForbid(number) => format!("forbid {} dropped", quoted(forbid_id(number, policy))),
        }
    }

    /// Says what holds instead, as the end of a test's name.
    pub(super) fn truth(self, operation: &Operation, policy: &Policy) -> String {
        match self {
            Self::Open | Self::Without(..) | Self::Swap(..) => "needs its scopes".to_owned(),
            Self::Require(_) => "needs no scope".to_owned(),
            Self::FlipOwnerFallback if operation.has_owner_fallback() => "is for owners".to_owned(),
            Self::FlipOwnerFallback => "is not for owners".to_owned(),
            Self::DropForbid(number) => format!("under forbid {}", forbid_id(number, policy)),
        }
    }
}

fn number(id: OperationId) -> usize {
    usize::try_from(id.index).unwrap_or(usize::MAX)
}

fn requiring(scopes: Vec<usize>) -> Alternative {
    Alternative {
        mask: Mask::new(&scopes),
        scopes,
    }
}

fn without(forbids: &[u32], dropped: u32) -> Box<[u32]> {
    forbids.iter().copied().filter(|forbid| *forbid != dropped).collect()
}

fn forbid_id(number: u32, policy: &Policy) -> &str {
    let number = usize::try_from(number).unwrap_or(usize::MAX);
    policy.forbids.get(number).map(|forbid| forbid.id()).unwrap_or_default()
}
