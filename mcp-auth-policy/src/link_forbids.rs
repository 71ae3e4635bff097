//! Names in `callers:` and `forbid:`, and templates that would match the same URI.

use crate::{
    OperationKind,
    diagnostic::Code,
    document::{ByKind, ConditionEntry, Document},
    fields::Named,
    findings::Findings,
    link::Names,
    resources::Templates,
    text::quoted,
};

/// Reports roles of `role_names` that are not declared.
pub(crate) fn link_callers(document: &Document, roles: &Names<'_>, findings: &mut Findings<'_>) {
    let callers = &document.callers;
    let issuers = callers.issuers.iter().flatten().map(|(_, mapping)| mapping);
    for mapping in callers.default.iter().chain(issuers) {
        for (value, role) in mapping.role_names.iter().flatten() {
            let what = format!("`role_names` turns {} into", quoted(value));
            roles.find_all(std::slice::from_ref(role), &what, findings);
        }
    }
}

/// Reports targets, scopes, roles and issuers of forbids that are not declared.
pub(crate) fn link_forbids(document: &Document, scopes: &Names<'_>, roles: &Names<'_>, findings: &mut Findings<'_>) {
    let operations = ByKind::each(|kind| {
        let entries = document.operations.get(kind).iter().map(|entry| &entry.id);
        Names::new(kind.as_str(), Code::UnknownOperation, entries)
    });
    let issuers = document.callers.issuers.as_ref();
    let issuers = issuers.map(|issuers| {
        let listed = issuers.iter().map(|(issuer, _)| issuer);
        Names::new("callers.issuer", Code::UnknownIssuer, listed)
    });
    for forbid in &document.forbids {
        let what = format!("forbid {}", quoted(&forbid.id.name));
        for kind in OperationKind::ALL {
            let names = forbid.targets.get(kind);
            let what = format!("{what} names {}", kind.as_str());
            operations.get(kind).find_all(names, &what, findings);
        }
        for condition in std::iter::once(&forbid.when).chain(&forbid.unless) {
            let ConditionEntry {
                scopes: wanted,
                roles: wanted_roles,
                issuer,
                ..
            } = condition;
            scopes.find_all(wanted, &format!("{what} asks for scope"), findings);
            roles.find_all(wanted_roles, &format!("{what} asks for role"), findings);
            if let (Some(issuers), Some(issuer)) = (&issuers, issuer) {
                let what = format!("{what} asks for issuer");
                issuers.find_all(std::slice::from_ref(issuer), &what, findings);
            }
        }
    }
}

/// Reports templates of which a URI could match two: nobody could say which rule stands.
pub(crate) fn link_templates(document: &Document, findings: &mut Findings<'_>) {
    let mut templates = Templates::default();
    let resources = &document.operations.resources;
    for (index, entry) in (0_u32..).zip(resources) {
        let Some(template) = &entry.template else {
            continue;
        };
        if let Err(other) = templates.insert(template, index) {
            let other: Option<&Named> = usize::try_from(other)
                .ok()
                .and_then(|i| resources.get(i))
                .map(|entry| &entry.id);
            let Some(other) = other else { continue };
            let message = format!(
                "{} and {} in line {} match the same URIs",
                quoted(&entry.id.name),
                quoted(&other.name),
                other.span.line
            );
            let help = "tell them apart by a literal segment, or keep one of the two";
            findings.error_help(Code::OverlappingTemplates, entry.id.span, message, help);
        }
    }
}
