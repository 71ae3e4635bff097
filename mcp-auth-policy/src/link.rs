//! Names to numbers: every name that a policy uses must be one that it declares.

use std::{collections::HashMap, fmt::Display};

use crate::{
    diagnostic::Code,
    document::{ByKind, Document, OperationEntry},
    fields::Named,
    findings::Findings,
    graph,
    link_forbids::{link_callers, link_forbids, link_templates},
    text::{Quoted, did_you_mean, quoted},
};

/// Scopes that a policy may declare. Each caller carries one bit per scope, and each scope its closure.
pub(crate) const MAX_SCOPES: usize = 4096;
/// Names that a message about a cycle shows.
const SHOWN: usize = 8;

/// A document whose names are resolved. Scopes and roles are numbered in the order of the file.
#[derive(Debug)]
pub(crate) struct Linked {
    /// For each scope, the scopes that it implies directly.
    pub(crate) implies: Vec<Vec<usize>>,
    /// Every scope after all that it implies.
    pub(crate) scope_order: Vec<usize>,
    /// For each role, its own scopes.
    pub(crate) role_scopes: Vec<Vec<usize>>,
    /// For each role, the roles that it includes directly.
    pub(crate) includes: Vec<Vec<usize>>,
    /// Every role after all that it includes.
    pub(crate) role_order: Vec<usize>,
    pub(crate) operations: ByKind<Vec<LinkedOperation>>,
    pub(crate) advertise: Option<Vec<usize>>,
}

/// The scopes of one operation.
#[derive(Debug)]
pub(crate) struct LinkedOperation {
    pub(crate) alternatives: Vec<Vec<usize>>,
    pub(crate) owner_fallback: Option<Vec<usize>>,
}

pub(crate) fn link(document: &Document, findings: &mut Findings<'_>) -> Linked {
    if let Some(scope) = document.scopes.get(MAX_SCOPES) {
        let message = format!("a policy may declare {MAX_SCOPES} scopes, and this is one more");
        findings.error(Code::TooManyScopes, scope.id.span, message);
    }
    let scopes = Names::new(
        "scope",
        Code::UnknownScope,
        document.scopes.iter().map(|scope| &scope.id),
    );
    let roles = Names::new("role", Code::UnknownRole, document.roles.iter().map(|role| &role.id));
    let objects = Names::new(
        "object",
        Code::UnknownObject,
        document.objects.iter().map(|object| &object.id),
    );

    let implies: Vec<_> = (document.scopes.iter())
        .map(|scope| {
            let name = Quoted(&scope.id.name);
            scopes.find_all(&scope.implies, format_args!("scope {name} implies"), findings)
        })
        .collect();
    let role_scopes = (document.roles.iter())
        .map(|role| {
            let name = Quoted(&role.id.name);
            scopes.find_all(&role.scopes, format_args!("role {name} has"), findings)
        })
        .collect();
    let includes: Vec<_> = (document.roles.iter())
        .map(|role| {
            let name = Quoted(&role.id.name);
            roles.find_all(&role.includes, format_args!("role {name} includes"), findings)
        })
        .collect();
    let operations = ByKind::each(|kind| {
        let entries = document.operations.get(kind);
        link_operations(kind.as_str(), entries, &scopes, &objects, findings)
    });
    link_templates(document, findings);
    link_callers(document, &roles, findings);
    link_forbids(document, &scopes, &roles, findings);
    let advertise = document
        .advertise
        .as_ref()
        .map(|wanted| scopes.find_all(wanted, "`advertise` names", findings));
    let scope_order = ordered(&implies, "scope", "implies", &scopes, findings);
    let role_order = ordered(&includes, "role", "includes", &roles, findings);
    Linked {
        implies,
        scope_order,
        role_scopes,
        includes,
        role_order,
        operations,
        advertise,
    }
}

fn link_operations(
    kind: &str,
    entries: &[OperationEntry],
    scopes: &Names<'_>,
    objects: &Names<'_>,
    findings: &mut Findings<'_>,
) -> Vec<LinkedOperation> {
    let mut linked = Vec::with_capacity(entries.len());
    for entry in entries {
        let name = Quoted(&entry.id.name);
        let alternatives = (entry.requires.alternatives.iter())
            .map(|all| scopes.find_all(all, format_args!("{kind} {name} requires"), findings))
            .collect();
        let owner_fallback = (entry.owner_fallback.as_ref()).map(|owner| {
            let what = format_args!("the owner fallback of {kind} {name} requires");
            scopes.find_all(&owner.scopes, what, findings)
        });
        objects.find_all(entry.object.as_slice(), format_args!("{kind} {name} acts on"), findings);
        linked.push(LinkedOperation {
            alternatives,
            owner_fallback,
        });
    }
    linked
}

/// The declared names of one kind, numbered.
pub(crate) struct Names<'d> {
    kind: &'static str,
    code: Code,
    list: Vec<&'d Named>,
    numbers: HashMap<&'d str, usize>,
}

impl<'d> Names<'d> {
    pub(crate) fn new(kind: &'static str, code: Code, names: impl Iterator<Item = &'d Named>) -> Self {
        let list: Vec<_> = names.collect();
        let numbers = list
            .iter()
            .enumerate()
            .map(|(number, named)| (named.name.as_str(), number))
            .collect();
        Self {
            kind,
            code,
            list,
            numbers,
        }
    }

    /// Gives the numbers of names. `what` asks for them, for messages; it is written out only if one is unknown.
    pub(crate) fn find_all(&self, wanted: &[Named], what: impl Display, findings: &mut Findings<'_>) -> Vec<usize> {
        let mut found = Vec::with_capacity(wanted.len());
        for name in wanted {
            match self.numbers.get(name.name.as_str()) {
                Some(number) => found.push(*number),
                None => self.report(name, &what, findings),
            }
        }
        found
    }

    fn report(&self, name: &Named, what: &dyn Display, findings: &mut Findings<'_>) {
        let message = format!("{what} {}, which is not declared", quoted(&name.name));
        findings.error_with(self.code, name.span, message, || {
            let names = self.list.iter().map(|named| named.name.as_str());
            did_you_mean(&name.name, names).or_else(|| Some(format!("declare it under `{}s`", self.kind)))
        });
    }
}

fn ordered(edges: &[Vec<usize>], kind: &str, verb: &str, names: &Names<'_>, findings: &mut Findings<'_>) -> Vec<usize> {
    let order = graph::order(edges);
    for cycle in &order.cycles {
        let Some(first) = cycle.first().and_then(|number| names.list.get(*number)) else {
            continue;
        };
        let mut around: Vec<_> = (cycle.iter().take(SHOWN).filter_map(|number| names.list.get(*number)))
            .map(|named| quoted(&named.name))
            .collect();
        if cycle.len() > SHOWN {
            around.push("…".to_owned());
        }
        around.push(quoted(&first.name));
        let message = format!("{kind} {verb} itself: {}", around.join(" → "));
        let help = format!("take one of them out of `{verb}`");
        findings.error_help(Code::Cycle, first.span, message, help);
    }
    order.nodes
}
