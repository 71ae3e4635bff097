//! The cases: single calls with owner, reason and challenge.

use std::collections::HashSet;

use super::{
    model::{Expected, Test},
    names::{find_operation, known_scopes},
    principals::Principals,
};
use crate::{
    Policy,
    diagnostic::Code,
    fields::{Fields, Named, missing, text, texts, wrong_type},
    findings::Findings,
    text::{nearest, quoted},
    yaml::{Node, Value},
};

const CASE: &[&str] = &["name", "call", "as", "owner", "expect", "because", "challenge"];
const REASONS: &[&str] = &[
    "open",
    "scope",
    "owner",
    "unauthenticated",
    "unknown-tool",
    "missing-scope",
    "not-owner",
    "owner-unknown",
];

pub(super) fn read_cases(
    node: &Node,
    policy: &Policy,
    principals: &Principals<'_>,
    findings: &mut Findings<'_>,
) -> Vec<Test> {
    let Value::List(items) = &node.value else {
        wrong_type(node.span, "`cases`", "a list", &node.value, findings);
        return Vec::new();
    };
    let mut seen = HashSet::new();
    let mut tests = Vec::new();
    for item in items {
        let Some(test) = read_case(item, policy, principals, findings) else {
            continue;
        };
        if !seen.insert(test.name.clone()) {
            let message = format!("another case is named {}", quoted(&test.name));
            findings.error(Code::DuplicateName, item.span, message);
        }
        tests.push(test);
    }
    tests
}

fn read_case(node: &Node, policy: &Policy, principals: &Principals<'_>, findings: &mut Findings<'_>) -> Option<Test> {
    let fields = Fields::open(node, "a case", CASE, &["args"], findings)?;
    let name = required(&fields, "name", findings);
    let call = required(&fields, "call", findings);
    let operation = call.as_ref().and_then(|call| find_operation(call, policy, findings));
    let caller_name = required(&fields, "as", findings);
    let caller = caller_name.as_ref().and_then(|name| principals.find(name, findings));
    let expect = required(&fields, "expect", findings);
    let allow = expect
        .and_then(|word| one_of(&word, "`expect`", &["allow", "deny"], findings))
        .map(|word| word == "allow");
    let because = fields
        .get("because")
        .and_then(|entry| text(&entry.node, "`because`", findings));
    let forbids = policy.forbids().map(|forbid| forbid.id());
    let reasons: Vec<&str> = REASONS.iter().copied().chain(forbids).collect();
    let because = because.and_then(|word| one_of(&word, "`because`", &reasons, findings));
    let challenge = fields
        .get("challenge")
        .and_then(|entry| read_challenge(&entry.node, policy, findings));
    let owner = fields
        .get("owner")
        .and_then(|entry| text(&entry.node, "`owner`", findings));
    let owner = owner.and_then(|owner| principals.ownership(&owner, caller_name.as_ref()?, findings));
    let operation = operation?;
    if fields.get("owner").is_none()
        && policy
            .operation(operation)
            .is_some_and(|called| called.has_owner_fallback())
    {
        let help = "write `owner:` with a principal, `other`, or `absent`";
        missing(node.span, "owner", help, findings);
    }
    let expected = Expected::Case {
        owner,
        allow: allow?,
        because,
        challenge,
    };
    Some(Test {
        name: name?.name,
        span: node.span,
        operation,
        caller: caller?.clone(),
        expected,
    })
}

fn required(fields: &Fields<'_>, key: &str, findings: &mut Findings<'_>) -> Option<Named> {
    match fields.get(key) {
        Some(entry) => text(&entry.node, &format!("`{key}`"), findings),
        None => {
            missing(
                fields.span(),
                key,
                "every case needs `name`, `call`, `as` and `expect`",
                findings,
            );
            None
        }
    }
}

fn one_of(word: &Named, what: &str, words: &[&str], findings: &mut Findings<'_>) -> Option<String> {
    if words.contains(&word.name.as_str()) {
        return Some(word.name.clone());
    }
    let message = format!("{what} cannot be {}", quoted(&word.name));
    findings.error_with(Code::InvalidExpectation, word.span, message, || {
        let nearest = nearest(&word.name, words.iter().copied());
        Some(nearest.map_or(format!("write one of: {}", words.join(", ")), |word| {
            format!("did you mean `{word}`?")
        }))
    });
    None
}

fn read_challenge(node: &Node, policy: &Policy, findings: &mut Findings<'_>) -> Option<Vec<String>> {
    if let Value::Text(word) = &node.value {
        let word = Named {
            name: word.clone(),
            span: node.span,
        };
        return one_of(&word, "`challenge`", &["none"], findings).map(|_| Vec::new());
    }
    let scopes = texts(node, "`challenge`", findings)?;
    known_scopes(&scopes, policy, findings);
    Some(scopes.into_iter().map(|scope| scope.name).collect())
}
