//! Where a claim is found in a token.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::yaml::MAX_DEPTH;

/// The names of nested claims, outermost first. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub(crate) struct ClaimPath(Vec<String>);

/// What is found at a path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Found<'v> {
    Missing,
    /// Something on the way is no object, so that nobody can say what was meant.
    WrongType,
    Value(&'v Value),
}

impl ClaimPath {
    /// Reads the short form: dots lead into objects, but a name with `://` is one literal name, as Auth0 and others use them.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.contains("://") {
            return Some(Self(vec![text.to_owned()]));
        }
        Self::of_names(text.split('.').map(str::to_owned).collect())
    }

    /// Takes literal names, which may contain dots.
    pub(crate) fn of_names(names: Vec<String>) -> Option<Self> {
        // As deep as a file may be: nobody walks further, and dropping such claims cannot exhaust the stack.
        let good = (1..=MAX_DEPTH).contains(&names.len()) && names.iter().all(|name| !name.is_empty());
        good.then_some(Self(names))
    }

    /// Takes one literal name.
    pub(crate) fn literal(name: &str) -> Self {
        Self(vec![name.to_owned()])
    }

    pub(crate) fn is(&self, name: &str) -> bool {
        matches!(self.0.as_slice(), [only] if only == name)
    }

    /// Returns the names, outermost first.
    pub(crate) fn names(&self) -> &[String] {
        &self.0
    }

    /// Tells whether the other path leads further into what this one names.
    pub(crate) fn leads_to(&self, other: &Self) -> bool {
        other.0.len() > self.0.len() && other.0.starts_with(&self.0)
    }

    /// Returns the innermost name.
    pub(crate) fn last(&self) -> &str {
        self.0.last().map(String::as_str).unwrap_or_default()
    }

    /// Puts a value at the path. False if something else is there already, or in the way.
    #[must_use]
    pub(crate) fn put(&self, claims: &mut Map<String, Value>, value: Value) -> bool {
        let Some((last, way)) = self.0.split_last() else {
            return false;
        };
        let mut members = claims;
        for name in way {
            let next = members
                .entry(name.as_str())
                .or_insert_with(|| Value::Object(Map::new()));
            let Value::Object(inner) = next else {
                return false;
            };
            members = inner;
        }
        *members.entry(last.as_str()).or_insert_with(|| value.clone()) == value
    }

    /// Takes away what is at the path, and the objects around it that hold nothing else.
    pub(crate) fn remove(&self, claims: &mut Map<String, Value>) {
        remove(&self.0, claims);
    }

    pub(crate) fn find<'v>(&self, claims: &'v Map<String, Value>) -> Found<'v> {
        let Some((first, rest)) = self.0.split_first() else {
            return Found::Missing;
        };
        let Some(mut value) = claims.get(first) else {
            return Found::Missing;
        };
        for name in rest {
            let Value::Object(members) = value else {
                return Found::WrongType;
            };
            match members.get(name) {
                Some(member) => value = member,
                None => return Found::Missing,
            }
        }
        Found::Value(value)
    }
}

/// The names with dots between them.
impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

fn remove(path: &[String], members: &mut Map<String, Value>) {
    let Some((name, rest)) = path.split_first() else {
        return;
    };
    if let (false, Some(Value::Object(inner))) = (rest.is_empty(), members.get_mut(name)) {
        remove(rest, inner);
        if !inner.is_empty() {
            return;
        }
    }
    if rest.is_empty() || matches!(members.get(name), Some(Value::Object(inner)) if inner.is_empty()) {
        members.remove(name);
    }
}
