//! What decisions on an operation look at.

use crate::{
    Forbid, Operation, Policy,
    bits::Bits,
    callers::ScopeSource,
    claim_path::ClaimPath,
    forbid::{Condition, ForbidId},
};

/// The scopes and roles that decisions on an operation look at.
pub(super) fn looked_at(policy: &Policy, operation: &Operation) -> (Bits, Bits) {
    let (mut scopes, mut roles) = (policy.no_scopes(), Bits::empty(policy.roles.len()));
    let rule = &operation.rule;
    let alternatives = rule.alternatives.iter().map(|alternative| &alternative.scopes);
    let rules = alternatives.chain(rule.owner.iter().map(|owner| &owner.scopes));
    rules.flatten().for_each(|scope| scopes.insert(*scope));
    for condition in conditions(policy, operation) {
        condition.scope_numbers.iter().for_each(|scope| scopes.insert(*scope));
        condition.role_numbers.iter().for_each(|role| roles.insert(*role));
    }
    (scopes, roles)
}

/// The conditions of the forbids on an operation.
fn conditions<'p>(policy: &'p Policy, operation: &'p Operation) -> impl Iterator<Item = &'p Condition> {
    forbids(policy, operation).flat_map(|forbid| std::iter::once(&forbid.when).chain(&forbid.unless))
}

/// The forbids on an operation: those that name it, and those for everything.
fn forbids<'p>(policy: &'p Policy, operation: &'p Operation) -> impl Iterator<Item = &'p Forbid> {
    forbid_numbers(policy, operation).filter_map(|number| policy.forbid(ForbidId(number)))
}

/// The numbers of the forbids on an operation.
pub(super) fn forbid_numbers<'p>(policy: &'p Policy, operation: &'p Operation) -> impl Iterator<Item = u32> + 'p {
    operation.rule.forbids.iter().chain(&policy.forbids_everything).copied()
}

/// Tells whether two sets are the same as far as anybody looks.
pub(super) fn same_within(one: &Bits, two: &Bits, within: &Bits) -> bool {
    let words = one.words().iter().zip(two.words()).zip(within.words());
    words.into_iter().all(|((one, two), within)| (one ^ two) & within == 0)
}

/// Finds a forbid that tests a claim from which scopes are read, or something around or inside of it.
pub(super) fn reads_scopes_as_a_claim<'p>(policy: &'p Policy, operation: &'p Operation) -> Option<&'p str> {
    let standard = ClaimPath::literal("scope");
    let issuers = policy.callers.issuers.iter().flat_map(|issuers| issuers.values());
    let mappings = policy.callers.default.iter().chain(issuers);
    let mut claims: Vec<&ClaimPath> = mappings
        .filter_map(|mapping| match &mapping.scopes {
            ScopeSource::Claim(claim) => Some(claim),
            ScopeSource::Standard | ScopeSource::Nothing => None,
        })
        .collect();
    claims.push(&standard);
    let overlaps = |condition: &Condition| {
        let mut paths = condition.claims.iter().map(|atom| &atom.path);
        paths.any(|path| {
            let mut claims = claims.iter();
            claims.any(|claim| *claim == path || claim.leads_to(path) || path.leads_to(claim))
        })
    };
    let mut forbids = forbids(policy, operation);
    let found = forbids.find(|forbid| std::iter::once(&forbid.when).chain(&forbid.unless).any(overlaps));
    found.map(|forbid| forbid.id())
}
