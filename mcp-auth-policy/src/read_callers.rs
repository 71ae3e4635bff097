//! `callers:` and the claim paths in it.

use crate::{
    callers::OwnerKey,
    claim_path::ClaimPath,
    diagnostic::Code,
    document::{CallersEntry, MappingEntry},
    fields::{Fields, Named, choice, mapping, missing, text, texts, wrong_type},
    findings::Findings,
    read::key,
    text::{quoted, quoted_path},
    yaml::{Entry, Node, Value},
};

/// Claims that their user, or an administrator, can change, and that may then pass to somebody else.
const CHANGEABLE: [&str; 4] = ["email", "preferred_username", "upn", "name"];
pub(crate) const CALLERS: &[&str] = &["default", "issuers", "owner_key"];
pub(crate) const MAPPING: &[&str] = &[
    "subject",
    "dangerous_subject",
    "scopes",
    "roles",
    "role_names",
    "combine",
];

pub(crate) fn read_callers(entry: &Entry, findings: &mut Findings<'_>) -> CallersEntry {
    let mut callers = CallersEntry::default();
    let Some(fields) = Fields::open(&entry.node, "`callers`", CALLERS, &[], findings) else {
        return callers;
    };
    callers.default = fields
        .get("default")
        .and_then(|entry| read_mapping(&entry.node, "`callers.default`", findings));
    if let Some(entry) = fields.get("issuers") {
        let listed = mapping(&entry.node, "`callers.issuers`", findings).unwrap_or_default();
        let issuers = listed.iter().filter_map(|entry| {
            let path = quoted_path("callers.issuers", &entry.key);
            Some((key(entry), read_mapping(&entry.node, &path, findings)?))
        });
        callers.issuers = Some(issuers.collect());
    }
    callers.owner_key = fields.get("owner_key").and_then(|entry| {
        let words = [
            ("subject", OwnerKey::Subject),
            ("issuer_and_subject", OwnerKey::IssuerAndSubject),
        ];
        choice(&entry.node, "`callers.owner_key`", &words, findings)
    });
    callers
}

fn read_mapping(node: &Node, path: &str, findings: &mut Findings<'_>) -> Option<MappingEntry> {
    let fields = Fields::open(node, path, MAPPING, &[], findings)?;
    let mut claim = |name: &str| {
        let entry = fields.get(name)?;
        read_claim_path(&entry.node, &format!("`{name}` of {path}"), findings)
    };
    let (scopes, roles) = (claim("scopes"), claim("roles"));
    let role_names = fields.get("role_names").map(|entry| {
        let what = format!("`role_names` of {path}");
        let entries = mapping(&entry.node, &what, findings).unwrap_or_default();
        let names = entries.iter().filter_map(|entry| {
            let role = text(&entry.node, &format!("each value of {what}"), findings)?;
            Some((entry.key.clone(), role))
        });
        names.collect()
    });
    if let (Some(entry), None) = (fields.get("role_names"), fields.get("roles")) {
        missing(
            entry.key_span,
            "roles",
            "name the claim that holds these values",
            findings,
        );
    }
    Some(MappingEntry {
        subject: read_subject(&fields, path, findings),
        scopes,
        roles,
        role_names,
        union: read_union(&fields, path, findings),
    })
}

fn read_subject(fields: &Fields<'_>, path: &str, findings: &mut Findings<'_>) -> Option<ClaimPath> {
    let (plain, dangerous) = (fields.get("subject"), fields.get("dangerous_subject"));
    if let (Some(_), Some(dangerous)) = (plain, dangerous) {
        let message = format!("{path} has both `subject` and `dangerous_subject`");
        findings.error_help(
            Code::ConflictingFields,
            dangerous.key_span,
            message,
            "keep one of the two",
        );
    }
    if let Some(entry) = dangerous {
        return read_claim_path(&entry.node, &format!("`dangerous_subject` of {path}"), findings);
    }
    let entry = plain?;
    let claim = read_claim_path(&entry.node, &format!("`subject` of {path}"), findings)?;
    if CHANGEABLE.contains(&claim.last()) {
        let message = format!(
            "the claim {} can change and pass to somebody else, who then owns the objects",
            quoted(claim.last())
        );
        let help = "map `sub`, or write `dangerous_subject:` to take it all the same";
        findings.error_help(Code::ChangeableSubject, entry.node.span, message, help);
    }
    Some(claim)
}

fn read_union(fields: &Fields<'_>, path: &str, findings: &mut Findings<'_>) -> Option<crate::source::Span> {
    let entry = fields.get("combine")?;
    let words = [("intersection", false), ("union", true)];
    let union = choice(&entry.node, &format!("`combine` of {path}"), &words, findings)?;
    if fields.get("scopes").is_none() || fields.get("roles").is_none() {
        let message = format!("{path} combines scopes and roles, but does not map both");
        let help = "add the claim of the other, or delete `combine`";
        findings.error_help(Code::ConflictingFields, entry.key_span, message, help);
    }
    union.then_some(entry.node.span)
}

/// Reads a claim: a dotted path, one literal name with `://` in it, or a list of literal names.
pub(crate) fn read_claim_path(node: &Node, what: &str, findings: &mut Findings<'_>) -> Option<ClaimPath> {
    let path = match &node.value {
        Value::Text(_) => {
            let Named { name, .. } = text(node, what, findings)?;
            ClaimPath::parse(&name)
        }
        Value::List(items) => {
            // The same name may come twice, so this is not `texts`.
            let names = items
                .iter()
                .map(|item| text(item, &format!("each item of {what}"), findings));
            ClaimPath::of_names(
                names
                    .collect::<Option<Vec<_>>>()?
                    .into_iter()
                    .map(|named| named.name)
                    .collect(),
            )
        }
        other => {
            wrong_type(node.span, what, "the name of a claim", other, findings);
            return None;
        }
    };
    if path.is_none() {
        let help = "write names with dots between them, or a list of names";
        findings.error_help(
            Code::InvalidClaimPath,
            node.span,
            format!("{what} names no claim"),
            help,
        );
    }
    path
}

/// Reads one text, or a list of texts, none of them twice.
pub(crate) fn one_or_more(node: &Node, what: &str, findings: &mut Findings<'_>) -> Vec<Named> {
    match &node.value {
        Value::List(items) if items.is_empty() => {
            findings.error_help(
                Code::EmptyList,
                node.span,
                format!("{what} names nothing"),
                "name something, or delete it",
            );
            Vec::new()
        }
        Value::List(_) => texts(node, what, findings).unwrap_or_default(),
        _ => text(node, what, findings).into_iter().collect(),
    }
}
