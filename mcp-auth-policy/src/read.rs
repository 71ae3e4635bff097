//! The tree of a policy file to a [`Document`]: shapes, fields and the grammar of names.

use crate::{
    OperationKind,
    diagnostic::Code,
    document::{ByKind, Document, ObjectEntry, RoleEntry, ScopeEntry},
    fields::{Fields, Named, choice, mapping, missing, text, texts, version, wrong_type},
    findings::Findings,
    listing::{OnNotOwner, Visibility},
    read_callers::read_callers,
    read_forbid::read_forbids,
    read_operation::read_operation,
    text::{FieldOf, QuotedPath, is_column_name, is_name, is_scope_token, quoted},
    yaml::{Entry, Node, Value},
};

pub(crate) const KNOWN: &[&str] = &[
    "version",
    "policy",
    "scopes",
    "roles",
    "objects",
    "callers",
    "tools",
    "prompts",
    "resources",
    "operations",
    "forbid",
    "advertise",
    "visibility",
    "on_not_owner",
];

pub(crate) const SCOPE: &[&str] = &["about", "implies"];
pub(crate) const ROLE: &[&str] = &["scopes", "includes"];
pub(crate) const OBJECT: &[&str] = &["owner"];

pub(crate) fn read(root: &Node, findings: &mut Findings<'_>) -> Document {
    let mut document = Document::default();
    let Some(fields) = Fields::open(root, "a policy file", KNOWN, &[], findings) else {
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
    document.operations = ByKind::each(|kind| {
        section(&fields, kind.section(), findings, |entry, findings| {
            read_operation(kind, entry, findings)
        })
    });
    if OperationKind::ALL
        .into_iter()
        .all(|kind| fields.get(kind.section()).is_none())
    {
        missing(
            fields.span(),
            "tools",
            "list each tool with the scopes it requires",
            findings,
        );
    }
    if let Some(entry) = fields.get("callers") {
        document.callers = read_callers(entry, findings);
    }
    if let Some(entry) = fields.get("forbid") {
        document.forbids = read_forbids(entry, findings);
    }
    document.advertise = fields
        .get("advertise")
        .and_then(|entry| texts(&entry.node, "`advertise`", findings));
    let words = [
        ("all", Visibility::All),
        ("obtainable", Visibility::Obtainable),
        ("granted", Visibility::Granted),
    ];
    document.visibility = setting(&fields, "visibility", &words, findings);
    let words = [("hide", OnNotOwner::Hide), ("step_up", OnNotOwner::StepUp)];
    document.on_not_owner = setting(&fields, "on_not_owner", &words, findings);
    document
}

fn setting<T: Copy + Default>(fields: &Fields<'_>, key: &str, words: &[(&str, T)], findings: &mut Findings<'_>) -> T {
    let entry = fields.get(key);
    entry
        .and_then(|entry| choice(&entry.node, &format!("`{key}`"), words, findings))
        .unwrap_or_default()
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
    let entries = mapping(&entry.node, format_args!("`{key}`"), findings).unwrap_or_default();
    let mut section = Vec::with_capacity(entries.len());
    section.extend(entries.iter().filter_map(|entry| read(entry, findings)));
    section
}

/// Gives the key of an entry as a name with its place.
pub(crate) fn key(entry: &Entry) -> Named {
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
    let path = QuotedPath("scopes", &entry.key);
    let mut scope = ScopeEntry {
        id,
        about: None,
        implies: Vec::new(),
    };
    match &entry.node.value {
        Value::Text(_) => scope.about = text(&entry.node, path, findings).map(|about| about.name),
        Value::Map(_) => {
            let fields = Fields::open(&entry.node, path, SCOPE, &[], findings)?;
            let about = fields.get("about").and_then(|about| text(&about.node, path, findings));
            scope.about = about.map(|about| about.name);
            scope.implies = names(&fields, "implies", path, findings);
        }
        other => wrong_type(
            entry.node.span,
            path,
            "a text that says what the scope allows",
            other,
            findings,
        ),
    }
    Some(scope)
}

fn read_role(entry: &Entry, findings: &mut Findings<'_>) -> Option<RoleEntry> {
    let id = checked_name(key(entry), "a role", findings);
    let path = QuotedPath("roles", &entry.key);
    let Some(fields) = Fields::open(&entry.node, path, ROLE, &[], findings) else {
        return Some(RoleEntry {
            id,
            scopes: Vec::new(),
            includes: Vec::new(),
        });
    };
    let scopes = names(&fields, "scopes", path, findings);
    let includes = names(&fields, "includes", path, findings);
    Some(RoleEntry { id, scopes, includes })
}

fn read_object(entry: &Entry, findings: &mut Findings<'_>) -> Option<ObjectEntry> {
    let id = checked_name(key(entry), "an object", findings);
    let path = QuotedPath("objects", &entry.key);
    let Some(fields) = Fields::open(&entry.node, path, OBJECT, &[], findings) else {
        return Some(ObjectEntry { id, owner: None });
    };
    let Some(owner) = fields.get("owner") else {
        let message = format!("object {} does not say who owns it", quoted(&id.name));
        let help = "add `owner:` with the column that holds the owner's subject";
        findings.error_help(Code::ObjectWithoutOwner, id.span, message, help);
        return Some(ObjectEntry { id, owner: None });
    };
    let owner = text(&owner.node, format_args!("the owner of {path}"), findings).filter(|owner| {
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

fn names(fields: &Fields<'_>, key: &'static str, path: QuotedPath<'_>, findings: &mut Findings<'_>) -> Vec<Named> {
    let entry = fields.get(key);
    entry
        .and_then(|entry| texts(&entry.node, FieldOf(key, path), findings))
        .unwrap_or_default()
}

/// Reports a name that nothing may bear, and goes on with it, so that its uses are not reported as well.
pub(crate) fn checked_name(name: Named, what: &str, findings: &mut Findings<'_>) -> Named {
    if !is_name(&name.name) {
        let message = format!("{} cannot name {what}", quoted(&name.name));
        let help = "use 1 to 128 visible characters, without spaces at the ends";
        findings.error_help(Code::InvalidName, name.span, message, help);
    }
    name
}
