//! The tables as Markdown: what is kept beside a policy, so that reviewers see each changed permission as a changed cell.

use std::collections::HashMap;

use mcp_auth_policy::{Because, ForbidId, MatrixBy, MatrixCell, Policy};

use crate::call;

/// Columns are as wide as a multiple of this, so that one longer name does not move every row.
const STEP: usize = 4;

/// The labels of footnotes.
type Marks = HashMap<ForbidId, String>;

pub(super) fn print(policy: &Policy, tables: &[MatrixBy]) -> String {
    let file = policy.file_name().rsplit(['/', '\\']).next().unwrap_or_default();
    let mut text = format!(
        "# Who may do what: {}\n\n\
         <!-- Do not edit. `mcp-policy matrix {} --write` writes these tables, `--check` finds them stale. -->\n\n\
         `any` = every object, `own` = only the caller's own objects, `deny` = nothing. What is not listed is denied to everybody.\n",
        code(policy.name()),
        file.replace("--", "- -"),
    );
    let marks = marks(policy);
    for by in tables {
        text.push_str(&table(policy, *by, &marks));
    }
    if !marks.is_empty() {
        text.push_str(
            "\n## Forbids\n\nA forbid beats every grant. A cell that is marked with one is `deny` where it applies.\n\n",
        );
    }
    for (id, forbid) in policy.forbids_with_ids() {
        let targets: Vec<String> = (policy.forbid_targets(id))
            .map(|operation| code(&call::written(operation.kind(), operation.name())))
            .collect();
        let targets = match forbid.is_for_everything() {
            true => "everything".to_owned(),
            false => targets.join(", "),
        };
        let mark = marks.get(&id).map(String::as_str).unwrap_or_default();
        let conditions = policy.describe_forbid(forbid);
        text.push_str(&format!(
            "[^{mark}]: {} denies {targets} {conditions}.\n",
            code(forbid.id())
        ));
    }
    text
}

fn table(policy: &Policy, by: MatrixBy, marks: &Marks) -> String {
    let (title, about) = match by {
        MatrixBy::Role => (
            "By role",
            "A caller with the token that the authorization server issues for the role.",
        ),
        MatrixBy::Scope if policy.reads_roles() => (
            "By scope",
            "A caller who holds this scope alone, with what it implies. Roles decide which scopes of a token count: a caller holds what they leave.",
        ),
        MatrixBy::Scope => ("By scope", "A caller who holds this scope alone, with what it implies."),
    };
    let matrix = policy.matrix(by);
    if matrix.columns.is_empty() {
        return format!("\n## {title}\n\nThe policy declares no roles.\n");
    }
    let head = matrix
        .columns
        .iter()
        .map(|column| column.map_or("no scope".to_owned(), code));
    let mut rows = vec![std::iter::once(String::new()).chain(head).collect::<Vec<_>>()];
    for row in &matrix.rows {
        let name = code(&call::written(row.kind, row.name));
        let cells = row.cells.iter().map(|answer| cell(answer, marks));
        rows.push(std::iter::once(name).chain(cells).collect());
    }
    // A bar would end the cell, in code too.
    rows.iter_mut()
        .flatten()
        .for_each(|text| *text = text.replace('|', "\\|"));
    let widths: Vec<usize> = (0..=matrix.columns.len())
        .map(|column| {
            let texts = rows.iter().filter_map(|row| row.get(column));
            let widest = texts.map(|text| text.chars().count()).max().unwrap_or_default();
            widest.div_ceil(STEP) * STEP
        })
        .collect();
    let mut text = format!("\n## {title}\n\n{about}\n\n");
    for (number, row) in rows.iter().enumerate() {
        for (cell, width) in row.iter().zip(&widths) {
            text.push_str(&format!("| {cell:width$} "));
        }
        text.push_str("|\n");
        if number == 0 {
            widths
                .iter()
                .for_each(|width| text.push_str(&format!("|{}", "-".repeat(width + 2))));
            text.push_str("|\n");
        }
    }
    text
}

fn cell(cell: &MatrixCell, marks: &Marks) -> String {
    let mut text = cell.decision.reach.as_str().to_owned();
    let decisive = match cell.decision.because {
        Because::Forbidden(id) => Some(id),
        _ => None,
    };
    let forbids = cell.depends_on.iter().copied().chain(decisive);
    for mark in forbids.filter_map(|id| marks.get(&id)) {
        text.push_str(&format!(" [^{mark}]"));
    }
    text
}

/// Labels each forbid by its id, or by its place where Markdown could not read the id as a label.
fn marks(policy: &Policy) -> Marks {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let marks = policy
        .forbids_with_ids()
        .map(|(id, forbid)| match forbid.id().chars().all(plain) {
            true => (id, forbid.id().to_owned()),
            false => (id, format!("forbid-{}", id.place())),
        });
    marks.collect()
}

/// Writes a name as code, so that nothing in it is markup.
fn code(name: &str) -> String {
    let longest = name.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest + 1);
    match longest {
        0 => format!("`{name}`"),
        _ => format!("{fence} {name} {fence}"),
    }
}
