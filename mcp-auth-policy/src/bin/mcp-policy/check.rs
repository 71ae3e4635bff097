//! `mcp-policy check`: every mistake and doubt of every file, and one line for each good one.

use std::path::{Path, PathBuf};

use mcp_auth_policy::{OperationKind, Policy};

use crate::{
    files::{self, Wanted},
    outcome::Outcome,
    paint,
};

pub(crate) fn run(named: &[PathBuf]) -> Outcome {
    let mut outcome = Outcome::default();
    let (mut errors, mut warnings) = (0, 0);
    for file in files::collect(named, Wanted::Policies, &mut outcome) {
        match files::read(&file) {
            Ok(bytes) => judge(&file, &bytes, &mut errors, &mut warnings, &mut outcome),
            Err(error) => outcome.complain(format!("cannot read `{}`: {error}", file.display())),
        }
    }
    if errors + warnings > 0 {
        outcome.line(format!("{}, {}", count(errors, "error"), count(warnings, "warning")));
    } else if outcome.is_good() {
        outcome.line(paint::good("ok"));
    }
    outcome
}

fn judge(file: &Path, bytes: &[u8], errors: &mut usize, warnings: &mut usize, outcome: &mut Outcome) {
    outcome.files += 1;
    match Policy::loader()
        .file_name(file.display().to_string())
        .parse_bytes(bytes)
    {
        Ok(policy) => {
            *warnings += policy.warnings().len();
            outcome.text.extend(policy.warnings().iter().map(paint::diagnostic));
            outcome.line(summary(&policy));
        }
        Err(found) => {
            *errors += found.count();
            outcome.invalid = true;
            outcome.text.push_str(&paint::errors(&found));
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
