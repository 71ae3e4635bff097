//! Random policies, tokens and arguments from a seed.

use serde_json::{Map, Value, json};

use super::naive::Token;

const SCOPES: [&str; 4] = ["a", "b", "c", "d"];
const ROLES: [&str; 3] = ["user", "admin", "auditor"];
pub(crate) const OPERATIONS: [(&str, &str); 6] = [
    ("tools", "t0"),
    ("tools", "t1"),
    ("prompts", "p0"),
    ("resources", "notes://index"),
    ("resources", "notes://{owner}/{id}"),
    ("operations", "o0"),
];

/// xorshift64*: small, the same everywhere, and good enough to wander through policies.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let mixed = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(mixed).unwrap() % limit
    }

    fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    fn some(&mut self, from: &[&'static str], most: usize) -> Vec<&'static str> {
        let mut chosen: Vec<&str> = Vec::new();
        for _ in 0..self.below(most + 1) {
            let name = self.pick(from);
            if !chosen.contains(&name) {
                chosen.push(name);
            }
        }
        chosen
    }
}

pub(crate) fn policy(random: &mut Random) -> Value {
    let mut policy = json!({ "version": 1, "objects": { "thing": { "owner": "owner_id" } } });
    for (number, scope) in SCOPES.iter().enumerate() {
        let implies = if number < 3 {
            random.some(&SCOPES[number + 1..], 1)
        } else {
            vec![]
        };
        policy["scopes"][*scope] = json!({ "about": scope, "implies": implies });
    }
    for (number, role) in ROLES.iter().enumerate() {
        let includes = if number < 2 {
            random.some(&ROLES[number + 1..], 1)
        } else {
            vec![]
        };
        policy["roles"][*role] = json!({ "scopes": random.some(&SCOPES, 2), "includes": includes });
    }
    for (section, name) in OPERATIONS {
        let requires = random.some(&SCOPES, 3);
        policy[section][name] = json!({ "requires": requires });
        if requires.len() > 1 && random.one_in(2) {
            policy[section][name]["requires"] = json!({ "any": requires });
        }
        if random.one_in(2) {
            let fallback = random.some(&SCOPES, 2);
            policy[section][name]["object"] = json!("thing");
            policy[section][name]["owner_fallback"] = if fallback.is_empty() {
                json!(true)
            } else {
                json!(fallback)
            };
        }
    }
    match random.below(4) {
        0 => {}
        1 => policy["callers"] = json!({ "default": mapping(random) }),
        _ => {
            let issuers = json!({ "https://one": mapping(random), "https://two": mapping(random) });
            policy["callers"] = json!({ "issuers": issuers, "default": mapping(random) });
        }
    }
    for number in 0..random.below(4) {
        let entry = forbid(random, number);
        match &mut policy["forbid"] {
            Value::Array(list) => list.push(entry),
            other => *other = json!([entry]),
        }
    }
    if random.one_in(2) {
        policy["visibility"] = json!(random.pick(&["all", "obtainable", "granted"]));
    }
    policy
}

fn mapping(random: &mut Random) -> Value {
    let mut mapping = json!({});
    if random.one_in(2) {
        mapping["scopes"] = json!(random.pick(&["scope", "scp", "https://x/scopes"]));
    }
    if random.one_in(2) {
        mapping["roles"] = random.pick(&[json!("groups"), json!("realm.roles"), json!(["realm", "roles"])]);
        if random.one_in(3) {
            mapping["role_names"] = json!({ "staff": "user", "boss": "admin" });
        }
        if mapping.get("scopes").is_some() && random.one_in(3) {
            mapping["combine"] = json!(random.pick(&["union", "intersection"]));
        }
    }
    mapping
}

fn forbid(random: &mut Random, number: usize) -> Value {
    let mut forbid = json!({ "id": format!("f{number}") });
    if random.one_in(4) {
        forbid["everything"] = json!(true);
    } else {
        for _ in 0..=random.below(3) {
            let (section, name) = random.pick(&OPERATIONS);
            match &mut forbid[section] {
                Value::Array(names) if names.contains(&json!(name)) => {}
                Value::Array(names) => names.push(json!(name)),
                none => *none = json!([name]),
            }
        }
    }
    if !random.one_in(6) {
        forbid["when"] = condition(random, true);
    }
    if random.one_in(3) {
        forbid["unless"] = condition(random, false);
    }
    forbid
}

fn condition(random: &mut Random, in_when: bool) -> Value {
    let mut condition = json!({});
    for _ in 0..=random.below(2) {
        match random.below(8) {
            0 => condition["scope"] = json!(random.pick(&SCOPES)),
            1 => condition["scope"] = json!(["a", "c"]),
            2 => condition["role"] = json!(random.pick(&ROLES)),
            3 => condition["issuer"] = json!(random.pick(&["https://one", "https://two"])),
            4 => condition["client"] = json!("app"),
            5 => condition["claim"] = atom(random, &["status", "realm.level", "level"], in_when),
            6 => condition["arg"] = atom(random, &["content", "n"], in_when),
            _ => {
                let atoms = [atom(random, &["content"], in_when), atom(random, &["n"], in_when)];
                condition["arg"] = json!(atoms);
            }
        }
    }
    condition
}

fn atom(random: &mut Random, names: &[&str], _in_when: bool) -> Value {
    let mut atom = json!({ "name": random.pick(names), "if_missing": random.pick(&["deny", "skip"]) });
    let (key, value) = match random.below(7) {
        0 => ("is", json!("x")),
        1 => ("is", json!(5)),
        2 => ("in", json!(["x", 5, true])),
        3 => ("min", json!(5)),
        4 => ("max", json!(4.5)),
        5 => ("longer_than", json!(1)),
        _ => ("present", json!(random.one_in(2))),
    };
    atom[key] = value;
    if key == "present" {
        atom.as_object_mut().unwrap().remove("if_missing");
    }
    atom
}

fn value(random: &mut Random) -> Value {
    random.pick(&[
        json!("x"),
        json!("é"),
        json!("xyz"),
        json!(5),
        json!(5.0),
        json!(4.5),
        json!(-1),
        json!(true),
        json!(null),
        json!(["x"]),
        json!({}),
    ])
}

pub(crate) fn token(random: &mut Random) -> Token {
    let mut claims = Map::new();
    let names = |random: &mut Random, from: &[&'static str]| match random.below(5) {
        0 => json!(random.some(from, 3).join(" ")),
        1 => json!([1, "a"]),
        2 => value(random),
        _ => json!(random.some(from, 3)),
    };
    for claim in ["scp", "https://x/scopes"] {
        if !random.one_in(4) {
            claims.insert(claim.to_owned(), names(random, &["a", "b", "c", "d", "openid"]));
        }
    }
    let roles = ["user", "admin", "auditor", "staff", "boss", "guest"];
    if !random.one_in(4) {
        claims.insert("groups".to_owned(), names(random, &roles));
    }
    if !random.one_in(4) {
        let realm = json!({ "roles": names(random, &roles), "level": value(random) });
        claims.insert("realm".to_owned(), if random.one_in(6) { json!("text") } else { realm });
    }
    for claim in ["status", "level"] {
        if random.one_in(2) {
            claims.insert(claim.to_owned(), value(random));
        }
    }
    Token {
        issuer: random
            .pick(&["https://one", "https://two", "https://one", "https://other"])
            .to_owned(),
        client: random.pick(&[None, Some("app"), Some("other")]).map(str::to_owned),
        scopes: random
            .some(&["a", "b", "c", "d", "openid"], 3)
            .into_iter()
            .map(str::to_owned)
            .collect(),
        claims,
    }
}

pub(crate) fn arguments(random: &mut Random) -> Map<String, Value> {
    let mut arguments = Map::new();
    for name in ["content", "n"] {
        if !random.one_in(3) {
            arguments.insert(name.to_owned(), value(random));
        }
    }
    arguments
}

/// Writes a policy with every mapping in reverse order, as flow YAML.
pub(crate) fn reversed(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members: Vec<_> = members
                .iter()
                .rev()
                .map(|(key, value)| format!("{key:?}: {}", reversed(value)))
                .collect();
            format!("{{\n{} }}", members.join(",\n"))
        }
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(reversed).collect();
            format!("[ {} ]", items.join(", "))
        }
        other => other.to_string(),
    }
}
