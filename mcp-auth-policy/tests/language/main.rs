//! The engine against a naive second one, on random policies, tokens, owners and arguments of the whole language.
//!
//! `POLICY_TUPLES=1000000 cargo test -p mcp-auth-policy --test language` tries a million tuples; the default is quick.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(
    clippy::disallowed_methods,
    reason = "the size of the run comes from the environment"
)]

mod generate;
mod naive;

use std::env;

use generate::{OPERATIONS, Random};
use mcp_auth_policy::{
    Arguments, Because, Decision, Grants, OperationId, OperationKind, Ownership, Policy, Reach, Resolved, TokenFacts,
};
use naive::{Naive, Token, alternatives};
use serde_json::{Value, json};

const NOTES: &str = include_str!("../samples/notes.yaml");

fn tuples() -> usize {
    env::var("POLICY_TUPLES").map_or(20_000, |count| count.parse().unwrap())
}

fn resolve(policy: &Policy, token: &Token) -> Resolved {
    policy.resolve(&TokenFacts {
        issuer: &token.issuer,
        subject: "me",
        client_id: token.client.as_deref(),
        scopes: &token.scopes,
        claims: &token.claims,
    })
}

fn find(policy: &Policy, (section, name): (&str, &str)) -> OperationId {
    let kind = OperationKind::ALL
        .into_iter()
        .find(|kind| kind.section() == section)
        .unwrap();
    policy.find(kind, name).unwrap()
}

fn shown(policy: &Policy, decision: Decision) -> (&'static str, String) {
    let because = match decision.because {
        Because::Forbidden(id) => policy.forbid(id).unwrap().id().to_owned(),
        because => because.code().to_owned(),
    };
    (decision.reach.as_str(), because)
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
    for_random(1, |written, policy, naive, random| {
        let mut count = 0;
        for _ in 0..8 {
            let token = generate::token(random);
            let arguments = generate::arguments(random);
            let resolved = resolve(policy, &token);
            let grants: &Grants = resolved.grants();
            let carried = naive.carried(&token);
            let context = || format!("{token:?}\n{arguments:?}\n{written:#}");
            let roles: Vec<String> = policy.roles_of(grants).into_iter().map(str::to_owned).collect();
            assert_eq!(
                roles.into_iter().collect::<naive::Names>(),
                naive.roles(&token),
                "{}",
                context()
            );
            for operation in OPERATIONS {
                let id = find(policy, operation);
                for (given, known) in [
                    (Arguments::Known(&arguments), Some(&arguments)),
                    (Arguments::Unknown, None),
                ] {
                    let decision = policy.decide_call(id, grants, given);
                    let expected = naive.reach(operation, &token, &carried, known, true);
                    assert_eq!(shown(policy, decision), expected, "{operation:?} {}", context());
                    for (owner, code) in [
                        (Ownership::Caller, "owner"),
                        (Ownership::Other, "not-owner"),
                        (Ownership::Absent, "owner-unknown"),
                    ] {
                        let settled = decision.on_object(owner);
                        if expected.0 == "own" {
                            assert_eq!(settled.because.code(), code);
                            assert_eq!(settled.reach > Reach::Deny, code == "owner");
                        } else {
                            assert_eq!(settled, decision);
                        }
                        count += 1;
                    }
                    let challenge = policy
                        .challenge_call(id, grants, given)
                        .map(|challenge| challenge.scopes);
                    let expected = naive.challenge(operation, &token, known);
                    assert_eq!(challenge, expected, "{operation:?} {}", context());
                }
                let best = shown(policy, policy.could_reach(id, grants));
                assert_eq!(
                    best,
                    naive.reach(operation, &token, &carried, None, false),
                    "{operation:?} {}",
                    context()
                );
                let listed = naive.is_listed(operation, &token);
                assert_eq!(policy.is_listed(id, grants), listed, "{operation:?} {}", context());
            }
        }
        count
    });
}

#[test]
fn both_engines_agree_in_every_state_of_the_sample_policy() {
    let policy = Policy::parse(NOTES).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(
        policy
            .warnings()
            .iter()
            .map(|warning| warning.code())
            .collect::<Vec<_>>(),
        ["open-tool", "not-monotone"]
    );
    let naive = Naive::read(NOTES);
    let scopes = naive.all_scopes();
    let operations: Vec<(&str, &str)> = (OperationKind::ALL.into_iter())
        .flat_map(|kind| {
            policy
                .operations(kind)
                .map(move |operation| (kind.section(), operation.name()))
        })
        .collect();
    let roles = [
        json!(null),
        json!(["staff"]),
        json!(["boss"]),
        json!("manager"),
        json!([1]),
    ];
    let texts = [
        None,
        Some(json!("a")),
        Some(json!("long")),
        Some(json!(1)),
        Some(json!(null)),
    ];
    let mut states = 0;
    for bits in 0..1_usize << scopes.len() {
        let chosen = scopes.iter().enumerate().filter(|(i, _)| bits & (1 << i) != 0);
        let chosen: Vec<String> = chosen.map(|(_, scope)| scope.clone()).collect();
        for issuer in [
            "https://one.example",
            "https://two.example",
            "https://three.example",
            "https://x.example",
        ] {
            for (roles, client) in roles.iter().zip([Some("app"), Some("other"), None].into_iter().cycle()) {
                for status in [json!("suspended"), json!("active"), json!(7)] {
                    let claims = json!({ "scp": chosen, "realm": { "roles": roles, "status": status } });
                    let token = Token {
                        issuer: issuer.to_owned(),
                        client: client.map(str::to_owned),
                        scopes: chosen.clone(),
                        claims: claims.as_object().unwrap().clone(),
                    };
                    let resolved = resolve(&policy, &token);
                    let carried = naive.carried(&token);
                    for operation in &operations {
                        let id = find(&policy, *operation);
                        let listed = policy.is_listed(id, resolved.grants());
                        assert_eq!(listed, naive.is_listed(*operation, &token), "{operation:?} {token:?}");
                        for text in &texts {
                            let arguments = text.iter().map(|text| ("text".to_owned(), text.clone())).collect();
                            let given = Arguments::Known(&arguments);
                            let decision = shown(&policy, policy.decide_call(id, resolved.grants(), given));
                            let expected = naive.reach(*operation, &token, &carried, Some(&arguments), true);
                            assert_eq!(decision, expected, "{operation:?} {token:?} {arguments:?}");
                            let challenge = policy.challenge_call(id, resolved.grants(), given);
                            let expected = naive.challenge(*operation, &token, Some(&arguments));
                            assert_eq!(
                                challenge.map(|challenge| challenge.scopes),
                                expected,
                                "{operation:?} {token:?}"
                            );
                            states += 1;
                        }
                    }
                }
            }
        }
    }
    assert_eq!(states, 8 * 4 * 5 * 3 * 7 * 5);
}

#[test]
fn a_uri_is_found_exactly_first_and_by_its_template_then() {
    let policy = Policy::parse(NOTES).unwrap();
    let name = |uri: &str| Some(policy.operation(policy.find_resource(uri)?)?.name());
    assert_eq!(name("notes://index"), Some("notes://index"));
    assert_eq!(name("notes://alice/1"), Some("notes://{owner}/{id}"));
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
