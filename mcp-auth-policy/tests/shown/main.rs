//! What is shown of a policy agrees with what it decides: explanations and tables, on random policies of the whole language.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[allow(dead_code, reason = "the other test uses all of it")]
#[path = "../language/generate.rs"]
mod generate;
mod matrix;
#[allow(dead_code, reason = "the other test uses all of it")]
#[path = "../language/naive.rs"]
mod naive;

use generate::{OPERATIONS, Random};
use mcp_auth_policy::{
    Arguments, Because, Explanation, Grants, OperationId, OperationKind, Ownership, Policy, Question, Reach, Resolved,
    TokenFacts,
};
use naive::Token;
use serde_json::Value;

fn facts(token: &Token) -> TokenFacts<'_> {
    TokenFacts {
        issuer: &token.issuer,
        subject: "me",
        client_id: token.client.as_deref(),
        scopes: &token.scopes,
        claims: &token.claims,
    }
}

fn find(policy: &Policy, (section, name): (&str, &str)) -> OperationId {
    let kind = OperationKind::ALL.into_iter().find(|kind| kind.section() == section);
    policy.find(kind.unwrap(), name).unwrap()
}

fn random_policy(random: &mut Random) -> (Value, Policy) {
    let written = generate::policy(random);
    let policy = Policy::parse(&written.to_string()).unwrap_or_else(|errors| panic!("{errors}\n{written:#}"));
    (written, policy)
}

fn explain(policy: &Policy, id: OperationId, token: &Token, grants: &Grants) -> Explanation {
    let question = Question {
        facts: facts(token),
        grants,
        arguments: Arguments::Unknown,
        owner: None,
    };
    policy.explain(id, &question).unwrap()
}

#[test]
fn an_explanation_agrees_with_the_decision_and_its_advice_works() {
    let mut random = Random::new(11);
    let (mut advised, mut depending) = (0, 0);
    for _ in 0..600 {
        let (written, policy) = random_policy(&mut random);
        for _ in 0..4 {
            let token = generate::token(&mut random);
            let sent = generate::arguments(&mut random);
            let resolved: Resolved = policy.resolve(&facts(&token));
            for operation in OPERATIONS {
                for arguments in [Arguments::Known(&sent), Arguments::Unknown] {
                    for owner in [
                        None,
                        Some(Ownership::Caller),
                        Some(Ownership::Other),
                        Some(Ownership::Absent),
                    ] {
                        let question = Question {
                            facts: facts(&token),
                            grants: resolved.grants(),
                            arguments,
                            owner,
                        };
                        let explanation = policy.explain(find(&policy, operation), &question).unwrap();
                        let context = || format!("{operation:?} {question:?}\n{explanation:#?}\n{written:#}");
                        check(&policy, find(&policy, operation), &question, &explanation, &context);
                        check_forbids(&policy, &written, operation, &explanation, &context);
                        advised += explanation.sufficient.for_any.len();
                        depending += explanation
                            .forbids
                            .iter()
                            .filter(|forbid| forbid.applies.is_none())
                            .count();
                    }
                }
            }
        }
    }
    assert!(advised > 1000 && depending > 1000, "{advised} {depending}");
}

fn check(
    policy: &Policy,
    id: OperationId,
    question: &Question<'_>,
    explanation: &Explanation,
    context: &dyn Fn() -> String,
) {
    let best = |grants: &Grants| match question.arguments {
        Arguments::Unknown => policy.could_reach(id, grants),
        known => policy.decide_call(id, grants, known),
    };
    let reached = best(question.grants);
    let expected = question.owner.map_or(reached, |owner| reached.on_object(owner));
    assert_eq!(explanation.decision, expected, "{}", context());
    assert_eq!(Some(explanation.line), policy.line_of(id, expected), "{}", context());

    let challenge = policy.challenge_call(id, question.grants, question.arguments);
    assert_eq!(
        explanation.challenge,
        challenge.filter(|_| expected.reach == Reach::Deny),
        "{}",
        context()
    );
    let sets = &explanation.sufficient;
    if let Some(challenge) = &explanation.challenge {
        let known = |set: &Vec<String>| set.iter().all(|scope| challenge.missing.contains(scope));
        assert!(
            sets.for_any.iter().any(known),
            "what a challenge asks for is sufficient\n{}",
            context()
        );
    }
    assert!(
        expected.reach != Reach::Any || *sets == Default::default(),
        "{}",
        context()
    );
    assert!(
        expected.reach == Reach::Deny || sets.for_own.is_empty(),
        "{}",
        context()
    );
    for (sets, wanted) in [(&sets.for_any, Reach::Any), (&sets.for_own, Reach::Own)] {
        for set in sets {
            let with = |set: &[&str]| best(&policy.with_scopes(question.grants, set.iter().copied())).reach;
            let names: Vec<&str> = set.iter().map(String::as_str).collect();
            assert!(with(&names) >= wanted, "{set:?} does not help\n{}", context());
            for left_out in &names {
                let fewer: Vec<&str> = names.iter().copied().filter(|name| name != left_out).collect();
                assert!(with(&fewer) < wanted, "{set:?} has {left_out} too many\n{}", context());
            }
        }
    }
}

fn check_forbids(
    policy: &Policy,
    written: &Value,
    (section, name): (&str, &str),
    explanation: &Explanation,
    context: &dyn Fn() -> String,
) {
    let list = written["forbid"].as_array().cloned().unwrap_or_default();
    let names_it = |forbid: &&Value| {
        let named = forbid[section]
            .as_array()
            .is_some_and(|names| names.contains(&Value::from(name)));
        named || forbid["everything"] == true
    };
    let concerned: Vec<&Value> = list.iter().filter(names_it).collect();
    let explained: Vec<&str> = explanation.forbids.iter().map(|forbid| forbid.id.as_str()).collect();
    assert_eq!(
        explained,
        concerned
            .iter()
            .map(|forbid| forbid["id"].as_str().unwrap())
            .collect::<Vec<_>>()
    );
    let first = explanation.forbids.iter().find(|forbid| forbid.applies == Some(true));
    let decisive = match explanation.decision.because {
        Because::Forbidden(id) => policy.forbid(id).map(|forbid| forbid.id()),
        _ => None,
    };
    assert_eq!(decisive, first.map(|forbid| forbid.id.as_str()), "{}", context());
    for (answer, forbid) in explanation.forbids.iter().zip(concerned) {
        let why = answer.why.as_str();
        let unless = forbid["unless"].is_object();
        let good = match answer.applies {
            None => why.strip_prefix("it depends on argument `").is_some(),
            Some(true) => !why.is_empty() && why.contains("; not excepted: ") == unless,
            Some(false) => why
                .strip_prefix("excepted: ")
                .map_or(!why.is_empty(), |rest| unless && !rest.is_empty()),
        };
        assert!(good, "{}: {why}\n{}", answer.id, context());
    }
}

#[test]
fn grants_and_operations_of_another_policy_are_not_explained() {
    let text = "version: 1\ntools: { ping: { requires: [] } }\n";
    let (policy, other) = (Policy::parse(text).unwrap(), Policy::parse(text).unwrap());
    let claims = serde_json::Map::new();
    let question = |grants| Question {
        facts: TokenFacts {
            issuer: "",
            subject: "me",
            client_id: None,
            scopes: &[],
            claims: &claims,
        },
        grants,
        arguments: Arguments::Unknown,
        owner: None,
    };
    let (own, foreign) = (policy.grants([]), other.grants([]));
    let id = find(&policy, ("tools", "ping"));
    assert!(policy.explain(id, &question(&own)).is_some());
    assert!(policy.explain(id, &question(&foreign)).is_none());
    assert!(other.explain(id, &question(&foreign)).is_none());
}

#[test]
fn a_huge_policy_is_explained_quickly_and_with_few_sets() {
    let scopes: String = (0..4000)
        .map(|n| format!("  s{n}: {{ about: x, implies: [{}] }}\n", if n > 0 { "s0" } else { "" }))
        .collect();
    let any: Vec<String> = (0..4000).map(|n| format!("s{n}")).collect();
    let text = format!(
        "version: 1\nscopes:\n{scopes}tools:\n  t: {{ requires: {{ any: [{}] }} }}\n  u: {{ requires: [{}] }}\n",
        any.join(", "),
        any.join(", ")
    );
    let policy = Policy::parse(&text).unwrap();
    let token = Token {
        issuer: String::new(),
        client: None,
        scopes: vec![],
        claims: serde_json::Map::new(),
    };
    for (tool, sets) in [("t", 12), ("u", 1)] {
        let grants = policy.grants([]);
        let explanation = explain(&policy, find(&policy, ("tools", tool)), &token, &grants);
        assert_eq!(explanation.sufficient.for_any.len(), sets);
    }
}
