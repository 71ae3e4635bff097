//! Proving invariants: every class of callers and arguments is tried.

use std::collections::HashSet;

use super::{
    effort::{Effort, exists},
    invariants::Invariant,
    model::Suite,
    names::{name_of, operations},
    rows::Rows,
    token::TokenSketch,
    witness::Witness,
};
use crate::{
    Because, Decision, Operation, OperationId, Ownership, Policy, Reach,
    bits::Bits,
    caller_classes::CallerClass,
    callers::ScopeSource,
    claim_path::ClaimPath,
    forbid::{Condition, ForbidId},
    text::quoted,
};

/// Counterexamples that are shown at most.
const SHOWN: usize = 20;
/// Callers with one more scope that are tried for one operation at most.
const STEPS: usize = 1 << 18;

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
struct Counterexample {
    what: String,
    witnesses: Vec<Witness>,
}

type Found = Result<Option<Counterexample>, String>;

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
        let mut more = 0_usize;
        let mut judge = |operation: OperationId, found: Found| {
            let called = name_of(operation, policy);
            let what = match found {
                Ok(None) => return,
                _ if disproof.details.len() >= SHOWN => {
                    more += 1;
                    return;
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
        };
        match invariant {
            Invariant::Needs {
                operations,
                owner,
                scopes,
            } => {
                for id in operations {
                    judge(*id, needs(policy, *id, *owner, scopes, effort));
                }
            }
            Invariant::Never {
                role,
                operations,
                owner,
            } => {
                for id in operations {
                    judge(*id, never(policy, *id, *owner, role, effort));
                }
            }
            Invariant::Monotone => {
                for (id, operation) in operations(policy) {
                    judge(id, monotone(policy, id, operation, effort));
                }
            }
        }
        disproof.paste = rows.text();
        if more > 0 {
            disproof.details.push(format!("… and {more} more"));
        }
        match disproof.details.is_empty() {
            true => Ok(()),
            false => Err(disproof),
        }
    }
}

/// Finds a caller that may call without these scopes.
fn needs(policy: &Policy, id: OperationId, owner: Ownership, scopes: &[String], effort: &Effort) -> Found {
    let names: Vec<&str> = scopes.iter().map(String::as_str).collect();
    let classes = effort.classes(&[policy], id, &names)?;
    let lacks = |class: &CallerClass<'_>| !names.iter().all(|scope| class.holds(0, scope));
    let found = classes
        .iter()
        .filter(|class| exists(*class, policy) && lacks(class) && may_call(*class, owner));
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
    let mut named: HashSet<&str> = HashSet::new();
    let mut unnamed: HashSet<&str> = HashSet::new();
    let found = classes.iter().filter(|class| {
        let issuer = class.issuer();
        // An issuer that has no name for the role gives it to nobody.
        if !named.contains(issuer) && !unnamed.contains(issuer) {
            let token = TokenSketch {
                issuer: issuer.to_owned(),
                role: Some(role.name.clone()),
                ..TokenSketch::default()
            };
            let is_named = token.resolve("caller", policy).is_ok();
            if is_named {
                named.insert(issuer)
            } else {
                unnamed.insert(issuer)
            };
        }
        let Some(granted) = class.grants(0).and_then(|grants| grants.of(policy.id)) else {
            return false;
        };
        let carries_roles = policy
            .callers
            .mapping(issuer)
            .is_some_and(|mapping| mapping.roles.is_some());
        let none = Bits::empty(policy.roles.len());
        let held_roles = if carries_roles { &role.included } else { &none };
        exists(*class, policy)
            && named.contains(issuer)
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

/// Finds a caller that gets less with one more scope.
fn monotone(policy: &Policy, id: OperationId, operation: &Operation, effort: &Effort) -> Found {
    if let Some(forbid) = reads_scopes_as_a_claim(policy, operation) {
        return Err(format!(
            "forbid {} tests the claim that scopes are read from, which another scope changes",
            quoted(forbid)
        ));
    }
    let (scopes, _) = looked_at(policy, operation);
    let classes = effort.classes(&[policy], id, &[])?;
    let mut seen = HashSet::new();
    let steps = policy.scopes.iter().filter(|scope| {
        let mut useful = scope.closure.clone();
        useful.intersect(&scopes);
        seen.insert(useful.words().to_vec())
    });
    let steps: Vec<&str> = steps.map(crate::Scope::name).collect();
    let mut tried = 0;
    for class in classes.iter().filter(|class| exists(*class, policy)) {
        let (before, Some(grants)) = (class.decision(0), class.grants(0)) else {
            continue;
        };
        tried += steps.len();
        if tried > STEPS {
            return Err(format!(
                "more than {STEPS} callers with one more scope would have to be tried"
            ));
        }
        for scope in steps.iter().filter(|_| before.reach > Reach::Deny) {
            let more = policy.with_scopes(grants, [*scope]);
            let after = policy.decide_call(id, &more, class.arguments().into());
            if after.reach < before.reach {
                let what = format!(
                    "{} becomes {} with {}",
                    shown(before, policy),
                    shown(after, policy),
                    quoted(scope)
                );
                let owner = owner_between(before.reach, after.reach);
                let witness = Witness::of(class, id, owner, policy);
                let with_more = witness.as_ref().and_then(|witness| witness.with_scope(scope));
                let with_more = with_more.filter(|more| more.decision("caller", policy) == Some(after));
                return Ok(Some(Counterexample {
                    what,
                    witnesses: witness.into_iter().chain(with_more).collect(),
                }));
            }
        }
    }
    Ok(None)
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
pub(super) fn forbids<'p>(policy: &'p Policy, operation: &'p Operation) -> impl Iterator<Item = &'p crate::Forbid> {
    let numbers = operation.rule.forbids.iter().chain(&policy.forbids_everything);
    numbers.filter_map(|number| policy.forbid(ForbidId(*number)))
}

fn same_within(one: &Bits, two: &Bits, within: &Bits) -> bool {
    let words = one.words().iter().zip(two.words()).zip(within.words());
    words.into_iter().all(|((one, two), within)| (one ^ two) & within == 0)
}

/// Finds a forbid that tests a claim from which scopes are read, or something around or inside of it.
fn reads_scopes_as_a_claim<'p>(policy: &'p Policy, operation: &'p Operation) -> Option<&'p str> {
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
