//! Operations about which both files say the same, so that there is nothing to try.
//!
//! Only a short cut: an operation that is not recognised here is compared class by class. It matters where those are too many.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{OperationId, OperationKind, Policy};

/// What both policies say, as written in their canonical forms.
pub(super) struct Unchanged<'p> {
    old: (&'p Policy, Map<String, Value>),
    new: (&'p Policy, Map<String, Value>),
    /// Scopes, roles and callers are the same.
    shared: bool,
}

impl<'p> Unchanged<'p> {
    /// `None` if a canonical form cannot be read: then nothing is known to be unchanged.
    pub(super) fn between(old: &'p Policy, new: &'p Policy) -> Option<Self> {
        let written = |policy: &Policy| serde_json::from_str::<Map<String, Value>>(policy.canonical()).ok();
        let (old, new) = ((old, written(old)?), (new, written(new)?));
        let same = |section: &str| old.1.get(section) == new.1.get(section);
        let shared = same("roles") && same("callers") && implications(&old.1) == implications(&new.1);
        Some(Self { old, new, shared })
    }

    /// Tells whether an operation of the same name has the same rule, objects and forbids in both.
    pub(super) fn is_unchanged(&self, old: Option<OperationId>, new: Option<OperationId>) -> bool {
        let operation = old.and_then(|id| self.old.0.operation(id));
        let Some((old, new)) = operation.zip(new.and_then(|id| self.new.0.operation(id))) else {
            return false;
        };
        let (kind, name) = (old.kind(), old.name());
        self.shared
            && (kind, name) == (new.kind(), new.name())
            && old.owner_column() == new.owner_column()
            && rule(&self.old.1, kind, name) == rule(&self.new.1, kind, name)
            && forbids(&self.old.1, kind, name).eq(forbids(&self.new.1, kind, name))
    }
}

/// What each scope implies, without those that imply nothing: to declare one more of these changes nothing.
fn implications(written: &Map<String, Value>) -> BTreeMap<&String, &Value> {
    let scopes = written.get("scopes").and_then(Value::as_object).into_iter().flatten();
    let implied = scopes.filter_map(|(name, scope)| Some((name, scope.get("implies")?)));
    implied
        .filter(|(_, implied)| implied.as_array().is_some_and(|implied| !implied.is_empty()))
        .collect()
}

fn rule<'w>(written: &'w Map<String, Value>, kind: OperationKind, name: &str) -> Option<&'w Value> {
    written.get(kind.section())?.get(name)
}

/// The conditions of the forbids on an operation, in the order of the file.
fn forbids<'w>(
    written: &'w Map<String, Value>,
    kind: OperationKind,
    name: &'w str,
) -> impl Iterator<Item = [Option<&'w Value>; 2]> {
    let forbids = written.get("forbid").and_then(Value::as_array).into_iter().flatten();
    let concerned = forbids.filter(move |forbid| {
        let names = forbid.get(kind.section()).and_then(Value::as_array);
        let is_named = names.is_some_and(|names| names.iter().any(|target| target == name));
        is_named || forbid.get("everything") == Some(&Value::Bool(true))
    });
    concerned.map(|forbid| ["when", "unless"].map(|condition| forbid.get(condition)))
}
