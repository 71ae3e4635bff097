//! A policy and a changed copy of it: do they let anybody do anything else?

use super::{
    effort::Effort,
    looked_at::{looked_at, reads_scopes_as_a_claim, same_within},
    prove::owner_between,
    token::TokenSketch,
    witness::Witness,
};
use crate::{
    Arguments, OperationId, Ownership, Policy, Reach, bits::Bits, caller_classes::CallerClass, operation::Role,
    text::quoted,
};

/// Classes that are written down to find one that a suite can say.
const TRIED: usize = 20;

/// What the comparison found.
pub(super) enum Verdict {
    /// Nobody gets anything else; so many classes of callers and arguments were compared.
    Equivalent(usize),
    /// Somebody does: a call to show it, if a suite can say it.
    Different(Option<Box<Witness>>),
    /// Why it cannot be told.
    Unknown(String),
}

/// Compares what every caller reaches with these operations. The copy has the id of the policy.
pub(super) fn compare(policy: &Policy, twin: &Policy, ids: &[OperationId], effort: &Effort) -> Verdict {
    let mut compared = 0;
    for id in ids {
        let classes = match effort.classes(&[policy, twin], *id, &[]) {
            Ok(classes) => classes,
            Err(why) => return Verdict::Unknown(why),
        };
        let mut different = Vec::new();
        for class in classes.iter().filter(|class| class.is_mapped(0)) {
            compared += 1;
            let (before, after) = reaches(class);
            if before != after {
                different.push((class, owner_between(before, after)));
            }
        }
        if !different.is_empty() {
            let mut tried = different.into_iter().take(TRIED);
            let witness = tried.find_map(|(class, owner)| {
                let witness = Witness::of(class, *id, owner, policy)?;
                tells_apart(&witness, policy, twin).then(|| Box::new(witness))
            });
            return Verdict::Different(witness);
        }
    }
    Verdict::Equivalent(compared)
}

fn reaches(class: CallerClass<'_>) -> (Reach, Reach) {
    (class.decision(0).reach, class.decision(1).reach)
}

/// Tells whether the case of a witness has another answer in the copy.
fn tells_apart(witness: &Witness, policy: &Policy, twin: &Policy) -> bool {
    let is_allowed = |policy: &Policy| {
        let decision = witness.decision("caller", policy)?;
        let decision = witness.owner.map_or(decision, |owner| decision.on_object(owner));
        Some(decision.reach > Reach::Deny)
    };
    is_allowed(policy) != is_allowed(twin)
}

/// Compares what callers reach with the scopes that an authorization server issues for a role, where the copy gives the role fewer.
///
/// Which tokens there are depends on the roles then. Where tokens carry roles, [`compare`] knows already: whoever carries both gets what they
/// have in common. Where they carry scopes alone, each class of callers without scopes is given those of the role, before and after.
pub(super) fn compare_roles(policy: &Policy, twin: &Policy, ids: &[OperationId], effort: &Effort) -> Verdict {
    let mut compared = 0;
    for (role, changed) in policy.roles.iter().zip(&twin.roles) {
        if role.scopes == changed.scopes {
            continue;
        }
        for id in ids {
            match compare_role(policy, twin, *id, (role, changed), effort) {
                Verdict::Equivalent(classes) => compared += classes,
                other => return other,
            }
        }
    }
    Verdict::Equivalent(compared)
}

fn compare_role(
    policy: &Policy,
    twin: &Policy,
    id: OperationId,
    (role, changed): (&Role, &Role),
    effort: &Effort,
) -> Verdict {
    let Some(operation) = policy.operation(id) else {
        return Verdict::Equivalent(0);
    };
    let (scopes, _) = looked_at(policy, operation);
    if same_within(&role.closure, &changed.closure, &scopes) {
        return Verdict::Equivalent(0);
    }
    if let Some(forbid) = reads_scopes_as_a_claim(policy, operation) {
        return Verdict::Unknown(format!(
            "forbid {} tests the claim that scopes are read from",
            quoted(forbid)
        ));
    }
    let classes = match effort.classes(&[policy], id, &[]) {
        Ok(classes) => classes,
        Err(why) => return Verdict::Unknown(why),
    };
    let names = |scopes: &Bits| -> Vec<&str> {
        let held = policy
            .scopes
            .iter()
            .enumerate()
            .filter(|(number, _)| scopes.contains(*number));
        held.map(|(_, scope)| scope.name()).collect()
    };
    let (before, after) = (names(&role.scopes), names(&changed.scopes));
    let (mut compared, mut different) = (0, Vec::new());
    for class in classes.iter().filter(|class| class.is_mapped(0)) {
        let mapping = policy.callers.mapping(class.issuer());
        let Some(grants) = class
            .grants(0)
            .filter(|_| mapping.is_some_and(|mapping| mapping.roles.is_none()))
        else {
            continue;
        };
        let granted = grants.of(policy.id);
        if !granted.is_some_and(|granted| same_within(&granted.held, &policy.no_scopes(), &scopes)) {
            continue;
        }
        compared += 1;
        let reach = |names: &[&str]| {
            let grants = policy.with_scopes(grants, names.iter().copied());
            policy
                .decide_call(id, &grants, Arguments::Known(class.arguments()))
                .reach
        };
        let (before, after) = (reach(&before), reach(&after));
        if before != after {
            different.push((class, owner_between(before, after)));
        }
    }
    if different.is_empty() {
        return Verdict::Equivalent(compared);
    }
    let mut tried = different.into_iter().take(TRIED);
    let witness = tried.find_map(|(class, owner)| as_role(class, id, owner, role, policy, twin));
    Verdict::Different(witness.map(Box::new))
}

fn as_role(
    class: CallerClass<'_>,
    id: OperationId,
    owner: Ownership,
    role: &Role,
    policy: &Policy,
    twin: &Policy,
) -> Option<Witness> {
    let mut witness = Witness::of(class, id, owner, policy)?;
    witness.token = TokenSketch {
        role: Some(role.name.clone()),
        scopes: None,
        ..witness.token
    };
    tells_apart(&witness, policy, twin).then_some(witness)
}
