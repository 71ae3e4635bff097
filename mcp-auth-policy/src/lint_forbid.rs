//! Warnings about callers and forbids, and about scopes that are one and the same.

use crate::{
    OperationKind, Policy,
    bits::Bits,
    diagnostic::Code,
    document::{ConditionEntry, Document, ForbidEntry},
    forbid::Forbid,
    lint::Warn,
    text::{Quoted, quoted},
};

/// Forbids that are compared with earlier ones at most, so that a huge file cannot make loading slow.
const COMPARED: usize = 200;

pub(crate) fn lint_forbids(policy: &Policy, document: &Document, warn: &mut Warn<'_>) {
    for (entry, forbid) in document.forbids.iter().zip(&policy.forbids) {
        not_monotone(entry, warn);
        unmatched(policy, entry, forbid, warn);
    }
    for (number, entry) in document.forbids.iter().enumerate().take(COMPARED) {
        let mut earlier = document.forbids.iter().take(number);
        if let Some(other) = earlier.find(|other| covers(other, entry) && is_always(other)) {
            let message = format!(
                "forbid {} changes nothing: {} in line {} always forbids the same",
                quoted(&entry.id.name),
                quoted(&other.id.name),
                other.id.span.line
            );
            warn(Code::ShadowedForbid, entry.id.span, message, "delete one of the two");
        }
    }
}

/// Holding a scope takes access away: a client that steps up may lose what it could do before.
fn not_monotone(entry: &ForbidEntry, warn: &mut Warn<'_>) {
    if let Some(scope) = entry.when.scopes.first() {
        let message = format!(
            "forbid {} takes access away from whoever holds {}",
            quoted(&entry.id.name),
            quoted(&scope.name)
        );
        let help = "a client that asks for more scopes may lose access; ask for a role or a claim, or use `unless`";
        warn(Code::NotMonotone, scope.span, message, help);
    }
}

fn unmatched(policy: &Policy, entry: &ForbidEntry, forbid: &Forbid, warn: &mut Warn<'_>) {
    let id = Quoted(&entry.id.name);
    if let Some(role) = entry.when.roles.first()
        && !policy.callers.map_roles()
    {
        let message = format!("forbid {id} never matches: no token carries a role");
        warn(
            Code::UnmatchedForbid,
            role.span,
            message,
            "map `roles:` under `callers`",
        );
        return;
    }
    let is_excepted = forbid.unless.as_ref().is_some_and(|unless| {
        let scopes = policy.closure_of(forbid.when.scope_numbers.iter().copied());
        let mut roles = Bits::empty(policy.roles.len());
        let held = forbid
            .when
            .role_numbers
            .iter()
            .filter_map(|role| policy.roles.get(*role));
        held.for_each(|role| roles.extend(&role.included));
        let only_names = unless.issuer.is_none() && unless.client.is_none();
        let only_names = only_names && unless.claims.is_empty() && unless.args.is_empty();
        only_names && unless.scopes.is_held(scopes.words()) && unless.roles.is_held(roles.words())
    });
    if is_excepted {
        let message = format!("forbid {id} never matches: whoever meets `when` meets `unless`");
        let help = "change one of the two conditions, or delete the forbid";
        warn(Code::UnmatchedForbid, entry.id.span, message, help);
    }
}

fn is_always(entry: &ForbidEntry) -> bool {
    let always = |condition: &ConditionEntry| condition.is_empty();
    always(&entry.when) && entry.unless.is_none()
}

/// Tells whether one forbid is for all that the other is for.
fn covers(entry: &ForbidEntry, other: &ForbidEntry) -> bool {
    entry.everything
        || !other.everything
            && OperationKind::ALL.into_iter().all(|kind| {
                let named = entry.targets.get(kind);
                let mut targets = other.targets.get(kind).iter();
                targets.all(|target| named.iter().any(|name| name.name == target.name))
            })
}

pub(crate) fn lint_callers(document: &Document, warn: &mut Warn<'_>) {
    let issuers = document.callers.issuers.iter().flatten().map(|(_, mapping)| mapping);
    for mapping in document.callers.default.iter().chain(issuers) {
        if let Some(span) = mapping.union {
            let message =
                "scopes and roles add up: a token with one scope can do all that its user's roles can".to_owned();
            let help = "write `combine: intersection`, unless clients may act with all powers of their users";
            warn(Code::CombineUnion, span, message, help);
        }
    }
}

/// Scopes that nothing asks for by name, and that give no more than one scope that they imply.
pub(crate) fn equal_scopes(policy: &Policy, document: &Document, used: &Bits, warn: &mut Warn<'_>) {
    let useful = |closure: &Bits| {
        let mut useful = closure.clone();
        useful.intersect(used);
        useful
    };
    for (number, (entry, scope)) in document.scopes.iter().zip(&policy.scopes).enumerate() {
        let gives = useful(&scope.closure);
        if used.contains(number) || gives == policy.no_scopes() {
            continue;
        }
        let implied = entry.implies.iter().filter_map(|name| policy.scope(&name.name));
        if let Some(same) = implied.into_iter().find(|implied| useful(&implied.closure) == gives) {
            let message = format!(
                "scope {} gives exactly what {} gives",
                quoted(&scope.name),
                quoted(&same.name)
            );
            let help = "delete one of the two, or require them for different things";
            warn(Code::EqualScopes, entry.id.span, message, help);
        }
    }
}
