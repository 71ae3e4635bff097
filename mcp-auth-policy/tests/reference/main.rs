//! The engine against a naive second one, over every state; and laws that hold for every policy.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod generate;
mod laws;
mod naive;

use mcp_auth_policy::{OperationKind, Ownership, Policy, Reach};
use naive::Naive;
use proptest::prelude::*;

/// The policies where scopes alone decide. `tests/language` does the same with all of them, and with whole tokens.
const SAMPLES: &[&str] = &[
    include_str!("../../../policies/todo.yaml"),
    include_str!("../../../policies/keycloak-roles.yaml"),
    include_str!("../samples/library.yaml"),
];

/// Every subset of the declared scopes.
pub(crate) fn subsets(policy: &Policy) -> Vec<Vec<&str>> {
    let names: Vec<&str> = policy.scopes().map(|scope| scope.name()).collect();
    assert!(names.len() <= 10, "too many states");
    (0..1_usize << names.len())
        .map(|bits| {
            (0..names.len())
                .filter(|i| bits & (1 << i) != 0)
                .map(|i| names[i])
                .collect()
        })
        .collect()
}

pub(crate) const KINDS: [(OperationKind, &str); 2] =
    [(OperationKind::Tool, "tools"), (OperationKind::Operation, "operations")];

/// Compares both engines in every state of a policy and returns how many states that were.
fn compare(text: &str) -> usize {
    let policy = Policy::parse(text).unwrap_or_else(|errors| panic!("{errors}\n{text}"));
    let naive = Naive::read(text);
    let mut states = 0;
    for scopes in subsets(&policy) {
        let grants = policy.grants(scopes.iter().copied());
        for (kind, section) in KINDS {
            assert_eq!(policy.operations(kind).count(), naive.names(section).len());
            for name in naive.names(section) {
                let id = policy.find(kind, &name).unwrap();
                for (owner, word) in [
                    (Ownership::Caller, "me"),
                    (Ownership::Other, "other"),
                    (Ownership::Absent, "absent"),
                ] {
                    let decision = policy.decide(id, &grants).on_object(owner);
                    let expected = naive.decide(section, &name, &scopes, word);
                    let found = (decision.reach != Reach::Deny, decision.because.code());
                    assert_eq!(found, expected, "{name} with {scopes:?}, owner {word}, in\n{text}");
                    states += 1;
                }
                let expected = naive.reach(section, &name, &scopes);
                assert_eq!(
                    policy.decide(id, &grants).reach.as_str(),
                    expected.0,
                    "{name} {scopes:?}\n{text}"
                );
                let challenge = policy.challenge(id, &grants).map(|challenge| challenge.scopes);
                assert_eq!(
                    challenge,
                    naive.challenge(section, &name, &scopes),
                    "{name} {scopes:?}\n{text}"
                );
            }
        }
    }
    for role in policy.roles() {
        let scopes = policy
            .scopes_of_role(role)
            .unwrap()
            .into_iter()
            .map(str::to_owned)
            .collect();
        assert_eq!(naive.scopes_of_role(role), scopes);
    }
    states
}

#[test]
fn both_engines_agree_in_every_state_of_the_sample_policies() {
    assert_eq!(
        SAMPLES.iter().map(|text| compare(text)).sum::<usize>(),
        8 * 3 * 3 + 16 * 5 * 3 + 64 * 8 * 3
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_engines_agree_in_every_state_of_random_policies(sketch in generate::sketch()) {
        compare(&sketch.to_yaml());
    }
}
