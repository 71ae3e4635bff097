//! Proving invariants: every class of callers and arguments is tried.

use std::collections::HashMap;

use super::{
    effort::Effort,
    invariants::Invariant,
    looked_at::{looked_at, same_within},
    model::Suite,
    monotone::monotone,
    names::{name_of, operations},
    rows::Rows,
    token::TokenSketch,
    witness::Witness,
};
use crate::{
    Because, Decision, OperationId, Ownership, Policy, Reach, bits::Bits, caller_classes::CallerClass, text::quoted,
};

/// Counterexamples that are shown at most.
const SHOWN: usize = 20;

/// Why an invariant does not hold, or was not proved.
pub(super) struct Disproof {
    /// One for each operation: what was found, or why nothing could be proved.
    pub(super) details: Vec<String>,
    /// The counterexamples as rows of the suite.
    pub(super) paste: String,
    /// At least one counterexample was found.
    pub(super) is_refuted: bool,
}

/// A caller for whom an invariant does not hold.
pub(super) struct Counterexample {
    pub(super) what: String,
    pub(super) witnesses: Vec<Witness>,
}

/// What was found, or why nothing could be.
pub(super) type Found = Result<Option<Counterexample>, String>;

impl Invariant {
    /// Says what is claimed, as a sentence.
    pub(super) fn claim(&self, policy: &Policy) -> String {
        let what = |operations: &[OperationId], owner: Ownership| {
            let names: Vec<String> = operations.iter().map(|id| quoted(&name_of(*id, policy))).collect();
            let whose = match owner {
                Ownership::Other => " on what belongs to others",
                Ownership::Caller | Ownership::Absent => "",
            };
            format!("{}{whose}", names.join(", "))
        };
        match self {
            Self::Needs {
                operations,
                owner,
                scopes,
            } => {
                let scopes: Vec<String> = scopes.iter().map(|scope| quoted(scope)).collect();
                format!(
                    "nobody without {} may call {}",
                    scopes.join(" and "),
                    what(operations, *owner)
                )
            }
            Self::Never {
                role,
                operations,
                owner,
            } => format!(
                "whoever is only {} may not call {}",
                quoted(role),
                what(operations, *owner)
            ),
            Self::Monotone => "nobody loses access by one more scope".to_owned(),
        }
    }
}

impl Suite<'_> {
    /// Tries to prove an invariant.
    pub(super) fn prove(&self, name: &str, invariant: &Invariant, effort: &Effort) -> Result<(), Disproof> {
        let policy = self.policy;
        let mut disproof = Disproof {
            details: Vec::new(),
            paste: String::new(),
            is_refuted: false,
        };
        let mut rows = Rows::new(self);
        let everything: Vec<OperationId>;
        let ids = match invariant {
            Invariant::Needs { operations, .. } | Invariant::Never { operations, .. } => operations,
            Invariant::Monotone => {
                everything = operations(policy).map(|(id, _)| id).collect();
                &everything
            }
        };
        for id in ids {
            let found = counterexample(invariant, policy, *id, effort);
            let called = name_of(*id, policy);
            let what = match found {
                Ok(None) => continue,
                _ if disproof.details.len() >= SHOWN => {
                    disproof
                        .details
                        .push("… and perhaps others, which were not tried".to_owned());
                    break;
                }
                Ok(Some(counterexample)) => {
                    disproof.is_refuted = true;
                    for witness in &counterexample.witnesses {
                        rows.add(&format!("{name} ({called})"), witness);
                    }
                    counterexample.what
                }
                Err(why) => format!("could not be proved: {why}"),
            };
            disproof.details.push(format!("{}: {what}", quoted(&called)));
        }
        disproof.paste = rows.text();
        match disproof.details.is_empty() {
            true => Ok(()),
            false => Err(disproof),
        }
    }
}

/// Tells whether there is a counterexample at one of these operations. What cannot be proved is not refuted.
pub(super) fn is_refuted(invariant: &Invariant, policy: &Policy, ids: &[OperationId], effort: &Effort) -> bool {
    let mut ids = ids.iter().filter(|id| match invariant {
        Invariant::Needs { operations, .. } | Invariant::Never { operations, .. } => operations.contains(id),
        Invariant::Monotone => true,
    });
    ids.any(|id| matches!(counterexample(invariant, policy, *id, effort), Ok(Some(_))))
}

fn counterexample(invariant: &Invariant, policy: &Policy, id: OperationId, effort: &Effort) -> Found {
    match invariant {
        Invariant::Needs { owner, scopes, .. } => needs(policy, id, *owner, scopes, effort),
        Invariant::Never { role, owner, .. } => never(policy, id, *owner, role, effort),
        Invariant::Monotone => monotone(policy, id, effort),
    }
}

/// Finds a caller that may call without these scopes.
fn needs(policy: &Policy, id: OperationId, owner: Ownership, scopes: &[String], effort: &Effort) -> Found {
    let names: Vec<&str> = scopes.iter().map(String::as_str).collect();
    let classes = effort.classes(&[policy], id, &names)?;
    let lacks = |class: &CallerClass<'_>| !names.iter().all(|scope| class.holds(0, scope));
    let found = classes
        .iter()
        .filter(|class| class.is_mapped(0) && lacks(class) && may_call(*class, owner));
    Ok(first(found, policy, id, owner))
}

/// Finds a caller with exactly the scopes and roles of the role that may call.
fn never(policy: &Policy, id: OperationId, owner: Ownership, role: &str, effort: &Effort) -> Found {
    let Some(number) = policy.role_numbers.get(role) else {
        return Ok(None);
    };
    let (Some(role), Some(operation)) = (policy.roles.get(*number), policy.operation(id)) else {
        return Ok(None);
    };
    let (scopes, roles) = looked_at(policy, operation);
    let classes = effort.classes(&[policy], id, &[])?;
    let mut names_it: HashMap<&str, bool> = HashMap::new();
    let found = classes.iter().filter(|class| {
        let issuer = class.issuer();
        // An issuer that has no name for the role gives it to nobody.
        let is_named = *names_it.entry(issuer).or_insert_with(|| {
            let token = TokenSketch {
                issuer: issuer.to_owned(),
                role: Some(role.name.clone()),
                ..TokenSketch::default()
            };
            token.resolve("caller", policy).is_ok()
        });
        let Some(granted) = class.grants(0).and_then(|grants| grants.of(policy.id)) else {
            return false;
        };
        let carries_roles = policy
            .callers
            .mapping(issuer)
            .is_some_and(|mapping| mapping.roles.is_some());
        let none = Bits::empty(policy.roles.len());
        let held_roles = if carries_roles { &role.included } else { &none };
        class.is_mapped(0)
            && is_named
            && same_within(&granted.held, &role.closure, &scopes)
            && same_within(&granted.roles, held_roles, &roles)
            && may_call(*class, owner)
    });
    let mut found = first(found, policy, id, owner);
    // The role says more than its scopes do.
    for witness in found.iter_mut().flat_map(|found| &mut found.witnesses) {
        let mut token = witness.token.clone();
        token.role = Some(role.name.clone());
        token.scopes = None;
        let as_role = Witness {
            token,
            ..witness.clone()
        };
        if as_role.decision("caller", policy) == witness.decision("caller", policy) {
            *witness = as_role;
        }
    }
    Ok(found)
}

/// The owner for whom a case tells two reaches apart.
pub(super) fn owner_between(one: Reach, two: Reach) -> Ownership {
    match one.max(two) {
        Reach::Any => Ownership::Other,
        Reach::Own | Reach::Deny => Ownership::Caller,
    }
}

fn may_call(class: CallerClass<'_>, owner: Ownership) -> bool {
    class.decision(0).on_object(owner).reach > Reach::Deny
}

/// The first of the classes that can be written down, else the first.
fn first<'c>(
    classes: impl Iterator<Item = CallerClass<'c>>,
    policy: &Policy,
    id: OperationId,
    owner: Ownership,
) -> Option<Counterexample> {
    let mut any = None;
    // Nearly every class can be written; looking at each of thousands that cannot would take long.
    for class in classes.take(SHOWN) {
        let witness = Witness::of(class, id, owner, policy);
        let found = Counterexample {
            what: shown(class.decision(0), policy),
            witnesses: witness.into_iter().collect(),
        };
        if !found.witnesses.is_empty() {
            return Some(found);
        }
        any = any.or(Some(found));
    }
    any
}

/// Writes a decision: `any (scope)`.
pub(super) fn shown(decision: Decision, policy: &Policy) -> String {
    let because = match decision.because {
        Because::Forbidden(id) => policy.forbid(id).map_or("forbidden", |forbid| forbid.id()),
        because => because.code(),
    };
    format!("{} ({because})", decision.reach.as_str())
}
