//! The tables as one page for people. It needs no other file and no script, and every text from the policy is escaped.

use mcp_auth_policy::{Because, MatrixBy, MatrixCell, Operation, OperationKind, Policy, Reach};

use super::source;
use crate::{call, load::Loaded};

const STYLE: &str = include_str!("page.css");

pub(super) fn print(loaded: &Loaded, tables: &[MatrixBy]) -> String {
    let policy = &loaded.policy;
    let name = escape(policy.name());
    let tables: String = tables.iter().map(|by| section(loaded, *by)).collect();
    let revision: String = policy.revision().chars().take(12).collect();
    format!(
        "<!doctype html>\n\
         <html lang=\"en\">\n\
         <head>\n\
         <meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{name}: who may do what</title>\n\
         <style>\n{STYLE}</style>\n\
         </head>\n\
         <body>\n\
         <header>\n\
         <h1><span>Who may do what</span> {name}</h1>\n\
         {LEGEND}{hint}\
         </header>\n\
         <main>\n\
         {tables}{forbids}{source}\
         </main>\n\
         <footer>\n\
         <p>Made from <code>{file}</code>, revision <code title=\"{full}\">{revision}</code>, by mcp-policy {version}.</p>\n\
         </footer>\n\
         </body>\n\
         </html>\n",
        hint = hint(policy),
        forbids = forbids(policy),
        source = source::section(loaded),
        file = escape(policy.file_name()),
        full = policy.revision(),
        version = env!("CARGO_PKG_VERSION"),
    )
}

const LEGEND: &str = "\
<dl class=\"legend\">\n\
<div><dt class=\"any\"><i></i>any</dt><dd>every object</dd></div>\n\
<div><dt class=\"own\"><i></i>own</dt><dd>only the caller’s own objects</dd></div>\n\
<div><dt class=\"deny\"><i></i>deny</dt><dd>nothing</dd></div>\n\
</dl>\n";

fn hint(policy: &Policy) -> String {
    let marks = match policy.forbids().next() {
        Some(_) => "A small number is a forbid that may turn the answer into deny. ",
        None => "",
    };
    format!(
        "<p class=\"hint\">Point at an answer to see the rule that decides, follow it to the policy. {marks}What is not listed is denied to \
         everybody.</p>\n"
    )
}

fn section(loaded: &Loaded, by: MatrixBy) -> String {
    let policy = &loaded.policy;
    let (id, title, about) = match by {
        MatrixBy::Role => (
            "by-role",
            "By role",
            "What a caller may do with the token that the authorization server issues for the role.",
        ),
        MatrixBy::Scope if policy.reads_roles() => (
            "by-scope",
            "By scope",
            "What a caller may do who holds this scope alone, with what it implies. Roles decide which scopes of a token count: a caller holds what \
             they leave.",
        ),
        MatrixBy::Scope => (
            "by-scope",
            "By scope",
            "What a caller may do who holds this scope alone, with what it implies.",
        ),
    };
    let matrix = policy.matrix(by);
    if matrix.columns.is_empty() {
        return format!("<section>\n<h2 id=\"{id}\">{title}</h2>\n<p>The policy declares no roles.</p>\n</section>\n");
    }
    let head: String = (matrix.columns.iter())
        .map(|column| format!("<th scope=\"col\">{}</th>", head(policy, by, *column)))
        .collect();
    let mut groups = String::new();
    for kind in OperationKind::ALL {
        let rows: Vec<_> = matrix.rows.iter().filter(|row| row.kind == kind).collect();
        if rows.is_empty() {
            continue;
        }
        let span = matrix.columns.len() + 1;
        let label = title_case(kind.section());
        groups.push_str(&format!(
            "<tbody>\n<tr class=\"group\"><th scope=\"rowgroup\" colspan=\"{span}\"><span>{label}</span></th></tr>\n"
        ));
        for (row, operation) in rows.iter().zip(policy.operations(kind)) {
            let cells: String = row.cells.iter().map(|answer| cell(loaded, answer)).collect();
            groups.push_str(&format!(
                "<tr><th scope=\"row\">{}</th>{cells}</tr>\n",
                row_head(operation)
            ));
        }
        groups.push_str("</tbody>\n");
    }
    format!(
        "<section>\n<h2 id=\"{id}\">{title}</h2>\n\
         <div class=\"scroll\" role=\"region\" aria-labelledby=\"{id}\" tabindex=\"0\">\n\
         <table>\n<caption><span>{about}</span></caption>\n\
         <thead>\n<tr><td></td>{head}</tr>\n</thead>\n{groups}</table>\n</div>\n</section>\n"
    )
}

/// The head of a column: a role with its scopes, or a scope with its description.
fn head(policy: &Policy, by: MatrixBy, column: Option<&str>) -> String {
    let (name, about) = match (by, column) {
        (_, None) => ("no scope".to_owned(), "a caller who holds none".to_owned()),
        (MatrixBy::Role, Some(role)) => {
            let scopes = policy.scopes_of_role(role).unwrap_or_default();
            (escape(role), codes(scopes, ", "))
        }
        (MatrixBy::Scope, Some(scope)) => {
            let about = policy.scope(scope).and_then(|scope| scope.about());
            (code(scope), about.map(escape).unwrap_or_default())
        }
    };
    format!("{name}<small>{about}</small>")
}

/// The head of a row: the operation and what it requires.
fn row_head(operation: &Operation) -> String {
    let alternatives: Vec<String> = (operation.requires().iter()).map(|all| codes(all, " and ")).collect();
    let requires = match operation.requires() {
        [only] if only.is_empty() => "open to every authenticated caller".to_owned(),
        _ => format!("requires {}", alternatives.join(" or ")),
    };
    let owner = match (operation.owner_fallback(), operation.object()) {
        (Some([]), Some(object)) => format!(", or to own the {}", escape(object)),
        (Some(scopes), Some(object)) => format!(", or to own the {} and {}", escape(object), codes(scopes, " and ")),
        _ => String::new(),
    };
    format!("{}<small>{requires}{owner}</small>", code(operation.name()))
}

fn codes(names: impl IntoIterator<Item = impl AsRef<str>>, separator: &str) -> String {
    let codes: Vec<String> = names.into_iter().map(|name| code(name.as_ref())).collect();
    codes.join(separator)
}

/// Writes a name as code that may be broken after its punctuation.
fn code(name: &str) -> String {
    let mut html = String::from("<code>");
    for part in name.split_inclusive([':', '/', '.', '-', '_']) {
        if html.len() > "<code>".len() {
            html.push_str("<wbr>");
        }
        html.push_str(&escape(part));
    }
    html.push_str("</code>");
    html
}

fn cell(loaded: &Loaded, cell: &MatrixCell) -> String {
    let (policy, reach) = (&loaded.policy, cell.decision.reach.as_str());
    let line = cell.line;
    let mut rule = format!(
        "{}\n{}:{line}\n{}",
        meaning(policy, cell),
        policy.file_name(),
        loaded.line(line)
    );
    let mut marks = Vec::new();
    for id in &cell.depends_on {
        let Some(forbid) = policy.forbid(*id) else { continue };
        let (number, at) = (id.place(), forbid.line());
        rule.push_str(&format!(
            "\ndeny where forbid `{}` applies ({}:{at})",
            forbid.id(),
            policy.file_name()
        ));
        marks.push(format!(
            "<a href=\"#forbid-{number}\" title=\"{}\">{number}</a>",
            escape(&format!(
                "deny where forbid `{}` applies\n{}",
                forbid.id(),
                policy.describe_forbid(forbid)
            ))
        ));
    }
    let marks = match marks.is_empty() {
        true => String::new(),
        false => format!("<sup>{}</sup>", marks.join(",")),
    };
    format!(
        "<td class=\"{reach}\"><a href=\"#L{line}\" title=\"{}\"><i></i>{reach}</a>{marks}</td>",
        escape(&rule)
    )
}

/// Says an answer and its reason in one sentence.
fn meaning(policy: &Policy, cell: &MatrixCell) -> String {
    match (cell.decision.reach, cell.decision.because) {
        (_, Because::Forbidden(id)) => {
            let id = policy.forbid(id).map(|forbid| forbid.id()).unwrap_or_default();
            format!("deny: forbid `{id}` applies")
        }
        (_, Because::Open) => "any: open to every authenticated caller".to_owned(),
        (Reach::Any, _) => "any: the required scopes are held".to_owned(),
        (Reach::Own, _) => "own: the required scopes are missing, but an owner may".to_owned(),
        (Reach::Deny, _) => "deny: the required scopes are missing".to_owned(),
    }
}

fn forbids(policy: &Policy) -> String {
    let items: String = (policy.forbids_with_ids())
        .map(|(id, forbid)| {
            let targets: Vec<String> = (policy.forbid_targets(id))
                .map(|operation| code(&call::written(operation.kind(), operation.name())))
                .collect();
            let targets = match forbid.is_for_everything() {
                true => "everything".to_owned(),
                false => targets.join(", "),
            };
            let message = forbid.message().map(|message| format!("<q>{}</q>", escape(message)));
            let (number, line) = (id.place(), forbid.line());
            format!(
                "<li id=\"forbid-{number}\"><a href=\"#L{line}\"><code>{}</code></a> denies {targets} {} {}</li>\n",
                escape(forbid.id()),
                in_code(&policy.describe_forbid(forbid)),
                message.unwrap_or_default(),
            )
        })
        .collect();
    if items.is_empty() {
        return String::new();
    }
    format!(
        "<section>\n<h2 id=\"forbids\">Forbids</h2>\n\
         <p>A forbid beats every grant. An answer with its number is <em>deny</em> where it applies.</p>\n\
         <ol>\n{items}</ol>\n</section>\n"
    )
}

/// Escapes a text whose names are in backticks, and makes those code.
fn in_code(text: &str) -> String {
    let mut html = String::new();
    for (number, part) in text.split('`').enumerate() {
        match number % 2 {
            0 => html.push_str(&escape(part)),
            _ => html.push_str(&format!("<code>{}</code>", escape(part))),
        }
    }
    html
}

fn title_case(word: &str) -> String {
    let mut characters = word.chars();
    let first = characters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}

/// Escapes a text for content and for attribute values.
pub(super) fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '\n' => html.push_str("&#10;"),
            c => html.push(c),
        }
    }
    html
}
