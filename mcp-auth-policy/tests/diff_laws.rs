//! `Policy::diff` in words against every set of scopes that a token can hold.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeSet;

use mcp_auth_policy::{OperationKind, Policy, Reach};
use proptest::{collection::vec, option, prelude::*};

const SCOPES: [&str; 4] = ["alpha", "beta", "gamma", "delta"];

type Tokens = BTreeSet<&'static str>;

/// A policy with one tool: which scopes are declared, which one implies which later one, what is required (all or any), and the owner fallback.
fn arbitrary() -> impl Strategy<Value = String> {
    let set = || vec(any::<bool>(), 4);
    (
        vec(0..5_u8, 4),
        vec(any::<bool>(), 6),
        any::<bool>(),
        set(),
        option::of(set()),
    )
        .prop_map(|(declared, implies, all, requires, owner)| {
            let names = |set: &[bool]| -> Vec<&str> {
                let on = SCOPES.iter().zip(set).zip(&declared);
                on.filter(|((_, on), declared)| **on && **declared > 0)
                    .map(|((name, _), _)| *name)
                    .collect()
            };
            let list = |set: &[bool]| format!("[{}]", names(set).join(", "));
            let mut edges = implies.into_iter();
            let mut text = "version: 1\nscopes:\n  other: Never asked for\n".to_owned();
            for (at, scope) in SCOPES.iter().enumerate() {
                let implied: Vec<bool> = (0..4).map(|other| other > at && edges.next().unwrap()).collect();
                if declared[at] > 0 {
                    text += &format!("  {scope}: {{ about: S, implies: {} }}\n", list(&implied));
                }
            }
            let requires = if all || names(&requires).is_empty() {
                list(&requires)
            } else {
                format!("{{ any: {} }}", list(&requires))
            };
            let owner = match owner {
                Some(set) if !names(&set).is_empty() => format!(", object: o, owner_fallback: {}", list(&set)),
                Some(_) => ", object: o, owner_fallback: true".to_owned(),
                None => String::new(),
            };
            text + &format!("objects: {{ o: {{ owner: o }} }}\ntools:\n  t: {{ requires: {requires}{owner} }}\n")
        })
}

fn reach(policy: &Policy, tokens: &Tokens) -> Reach {
    let id = policy.find(OperationKind::Tool, "t").unwrap();
    policy.decide(id, &policy.grants(tokens.iter().copied())).reach
}

/// Tells whether a token is one of the callers in words: it holds a scope, or one that implies it in both policies.
fn is_named(callers: &str, tokens: &Tokens, policies: [&Policy; 2]) -> bool {
    let gives = |policy: &Policy, token: &str, scope: &str| policy.holds(&policy.grants([token]), scope);
    let holds = |scope: &str| {
        let by = |token: &&&str| **token == scope || policies.iter().all(|policy| gives(policy, token, scope));
        tokens.iter().any(|token| by(&token))
    };
    if callers == "every caller" {
        return true;
    }
    let rest = callers.strip_prefix("callers ").unwrap();
    let (holding, without) = match rest.split_once("without ") {
        Some((holding, without)) => (holding.trim(), without),
        None => (rest, ""),
    };
    let holding = holding.strip_prefix("holding ").unwrap_or(holding);
    let mut wanted = holding.split(" and ").filter(|part| !part.is_empty());
    let mut unwanted = without.split(" or ").filter(|part| !part.is_empty());
    let one_of = |part: &str| match part.strip_prefix("one of ") {
        Some(names) => names.split(", ").any(holds),
        None => holds(part),
    };
    wanted.all(one_of) && !unwanted.any(holds)
}

/// A tool that any of `count` scopes opens, one that requires the first of them, and sometimes one more scope.
fn wide(count: usize, first: &str, more: &str) -> Policy {
    let names: Vec<String> = (0..count).map(|n| format!("s{n}")).collect();
    let scopes: String = names.iter().map(|name| format!("  {name}: S\n")).collect();
    let any = names.join(", ");
    let text = format!(
        "version: 1\nscopes:\n{scopes}{more}tools:\n  wide: {{ requires: {{ any: [{any}] }} }}\n  first: {{ requires: {first} }}\n"
    );
    Policy::parse(&text).unwrap()
}

#[test]
fn what_is_too_much_to_try_counts_as_wider_unless_it_is_the_same_as_before() {
    let old = wide(17, "s0", "");
    assert_eq!(
        wide(17, "s1", "  more: M\n").diff(&old).to_string(),
        "WIDER     first  deny -> any  callers holding s1 without s0\n          e.g. token [s1]\n\
         NARROWER  first  any -> deny  callers holding s0 without s1\n1 wider, 1 narrower"
    );
    let diff = wide(17, "s0", "  more: { about: M, implies: [s0] }\n").diff(&old);
    assert_eq!(
        diff.to_string(),
        "WIDER     wide  not proved: there are too many classes of callers to try them all\n\
         WIDER     first  deny -> any  callers holding more without s0\n          e.g. token [more]\n2 wider, 0 narrower"
    );
    let unproved = &diff.changes()[0];
    assert_eq!((unproved.reaches(), unproved.is_proved()), (None, false));
}

#[test]
fn nobody_is_named_twice_where_once_is_enough() {
    let text = |requires: &str| {
        format!("version: 1\nscopes: {{ a: A, b: B, c: C }}\ntools: {{ t: {{ requires: {requires} }} }}\n")
    };
    let [old, new] = ["[a, b]", "{ any: [b, c] }"].map(|requires| Policy::parse(&text(requires)).unwrap());
    let diff = new.diff(&old);
    let callers: Vec<&str> = diff.changes().iter().map(|change| change.callers()).collect();
    // Whoever holds c without a is one of these already.
    assert_eq!(callers, ["callers holding b without a", "callers holding c without b"]);
}

#[test]
fn callers_of_very_many_kinds_are_lumped_together() {
    let diff = Policy::parse("version: 1\ntools: { first: { requires: [] } }").unwrap();
    let diff = wide(15, "s0", "").diff(&diff);
    let wide: Vec<&str> = (diff.changes().iter())
        .filter(|change| change.name() == "wide")
        .map(|change| change.callers())
        .collect();
    assert!((2..20).contains(&wide.len()), "{diff}");
    assert_eq!(
        wide.last(),
        Some(&"callers of further kinds, too many to name"),
        "{diff}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn every_token_is_named_by_its_change_and_by_no_other(old in arbitrary(), new in arbitrary()) {
        let (old, new) = (Policy::parse(&old).unwrap(), Policy::parse(&new).unwrap());
        let diff = new.diff(&old);
        for bits in 0..16_u32 {
            let on = SCOPES.iter().enumerate().filter(|(n, _)| bits & (1 << n) != 0);
            let tokens: Tokens = on.map(|(_, scope)| *scope).collect();
            let change = (reach(&old, &tokens), reach(&new, &tokens));
            let named: BTreeSet<_> = (diff.changes().iter())
                .filter(|change| is_named(change.callers(), &tokens, [&old, &new]))
                .map(|change| change.reaches().unwrap())
                .collect();
            let expected: BTreeSet<_> = (change.0 != change.1).then_some(change).into_iter().collect();
            prop_assert_eq!(named, expected, "{:?} in {}", tokens, diff);
        }
    }
}
