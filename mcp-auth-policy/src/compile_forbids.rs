//! `callers:` and `forbid:` to what a resolution reads. Their names are known to be good.

use std::collections::HashMap;

use crate::{
    OperationKind,
    bits::Mask,
    callers::{Callers, Mapping, RoleSource, ScopeSource},
    document::{CallersEntry, ConditionEntry, ForbidEntry, MappingEntry},
    fields::Named,
    forbid::{Condition, Forbid},
    operation::Operation,
    policy::Indexes,
};

type Numbers = HashMap<String, usize>;

pub(crate) fn callers(entry: &CallersEntry, roles: &Numbers) -> Callers {
    Callers {
        default: entry.default.as_ref().map(|entry| mapping(entry, roles)),
        issuers: entry.issuers.as_ref().map(|issuers| {
            let issuers = issuers.iter();
            issuers
                .map(|(issuer, entry)| (issuer.name.clone(), mapping(entry, roles)))
                .collect()
        }),
        owner_key: entry.owner_key,
    }
}

fn mapping(entry: &MappingEntry, roles: &Numbers) -> Mapping {
    let names = |names: &Vec<(String, Named)>| {
        let names = names.iter();
        names
            .filter_map(|(value, role)| Some((value.clone(), *roles.get(&role.name)?)))
            .collect()
    };
    Mapping {
        subject: entry.subject.clone().filter(|claim| !claim.is("sub")),
        scopes: match (&entry.scopes, &entry.roles) {
            (None, Some(_)) => ScopeSource::Nothing,
            (Some(claim), _) if !claim.is("scope") => ScopeSource::Claim(claim.clone()),
            _ => ScopeSource::Standard,
        },
        roles: entry.roles.as_ref().map(|claim| RoleSource {
            claim: claim.clone(),
            names: entry.role_names.as_ref().map(names),
        }),
        union: entry.union.is_some(),
    }
}

pub(crate) fn forbid(entry: &ForbidEntry, scopes: &Numbers, roles: &Numbers) -> Forbid {
    Forbid {
        id: entry.id.name.clone(),
        message: entry.message.clone(),
        line: entry.id.span.line,
        everything: entry.everything,
        when: condition(&entry.when, scopes, roles),
        unless: entry.unless.as_ref().map(|entry| condition(entry, scopes, roles)),
    }
}

fn condition(entry: &ConditionEntry, scopes: &Numbers, roles: &Numbers) -> Condition {
    let scope_numbers = numbers(&entry.scopes, scopes);
    let role_numbers = numbers(&entry.roles, roles);
    Condition {
        scopes: Mask::new(&scope_numbers),
        scope_numbers,
        roles: Mask::new(&role_numbers),
        role_numbers,
        issuer: entry.issuer.as_ref().map(|issuer| issuer.name.clone()),
        client: entry.client.as_ref().map(|client| client.name.clone()),
        claims: entry.claims.clone(),
        args: entry.args.clone(),
    }
}

fn numbers(names: &[Named], numbers: &Numbers) -> Vec<usize> {
    names
        .iter()
        .filter_map(|name| numbers.get(&name.name).copied())
        .collect()
}

/// Tells each operation which forbids name it, and gives those that are for everything.
pub(crate) fn distribute(entries: &[ForbidEntry], indexes: &Indexes, operations: &mut [Operation]) -> Box<[u32]> {
    let mut named: HashMap<usize, Vec<u32>> = HashMap::new();
    let mut everything = Vec::new();
    for (number, entry) in (0_u32..).zip(entries) {
        if entry.everything {
            everything.push(number);
        }
        for kind in OperationKind::ALL {
            let targets = entry.targets.get(kind).iter();
            let targets = targets.filter_map(|target| indexes.of(kind).get(&target.name));
            for index in targets.filter_map(|index| usize::try_from(*index).ok()) {
                named.entry(index).or_default().push(number);
            }
        }
    }
    for (index, forbids) in named {
        if let Some(operation) = operations.get_mut(index) {
            operation.rule.forbids = forbids.into();
        }
    }
    everything.into()
}
