//! The tree of a policy file to a [`Document`]: shapes, fields and the grammar of names.

use crate::{
    diagnostic::Code,
    document::{Document, ObjectEntry, OperationEntry, OwnerFallback, Requires, RoleEntry, ScopeEntry},
    fields::{Fields, Named, mapping, missing, text, texts, version, wrong_type},
    findings::Findings,
    text::{is_column_name, is_name, is_scope_token, is_tool_name, quoted},
    yaml::{Entry, Node, Value},
};

const KNOWN: &[&str] = &[
    "version",
    "policy",
    "scopes",
    "roles",
    "objects",
    "tools",
    "operations",
    "advertise",
];
const LATER: &[&str] = &[
    "callers",
    "forbid",
    "prompts",
    "resources",
    "visibility",
    "on_not_owner",
];

pub(crate) fn read(root: &Node, findings: &mut Findings<'_>) -> Document {
    let mut document = Document::default();
    let Some(fields) = Fields::open(root, "a policy file", KNOWN, LATER, findings) else {
        return document;
    };
    version(&fields, findings);
    if let Some(entry) = fields.get("policy") {
        document.name =
            text(&entry.node, "`policy`", findings).map(|name| checked_name(name, "a policy", findings).name);
    }
    document.scopes = section(&fields, "scopes", findings, read_scope);
    document.roles = section(&fields, "roles", findings, read_role);
    document.objects = section(&fields, "objects", findings, read_object);
    document.tools = section(&fields, "tools", findings, |entry, findings| {
        read_operation("tools", entry, findings)
    });
    document.operations = section(&fields, "operations", findings, |entry, findings| {
        read_operation("operations", entry, findings)
    });
    if fields.get("tools").is_none() && fields.get("operations").is_none() {
        missing(
            fields.span(),
            "tools",
            "list each tool with the scopes it requires",
            findings,
        );
    }
    document.advertise = fields
        .get("advertise")
        .and_then(|entry| texts(&entry.node, "`advertise`", findings));
    document
}

fn section<T>(
    fields: &Fields<'_>,
    key: &str,
    findings: &mut Findings<'_>,
    mut read: impl FnMut(&Entry, &mut Findings<'_>) -> Option<T>,
) -> Vec<T> {
    let Some(entry) = fields.get(key) else {
        return Vec::new();
    };
    let entries = mapping(&entry.node, &format!("`{key}`"), findings).unwrap_or_default();
    entries.iter().filter_map(|entry| read(entry, findings)).collect()
}

fn key(entry: &Entry) -> Named {
    Named {
        name: entry.key.clone(),
        span: entry.key_span,
    }
}

fn read_scope(entry: &Entry, findings: &mut Findings<'_>) -> Option<ScopeEntry> {
    let id = key(entry);
    if !is_scope_token(&id.name) {
        let message = format!("{} is not a scope token", quoted(&id.name));
        let help = "use printable ASCII without spaces, double quotes and backslashes (RFC 6749 section 3.3)";
        findings.error_help(Code::InvalidScopeToken, id.span, message, help);
    }
    let path = format!("`scopes.{}`", entry.key);
    let mut scope = ScopeEntry {
        id,
        about: None,
        implies: Vec::new(),
    };
    match &entry.node.value {
        Value::Text(_) => scope.about = text(&entry.node, &path, findings).map(|about| about.name),
        Value::Map(_) => {
            let fields = Fields::open(&entry.node, &path, &["about", "implies"], &[], findings)?;
            let about = fields.get("about").and_then(|about| text(&about.node, &path, findings));
            scope.about = about.map(|about| about.name);
            scope.implies = names(&fields, "implies", &path, findings);
        }
        other => wrong_type(
            entry.node.span,
            &path,
            "a text that says what the scope allows",
            other,
            findings,
        ),
    }
    Some(scope)
}

fn read_role(entry: &Entry, findings: &mut Findings<'_>) -> Option<RoleEntry> {
    let id = checked_name(key(entry), "a role", findings);
    let path = format!("`roles.{}`", entry.key);
    let Some(fields) = Fields::open(&entry.node, &path, &["scopes", "includes"], &[], findings) else {
        return Some(RoleEntry {
            id,
            scopes: Vec::new(),
            includes: Vec::new(),
        });
    };
    let scopes = names(&fields, "scopes", &path, findings);
    let includes = names(&fields, "includes", &path, findings);
    Some(RoleEntry { id, scopes, includes })
}

fn read_object(entry: &Entry, findings: &mut Findings<'_>) -> Option<ObjectEntry> {
    let id = checked_name(key(entry), "an object", findings);
    let path = format!("`objects.{}`", entry.key);
    let Some(fields) = Fields::open(&entry.node, &path, &["owner"], &[], findings) else {
        return Some(ObjectEntry { id, owner: None });
    };
    let Some(owner) = fields.get("owner") else {
        let message = format!("object {} does not say who owns it", quoted(&id.name));
        let help = "add `owner:` with the column that holds the owner's subject";
        findings.error_help(Code::ObjectWithoutOwner, id.span, message, help);
        return Some(ObjectEntry { id, owner: None });
    };
    let owner = text(&owner.node, &format!("the owner of {path}"), findings).filter(|owner| {
        let good = is_column_name(&owner.name);
        if !good {
            let message = format!("{} is not a plain column name", quoted(&owner.name));
            let help = "use letters, digits and `_`, no digit first";
            findings.error_help(Code::InvalidColumnName, owner.span, message, help);
        }
        good
    });
    Some(ObjectEntry {
        id,
        owner: owner.map(|owner| owner.name),
    })
}

fn read_operation(section: &str, entry: &Entry, findings: &mut Findings<'_>) -> Option<OperationEntry> {
    let id = key(entry);
    if !is_tool_name(&id.name) {
        let message = format!("{} cannot name a tool or an operation", quoted(&id.name));
        let help = "use 1 to 128 of the characters A-Z a-z 0-9 _ - .";
        findings.error_help(Code::InvalidToolName, id.span, message, help);
    }
    let path = format!("`{section}.{}`", entry.key);
    let fields = Fields::open(
        &entry.node,
        &path,
        &["requires", "object", "owner_fallback"],
        &[],
        findings,
    )?;
    // What cannot be read leaves no alternative, which denies; the rest of the entry is judged all the same.
    let mut requires = Requires {
        alternatives: Vec::new(),
        span: id.span,
    };
    match fields.get("requires") {
        Some(written) => {
            requires.span = written.node.span;
            requires.alternatives = read_requires(&written.node, &path, findings).unwrap_or_default();
        }
        None => {
            let message = format!("{path} does not say which scopes it requires");
            let help = "write `requires:` with the scopes; `requires: []` opens it to every authenticated caller";
            findings.error_help(Code::MissingRequires, id.span, message, help);
        }
    }
    let object = fields
        .get("object")
        .and_then(|object| text(&object.node, &format!("the object of {path}"), findings));
    let owner_fallback = fields
        .get("owner_fallback")
        .and_then(|entry| read_owner_fallback(entry, &path, findings));
    if let (Some(fallback), None) = (&owner_fallback, fields.get("object")) {
        let message = format!("{path} falls back to the owner, but does not say of what");
        let help = "add `object:` with a name from `objects`";
        findings.error_help(Code::OwnerFallbackWithoutObject, fallback.span, message, help);
    }
    Some(OperationEntry {
        id,
        requires,
        object,
        owner_fallback,
    })
}

fn read_requires(node: &Node, path: &str, findings: &mut Findings<'_>) -> Option<Vec<Vec<Named>>> {
    let what = format!("`requires` of {path}");
    let alternatives = match &node.value {
        Value::List(_) => vec![texts(node, &what, findings)?],
        Value::Map(_) => {
            let fields = Fields::open(node, &what, &["any"], &[], findings)?;
            let Some(any) = fields.get("any") else {
                missing(node.span, "any", "write `{ any: [a, b] }`", findings);
                return None;
            };
            let any_of = texts(&any.node, &format!("`any` of {path}"), findings)?;
            if matches!(&any.node.value, Value::List(items) if items.is_empty()) {
                let message = format!("{what} offers no alternative");
                let help = "name the scopes of which one is enough, or write `requires: []` to open it";
                findings.error_help(Code::EmptyAny, any.node.span, message, help);
                return None;
            }
            any_of.into_iter().map(|scope| vec![scope]).collect()
        }
        Value::Text(_) => vec![vec![text(node, &what, findings)?]],
        other => {
            wrong_type(
                node.span,
                &what,
                "a scope, a list of scopes, `{ any: [...] }` or `[]`",
                other,
                findings,
            );
            return None;
        }
    };
    Some(alternatives)
}

fn read_owner_fallback(entry: &Entry, path: &str, findings: &mut Findings<'_>) -> Option<OwnerFallback> {
    let node = &entry.node;
    let what = format!("`owner_fallback` of {path}");
    let scopes = match &node.value {
        Value::Bool(false) => return None,
        Value::Bool(true) => Vec::new(),
        Value::Text(_) => vec![text(node, &what, findings)?],
        Value::List(items) if items.is_empty() => {
            let help = "write `true` if every owner may, or name the scopes an owner must hold";
            findings.error_help(Code::EmptyList, node.span, format!("{what} names no scope"), help);
            return None;
        }
        Value::List(_) => texts(node, &what, findings)?,
        other => {
            wrong_type(node.span, &what, "`true`, a scope or a list of scopes", other, findings);
            return None;
        }
    };
    Some(OwnerFallback {
        scopes,
        span: node.span,
    })
}

fn names(fields: &Fields<'_>, key: &str, path: &str, findings: &mut Findings<'_>) -> Vec<Named> {
    let entry = fields.get(key);
    entry
        .and_then(|entry| texts(&entry.node, &format!("`{key}` of {path}"), findings))
        .unwrap_or_default()
}

/// Reports a name that nothing may bear, and goes on with it, so that its uses are not reported as well.
fn checked_name(name: Named, what: &str, findings: &mut Findings<'_>) -> Named {
    if !is_name(&name.name) {
        let message = format!("{} cannot name {what}", quoted(&name.name));
        let help = "use 1 to 128 visible characters, without spaces at the ends";
        findings.error_help(Code::InvalidName, name.span, message, help);
    }
    name
}
