//! Laws that hold for every policy.

use mcp_auth_policy::{Annotation, Because, OperationId, Policy, Reach};
use proptest::prelude::*;

use crate::{KINDS, SAMPLES, generate, subsets};

fn ids(policy: &Policy) -> Vec<OperationId> {
    let named = KINDS
        .iter()
        .flat_map(|(kind, _)| policy.operations(*kind).map(|operation| (*kind, operation.name())));
    named.map(|(kind, name)| policy.find(kind, name).unwrap()).collect()
}

/// What every policy owes its users.
fn laws(text: &str) {
    let policy = Policy::parse(text).unwrap();
    let twin = Policy::parse(text).unwrap();
    for (kind, _) in KINDS {
        assert_eq!(policy.find(kind, "not-listed"), None);
    }
    let states = subsets(&policy);
    for (id, twin_id) in ids(&policy).into_iter().zip(ids(&twin)) {
        for scopes in &states {
            let grants = policy.grants(scopes.iter().copied());
            let decision = policy.decide(id, &grants);

            // Scopes that nobody declared change nothing.
            let more = scopes.iter().copied().chain(["openid", "", "a:read b"]);
            assert_eq!(policy.grants(more), grants);

            // Bits and ids belong to one policy, even beside a twin with the same text.
            let foreign = twin.grants(scopes.iter().copied());
            assert_eq!(policy.decide(id, &foreign).reach, Reach::Deny);
            assert_eq!(policy.decide(twin_id, &grants).because, Because::UnknownOperation);
            assert_eq!(
                (policy.challenge(id, &foreign), policy.challenge(twin_id, &grants)),
                (None, None)
            );

            challenge_law(&policy, id, scopes, decision.reach);
            // More scopes never reach less.
            for scope in policy.scopes() {
                let more = policy.grants(scopes.iter().copied().chain([scope.name()]));
                assert!(policy.decide(id, &more).reach >= decision.reach);
            }
        }
        annotation_law(&policy, id, &states);
    }
}

/// A challenge names scopes of one alternative, is enough, and no alternative lacks fewer.
fn challenge_law(policy: &Policy, id: OperationId, scopes: &[&str], reach: Reach) {
    let grants = policy.grants(scopes.iter().copied());
    let Some(challenge) = policy.challenge(id, &grants) else {
        assert_eq!(reach, Reach::Any, "in this language some scopes always help");
        return;
    };
    let requires = policy.operation(id).unwrap().requires();
    assert!(reach < Reach::Any && requires.contains(&challenge.scopes) && !challenge.missing.is_empty());
    let granted = policy.grants(
        scopes
            .iter()
            .copied()
            .chain(challenge.missing.iter().map(String::as_str)),
    );
    assert_eq!(policy.decide(id, &granted).reach, Reach::Any);
    let is_held = |scope: &String| {
        let alone = Annotation {
            requires: &[&[scope.as_str()]],
            owner_fallback: false,
        };
        policy.decide_annotation(&alone, &grants) == Reach::Any
    };
    let least = requires
        .iter()
        .map(|all| all.iter().filter(|scope| !is_held(scope)).count())
        .min();
    assert_eq!(least, Some(challenge.missing.len()));
}

/// `compare` says "never further" exactly if that is so in every state, and its example is one where it is not.
fn annotation_law(policy: &Policy, id: OperationId, states: &[Vec<&str>]) {
    let names: Vec<&str> = policy
        .scopes()
        .map(|scope| scope.name())
        .chain(["undeclared"])
        .collect();
    let singles: Vec<[&str; 1]> = names.iter().map(|name| [*name]).collect();
    let pairs: Vec<[&str; 2]> = names.windows(2).map(|pair| [pair[0], pair[1]]).collect();
    let mut demands: Vec<Vec<&[&str]>> = vec![vec![], vec![&[]]];
    demands.extend(singles.iter().map(|all| vec![&all[..]]));
    demands.extend(pairs.iter().map(|all| vec![&all[..]]));
    demands.extend(pairs.iter().map(|any| vec![&any[..1], &any[1..]]));
    for requires in &demands {
        for owner_fallback in [false, true] {
            let annotation = Annotation {
                requires,
                owner_fallback,
            };
            let reaches = |scopes: &[&str]| {
                let grants = policy.grants(scopes.iter().copied());
                (
                    policy.decide(id, &grants).reach,
                    policy.decide_annotation(&annotation, &grants),
                )
            };
            let stricter = states.iter().all(|scopes| {
                let (policy, annotation) = reaches(scopes);
                policy <= annotation
            });
            match policy.compare(id, &annotation) {
                Ok(()) => assert!(stricter, "{annotation:?}"),
                Err(looser) => {
                    let scopes: Vec<&str> = looser.example_scopes.iter().map(String::as_str).collect();
                    assert!(!stricter, "{annotation:?}");
                    let found = reaches(&scopes);
                    assert!(found.0 > found.1);
                    assert_eq!(found.1, looser.annotation_reach);
                    assert!(found.0 >= looser.policy_reach);
                }
            }
        }
    }
}

#[test]
fn the_laws_hold_for_the_sample_policies() {
    SAMPLES.iter().for_each(|text| laws(text));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_laws_hold_for_random_policies(sketch in generate::sketch()) {
        laws(&sketch.to_yaml());
    }

    #[test]
    fn key_order_spacing_and_comments_change_neither_the_revision_nor_a_decision(sketch in generate::sketch()) {
        let (one, two) = (Policy::parse(&sketch.to_yaml()).unwrap(), Policy::parse(&sketch.to_yaml_reversed()).unwrap());
        prop_assert_eq!(one.revision(), two.revision());
        for (kind, _) in KINDS {
            for operation in one.operations(kind) {
                let ids = (one.find(kind, operation.name()).unwrap(), two.find(kind, operation.name()).unwrap());
                for scopes in subsets(&one) {
                    let grants = (one.grants(scopes.iter().copied()), two.grants(scopes.iter().copied()));
                    prop_assert_eq!(one.decide(ids.0, &grants.0), two.decide(ids.1, &grants.1));
                    prop_assert_eq!(one.challenge(ids.0, &grants.0), two.challenge(ids.1, &grants.1));
                }
            }
        }
    }

    #[test]
    fn two_policies_with_one_revision_decide_alike(one in generate::sketch(), two in generate::sketch()) {
        let (one, two) = (Policy::parse(&one.to_yaml()).unwrap(), Policy::parse(&two.to_yaml()).unwrap());
        let shown = |policy: &Policy| format!("{:?}", KINDS.map(|(kind, _)| {
            policy.operations(kind).map(|o| (o.name().to_owned(), o.requires().to_vec(), o.has_owner_fallback())).collect::<Vec<_>>()
        }));
        if shown(&one) != shown(&two) {
            prop_assert_ne!(one.revision(), two.revision());
        }
    }
}
