//! Warnings: what is allowed, but probably not what the author means.

use crate::{
    Policy,
    bits::Bits,
    diagnostic::{Code, Diagnostic, Severity},
    document::Document,
    findings::KEPT,
    link::Linked,
    lint_forbid::{equal_scopes, lint_callers, lint_forbids},
    source::{Source, Span},
    text::{Quoted, quoted},
};

/// Takes a warning: code, place, message, help.
pub(crate) type Warn<'w> = dyn FnMut(Code, Span, String, &str) + 'w;

pub(crate) fn lint(policy: &Policy, document: &Document, linked: &Linked, source: &Source<'_>) -> Vec<Diagnostic> {
    let mut warnings = Vec::new();
    let mut warn = |code: Code, at: Span, message: String, help: &str| {
        if warnings.len() >= KEPT {
            return;
        }
        let warning = Diagnostic::new(Severity::Warning, code, source, at, message);
        warnings.push(warning.with_help(Some(help.to_owned())));
    };
    let used = used_scopes(policy, linked);
    unused_scopes(policy, document, linked, &used, &mut warn);
    equal_scopes(policy, document, &used, &mut warn);
    redundant_roles(policy, document, linked, &mut warn);
    open_operations(policy, document, &mut warn);
    lint_callers(document, &mut warn);
    lint_forbids(policy, document, &mut warn);
    warnings.sort_by_key(|warning| (warning.line(), warning.column()));
    warnings
}

/// The scopes that something asks for by name.
fn used_scopes(policy: &Policy, linked: &Linked) -> Bits {
    let mut used = policy.no_scopes();
    for operation in linked.operations.iter() {
        let scopes = operation.alternatives.iter().chain(&operation.owner_fallback).flatten();
        scopes.for_each(|scope| used.insert(*scope));
    }
    for forbid in &policy.forbids {
        for condition in std::iter::once(&forbid.when).chain(&forbid.unless) {
            condition.scope_numbers.iter().for_each(|scope| used.insert(*scope));
        }
    }
    used
}

fn unused_scopes(policy: &Policy, document: &Document, linked: &Linked, used: &Bits, warn: &mut Warn<'_>) {
    // What clients are told to ask for is for somebody else then, like `openid` for a userinfo endpoint.
    let advertised = linked.advertise.as_deref().unwrap_or_default();
    for (number, (entry, scope)) in document.scopes.iter().zip(&policy.scopes).enumerate() {
        if advertised.contains(&number) {
            continue;
        }
        // A broad scope is used if something that it implies is.
        let helps = scope
            .closure
            .words()
            .iter()
            .zip(used.words())
            .any(|(closed, used)| closed & used != 0);
        if !helps {
            let message = format!("no tool requires {}", quoted(scope.name()));
            warn(
                Code::UnusedScope,
                entry.id.span,
                message,
                "delete it, or require it somewhere",
            );
        }
    }
}

fn redundant_roles(policy: &Policy, document: &Document, linked: &Linked, warn: &mut Warn<'_>) {
    for ((entry, role), includes) in document.roles.iter().zip(&policy.roles).zip(&linked.includes) {
        let name = Quoted(&entry.id.name);
        if role.scopes.words().iter().all(|word| *word == 0) {
            warn(
                Code::RedundantRole,
                entry.id.span,
                format!("role {name} has no scopes"),
                "give it `scopes:`, or delete it",
            );
            continue;
        }
        let included = includes.iter().filter_map(|number| policy.roles.get(*number));
        if let Some(same) = included.into_iter().find(|included| included.scopes == role.scopes) {
            let message = format!("role {name} adds nothing to {}", quoted(&same.name));
            warn(
                Code::RedundantRole,
                entry.id.span,
                message,
                "give it more `scopes:`, or delete it",
            );
        }
    }
}

fn open_operations(policy: &Policy, document: &Document, warn: &mut Warn<'_>) {
    let entries = document.operations.iter();
    for (entry, operation) in entries
        .zip(&policy.operations)
        .filter(|(_, operation)| operation.is_open())
    {
        let what = format!("{} {}", operation.kind().as_str(), quoted(operation.name()));
        let message = format!("{what} is open to every authenticated caller");
        warn(
            Code::OpenTool,
            entry.requires.span,
            message,
            "name a scope if that is not meant",
        );
        if let Some(fallback) = &entry.owner_fallback {
            let message = format!("the owner fallback of {what} never applies");
            warn(
                Code::UnusedOwnerFallback,
                fallback.span,
                message,
                "every caller reaches `any` already",
            );
        }
    }
}
