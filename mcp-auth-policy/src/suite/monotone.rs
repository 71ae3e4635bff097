//! One more scope never lowers the reach.

use std::collections::HashSet;

use super::{
    effort::Effort,
    looked_at::{looked_at, reads_scopes_as_a_claim},
    prove::{Counterexample, Found, owner_between, shown},
    witness::Witness,
};
use crate::{OperationId, Policy, Reach, Scope, text::quoted};

/// Callers with one more scope that are tried for one operation at most.
const STEPS: usize = 1 << 18;

/// Finds a caller that gets less with one more scope.
pub(super) fn monotone(policy: &Policy, id: OperationId, effort: &Effort) -> Found {
    let Some(operation) = policy.operation(id) else {
        return Ok(None);
    };
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
    let steps: Vec<&str> = steps.map(Scope::name).collect();
    let mut tried = 0;
    for class in classes.iter().filter(|class| class.is_mapped(0)) {
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
