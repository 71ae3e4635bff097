//! The rules of the policy language, written down as plainly as possible: sets of names, no bits, no compiling.
//!
//! It reads the file with another YAML reader, so that it shares no line with the engine.

use std::collections::HashSet;

use serde_yaml::Value;

pub(crate) struct Naive(Value);

type Names = HashSet<String>;

impl Naive {
    pub(crate) fn read(text: &str) -> Self {
        Self(serde_yaml::from_str(text).unwrap())
    }

    pub(crate) fn names(&self, section: &str) -> Vec<String> {
        let Some(map) = self.0.get(section).and_then(Value::as_mapping) else {
            return Vec::new();
        };
        map.keys().map(|key| key.as_str().unwrap().to_owned()).collect()
    }

    /// All scopes held, with all that they imply, repeated until nothing is new.
    fn closure(&self, scopes: &[&str]) -> Names {
        let mut held: Names = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        loop {
            let implied = held
                .iter()
                .flat_map(|scope| list(&self.0["scopes"][scope.as_str()]["implies"]));
            let next: Names = held.iter().cloned().chain(implied).collect();
            if next == held {
                return held;
            }
            held = next;
        }
    }

    pub(crate) fn scopes_of_role(&self, role: &str) -> Names {
        let role = &self.0["roles"][role];
        let included = list(&role["includes"])
            .into_iter()
            .flat_map(|name| self.scopes_of_role(&name));
        list(&role["scopes"]).into_iter().chain(included).collect()
    }

    fn alternatives(&self, section: &str, name: &str) -> Vec<Vec<String>> {
        match &self.0[section][name]["requires"] {
            Value::Mapping(any) => list(&any["any"]).into_iter().map(|scope| vec![scope]).collect(),
            all => vec![list(all)],
        }
    }

    /// Requires met: any. Otherwise an owner fallback whose scopes are held: own. Otherwise deny.
    pub(crate) fn reach(&self, section: &str, name: &str, scopes: &[&str]) -> (&'static str, &'static str) {
        let held = self.closure(scopes);
        let met = |all: &[String]| all.iter().all(|scope| held.contains(scope));
        if let Some(all) = self.alternatives(section, name).iter().find(|all| met(all)) {
            return ("any", if all.is_empty() { "open" } else { "scope" });
        }
        match &self.0[section][name]["owner_fallback"] {
            Value::Null | Value::Bool(false) => ("deny", "missing-scope"),
            fallback if met(&list(fallback)) => ("own", "owner"),
            _ => ("deny", "missing-scope"),
        }
    }

    pub(crate) fn decide(&self, section: &str, name: &str, scopes: &[&str], owner: &str) -> (bool, &'static str) {
        match (self.reach(section, name, scopes), owner) {
            (("own", _), "other") => (false, "not-owner"),
            (("own", _), "absent") => (false, "owner-unknown"),
            ((reach, because), _) => (reach != "deny", because),
        }
    }

    /// The first of the alternatives that lack the fewest scopes.
    pub(crate) fn challenge(&self, section: &str, name: &str, scopes: &[&str]) -> Option<Vec<String>> {
        if self.reach(section, name, scopes).0 == "any" {
            return None;
        }
        let held = self.closure(scopes);
        let lacking = |all: &Vec<String>| all.iter().filter(|scope| !held.contains(*scope)).count();
        self.alternatives(section, name).into_iter().min_by_key(lacking)
    }
}

/// A name is a list of one; what is no name and no list is an empty one.
fn list(value: &Value) -> Vec<String> {
    match value {
        Value::String(name) => vec![name.clone()],
        Value::Sequence(names) => names.iter().map(|name| name.as_str().unwrap().to_owned()).collect(),
        _ => Vec::new(),
    }
}
