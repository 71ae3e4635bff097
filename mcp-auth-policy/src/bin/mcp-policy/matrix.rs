//! `mcp-policy matrix`: the whole policy as a table, printed or kept beside it.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

use mcp_auth_policy::{MatrixBy, OperationKind, Policy};

use crate::{
    files,
    load::{self, Loaded},
    outcome::Outcome,
    replace::replace,
};

mod html;
mod json;
mod markdown;
mod source;

pub(crate) const EXAMPLES: &str = "\
Examples:
  mcp-policy matrix policies/todo.yaml
  mcp-policy matrix policies/todo.yaml --format html
  mcp-policy matrix policies/todo.yaml --write
  mcp-policy matrix policies/todo.yaml --check";

/// Cells that tables may have.
const CELLS: usize = 200_000;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The policy; `-` is standard input.
    policy: PathBuf,
    /// One table only: by role, or by single scope.
    #[arg(long, value_enum)]
    by: Option<By>,
    /// How the tables are written.
    #[arg(long, value_enum, default_value_t = Format::Md)]
    format: Format,
    /// Exits 1 unless `<policy>.matrix.md` beside the policy says what the policy says.
    #[arg(long, conflicts_with_all = ["by", "format", "write"])]
    check: bool,
    /// Writes `<policy>.matrix.md` beside the policy.
    #[arg(long, conflicts_with_all = ["by", "format"])]
    write: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum By {
    /// One column for each role.
    Role,
    /// One column for a caller without scopes, and for each single scope.
    Scope,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    /// Markdown.
    Md,
    /// One JSON object.
    Json,
    /// A page for people that needs no other file.
    Html,
}

pub(crate) fn run(args: &Args) -> Outcome {
    let mut outcome = Outcome::default();
    let Some(loaded) = load::policy(&args.policy, &mut outcome) else {
        return outcome;
    };
    let tables = match args.by {
        None => &[MatrixBy::Role, MatrixBy::Scope][..],
        Some(By::Role) => &[MatrixBy::Role],
        Some(By::Scope) => &[MatrixBy::Scope],
    };
    let cells: usize = tables.iter().map(|by| cells(&loaded.policy, *by)).sum();
    if cells > CELLS {
        let help = "a person reads no such table; take `--by role`, or split the policy";
        outcome.complain(format!("these tables would have {cells} cells; {help}"));
        return outcome;
    }
    match args {
        Args { check: true, .. } => check(&args.policy, &loaded, &mut outcome),
        Args { write: true, .. } => write(&args.policy, &loaded, &mut outcome),
        Args { format, .. } => match format {
            Format::Md => outcome.text = markdown::print(&loaded.policy, tables),
            Format::Json => outcome.json(&json::document(&loaded.policy, tables)),
            Format::Html => outcome.text = html::print(&loaded, tables),
        },
    }
    outcome
}

fn cells(policy: &Policy, by: MatrixBy) -> usize {
    let rows = OperationKind::ALL
        .into_iter()
        .map(|kind| policy.operations(kind).count())
        .sum::<usize>();
    rows * match by {
        MatrixBy::Role => policy.roles().count(),
        MatrixBy::Scope => policy.scopes().count() + 1,
    }
}

/// The golden table of a policy.
fn golden(policy: &Path) -> PathBuf {
    policy.with_extension("matrix.md")
}

fn print_golden(loaded: &Loaded) -> String {
    markdown::print(&loaded.policy, &[MatrixBy::Role, MatrixBy::Scope])
}

fn write(policy: &Path, loaded: &Loaded, outcome: &mut Outcome) {
    if files::is_standard_input(policy) {
        return outcome.complain("there is no place beside standard input; name the policy's file");
    }
    let file = golden(policy);
    let text = print_golden(loaded);
    // A table that is there already is replaced wholly or not at all.
    let written = match replace(&file, &text) {
        Err(error) if error.kind() == ErrorKind::NotFound => files::write(&file, &text),
        result => result,
    };
    match written {
        Ok(()) => outcome.line(format!("wrote {}", file.display())),
        Err(error) => outcome.complain(format!("cannot write `{}`: {error}", file.display())),
    }
}

fn check(policy: &Path, loaded: &Loaded, outcome: &mut Outcome) {
    if files::is_standard_input(policy) {
        return outcome.complain("there is no table beside standard input; name the policy's file");
    }
    let file = golden(policy);
    let name = file.display();
    let kept = match files::read(&file) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).replace("\r\n", "\n"),
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return outcome.complain(format!("cannot read `{name}`: {error}")),
    };
    let current = print_golden(loaded);
    if kept == current {
        return outcome.line(format!("{name}  {}", crate::paint::good("ok")));
    }
    outcome.failed = true;
    let difference = similar::TextDiff::from_lines(kept.as_str(), current.as_str());
    let mut difference = difference.unified_diff();
    difference
        .context_radius(1)
        .header(&format!("{name}"), "what the policy says");
    outcome.text.push_str(&difference.to_string());
    outcome.line(format!("{name}  {}", crate::paint::error("stale")));
    outcome.line(format!(
        "rewrite it with: mcp-policy matrix {} --write",
        policy.display()
    ));
}
