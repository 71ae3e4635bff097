//! The invariants: what holds for every caller, not only for those that the suite names.

use super::{
    model::{Check, Test},
    names::{find_operation, known_role, known_scopes},
};
use crate::{
    OperationId, Ownership, Policy,
    diagnostic::Code,
    fields::{Fields, choice, missing, text, wrong_type},
    findings::Findings,
    read_callers::one_or_more,
    yaml::{Node, Value},
};

pub(crate) const INVARIANT: &[&str] = &["name", "tool", "tools", "owner", "needs", "as", "never", "monotone"];
/// The field that says what is claimed, with the fields that go with it.
const FORMS: [(&str, &[&str]); 3] = [
    ("needs", &["name", "tool", "tools", "owner", "needs"]),
    ("never", &["name", "as", "owner", "never"]),
    ("monotone", &["name", "monotone"]),
];

/// What is claimed about every caller.
#[derive(Debug)]
pub(crate) enum Invariant {
    /// Whoever reaches these holds all of these scopes.
    Needs {
        operations: Vec<OperationId>,
        owner: Ownership,
        scopes: Vec<String>,
    },
    /// Whoever holds exactly what the role gives does not reach these.
    Never {
        role: String,
        operations: Vec<OperationId>,
        owner: Ownership,
    },
    /// One more scope never lowers the reach.
    Monotone,
}

pub(super) fn read_invariants(node: &Node, policy: &Policy, findings: &mut Findings<'_>) -> Vec<Test> {
    let Value::List(items) = &node.value else {
        wrong_type(node.span, "`invariants`", "a list", &node.value, findings);
        return Vec::new();
    };
    let items = items.iter();
    items
        .filter_map(|item| read_invariant(item, policy, findings))
        .collect()
}

fn read_invariant(node: &Node, policy: &Policy, findings: &mut Findings<'_>) -> Option<Test> {
    let fields = Fields::open(node, "an invariant", INVARIANT, &[], findings)?;
    let name = match fields.get("name") {
        Some(entry) => text(&entry.node, "`name`", findings),
        None => {
            missing(node.span, "name", "say in a sentence what holds", findings);
            None
        }
    };
    let mut forms = FORMS.iter().filter(|(key, _)| fields.get(key).is_some());
    let Some((form, own)) = forms.next() else {
        let help = "write `needs`, `never` or `monotone: true`";
        findings.error_help(Code::MissingTest, node.span, "the invariant claims nothing", help);
        return None;
    };
    let mut complete = true;
    for entry in INVARIANT.iter().filter_map(|key| fields.get(key)) {
        if !own.contains(&entry.key.as_str()) {
            let message = format!("`{}` does not go with `{form}`", entry.key);
            let help = format!("the fields of such an invariant are: {}", own.join(", "));
            findings.error_help(Code::ConflictingFields, entry.key_span, message, help);
            complete = false;
        }
    }
    let invariant = match *form {
        "needs" => read_needs(&fields, policy, findings),
        "never" => read_never(&fields, policy, findings),
        _ => read_monotone(&fields, findings),
    };
    let (name, invariant) = (name?, invariant?);
    complete.then_some(Test {
        name: name.name,
        span: node.span,
        check: Check::Invariant(invariant),
    })
}

fn read_needs(fields: &Fields<'_>, policy: &Policy, findings: &mut Findings<'_>) -> Option<Invariant> {
    let key = match (fields.get("tool"), fields.get("tools")) {
        (Some(_), None) => Some("tool"),
        (None, Some(_)) => Some("tools"),
        (Some(_), Some(both)) => {
            let message = "the invariant has both `tool` and `tools`";
            findings.error_help(Code::ConflictingFields, both.key_span, message, "keep one of the two");
            None
        }
        (None, None) => {
            missing(fields.span(), "tool", "name what needs the scopes", findings);
            None
        }
    };
    let operations = key.and_then(|key| read_operations(fields, key, policy, findings));
    let owner = read_owner(fields, operations.as_deref(), policy, findings);
    let scopes = one_or_more(&fields.get("needs")?.node, "`needs`", findings);
    known_scopes(&scopes, policy, findings);
    Some(Invariant::Needs {
        operations: operations?,
        owner: owner?,
        scopes: scopes.into_iter().map(|scope| scope.name).collect(),
    })
}

fn read_never(fields: &Fields<'_>, policy: &Policy, findings: &mut Findings<'_>) -> Option<Invariant> {
    let role = match fields.get("as") {
        Some(entry) => text(&entry.node, "`as`", findings).filter(|role| known_role(role, policy, findings)),
        None => {
            missing(fields.span(), "as", "name the role that never reaches them", findings);
            None
        }
    };
    let operations = read_operations(fields, "never", policy, findings);
    let owner = read_owner(fields, operations.as_deref(), policy, findings);
    Some(Invariant::Never {
        role: role?.name,
        operations: operations?,
        owner: owner?,
    })
}

fn read_monotone(fields: &Fields<'_>, findings: &mut Findings<'_>) -> Option<Invariant> {
    let node = &fields.get("monotone")?.node;
    if node.value == Value::Bool(true) {
        return Some(Invariant::Monotone);
    }
    match node.value {
        Value::Bool(_) => {
            let help = "delete the invariant if it need not hold";
            findings.error_help(Code::WrongType, node.span, "`monotone` must be `true`", help);
        }
        _ => wrong_type(node.span, "`monotone`", "`true`", &node.value, findings),
    }
    None
}

fn read_operations(
    fields: &Fields<'_>,
    key: &str,
    policy: &Policy,
    findings: &mut Findings<'_>,
) -> Option<Vec<OperationId>> {
    let named = one_or_more(&fields.get(key)?.node, &format!("`{key}`"), findings);
    let found = named.iter().map(|call| find_operation(call, policy, findings));
    // All of them are looked up, so that every unknown one is reported.
    let found: Vec<Option<OperationId>> = found.collect();
    found.into_iter().collect()
}

/// Reads whose objects are meant. Where owners make no difference, it may be left out.
fn read_owner(
    fields: &Fields<'_>,
    operations: Option<&[OperationId]>,
    policy: &Policy,
    findings: &mut Findings<'_>,
) -> Option<Ownership> {
    let words = [("other", Ownership::Other), ("me", Ownership::Caller)];
    if let Some(entry) = fields.get("owner") {
        return choice(&entry.node, "`owner`", &words, findings);
    }
    let mut called = operations?.iter().filter_map(|id| policy.operation(*id));
    if called.any(|operation| operation.has_owner_fallback()) {
        let help = "write `owner: other` for the objects of other people, or `owner: me` for the caller's own";
        missing(fields.span(), "owner", help, findings);
        return None;
    }
    Some(Ownership::Caller)
}
