//! Every token and every argument that can make a difference to a policy, read off the policy itself.

use serde_json::{Map, Value, json};

use crate::naive::{Token, claim_names, list, one_or_more};

/// An issuer that no policy lists.
pub(crate) const UNLISTED: &str = "https://unlisted.example";

/// One token for each issuer, set of scopes, set of roles, client, and value of a claim that a forbid looks at.
pub(crate) fn tokens(policy: &Value) -> Vec<Token> {
    let callers = &policy["callers"];
    let listed = callers["issuers"].as_object();
    let mut issuers: Vec<(&str, &Value)> = listed
        .into_iter()
        .flatten()
        .map(|(name, mapping)| (name.as_str(), mapping))
        .collect();
    issuers.push((UNLISTED, &callers["default"]));
    let mut tokens = Vec::new();
    for (issuer, mapping) in issuers {
        let mut some = vec![Token {
            issuer: issuer.to_owned(),
            client: None,
            scopes: Vec::new(),
            claims: Map::new(),
        }];
        if let Some(roles) = mapping.get("roles") {
            let names = mapping.get("role_names").unwrap_or(&policy["roles"]);
            let names = keys(names);
            let values = sets(&names).map(|mut roles| {
                roles.push("a-role-of-somebody-else".to_owned());
                Some(json!(roles))
            });
            let wrong = [None, Some(json!(7)), Some(json!(["a", 1]))];
            some = with_claim(&some, roles, values.chain(wrong));
        }
        for (path, atoms) in atoms(policy, "claim", |_| true) {
            if mapping["scopes"] != path {
                some = with_claim(&some, &path, values(&atoms).into_iter());
            }
        }
        some = with_scopes(&some, mapping, &keys(&policy["scopes"]));
        tokens.extend(with_clients(&some, policy));
    }
    tokens
}

/// One set of arguments for each value of each argument that a forbid of this operation looks at.
pub(crate) fn arguments(policy: &Value, operation: (&str, &str)) -> Vec<Map<String, Value>> {
    let mut sets = vec![Map::new()];
    for (argument, atoms) in atoms(policy, "arg", |forbid| concerns(forbid, operation)) {
        let argument = argument.as_str().unwrap();
        let with = |(set, value): (&Map<String, Value>, Option<Value>)| {
            let mut set = set.clone();
            set.extend(value.map(|value| (argument.to_owned(), value)));
            set
        };
        let pairs = sets
            .iter()
            .flat_map(|set| values(&atoms).into_iter().map(move |value| (set, value)));
        sets = pairs.map(with).collect();
    }
    sets
}

/// Whether a forbid names an operation.
pub(crate) fn concerns(forbid: &Value, (section, name): (&str, &str)) -> bool {
    forbid["everything"] == true || list(&forbid[section]).iter().any(|target| target == name)
}

/// What the forbids look at, each name once, with all that they ask of it.
fn atoms(policy: &Value, kind: &str, concerned: impl Fn(&Value) -> bool) -> Vec<(Value, Vec<Value>)> {
    let mut found: Vec<(Value, Vec<Value>)> = Vec::new();
    for forbid in one_or_more(&policy["forbid"]).iter().filter(|forbid| concerned(forbid)) {
        for side in ["when", "unless"] {
            for atom in one_or_more(&forbid[side][kind]) {
                match found.iter_mut().find(|(name, _)| *name == atom["name"]) {
                    Some((_, atoms)) => atoms.push(atom.clone()),
                    None => found.push((atom["name"].clone(), vec![atom.clone()])),
                }
            }
        }
    }
    found
}

/// Values on both sides of every test, values of other types, and none.
fn values(atoms: &[Value]) -> Vec<Option<Value>> {
    let mut values = vec![None, Some(json!(null)), Some(json!("text")), Some(json!(-0.5))];
    for atom in atoms {
        values.extend(atom.get("is").cloned().map(Some));
        values.extend(one_or_more(&atom["in"]).iter().cloned().map(Some));
        for bound in ["min", "max"] {
            let around = atom[bound]
                .as_f64()
                .into_iter()
                .flat_map(|bound| [bound - 1.0, bound, bound + 1.0]);
            values.extend(around.map(|number| Some(json!(number))));
        }
        if let Some(limit) = atom["longer_than"].as_u64() {
            let limit = usize::try_from(limit).unwrap();
            values.extend([limit, limit + 1].map(|length| Some(json!("é".repeat(length)))));
        }
    }
    values
}

fn with_claim(tokens: &[Token], path: &Value, values: impl Iterator<Item = Option<Value>>) -> Vec<Token> {
    let names = claim_names(path);
    let mut all = Vec::new();
    for value in values {
        for token in tokens {
            let mut token = token.clone();
            if let Some(value) = &value {
                put(&mut token.claims, &names, value.clone());
            }
            all.push(token);
        }
    }
    // Something on the way to the claim that is no object.
    if let [first, _, ..] = names.as_slice() {
        let mut token = tokens[0].clone();
        token.claims.insert(first.clone(), json!("text"));
        all.push(token);
    }
    all
}

fn put(claims: &mut Map<String, Value>, names: &[String], value: Value) {
    let (first, rest) = names.split_first().unwrap();
    if rest.is_empty() {
        claims.insert(first.clone(), value);
    } else if let Value::Object(inner) = claims.entry(first.clone()).or_insert_with(|| json!({})) {
        put(inner, rest, value);
    }
}

/// Scopes where the issuer writes them, as a text and as a list, beside one that no policy declares.
fn with_scopes(tokens: &[Token], mapping: &Value, scopes: &[String]) -> Vec<Token> {
    let claim = mapping.get("scopes").filter(|claim| *claim != "scope");
    let Some(claim) = claim else {
        let each = |token: &Token| {
            let with = |scopes: Vec<String>| Token {
                scopes,
                ..token.clone()
            };
            sets(scopes).map(with).collect::<Vec<_>>()
        };
        return tokens.iter().flat_map(each).collect();
    };
    let written = sets(scopes).enumerate().map(|(number, mut scopes)| {
        scopes.push("openid".to_owned());
        Some(if number % 2 == 0 {
            json!(scopes.join(" "))
        } else {
            json!(scopes)
        })
    });
    with_claim(tokens, claim, written.chain([None, Some(json!(7))]))
}

fn with_clients(tokens: &[Token], policy: &Value) -> Vec<Token> {
    let sides = one_or_more(&policy["forbid"])
        .iter()
        .flat_map(|forbid| [forbid["when"].clone(), forbid["unless"].clone()]);
    let mut clients: Vec<Option<String>> = sides
        .filter_map(|side| side["client"].as_str().map(|client| Some(client.to_owned())))
        .collect();
    if !clients.is_empty() {
        clients.push(Some("another-client".to_owned()));
    }
    clients.push(None);
    let with = |token: &Token, client: &Option<String>| Token {
        client: client.clone(),
        ..token.clone()
    };
    tokens
        .iter()
        .flat_map(|token| clients.iter().map(|client| with(token, client)).collect::<Vec<_>>())
        .collect()
}

fn keys(map: &Value) -> Vec<String> {
    map.as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.clone())
        .collect()
}

fn sets(names: &[String]) -> impl Iterator<Item = Vec<String>> {
    assert!(names.len() <= 8, "too many states");
    (0..1_usize << names.len()).map(move |bits| {
        let chosen = names.iter().enumerate().filter(|(i, _)| bits & (1 << i) != 0);
        chosen.map(|(_, name)| name.clone()).collect()
    })
}
