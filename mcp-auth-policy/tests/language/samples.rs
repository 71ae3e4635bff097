//! The sample policies: the engine against the naive one in every state, and what holds for every policy.

#![allow(
    clippy::disallowed_methods,
    reason = "a policy that is added to the folder is tested without being named here"
)]

use std::{collections::HashSet, fs, path::Path};

use mcp_auth_policy::{Arguments, Grants, OperationKind, Policy, Reach};
use serde_json::{Map, Value};

use crate::{
    NOTES,
    compare::{agree_on_call, agree_on_caller, find, resolve, shown},
    generate::reversed,
    naive::{Naive, Token, alternatives, one_or_more},
    states::{self, UNLISTED},
};

/// A sample, by both engines, with all states that make a difference to it.
struct Sample {
    name: String,
    policy: Policy,
    naive: Naive,
    tokens: Vec<Token>,
    calls: Vec<Call>,
}

/// An operation with every set of arguments.
struct Call {
    section: &'static str,
    name: String,
    arguments: Vec<Map<String, Value>>,
}

impl Call {
    fn operation(&self) -> (&'static str, &str) {
        (self.section, &self.name)
    }
}

/// Everything in `policies/`, and the policy beside these tests that uses everything the language has.
fn samples() -> Vec<Sample> {
    let mut samples = policies();
    samples.push(Sample::read("tests/samples/notes.yaml".to_owned(), NOTES));
    samples
}

fn policies() -> Vec<Sample> {
    let mut samples = Vec::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../policies")).unwrap() {
        let file = entry.unwrap().path();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if name.ends_with(".yaml") && !name.ends_with(".test.yaml") {
            samples.push(Sample::read(name, &fs::read_to_string(&file).unwrap()));
        }
    }
    assert!(!samples.is_empty(), "the folder is not where it was");
    samples
}

impl Sample {
    fn read(name: String, text: &str) -> Self {
        let policy = Policy::parse(text).unwrap_or_else(|errors| panic!("{name}: {errors}"));
        let naive = Naive::read(text);
        let calls = OperationKind::ALL.into_iter().flat_map(|kind| {
            let naive = &naive.0;
            policy.operations(kind).map(move |operation| Call {
                section: kind.section(),
                name: operation.name().to_owned(),
                arguments: states::arguments(naive, (kind.section(), operation.name())),
            })
        });
        Self {
            calls: calls.collect(),
            tokens: states::tokens(&naive.0),
            name,
            policy,
            naive,
        }
    }

    fn reach(&self, call: &Call, grants: &Grants, arguments: &Map<String, Value>) -> Reach {
        let id = find(&self.policy, call.operation());
        self.policy.decide_call(id, grants, Arguments::Known(arguments)).reach
    }
}

#[test]
fn both_engines_agree_in_every_state() {
    for Sample {
        name,
        policy,
        naive,
        tokens,
        calls,
    } in samples()
    {
        let mut answers = HashSet::new();
        for token in &tokens {
            let resolved = resolve(&policy, token);
            agree_on_caller(&policy, &naive, token, &resolved);
            for call in &calls {
                agree_on_call(&policy, &naive, token, &resolved, call.operation(), None);
                for arguments in &call.arguments {
                    let answer = agree_on_call(&policy, &naive, token, &resolved, call.operation(), Some(arguments));
                    answers.insert((call.operation(), answer.0, answer.1));
                }
            }
        }
        // The states are all of them only if every rule decides some, and no rule some that it has no say in.
        for operation in calls.iter().map(Call::operation) {
            let decides = |reach, because: &str| answers.contains(&(operation, reach, because.to_owned()));
            let rule = policy.operation(find(&policy, operation)).unwrap();
            let is_open = rule.requires().iter().any(Vec::is_empty);
            assert_eq!(decides("any", "open"), is_open, "{name} {operation:?}");
            assert_eq!(decides("any", "scope"), !is_open, "{name} {operation:?}");
            assert_eq!(
                decides("own", "owner"),
                rule.has_owner_fallback() && !is_open,
                "{name} {operation:?}"
            );
            for forbid in one_or_more(&naive.0["forbid"]) {
                let named = states::concerns(forbid, operation);
                let id = forbid["id"].as_str().unwrap();
                assert_eq!(decides("deny", id), named, "{name} {operation:?} {id}");
            }
        }
    }
}

#[test]
fn what_is_not_granted_is_denied() {
    for sample in samples() {
        let (name, policy) = (&sample.name, &sample.policy);
        for kind in OperationKind::ALL {
            assert_eq!(policy.find(kind, "not-listed"), None, "{name}");
        }
        assert_eq!(policy.find_resource("not-listed://here"), None, "{name}");
        if sample.naive.0["callers"]["issuers"].is_null() {
            continue;
        }
        for token in sample.tokens.iter().filter(|token| token.issuer == UNLISTED) {
            let resolved = resolve(policy, token);
            assert_eq!((resolved.subject(), resolved.owner_key()), ("", ""), "{name}");
            for call in &sample.calls {
                let rule = &sample.naive.0[call.section][&call.name];
                let asks_nothing = alternatives(rule).iter().any(Vec::is_empty) || rule["owner_fallback"] == true;
                let reach = sample.reach(call, resolved.grants(), &Map::new());
                assert!(asks_nothing || reach == Reach::Deny, "{name} {token:?}");
            }
        }
    }
}

#[test]
fn more_scopes_never_reach_less_unless_a_forbid_asks_for_scopes() {
    for sample in samples() {
        let (name, policy) = (&sample.name, &sample.policy);
        let forbids = one_or_more(&sample.naive.0["forbid"]);
        let asks_for_scopes = forbids.iter().any(|forbid| !forbid["when"]["scope"].is_null());
        let mut lost = false;
        for token in &sample.tokens {
            let resolved = resolve(policy, token);
            for scope in policy.scopes() {
                let more = policy.with_scopes(resolved.grants(), [scope.name()]);
                for call in &sample.calls {
                    lost |= call.arguments.iter().any(|arguments| {
                        sample.reach(call, &more, arguments) < sample.reach(call, resolved.grants(), arguments)
                    });
                }
            }
        }
        assert_eq!(lost, asks_for_scopes, "{name}");
        let warned = policy.warnings().iter().any(|warning| warning.code() == "not-monotone");
        assert_eq!(warned, asks_for_scopes, "{name}");
    }
}

#[test]
fn the_canonical_form_and_the_order_of_keys_change_nothing() {
    for Sample {
        name,
        policy,
        naive,
        tokens,
        calls,
    } in samples()
    {
        for twin in [policy.canonical().to_owned(), reversed(&naive.0)] {
            let twin = Policy::parse(&twin).unwrap_or_else(|errors| panic!("{name}: {errors}"));
            assert_eq!(twin.canonical(), policy.canonical(), "{name}");
            assert_eq!(twin.revision(), policy.revision(), "{name}");
            for token in &tokens {
                let callers = [&policy, &twin].map(|policy| (policy, resolve(policy, token)));
                assert_eq!(callers[0].1.owner_key(), callers[1].1.owner_key(), "{name} {token:?}");
                for call in &calls {
                    for arguments in &call.arguments {
                        let [before, after] = callers.each_ref().map(|(policy, resolved)| {
                            let (id, given) = (find(policy, call.operation()), Arguments::Known(arguments));
                            let decision = shown(policy, policy.decide_call(id, resolved.grants(), given));
                            let challenge = policy.challenge_call(id, resolved.grants(), given);
                            (decision, challenge, policy.is_listed(id, resolved.grants()))
                        });
                        assert_eq!(before, after, "{name} {token:?} {arguments:?}");
                    }
                }
            }
        }
    }
}

/// Warnings are for mistakes: a policy that is there to be copied has none. Open tools may be meant, and then the text of the file says so.
#[test]
fn the_sample_policies_have_no_warning_but_that_of_open_tools() {
    for Sample { name, policy, .. } in policies() {
        let mut warnings = policy.warnings().iter().map(|warning| warning.code());
        assert_eq!(warnings.find(|code| *code != "open-tool"), None, "{name}");
    }
    let closed = policies()
        .into_iter()
        .filter(|sample| sample.policy.warnings().is_empty());
    assert!(closed.count() >= 4, "open tools are the exception");
}
