//! The tree of a suite to its tests.

use std::collections::{HashMap, HashSet};

use super::{
    matrix::read_matrix,
    model::{Expected, Suite, Test},
};
use crate::{
    Grants, OperationId, OperationKind, Ownership, Policy,
    diagnostic::Code,
    fields::{Fields, Named, mapping, missing, text, texts, version, wrong_type},
    findings::Findings,
    source::Span,
    text::{did_you_mean, is_name, nearest, quoted},
    yaml::{Entry, Node, Value},
};

const KNOWN: &[&str] = &["version", "policy", "principals", "matrix", "cases"];
const LATER: &[&str] = &["lists", "invariants", "cover"];
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
/// Words that stand for an owner, so that no principal may be called so.
const OWNERS: &[&str] = &["other", "absent"];

/// The callers of a suite, each with its grants, or `None` for a call without a token.
pub(super) struct Principals<'n> {
    pub(super) order: Vec<&'n str>,
    callers: HashMap<&'n str, Option<Grants>>,
}

pub(super) fn read<'p>(root: &Node, policy: &'p Policy, findings: &mut Findings<'_>) -> Suite<'p> {
    let file_name = findings.source().file().to_string();
    let mut suite = Suite {
        policy,
        file_name,
        tests: Vec::new(),
    };
    let Some(fields) = Fields::open(root, "a test file", KNOWN, LATER, findings) else {
        return suite;
    };
    version(&fields, findings);
    let principals = read_principals(&fields, policy, findings);
    if let Some(entry) = fields.get("matrix") {
        suite
            .tests
            .extend(read_matrix(&entry.node, policy, &principals, findings));
    }
    if let Some(entry) = fields.get("cases") {
        suite
            .tests
            .extend(read_cases(&entry.node, policy, &principals, findings));
    }
    if suite.tests.is_empty() && findings.is_empty() {
        findings.error_help(
            Code::NoTests,
            Span::START,
            "the file tests nothing",
            "add a `matrix:` or `cases:`",
        );
    }
    suite
}

fn read_principals<'n>(fields: &Fields<'n>, policy: &Policy, findings: &mut Findings<'_>) -> Principals<'n> {
    let mut principals = Principals {
        order: Vec::new(),
        callers: HashMap::new(),
    };
    let Some(entry) = fields.get("principals") else {
        missing(
            fields.span(),
            "principals",
            "name the callers, such as `alice: { as: user }`",
            findings,
        );
        return principals;
    };
    for entry in mapping(&entry.node, "`principals`", findings).unwrap_or_default() {
        let name = entry.key.as_str();
        if !is_name(name) || name.contains('|') || OWNERS.contains(&name) {
            let message = format!("{} cannot name a principal", quoted(name));
            let help = "use visible characters without `|`; `other` and `absent` are owners";
            findings.error_help(Code::InvalidName, entry.key_span, message, help);
        }
        principals.order.push(name);
        principals.callers.insert(name, read_principal(entry, policy, findings));
    }
    principals
}

fn read_principal(entry: &Entry, policy: &Policy, findings: &mut Findings<'_>) -> Option<Grants> {
    let path = format!("`principals.{}`", entry.key);
    let node = &entry.node;
    if node.value == Value::Text("none".to_owned()) {
        return None;
    }
    if !matches!(node.value, Value::Map(_)) {
        wrong_type(
            node.span,
            &path,
            "`none`, `{ as: role }` or `{ scopes: [...] }`",
            &node.value,
            findings,
        );
        return None;
    }
    let fields = Fields::open(node, &path, &["as", "scopes"], &["issuer", "claims"], findings)?;
    match (fields.get("as"), fields.get("scopes")) {
        (Some(role), None) => {
            let role = text(&role.node, &format!("the role of {path}"), findings)?;
            let Some(scopes) = policy.scopes_of_role(&role.name) else {
                let message = format!("role {} is not declared in the policy", quoted(&role.name));
                let help = || did_you_mean(&role.name, policy.roles().collect::<Vec<_>>());
                findings.error_with(Code::UnknownRole, role.span, message, help);
                return None;
            };
            Some(policy.grants(scopes))
        }
        (None, Some(scopes)) => {
            let scopes = texts(&scopes.node, &format!("the scopes of {path}"), findings)?;
            known_scopes(&scopes, policy, findings);
            Some(policy.grants(scopes.iter().map(|scope| scope.name.as_str())))
        }
        _ => {
            let message = format!("{path} must have either `as` or `scopes`");
            findings.error_help(Code::InvalidExpectation, node.span, message, "write one of the two");
            None
        }
    }
}

fn read_cases(node: &Node, policy: &Policy, principals: &Principals<'_>, findings: &mut Findings<'_>) -> Vec<Test> {
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
    let because = because.and_then(|word| one_of(&word, "`because`", REASONS, findings));
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

/// Finds a tool by its name, and another operation by `operation:NAME`.
pub(super) fn find_operation(call: &Named, policy: &Policy, findings: &mut Findings<'_>) -> Option<OperationId> {
    let (kind, name) = match call.name.strip_prefix("operation:") {
        Some(name) => (OperationKind::Operation, name),
        None => (OperationKind::Tool, call.name.as_str()),
    };
    let found = policy.find(kind, name);
    if found.is_none() {
        let message = format!("{} {} is not in the policy", kind.as_str(), quoted(name));
        findings.error_with(Code::UnknownOperation, call.span, message, || {
            let nearest = policy.suggest_operation(kind, name)?;
            Some(format!("did you mean {}?", quoted(nearest)))
        });
    }
    found
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

fn known_scopes(scopes: &[Named], policy: &Policy, findings: &mut Findings<'_>) {
    for scope in scopes.iter().filter(|scope| policy.scope(&scope.name).is_none()) {
        let message = format!("scope {} is not declared in the policy", quoted(&scope.name));
        findings.error_with(Code::UnknownScope, scope.span, message, || {
            let nearest = policy.suggest_scope(&scope.name)?;
            Some(format!("did you mean {}?", quoted(nearest)))
        });
    }
}

impl Principals<'_> {
    pub(super) fn get(&self, name: &str) -> Option<&Option<Grants>> {
        self.callers.get(name)
    }

    /// Finds a caller: its grants, or `None` inside for one without a token.
    pub(super) fn find(&self, name: &Named, findings: &mut Findings<'_>) -> Option<&Option<Grants>> {
        let found = self.callers.get(name.name.as_str());
        // Without any principal the one mistake is that they are missing.
        if found.is_none() && !self.order.is_empty() {
            let message = format!("principal {} is not declared", quoted(&name.name));
            let help = || did_you_mean(&name.name, self.order.iter().copied());
            findings.error_with(Code::UnknownPrincipal, name.span, message, help);
        }
        found
    }

    /// Reads `owner`: a principal's name means that principal's subject.
    fn ownership(&self, owner: &Named, caller: &Named, findings: &mut Findings<'_>) -> Option<Ownership> {
        match owner.name.as_str() {
            "other" => Some(Ownership::Other),
            "absent" => Some(Ownership::Absent),
            name => {
                self.find(owner, findings)?;
                Some(if name == caller.name {
                    Ownership::Caller
                } else {
                    Ownership::Other
                })
            }
        }
    }
}
