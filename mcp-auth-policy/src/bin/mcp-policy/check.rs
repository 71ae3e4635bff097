//! `mcp-policy check`: every mistake and doubt of every file, and one line for each good one.

use std::path::{Path, PathBuf};

use mcp_auth_policy::{Diagnostic, OperationKind, Policy, to_github, to_json};

use crate::{
    files::{self, Wanted},
    outcome::Outcome,
    paint,
};

pub(crate) const EXAMPLES: &str = "\
Examples:
  mcp-policy check
  mcp-policy check policies/todo.yaml --deny-warnings
  mcp-policy check policies --format json";

/// How findings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people: source line, underline and help.
    Human,
    /// One JSON array of all findings.
    Json,
    /// Workflow commands, which GitHub shows at their lines.
    Github,
}

/// What the files hold.
#[derive(Default)]
struct Found {
    diagnostics: Vec<Diagnostic>,
    errors: usize,
    warnings: usize,
}

pub(crate) fn run(named: &[PathBuf], format: Format, deny_warnings: bool) -> Outcome {
    let mut outcome = Outcome::default();
    let mut found = Found::default();
    for file in files::collect(named, Wanted::Policies, &mut outcome) {
        match files::read(&file) {
            Ok(bytes) => judge(&file, &bytes, format, &mut found, &mut outcome),
            Err(error) => outcome.complain(format!("cannot read `{}`: {error}", files::shown(&file))),
        }
    }
    outcome.failed |= deny_warnings && found.warnings > 0;
    match format {
        Format::Json => outcome.line(to_json(&found.diagnostics)),
        Format::Github => outcome.text.push_str(&to_github(&found.diagnostics)),
        Format::Human if found.errors + found.warnings > 0 => {
            let warnings = count(found.warnings, "warning");
            outcome.line(format!("{}, {warnings}", count(found.errors, "error")));
        }
        Format::Human if outcome.is_good() => outcome.line(paint::good("ok")),
        Format::Human => {}
    }
    outcome
}

fn judge(file: &Path, bytes: &[u8], format: Format, found: &mut Found, outcome: &mut Outcome) {
    outcome.files += 1;
    let human = format == Format::Human;
    match Policy::loader().file_name(files::shown(file)).parse_bytes(bytes) {
        Ok(policy) => {
            found.warnings += policy.warnings().len();
            found.diagnostics.extend_from_slice(policy.warnings());
            if human {
                outcome.text.extend(policy.warnings().iter().map(paint::diagnostic));
                outcome.line(summary(&policy));
            }
        }
        Err(errors) => {
            found.errors += errors.count();
            found.diagnostics.extend_from_slice(errors.diagnostics());
            outcome.invalid = true;
            if human {
                outcome.text.push_str(&paint::errors(&errors));
            }
        }
    }
}

/// One line: file, name, the first 12 digits of the revision, counts.
fn summary(policy: &Policy) -> String {
    let revision: String = policy.revision().chars().take(12).collect();
    let counts: Vec<String> = [
        (policy.scopes().count(), "scope"),
        (policy.roles().count(), "role"),
        (policy.object_count(), "object"),
        (policy.operations(OperationKind::Tool).count(), "tool"),
        (policy.operations(OperationKind::Prompt).count(), "prompt"),
        (policy.operations(OperationKind::Resource).count(), "resource"),
        (policy.operations(OperationKind::Operation).count(), "operation"),
        (policy.forbids().count(), "forbid"),
    ]
    .into_iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, what)| count(number, what))
    .collect();
    format!(
        "{}  {}  {revision}  {}",
        policy.file_name(),
        policy.name(),
        counts.join(", ")
    )
}

fn count(number: usize, what: &str) -> String {
    if number == 1 {
        format!("1 {what}")
    } else {
        format!("{number} {what}s")
    }
}
