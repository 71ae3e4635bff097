//! One tool, prompt, resource or operation: `requires`, `object` and `owner_fallback`.

use crate::{
    OperationKind,
    diagnostic::Code,
    document::{OperationEntry, OwnerFallback, Requires},
    fields::{Fields, Named, missing, text, texts, wrong_type},
    findings::Findings,
    read::key,
    text::{FieldOf, QuotedPath, is_tool_name, quoted},
    uri_template::{ResourceName, UriTemplate},
    yaml::{Entry, Node, Value},
};

pub(crate) const OPERATION: &[&str] = &["requires", "object", "owner_fallback"];
pub(crate) const REQUIRES: &[&str] = &["any"];

pub(crate) fn read_operation(
    kind: OperationKind,
    entry: &Entry,
    findings: &mut Findings<'_>,
) -> Option<OperationEntry> {
    let id = key(entry);
    let template = match kind {
        OperationKind::Resource => read_uri(&id, findings),
        OperationKind::Tool | OperationKind::Prompt | OperationKind::Operation => {
            check_name(&id, kind, findings);
            None
        }
    };
    let path = QuotedPath(kind.section(), &entry.key);
    let fields = Fields::open(&entry.node, path, OPERATION, &[], findings)?;
    // What cannot be read leaves no alternative, which denies; the rest of the entry is judged all the same.
    let mut requires = Requires {
        alternatives: Vec::new(),
        span: id.span,
    };
    match fields.get("requires") {
        Some(written) => {
            requires.span = written.node.span;
            requires.alternatives = read_requires(&written.node, path, findings).unwrap_or_default();
        }
        None => {
            let message = format!("{path} does not say which scopes it requires");
            let help = "write `requires:` with the scopes; `requires: []` opens it to every authenticated caller";
            findings.error_help(Code::MissingRequires, id.span, message, help);
        }
    }
    let object = fields
        .get("object")
        .and_then(|object| text(&object.node, format_args!("the object of {path}"), findings));
    let owner_fallback = fields
        .get("owner_fallback")
        .and_then(|entry| read_owner_fallback(entry, path, findings));
    if let (Some(fallback), None) = (&owner_fallback, fields.get("object")) {
        let message = format!("{path} falls back to the owner, but does not say of what");
        let help = "add `object:` with a name from `objects`";
        findings.error_help(Code::OwnerFallbackWithoutObject, fallback.span, message, help);
    }
    Some(OperationEntry {
        id,
        template,
        requires,
        object,
        owner_fallback,
    })
}

fn check_name(id: &Named, kind: OperationKind, findings: &mut Findings<'_>) {
    if !is_tool_name(&id.name) {
        let what = match kind {
            OperationKind::Prompt => "a prompt",
            _ => "a tool or an operation",
        };
        let message = format!("{} cannot name {what}", quoted(&id.name));
        let help = "use 1 to 128 of the characters A-Z a-z 0-9 _ - .";
        findings.error_help(Code::InvalidToolName, id.span, message, help);
    }
}

fn read_uri(id: &Named, findings: &mut Findings<'_>) -> Option<UriTemplate> {
    match ResourceName::parse(&id.name) {
        Ok(ResourceName::Exact) => None,
        Ok(ResourceName::Template(template)) => Some(template),
        Err(problem) => {
            let message = format!("{} {problem}", quoted(&id.name));
            let help = "write a URI, or a template such as `notes://{owner}/{id}`";
            findings.error_help(Code::InvalidResourceUri, id.span, message, help);
            None
        }
    }
}

fn read_requires(node: &Node, path: QuotedPath<'_>, findings: &mut Findings<'_>) -> Option<Vec<Vec<Named>>> {
    let what = FieldOf("requires", path);
    let alternatives = match &node.value {
        Value::List(_) => vec![texts(node, what, findings)?],
        Value::Map(_) => {
            let fields = Fields::open(node, what, REQUIRES, &[], findings)?;
            let Some(any) = fields.get("any") else {
                missing(node.span, "any", "write `{ any: [a, b] }`", findings);
                return None;
            };
            let any_of = texts(&any.node, FieldOf("any", path), findings)?;
            if matches!(&any.node.value, Value::List(items) if items.is_empty()) {
                let message = format!("{what} offers no alternative");
                let help = "name the scopes of which one is enough, or write `requires: []` to open it";
                findings.error_help(Code::EmptyAny, any.node.span, message, help);
                return None;
            }
            any_of.into_iter().map(|scope| vec![scope]).collect()
        }
        Value::Text(_) => vec![vec![text(node, what, findings)?]],
        other => {
            wrong_type(
                node.span,
                what,
                "a scope, a list of scopes, `{ any: [...] }` or `[]`",
                other,
                findings,
            );
            return None;
        }
    };
    Some(alternatives)
}

fn read_owner_fallback(entry: &Entry, path: QuotedPath<'_>, findings: &mut Findings<'_>) -> Option<OwnerFallback> {
    let node = &entry.node;
    let what = FieldOf("owner_fallback", path);
    let scopes = match &node.value {
        Value::Bool(false) => return None,
        Value::Bool(true) => Vec::new(),
        Value::Text(_) => vec![text(node, what, findings)?],
        Value::List(items) if items.is_empty() => {
            let help = "write `true` if every owner may, or name the scopes an owner must hold";
            findings.error_help(Code::EmptyList, node.span, format!("{what} names no scope"), help);
            return None;
        }
        Value::List(_) => texts(node, what, findings)?,
        other => {
            wrong_type(node.span, what, "`true`, a scope or a list of scopes", other, findings);
            return None;
        }
    };
    Some(OwnerFallback {
        scopes,
        span: node.span,
    })
}
