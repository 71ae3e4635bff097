//! The parts of a policy that concern every caller or every operation: what may have widened there.
//!
//! Compared as written, in canonical form. What is neither the same nor plainly narrower counts as a widening.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::{OnNotOwner, OperationKind, Policy, Reach, Visibility, Widening, WideningCause};

impl Policy {
    /// Finds the sections of this policy of which it is not known that they let nobody in further than those of `old`.
    pub(crate) fn changed_sections(&self, old: &Self) -> Vec<Widening> {
        let (Some(new_text), Some(old_text)) = (self.as_written(), old.as_written()) else {
            return vec![section("policy")];
        };
        let differs = |key: &str| new_text.get(key) != old_text.get(key);
        // Without roles in tokens, `roles:` is only for authorization servers.
        let map_roles = self.callers.map_roles();
        let implies_counts = map_roles || self.forbids.iter().any(|forbid| forbid.reads_scopes());
        let is_gone = |resource: &str| self.find(OperationKind::Resource, resource).is_none();

        let mut changed = Vec::new();
        let mut note = |is_changed: bool, key: &str| changed.extend(is_changed.then(|| section(key)));
        note(differs("callers"), "callers");
        note(map_roles && differs("roles"), "roles");
        // A forbid may ask for a scope that is now implied by more, or by less; and the scopes that token and roles have in common may be more.
        note(implies_counts && self.implications() != old.implications(), "scopes");
        for forbid in removed_forbids(&new_text, &old_text) {
            note(true, &format!("forbid {forbid}"));
        }
        // Its URI may now belong to a template.
        let mut old_resources = old.operations(OperationKind::Resource);
        note(old_resources.any(|resource| is_gone(resource.name())), "resources");
        note(shows(self.visibility) > shows(old.visibility), "visibility");
        let tells_more = self.on_not_owner != old.on_not_owner && self.on_not_owner != OnNotOwner::Hide;
        note(tells_more, "on_not_owner");
        changed
    }

    fn as_written(&self) -> Option<Map<String, Value>> {
        serde_json::from_str(&self.canonical).ok()
    }

    /// Every scope with every other one that it implies.
    fn implications(&self) -> BTreeSet<(&str, &str)> {
        let pairs = self.scopes.iter().flat_map(|scope| {
            let implied = self.scopes.iter().enumerate();
            implied
                .filter(|(number, other)| scope.closure.contains(*number) && other.name != scope.name)
                .map(|(_, other)| (scope.name.as_str(), other.name.as_str()))
        });
        pairs.collect()
    }
}

/// The ids of the forbids that are not in the new policy with the same targets and conditions. More forbids only narrow.
fn removed_forbids(new: &Map<String, Value>, old: &Map<String, Value>) -> Vec<String> {
    let meanings: Vec<Value> = forbids(new).map(meaning).collect();
    forbids(old)
        .filter(|forbid| !meanings.contains(&meaning(forbid)))
        .map(|forbid| forbid.get("id").and_then(Value::as_str).unwrap_or_default().to_owned())
        .collect()
}

fn forbids(policy: &Map<String, Value>) -> impl Iterator<Item = &Value> {
    policy.get("forbid").and_then(Value::as_array).into_iter().flatten()
}

/// A forbid without what only people read.
fn meaning(forbid: &Value) -> Value {
    let mut forbid = forbid.clone();
    if let Some(members) = forbid.as_object_mut() {
        members.remove("id");
        members.remove("message");
    }
    forbid
}

/// The more a list shows, the greater.
fn shows(visibility: Visibility) -> u8 {
    match visibility {
        Visibility::Granted => 0,
        Visibility::Obtainable => 1,
        Visibility::All => 2,
    }
}

fn section(key: &str) -> Widening {
    Widening {
        kind: None,
        name: key.to_owned(),
        line: None,
        example_scopes: Vec::new(),
        old_reach: Reach::Deny,
        new_reach: Reach::Any,
        cause: WideningCause::Unproved,
    }
}
