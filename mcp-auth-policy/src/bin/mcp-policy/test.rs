//! `mcp-policy test`: runs suites, each against the policy that it names.

use std::path::{Path, PathBuf};

use mcp_auth_policy::{
    Policy, PolicyErrors,
    suite::{Report, SuiteFile},
};

use crate::{
    files::{self, Wanted},
    outcome::Outcome,
    paint,
};

/// Why a suite did not run.
enum NotRun {
    Unreadable(String),
    Invalid(PolicyErrors),
}

impl From<PolicyErrors> for NotRun {
    fn from(errors: PolicyErrors) -> Self {
        Self::Invalid(errors)
    }
}

pub(crate) fn run(named: &[PathBuf]) -> Outcome {
    let mut outcome = Outcome::default();
    for file in files::collect(named, Wanted::Suites, &mut outcome) {
        outcome.files += 1;
        match run_file(&file) {
            Ok(report) => show(&report, &mut outcome),
            Err(NotRun::Unreadable(complaint)) => outcome.complain(complaint),
            Err(NotRun::Invalid(errors)) => {
                outcome.invalid = true;
                outcome.text.push_str(&paint::errors(&errors));
                outcome.line(format!("{}  {}", file.display(), paint::error("not run")));
            }
        }
    }
    if outcome.is_good() {
        outcome.line(paint::good("ok"));
    } else if outcome.failed {
        outcome.line(paint::error("failed"));
    }
    outcome
}

fn run_file(file: &Path) -> Result<Report, NotRun> {
    let bytes = read(file, "")?;
    let suite = SuiteFile::parse_bytes(file.display().to_string(), &bytes)?;
    let policy_file = file.parent().unwrap_or(Path::new("")).join(suite.policy_path());
    let bytes = read(&policy_file, &format!(", the policy of `{}`", file.display()))?;
    let policy = Policy::loader()
        .file_name(policy_file.display().to_string())
        .parse_bytes(&bytes)?;
    Ok(suite.with_policy(&policy)?.run())
}

fn read(file: &Path, what: &str) -> Result<Vec<u8>, NotRun> {
    files::read(file).map_err(|error| NotRun::Unreadable(format!("cannot read `{}`{what}: {error}", file.display())))
}

fn show(report: &Report, outcome: &mut Outcome) {
    for failure in report.failures() {
        let text = failure.to_string();
        let painted = text
            .strip_prefix("FAILED")
            .map(|rest| format!("{}{rest}", paint::error("FAILED")));
        outcome.line(painted.unwrap_or(text));
        outcome.line("");
    }
    outcome.failed |= !report.is_ok();
    outcome.line(report.summary());
}
