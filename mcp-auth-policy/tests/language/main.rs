//! The engine against a naive second one, on random policies, tokens, owners and arguments of the whole language.
//!
//! `POLICY_TUPLES=1000000 cargo test -p mcp-auth-policy --test language` tries a million tuples; the default is quick.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(
    clippy::disallowed_methods,
    reason = "the size of the run comes from the environment"
)]

mod compare;
mod generate;
mod naive;
mod samples;
mod states;

use std::env;

use compare::{agree_on_call, agree_on_caller, find, resolve, shown};
use generate::{OPERATIONS, Random};
use mcp_auth_policy::{Arguments, Grants, Policy, Reach};
use naive::{Naive, alternatives};
use serde_json::Value;

const NOTES: &str = include_str!("../samples/notes.yaml");

fn tuples() -> usize {
    env::var("POLICY_TUPLES").map_or(20_000, |count| count.parse().unwrap())
}

/// Runs `judge` on random policies, each with a few tokens, until there were enough tuples.
fn for_random(seed: u64, mut judge: impl FnMut(&Value, &Policy, &Naive, &mut Random) -> usize) {
    let mut random = Random::new(seed);
    let mut count = 0;
    while count < tuples() {
        let written = generate::policy(&mut random);
        let text = serde_json::to_string_pretty(&written).unwrap();
        let policy = Policy::parse(&text).unwrap_or_else(|errors| panic!("{errors}\n{text}"));
        count += judge(&written, &policy, &Naive::read(&text), &mut random);
    }
}

#[test]
fn both_engines_agree_on_random_policies_tokens_owners_and_arguments() {
    for_random(1, |_, policy, naive, random| {
        for _ in 0..8 {
            let token = generate::token(random);
            let arguments = generate::arguments(random);
            let resolved = resolve(policy, &token);
            agree_on_caller(policy, naive, &token, &resolved);
            for operation in OPERATIONS {
                for given in [Some(&arguments), None] {
                    agree_on_call(policy, naive, &token, &resolved, operation, given);
                }
            }
        }
        // Two sets of arguments and three owners each.
        8 * OPERATIONS.len() * 6
    });
}

#[test]
fn a_uri_is_found_exactly_first_and_by_its_template_then() {
    let policy = Policy::parse(NOTES).unwrap();
    let name = |uri: &str| Some(policy.operation(policy.find_resource(uri)?)?.name());
    assert_eq!(name("notes://index"), Some("notes://index"));
    assert_eq!(name("notes://alice/1"), Some("notes://{owner}/{id}"));
    // A spelling that a server may decode to a resource with a rule of its own is none of the template's.
    let policy = "version: 1\nresources:\n  'n://a/{id}': { requires: [] }\n  'n://a/key!': { requires: [] }\n  'n://a/%C3%BC%21': { requires: [] }\n";
    let exact = Policy::parse(policy).unwrap();
    for (uri, found) in [
        ("n://a/key!", true),
        ("n://a/k%65y!", false),
        ("n://a/key%21", false),
        ("n://a/key", true),
        ("n://a/key%2521", true),
        ("n://a/%C3%BC%21", true),
        ("n://a/%c3%bc%21", false),
        ("n://a/%C3%BC!", false),
        ("n://a/%c3%bc", true),
    ] {
        assert_eq!(exact.find_resource(uri).is_some(), found, "{uri}");
    }
    for uri in [
        "notes://{owner}/{id}",
        "notes://alice/..",
        "notes://a%2fb/1",
        "notes://alice/1/2",
        "notes://",
        "",
    ] {
        assert_eq!(name(uri), None, "{uri}");
    }
}

#[test]
fn a_challenge_is_enough_and_asks_for_nothing_but_one_alternative() {
    for_random(2, |written, policy, naive, random| {
        for _ in 0..8 {
            let (token, arguments) = (generate::token(random), generate::arguments(random));
            let resolved = resolve(policy, &token);
            for operation in OPERATIONS {
                let id = find(policy, operation);
                let given = Arguments::Known(&arguments);
                let Some(challenge) = policy.challenge_call(id, resolved.grants(), given) else {
                    continue;
                };
                assert!(alternatives(&naive.0[operation.0][operation.1]).contains(&challenge.scopes));
                assert!(!challenge.missing.is_empty());
                let asked = challenge.missing.iter().map(String::as_str);
                let richer = policy.with_scopes(resolved.grants(), asked);
                let decision = policy.decide_call(id, &richer, given);
                assert_eq!(decision.reach, Reach::Any, "{operation:?} {token:?}\n{written:#}");
            }
        }
        8 * OPERATIONS.len()
    });
}

#[test]
fn more_scopes_never_reach_less_unless_a_forbid_asks_for_scopes() {
    for_random(3, |written, policy, _, random| {
        let asks_for_scopes = written["forbid"]
            .as_array()
            .into_iter()
            .flatten()
            .any(|f| !f["when"]["scope"].is_null());
        let warned = policy.warnings().iter().any(|warning| warning.code() == "not-monotone");
        assert_eq!(asks_for_scopes, warned, "{written:#}");
        for _ in 0..8 {
            let (token, arguments) = (generate::token(random), generate::arguments(random));
            let resolved = resolve(policy, &token);
            for operation in OPERATIONS {
                let id = find(policy, operation);
                let reach = |grants: &Grants| policy.decide_call(id, grants, Arguments::Known(&arguments)).reach;
                for scope in policy.scopes() {
                    let more = policy.with_scopes(resolved.grants(), [scope.name()]);
                    assert!(
                        asks_for_scopes || reach(&more) >= reach(resolved.grants()),
                        "{token:?}\n{written:#}"
                    );
                }
            }
        }
        8 * OPERATIONS.len()
    });
}

#[test]
fn the_canonical_form_and_the_order_of_keys_change_nothing() {
    for_random(4, |written, policy, _, random| {
        let reversed = Policy::parse(&generate::reversed(written)).unwrap_or_else(|errors| panic!("{errors}"));
        let again = Policy::parse(policy.canonical()).unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(again.canonical(), policy.canonical());
        assert_eq!(reversed.canonical(), policy.canonical(), "{written:#}");
        assert_eq!(
            (again.revision(), reversed.revision()),
            (policy.revision(), policy.revision())
        );
        for _ in 0..4 {
            let (token, arguments) = (generate::token(random), generate::arguments(random));
            for operation in OPERATIONS {
                let answer = |policy: &Policy| {
                    let resolved = resolve(policy, &token);
                    let (id, given) = (find(policy, operation), Arguments::Known(&arguments));
                    let decision = shown(policy, policy.decide_call(id, resolved.grants(), given));
                    let challenge = policy.challenge_call(id, resolved.grants(), given);
                    (decision, challenge, policy.is_listed(id, resolved.grants()))
                };
                let expected = answer(policy);
                assert_eq!(
                    (answer(&again), answer(&reversed)),
                    (expected.clone(), expected),
                    "{token:?}\n{written:#}"
                );
            }
        }
        64 * OPERATIONS.len()
    });
}
