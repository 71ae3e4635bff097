//! The cases: single calls with arguments, owner, reason and challenge.

use serde_json::{Map, Value as Json};

use super::{
    model::{Case, Check, Test},
    names::{find_operation, known_scopes},
    principals::Principals,
    values::Values,
};
use crate::{
    OperationId, OperationKind, Policy,
    diagnostic::Code,
    fields::{Fields, Named, missing, text, texts, wrong_type},
    findings::Findings,
    text::{nearest, quoted},
    yaml::{Node, Value},
};

pub(crate) const CASE: &[&str] = &["name", "call", "as", "owner", "args", "expect", "because", "challenge"];
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
    principals: &Principals,
    values: &mut Values,
    findings: &mut Findings<'_>,
) -> Vec<Test> {
    let Value::List(items) = &node.value else {
        wrong_type(node.span, "`cases`", "a list", &node.value, findings);
        return Vec::new();
    };
    let items = items.iter();
    items
        .filter_map(|item| read_case(item, policy, principals, values, findings))
        .collect()
}

fn read_case(
    node: &Node,
    policy: &Policy,
    principals: &Principals,
    values: &mut Values,
    findings: &mut Findings<'_>,
) -> Option<Test> {
    let fields = Fields::open(node, "a case", CASE, &[], findings)?;
    let name = required(&fields, "name", findings);
    let call = required(&fields, "call", findings);
    let operation = call.and_then(|call| find_operation(&call, policy, findings));
    let caller = required(&fields, "as", findings).and_then(|name| principals.find(&name, findings));
    let expect = required(&fields, "expect", findings);
    let allow = expect
        .and_then(|word| one_of(&word, "`expect`", &["allow", "deny"], findings))
        .map(|word| word == "allow");
    let because = fields
        .get("because")
        .and_then(|entry| text(&entry.node, "`because`", findings))
        .and_then(|word| read_because(&word, policy, findings));
    let challenge = fields
        .get("challenge")
        .and_then(|entry| read_challenge(&entry.node, policy, findings));
    let owner = fields
        .get("owner")
        .and_then(|entry| text(&entry.node, "`owner`", findings))
        .and_then(|owner| principals.ownership(&owner, caller, findings));
    let arguments = read_arguments(&fields, operation, policy, values, findings);
    let operation = operation?;
    if fields.get("owner").is_none()
        && policy
            .operation(operation)
            .is_some_and(|called| called.has_owner_fallback())
    {
        let help = "write `owner:` with a principal, `other`, or `absent`";
        missing(node.span, "owner", help, findings);
    }
    let name = name?;
    Some(Test {
        name: name.name,
        span: node.span,
        check: Check::Case(Case {
            operation,
            caller: caller?,
            owner,
            arguments: arguments?,
            allow: allow?,
            because,
            challenge,
        }),
    })
}

/// Reads `args`. Without it the call has no arguments, as when a client leaves them out: not those that would be best for the
/// caller, which is what the matrix is about.
fn read_arguments(
    fields: &Fields<'_>,
    operation: Option<OperationId>,
    policy: &Policy,
    values: &mut Values,
    findings: &mut Findings<'_>,
) -> Option<Map<String, Json>> {
    let Some(entry) = fields.get("args") else {
        return Some(Map::new());
    };
    let kind = policy.operation(operation?).map(|operation| operation.kind());
    if let Some(kind @ (OperationKind::Resource | OperationKind::Operation)) = kind {
        let message = format!("no rule sees arguments of {}", article(kind));
        findings.error_help(Code::UnknownField, entry.key_span, message, "delete `args`");
    }
    values.read_named(&entry.node, "`args`", findings)
}

fn article(kind: OperationKind) -> &'static str {
    match kind {
        OperationKind::Tool => "a tool",
        OperationKind::Prompt => "a prompt",
        OperationKind::Resource => "a resource",
        OperationKind::Operation => "an operation",
    }
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

/// Reads a reason: a word of the language, or the id of a forbid.
fn read_because(word: &Named, policy: &Policy, findings: &mut Findings<'_>) -> Option<String> {
    let forbids = policy.forbids().map(|forbid| forbid.id());
    let words: Vec<&str> = REASONS.iter().copied().chain(forbids).collect();
    one_of(word, "`because`", &words, findings)
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
