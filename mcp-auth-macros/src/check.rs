//! Compares one annotation with the policy file: names first, then who gets in.

use mcp_auth_policy::{Annotation, Looser, Operation, OperationKind, Policy, Reach};
use proc_macro2::Span;
use syn::LitStr;

use crate::{
    args::{Args, Requires},
    function::Name,
    policy_file::PolicyFile,
    report::Report,
};

/// How many declared names a message lists when none is near.
const MAX_NAMES: usize = 8;

/// Reports every way in which the annotation and the file disagree.
pub(crate) fn check(file: &PolicyFile, args: &Args, kind: OperationKind, name: &Name, report: &mut Report) {
    let unknown = check_scopes(file, args.requires.literals(), report);
    let Some((id, operation)) = file
        .policy
        .find(kind, &name.text)
        .and_then(|id| Some((id, file.policy.operation(id)?)))
    else {
        report.at(name.span, unknown_operation(file, kind, &name.text));
        return;
    };
    if unknown {
        return;
    }
    if let Requires::Open(span) = args.requires
        && !is_open(operation)
    {
        report.at(
            span,
            format!(
                "`none` lets every caller in, but {} requires scopes\nwrite those, or `requires: []` in the policy",
                place(file, operation.line())
            ),
        );
        return;
    }
    let alternatives = args.requires.alternatives();
    let alternatives: Vec<Vec<&str>> = alternatives
        .iter()
        .map(|scopes| scopes.iter().map(String::as_str).collect())
        .collect();
    let alternatives: Vec<&[&str]> = alternatives.iter().map(Vec::as_slice).collect();
    let annotation = Annotation {
        requires: &alternatives,
        owner_fallback: args.owner_fallback.is_some(),
    };
    if let Err(looser) = file.policy.compare(id, &annotation) {
        report.at(span_of(&args.requires), looser_message(file, &looser));
    }
}

/// Returns whether a literal is unknown to the policy.
fn check_scopes(file: &PolicyFile, literals: &[LitStr], report: &mut Report) -> bool {
    let mut unknown = false;
    for literal in literals {
        let scope = literal.value();
        if file.policy.scope(&scope).is_none() {
            unknown = true;
            let help = help(
                file.policy.suggest_scope(&scope),
                file.policy.scopes().map(|scope| scope.name()),
                "scopes",
            );
            report.at(
                literal.span(),
                format!("scope `{scope}` is not declared in {}\n{help}", file.shown),
            );
        }
    }
    unknown
}

fn unknown_operation(file: &PolicyFile, kind: OperationKind, name: &str) -> String {
    let policy: &Policy = &file.policy;
    let (one, key) = (kind.as_str(), kind.section());
    let help = help(
        policy.suggest_operation(kind, name),
        policy.operations(kind).map(Operation::name),
        key,
    );
    format!("{one} `{name}` is not under `{key}:` in {}\n{help}", file.shown)
}

/// Offers the nearest name, else the declared ones.
fn help<'a>(nearest: Option<&str>, declared: impl Iterator<Item = &'a str>, what: &str) -> String {
    if let Some(nearest) = nearest {
        return format!("did you mean `{nearest}`?");
    }
    let mut names: Vec<String> = declared.take(MAX_NAMES + 1).map(|name| format!("`{name}`")).collect();
    if names.is_empty() {
        return format!("no {what} are declared");
    }
    if names.len() > MAX_NAMES {
        names.truncate(MAX_NAMES);
        names.push("…".into());
    }
    format!("declared {what}: {}", names.join(", "))
}

fn is_open(operation: &Operation) -> bool {
    operation.requires().iter().all(Vec::is_empty)
}

fn looser_message(file: &PolicyFile, looser: &Looser) -> String {
    let caller = if looser.example_scopes.is_empty() {
        "a caller without scopes".to_owned()
    } else {
        let scopes: Vec<String> = looser.example_scopes.iter().map(|scope| format!("`{scope}`")).collect();
        format!("a caller with only {}", scopes.join(", "))
    };
    format!(
        "the policy reaches further than this annotation\n{} gives {caller} {}, the annotation {}\ntighten the policy or change the annotation",
        place(file, looser.line),
        reach(looser.policy_reach),
        reach(looser.annotation_reach)
    )
}

fn place(file: &PolicyFile, line: usize) -> String {
    format!("{}:{line}", file.shown)
}

fn reach(reach: Reach) -> &'static str {
    match reach {
        Reach::Deny => "nothing",
        Reach::Own => "its own objects",
        Reach::Any => "every object",
    }
}

fn span_of(requires: &Requires) -> Span {
    match requires {
        Requires::Open(span) => *span,
        Requires::All(literals) | Requires::Any(literals) => {
            literals.first().map_or_else(Span::call_site, LitStr::span)
        }
    }
}
