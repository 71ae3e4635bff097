//! `forbid:` and the atoms of its conditions.

use crate::{
    OperationKind,
    claim_path::ClaimPath,
    diagnostic::Code,
    document::{ByKind, ConditionEntry, ForbidEntry},
    fields::{Fields, Named, choice, missing, text, wrong_type},
    findings::Findings,
    forbid::ValueAtom,
    read::checked_name,
    read_callers::{one_or_more, read_claim_path},
    read_value_test::read_test,
    text::{is_name, quoted},
    value_test::{IfMissing, Side, ValueTest},
    yaml::{Entry, Node, Value},
};

pub(crate) const FORBID: &[&str] = &[
    "id",
    "everything",
    "tools",
    "prompts",
    "resources",
    "operations",
    "when",
    "unless",
    "message",
];
pub(crate) const ATOMS: &[&str] = &["scope", "role", "issuer", "client", "claim", "arg"];
pub(crate) const VALUE_ATOM: &[&str] = &["name", "is", "in", "min", "max", "longer_than", "present", "if_missing"];

pub(crate) fn read_forbids(entry: &Entry, findings: &mut Findings<'_>) -> Vec<ForbidEntry> {
    let Value::List(items) = &entry.node.value else {
        wrong_type(entry.node.span, "`forbid`", "a list", &entry.node.value, findings);
        return Vec::new();
    };
    let mut forbids: Vec<ForbidEntry> = Vec::with_capacity(items.len());
    let mut seen = std::collections::HashSet::new();
    for item in items {
        let Some(forbid) = read_forbid(item, findings) else {
            continue;
        };
        if !seen.insert(forbid.id.name.clone()) {
            let message = format!("another forbid has the id {}", quoted(&forbid.id.name));
            findings.error_help(Code::DuplicateName, forbid.id.span, message, "give each its own");
        }
        forbids.push(forbid);
    }
    forbids
}

fn read_forbid(node: &Node, findings: &mut Findings<'_>) -> Option<ForbidEntry> {
    let fields = Fields::open(node, "a forbid", FORBID, &[], findings)?;
    let id = match fields.get("id") {
        Some(entry) => text(&entry.node, "the `id` of a forbid", findings),
        None => {
            missing(
                node.span,
                "id",
                "name the forbid: decisions, tests and logs call it so",
                findings,
            );
            None
        }
    };
    let id = id.map_or(
        Named {
            name: "?".to_owned(),
            span: node.span,
        },
        |id| checked_id(id, findings),
    );
    let path = format!("forbid {}", quoted(&id.name));
    let everything = read_everything(&fields, &path, findings);
    let targets = ByKind::each(|kind| {
        let entry = fields.get(kind.section());
        entry
            .map(|entry| one_or_more(&entry.node, &format!("`{}` of {path}", kind.section()), findings))
            .unwrap_or_default()
    });
    let named = OperationKind::ALL
        .into_iter()
        .any(|kind| fields.get(kind.section()).is_some());
    if !named && fields.get("everything").is_none() {
        let message = format!("{path} does not say what it forbids");
        let help = "add `tools:`, `prompts:`, `resources:` or `operations:`, or `everything: true`";
        findings.error_help(Code::MissingTarget, id.span, message, help);
    }
    if named && everything {
        let message = format!("{path} forbids everything, and names single targets too");
        findings.error_help(Code::ConflictingFields, id.span, message, "keep one of the two");
    }
    let condition = |key: &str, side: Side, findings: &mut Findings<'_>| {
        let entry = fields.get(key)?;
        read_condition(&entry.node, &format!("`{key}` of {path}"), side, findings)
    };
    Some(ForbidEntry {
        everything,
        targets,
        when: condition("when", Side::When, findings).unwrap_or_default(),
        unless: condition("unless", Side::Unless, findings),
        message: (fields.get("message"))
            .and_then(|entry| text(&entry.node, &format!("the message of {path}"), findings))
            .map(|message| message.name),
        id,
    })
}

fn checked_id(id: Named, findings: &mut Findings<'_>) -> Named {
    if is_name(&id.name) && !RESERVED.contains(&id.name.as_str()) {
        return id;
    }
    if RESERVED.contains(&id.name.as_str()) {
        let message = format!(
            "{} is a reason of the policy language and cannot name a forbid",
            quoted(&id.name)
        );
        findings.error_help(Code::InvalidName, id.span, message, "choose another name");
        return id;
    }
    checked_name(id, "a forbid", findings)
}

/// A test says `because: missing-scope` or `because:` and the id of a forbid: one word must not mean both.
pub(crate) const RESERVED: &[&str] = &[
    "open",
    "scope",
    "owner",
    "unauthenticated",
    "unknown-tool",
    "missing-scope",
    "not-owner",
    "owner-unknown",
    "forbidden",
];

fn read_everything(fields: &Fields<'_>, path: &str, findings: &mut Findings<'_>) -> bool {
    match fields.get("everything").map(|entry| &entry.node) {
        None => false,
        Some(node) if node.value == Value::Bool(true) => true,
        Some(node) => {
            wrong_type(
                node.span,
                &format!("`everything` of {path}"),
                "`true`",
                &node.value,
                findings,
            );
            false
        }
    }
}

fn read_condition(node: &Node, path: &str, side: Side, findings: &mut Findings<'_>) -> Option<ConditionEntry> {
    let fields = Fields::open(node, path, ATOMS, &[], findings)?;
    let names = |key: &str, findings: &mut Findings<'_>| {
        let entry = fields.get(key);
        entry
            .map(|entry| one_or_more(&entry.node, &format!("`{key}` in {path}"), findings))
            .unwrap_or_default()
    };
    let one = |key: &str, findings: &mut Findings<'_>| {
        let entry = fields.get(key)?;
        text(&entry.node, &format!("`{key}` in {path}"), findings)
    };
    let condition = ConditionEntry {
        scopes: names("scope", findings),
        roles: names("role", findings),
        issuer: one("issuer", findings),
        client: one("client", findings),
        claims: read_value_atoms(&fields, "claim", path, side, findings),
        args: read_value_atoms(&fields, "arg", path, side, findings),
    };
    if ATOMS.iter().all(|atom| fields.get(atom).is_none()) {
        let help = format!("ask for one of: {}", ATOMS.join(", "));
        findings.error_help(
            Code::EmptyCondition,
            node.span,
            format!("{path} asks for nothing"),
            help,
        );
    }
    Some(condition)
}

fn read_value_atoms(
    fields: &Fields<'_>,
    key: &str,
    path: &str,
    side: Side,
    findings: &mut Findings<'_>,
) -> Vec<ValueAtom> {
    let Some(entry) = fields.get(key) else {
        return Vec::new();
    };
    let what = format!("`{key}` in {path}");
    let items = match &entry.node.value {
        Value::List(items) if items.is_empty() => {
            findings.error_help(
                Code::EmptyList,
                entry.node.span,
                format!("{what} names nothing"),
                "name something, or delete it",
            );
            return Vec::new();
        }
        Value::List(items) => items.as_slice(),
        _ => std::slice::from_ref(&entry.node),
    };
    items
        .iter()
        .filter_map(|item| read_value_atom(item, key, &what, side, findings))
        .collect()
}

fn read_value_atom(node: &Node, key: &str, what: &str, side: Side, findings: &mut Findings<'_>) -> Option<ValueAtom> {
    let fields = Fields::open(node, what, VALUE_ATOM, &[], findings)?;
    let path = match fields.get("name") {
        None => {
            missing(node.span, "name", "say which one is looked at", findings);
            None
        }
        // The name of an argument is one name, dots included.
        Some(entry) if key == "arg" => text(&entry.node, &format!("the name of {what}"), findings)
            .and_then(|name| ClaimPath::of_names(vec![name.name])),
        Some(entry) => read_claim_path(&entry.node, &format!("the name of {what}"), findings),
    };
    let test = read_test(&fields, what, findings);
    let if_missing = read_if_missing(&fields, test.as_ref(), what, side, findings);
    Some(ValueAtom {
        path: path?,
        test: test?,
        if_missing: if_missing?,
    })
}

fn read_if_missing(
    fields: &Fields<'_>,
    test: Option<&ValueTest>,
    what: &str,
    side: Side,
    findings: &mut Findings<'_>,
) -> Option<IfMissing> {
    let words = [("deny", IfMissing::Deny), ("skip", IfMissing::Skip)];
    let written = fields.get("if_missing");
    let read = written.and_then(|entry| choice(&entry.node, &format!("`if_missing` of {what}"), &words, findings));
    // `present` says by itself what missing data means.
    if let Some(ValueTest::Present(present)) = test {
        let meant = match *present == (side == Side::When) {
            true => IfMissing::Skip,
            false => IfMissing::Deny,
        };
        if let (Some(entry), true) = (written, read.is_some_and(|read| read != meant)) {
            let message = format!("`if_missing` and `present` of {what} contradict each other");
            findings.error_help(Code::ConflictingFields, entry.node.span, message, "delete `if_missing`");
        }
        return Some(meant);
    }
    if written.is_none() {
        let message = format!("{what} does not say what it means if the value is missing");
        let help = "write `if_missing: deny` to forbid then too, or `if_missing: skip` to pass over this forbid then";
        findings.error_help(Code::MissingIfMissing, fields.span(), message, help);
    }
    read
}
