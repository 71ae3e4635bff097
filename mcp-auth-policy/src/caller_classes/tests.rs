//! The classes miss no caller.

#![allow(clippy::panic, reason = "tests")]

#[allow(dead_code, reason = "the tests of the language use all of it")]
#[path = "../../tests/language/generate.rs"]
mod generate;

use std::collections::BTreeSet;

use serde_json::{Value, json};

pub(crate) use self::{
    generate::{OPERATIONS, Random, arguments},
    naive::Token,
};
use super::{CallerClasses, TooManyClasses};
use crate::{Arguments, OperationKind, Policy, Reach};

/// What the generator takes from its home.
mod naive {
    use serde_json::{Map, Value};

    use crate::TokenFacts;

    #[derive(Debug)]
    pub(crate) struct Token {
        pub(crate) issuer: String,
        pub(crate) client: Option<String>,
        pub(crate) scopes: Vec<String>,
        pub(crate) claims: Map<String, Value>,
    }

    impl Token {
        pub(crate) fn facts(&self) -> TokenFacts<'_> {
            TokenFacts {
                issuer: &self.issuer,
                subject: "me",
                client_id: self.client.as_deref(),
                scopes: &self.scopes,
                claims: &self.claims,
            }
        }
    }
}

fn policy(text: &str) -> Policy {
    Policy::parse(text).unwrap_or_else(|errors| panic!("{errors}"))
}

pub(crate) fn kind(section: &str) -> OperationKind {
    let mut kinds = OperationKind::ALL.into_iter();
    kinds.find(|kind| kind.section() == section).unwrap()
}

/// A forbid on claims that others are read from, or that lie in each other.
fn overlapping(random: &mut Random, id: usize) -> Value {
    let names = [
        "groups",
        "realm",
        "realm",
        "realm.roles",
        "realm.level",
        "scp",
        "scope",
        "iss",
        "https://x/scopes",
    ];
    let name = names[random.below(names.len())];
    let tests = [
        json!({ "is": "a" }),
        json!({ "in": ["https://one", "https://new", "a b", "admin", 5] }),
        json!({ "longer_than": 2 }),
        json!({ "present": true }),
        json!({ "min": 3 }),
    ];
    let mut atom = tests[random.below(tests.len())].clone();
    atom["name"] = match name {
        "realm.roles" => json!(["realm", "roles"]),
        "realm.level" => json!(["realm", "level"]),
        other => json!(other),
    };
    if atom["present"].is_null() {
        atom["if_missing"] = json!(["deny", "skip"][random.below(2)]);
    }
    json!({ "id": format!("overlap{id}"), "everything": true, "when": { "claim": atom } })
}

/// A policy, and the same with a few parts of another one.
pub(crate) fn pair(random: &mut Random) -> (Value, Value) {
    let (mut old, other) = (generate::policy(random), generate::policy(random));
    for id in 0..random.below(4) {
        let forbid = overlapping(random, id);
        match &mut old["forbid"] {
            Value::Array(list) => list.push(forbid),
            none => *none = json!([forbid]),
        }
    }
    let mut new = old.clone();
    for section in ["scopes", "roles", "tools", "callers", "forbid"] {
        if random.below(3) == 0 {
            new[section] = other[section].clone();
            if new[section].is_null() {
                new.as_object_mut().unwrap().remove(section);
            }
        }
    }
    (old, new)
}

/// Random tokens have the standard claims in their claims too.
pub(crate) fn token(random: &mut Random) -> Token {
    let mut token = generate::token(random);
    if random.below(12) == 0 {
        token.issuer = "https://new".to_owned();
    }
    token.claims.insert("iss".to_owned(), json!(token.issuer));
    if !token.scopes.is_empty() {
        token.claims.insert("scope".to_owned(), json!(token.scopes.join(" ")));
    }
    token
}

#[test]
fn no_random_caller_gets_what_no_class_gets() {
    let mut random = Random::new(7);
    let mut tried = 0;
    for _ in 0..250 {
        let (old, new) = pair(&mut random);
        let (Ok(old), Ok(new)) = (Policy::parse(&old.to_string()), Policy::parse(&new.to_string())) else {
            continue;
        };
        let policies = [&old, &new];
        let callers: Vec<_> = (0..60).map(|_| (token(&mut random), arguments(&mut random))).collect();
        for (section, name) in OPERATIONS {
            let kind = kind(section);
            let Ok(classes) = CallerClasses::of(&policies, kind, name, &["d"]) else {
                continue;
            };
            let answers: BTreeSet<String> = (classes.iter())
                .map(|class| {
                    let decisions = [0, 1].map(|policy| class.decision(policy));
                    format!("{decisions:?} {:?}", [0, 1].map(|policy| class.holds(policy, "d")))
                })
                .collect();
            for (token, arguments) in &callers {
                let resolved = policies.map(|policy| policy.resolve(&token.facts()));
                let decisions = [0, 1].map(|number: usize| {
                    let policy = policies[number];
                    let id = policy.find(kind, name).unwrap();
                    policy.decide_call(id, resolved[number].grants(), Arguments::Known(arguments))
                });
                let held = [0, 1].map(|number: usize| policies[number].holds(resolved[number].grants(), "d"));
                let answer = format!("{decisions:?} {held:?}");
                assert!(
                    answers.contains(&answer),
                    "{name}: {answer} of {token:?} with {arguments:?}, but only {answers:#?}\n{}\n{}",
                    old.canonical(),
                    new.canonical()
                );
                tried += 1;
            }
        }
    }
    assert!(tried > 20_000, "{tried}");
}

const TODO: &str = r#"
version: 1
scopes:
  create:todos: Create
  read:todos: Read
  delete:todos: Delete
  manage:todos: { about: All, implies: [create:todos, read:todos, delete:todos] }
objects: { todo: { owner: owner_id } }
tools:
  create-todo: { requires: create:todos }
  delete-todo: { requires: delete:todos, object: todo, owner_fallback: true }
forbid:
  - id: suspended
    everything: true
    when: { claim: { name: account.status, is: suspended, if_missing: skip } }
  - id: long
    tools: [create-todo]
    when: { arg: { name: content, longer_than: 2000, if_missing: skip } }
    unless: { scope: manage:todos }
"#;

/// Reach, principal and arguments of each class.
fn shown(policy: &Policy, name: &str) -> Vec<String> {
    let classes = CallerClasses::of(&[policy], OperationKind::Tool, name, &[]).unwrap();
    let show = |class: super::CallerClass<'_>| {
        let arguments = class.case_arguments().unwrap_or_default();
        let reach = class.decision(0).reach;
        format!("{} {} {arguments}", reach.as_str(), class.principal())
            .trim()
            .to_owned()
    };
    classes.iter().map(show).collect()
}

#[test]
fn classes_are_few_and_can_be_pasted_into_a_suite() {
    let policy_of_issuers = policy(
        r#"
version: 1
scopes: { a: A, b: B }
roles: { user: { scopes: [a] }, admin: { includes: [user], scopes: [b] }, other: { scopes: [b] } }
callers:
  issuers:
    https://one.example: { roles: realm.roles, role_names: { Staff Member: user, boss: admin } }
tools: { t: { requires: a } }
forbid: [{ id: x, tools: [t], when: { client: bad-app } }]
"#,
    );
    let table: &[(Vec<String>, &[&str])] = &[
        (
            shown(&policy(TODO), "delete-todo"),
            &[
                "own { scopes: [] }",
                "any { scopes: [delete:todos] }",
                "deny { scopes: [], claims: { account: { status: suspended } } }",
                "deny { scopes: [delete:todos], claims: { account: { status: suspended } } }",
            ],
        ),
        (
            shown(
                &policy(&TODO.replace("everything: true", "tools: [delete-todo]")),
                "create-todo",
            ),
            &[
                "deny { scopes: [] }",
                "deny { scopes: [] } { content: { length: 2001 } }",
                "any { scopes: [create:todos] }",
                "deny { scopes: [create:todos] } { content: { length: 2001 } }",
                "any { scopes: [manage:todos] }",
                "any { scopes: [manage:todos] } { content: { length: 2001 } }",
            ],
        ),
        (
            shown(&policy_of_issuers, "t"),
            &[
                // A token without a client could be the bad one's.
                "deny { issuer: https://other.example }",
                "deny { issuer: https://other.example, client: other }",
                "deny { issuer: https://one.example }",
                "deny { issuer: https://one.example, client: other }",
                "deny { issuer: https://one.example, claims: { realm: { roles: [\"Staff Member\"] } } }",
                "any { issuer: https://one.example, client: other, claims: { realm: { roles: [\"Staff Member\"] } } }",
            ],
        ),
        (shown(&policy(TODO), "unknown"), &["deny { scopes: [] }"]),
    ];
    for (shown, expected) in table {
        assert_eq!(shown, expected);
    }
}

#[test]
fn claims_that_lie_in_each_other_make_each_class_once() {
    let text = |mapping: &str, forbid: &str| {
        format!(
            "version: 1\nscopes: {{ a: A, b: B }}\nroles: {{ user: {{ scopes: [a] }} }}\n\
             callers: {{ default: {{ {mapping} }} }}\ntools: {{ t: {{ requires: a }} }}\n{forbid}"
        )
    };
    let tested = text(
        "roles: realm.roles",
        "forbid: [{ id: x, tools: [t], when: { claim: { name: realm, is: old, if_missing: skip } } }]",
    );
    let nested = text("scopes: realm, roles: realm.roles, combine: union", "");
    let table: &[(String, &[&str])] = &[
        // A text leaves no room for roles, and what is missing has none.
        (
            tested,
            &[
                "deny { scopes: [] }",
                "deny { claims: { realm: old } }",
                "deny { claims: { realm: other } }",
                "deny { claims: { realm: {} } }",
                "deny { claims: { realm: { roles: [user] } } }",
            ],
        ),
        (
            nested,
            &[
                "deny { scopes: [] }",
                "any { claims: { realm: [a] } }",
                "deny { claims: { realm: {} } }",
                "any { claims: { realm: { roles: [user] } } }",
            ],
        ),
    ];
    for (text, expected) in table {
        assert_eq!(shown(&policy(text), "t"), *expected, "{text}");
    }
}

#[test]
fn what_was_asked_for_makes_classes_of_its_own() {
    let policy = policy(TODO);
    let classes = CallerClasses::of(&[&policy], OperationKind::Tool, "delete-todo", &["read:todos"]).unwrap();
    let held: BTreeSet<_> = (classes.iter())
        .map(|class| {
            (
                class.decision(0).reach,
                class.holds(0, "read:todos"),
                class.scopes().to_vec().join(" "),
            )
        })
        .collect();
    assert!(
        held.contains(&(Reach::Any, true, "delete:todos read:todos".to_owned())),
        "{held:?}"
    );
    assert!(held.contains(&(Reach::Own, true, "read:todos".to_owned())), "{held:?}");
    assert!(
        held.contains(&(Reach::Any, false, "delete:todos".to_owned())),
        "{held:?}"
    );
}

#[test]
fn too_many_classes_are_an_error_and_come_at_once() {
    let names: Vec<String> = (0..17).map(|n| format!("s{n}")).collect();
    let scopes: String = names.iter().map(|name| format!("  {name}: S\n")).collect();
    let wide = format!(
        "version: 1\nscopes:\n{scopes}tools:\n  t: {{ requires: {{ any: [{}] }} }}\n",
        names.join(", ")
    );
    let long = TODO.replace("2000", "200000000000");
    for (text, name) in [(wide.as_str(), "t"), (long.as_str(), "create-todo")] {
        let policy = policy(text);
        let classes = CallerClasses::of(&[&policy], OperationKind::Tool, name, &[]);
        assert_eq!(classes.unwrap_err(), TooManyClasses);
    }
}
