//! The whole language, written down as plainly as possible: names and sets, no bits, no compiling, another YAML reader.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

pub(crate) type Names = BTreeSet<String>;

pub(crate) struct Naive(pub(crate) Value);

/// A verified token.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) issuer: String,
    pub(crate) client: Option<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) claims: Map<String, Value>,
}

impl Naive {
    pub(crate) fn read(text: &str) -> Self {
        Self(serde_yaml::from_str(text).unwrap())
    }

    fn all_scopes(&self) -> Vec<String> {
        (self.0["scopes"].as_object().into_iter().flatten())
            .map(|(name, _)| name.clone())
            .collect()
    }

    fn closure(&self, section: &str, edge: &str, names: impl IntoIterator<Item = String>) -> Names {
        let mut held: Names = names
            .into_iter()
            .filter(|name| !self.0[section][name].is_null())
            .collect();
        loop {
            let more = held.iter().flat_map(|name| list(&self.0[section][name][edge]));
            let next: Names = held.iter().cloned().chain(more).collect();
            if next == held {
                return held;
            }
            held = next;
        }
    }

    fn mapping(&self, token: &Token) -> Option<&Value> {
        let callers = &self.0["callers"];
        match callers["issuers"].as_object() {
            Some(issuers) => issuers.get(&token.issuer),
            None => Some(&callers["default"]),
        }
    }

    pub(crate) fn roles(&self, token: &Token) -> Names {
        let Some(mapping) = self.mapping(token) else {
            return Names::new();
        };
        if mapping["roles"].is_null() {
            return Names::new();
        }
        let values = match lookup(&mapping["roles"], &token.claims) {
            Some(Value::String(role)) => vec![role.clone()],
            Some(items @ Value::Array(all)) if all.iter().all(Value::is_string) => list(items),
            _ => vec![],
        };
        let names = values.into_iter().filter_map(|value| match &mapping["role_names"] {
            Value::Null => Some(value),
            names => names[&value].as_str().map(str::to_owned),
        });
        self.closure("roles", "includes", names)
    }

    /// The scopes that count if the token carried these.
    fn effective(&self, token: &Token, carried: &[String]) -> Names {
        let Some(mapping) = self.mapping(token) else {
            return Names::new();
        };
        let from_token = self.closure("scopes", "implies", carried.iter().cloned());
        if mapping["roles"].is_null() {
            return from_token;
        }
        let roles = self.roles(token);
        let of_roles = roles.iter().flat_map(|role| list(&self.0["roles"][role]["scopes"]));
        let from_roles = self.closure("scopes", "implies", of_roles);
        match (&mapping["scopes"], mapping["combine"].as_str()) {
            (Value::Null, _) => from_roles,
            (_, Some("union")) => &from_token | &from_roles,
            _ => &from_token & &from_roles,
        }
    }

    pub(crate) fn carried(&self, token: &Token) -> Vec<String> {
        let mapped = self.mapping(token).map_or(&Value::Null, |mapping| &mapping["scopes"]);
        if mapped.is_null() || mapped == "scope" {
            return token.scopes.clone();
        }
        match lookup(mapped, &token.claims) {
            Some(Value::String(scopes)) => scopes.split(' ').map(str::to_owned).collect(),
            Some(items @ Value::Array(all)) if all.iter().all(Value::is_string) => list(items),
            _ => vec![],
        }
    }

    /// Whether a forbid matches; `None` if only the arguments know.
    fn matches(&self, forbid: &Value, token: &Token, held: &Names, args: Option<&Map<String, Value>>) -> Option<bool> {
        let when = self.condition(&forbid["when"], true, token, held, args);
        let unless = match &forbid["unless"] {
            Value::Null => Some(false),
            unless => self.condition(unless, false, token, held, args),
        };
        if when == Some(false) || unless == Some(true) {
            return Some(false);
        }
        (when.is_some() && unless.is_some()).then_some(true)
    }

    fn condition(
        &self,
        condition: &Value,
        in_when: bool,
        token: &Token,
        held: &Names,
        args: Option<&Map<String, Value>>,
    ) -> Option<bool> {
        let mut answers = vec![Some(list(&condition["scope"]).iter().all(|scope| held.contains(scope)))];
        if !condition["role"].is_null() {
            let roles = self.roles(token);
            answers.push(Some(list(&condition["role"]).iter().all(|role| roles.contains(role))));
        }
        if let Some(issuer) = condition["issuer"].as_str() {
            answers.push(Some(issuer == token.issuer));
        }
        if let Some(client) = condition["client"].as_str() {
            answers.push(Some(token.client.as_deref().map_or(in_when, |own| own == client)));
        }
        for atom in one_or_more(&condition["claim"]) {
            answers.push(Some(holds(atom, lookup(&atom["name"], &token.claims), in_when)));
        }
        for atom in one_or_more(&condition["arg"]) {
            let name = atom["name"].as_str().unwrap();
            answers.push(args.map(|args| holds(atom, args.get(name), in_when)));
        }
        if answers.contains(&Some(false)) {
            return Some(false);
        }
        (!answers.contains(&None)).then_some(true)
    }

    /// The reach and its reason with the scopes that the token would carry. `cautious`: what is unknown forbids.
    pub(crate) fn reach(
        &self,
        (section, name): (&str, &str),
        token: &Token,
        carried: &[String],
        args: Option<&Map<String, Value>>,
        cautious: bool,
    ) -> (&'static str, String) {
        let held = self.effective(token, carried);
        let none = Map::new();
        let args = if ["tools", "prompts"].contains(&section) {
            args
        } else {
            Some(&none)
        };
        for forbid in one_or_more(&self.0["forbid"]) {
            let concerned = forbid["everything"] == true || list(&forbid[section]).iter().any(|target| target == name);
            if concerned && self.matches(forbid, token, &held, args).unwrap_or(cautious) {
                return ("deny", forbid["id"].as_str().unwrap().to_owned());
            }
        }
        let rule = &self.0[section][name];
        if let Some(all) = alternatives(rule)
            .iter()
            .find(|all| all.iter().all(|scope| held.contains(scope)))
        {
            return ("any", if all.is_empty() { "open" } else { "scope" }.to_owned());
        }
        match &rule["owner_fallback"] {
            Value::Null | Value::Bool(false) => ("deny", "missing-scope".to_owned()),
            fallback if list(fallback).iter().all(|scope| held.contains(scope)) => ("own", "owner".to_owned()),
            _ => ("deny", "missing-scope".to_owned()),
        }
    }

    pub(crate) fn challenge(
        &self,
        operation: (&str, &str),
        token: &Token,
        args: Option<&Map<String, Value>>,
    ) -> Option<Vec<String>> {
        let carried = self.carried(token);
        let reaches_any = |carried: &[String]| self.reach(operation, token, carried, args, true).0 == "any";
        if reaches_any(&carried) {
            return None;
        }
        let held = self.effective(token, &carried);
        let helping = alternatives(&self.0[operation.0][operation.1])
            .into_iter()
            .filter(|all| reaches_any(&[carried.clone(), all.clone()].concat()));
        helping.min_by_key(|all| all.iter().filter(|scope| !held.contains(*scope)).count())
    }

    /// Tries every set of scopes that a token could carry.
    pub(crate) fn is_listed(&self, operation: (&str, &str), token: &Token) -> bool {
        let gives = |carried: &[String]| self.reach(operation, token, carried, None, false).0 != "deny";
        match self.0["visibility"].as_str() {
            Some("all") => true,
            Some("granted") => gives(&self.carried(token)),
            _ => {
                let scopes = self.all_scopes();
                (0..1_usize << scopes.len()).any(|bits| {
                    let chosen = scopes.iter().enumerate().filter(|(i, _)| bits & (1 << i) != 0);
                    gives(&chosen.map(|(_, scope)| scope.clone()).collect::<Vec<_>>())
                })
            }
        }
    }
}

pub(crate) fn alternatives(rule: &Value) -> Vec<Vec<String>> {
    match &rule["requires"]["any"] {
        Value::Null => vec![list(&rule["requires"])],
        any => list(any).into_iter().map(|scope| vec![scope]).collect(),
    }
}

/// A claim by its path; a step into something that is no object gives `null`, which is of no type.
fn lookup<'v>(path: &Value, claims: &'v Map<String, Value>) -> Option<&'v Value> {
    let names = claim_names(path);
    let (first, rest) = names.split_first()?;
    let mut value = claims.get(first)?;
    for name in rest {
        if !value.is_object() {
            return Some(&Value::Null);
        }
        value = value.get(name)?;
    }
    Some(value)
}

/// The names on the way to a claim: split at dots, unless there is a `://`, or a list of them.
pub(crate) fn claim_names(path: &Value) -> Vec<String> {
    match path {
        Value::String(text) if text.contains("://") => vec![text.clone()],
        Value::String(text) => text.split('.').map(str::to_owned).collect(),
        names => list(names),
    }
}

fn holds(atom: &Value, found: Option<&Value>, in_when: bool) -> bool {
    let Some(value) = found else {
        return match atom["present"].as_bool() {
            Some(present) => !present,
            None => (atom["if_missing"] == "deny") == in_when,
        };
    };
    let same_type = |wanted: &Value| std::mem::discriminant(wanted) == std::mem::discriminant(value);
    let equal = |wanted: &Value| match (wanted.as_f64(), value.as_f64()) {
        (Some(one), Some(two)) => one == two,
        _ => wanted == value,
    };
    let wrong = in_when;
    if value.is_null() {
        return wrong;
    }
    if let Some(present) = atom["present"].as_bool() {
        return present;
    }
    if let Some(wanted) = atom.get("is") {
        return if same_type(wanted) { equal(wanted) } else { wrong };
    }
    if let Some(wanted) = atom["in"].as_array() {
        return if wanted.iter().any(same_type) {
            wanted.iter().any(equal)
        } else {
            wrong
        };
    }
    if let Some(least) = atom["min"].as_f64() {
        return value.as_f64().map_or(wrong, |number| number >= least);
    }
    if let Some(most) = atom["max"].as_f64() {
        return value.as_f64().map_or(wrong, |number| number <= most);
    }
    let limit = usize::try_from(atom["longer_than"].as_u64().unwrap()).unwrap();
    value.as_str().map_or(wrong, |text| text.chars().count() > limit)
}

pub(crate) fn one_or_more(value: &Value) -> &[Value] {
    match value {
        Value::Null => &[],
        Value::Array(items) => items,
        one => std::slice::from_ref(one),
    }
}

pub(crate) fn list(value: &Value) -> Vec<String> {
    one_or_more(value)
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}
