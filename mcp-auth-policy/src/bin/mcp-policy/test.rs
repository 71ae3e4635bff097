//! `mcp-policy test`: runs suites, each against the policy that it names.

use std::path::{Path, PathBuf};

use mcp_auth_policy::{
    Policy, PolicyErrors,
    suite::{ChangedRow, Filter, Report, SuiteFile},
};

use crate::{files, outcome::Outcome, paint, replace::replace};

/// What to run.
#[derive(Debug, clap::Args)]
pub(crate) struct Wanted {
    /// Suites, or folders: every `*.test.yaml` in them.
    #[arg(default_value = "policies")]
    files: Vec<PathBuf>,
    /// Runs only some tests: `tool=delete-todo`, `as=alice`, `name=part of a name`, or several of them with commas between.
    #[arg(long, value_name = "KEY=VALUE,…")]
    filter: Vec<Filter>,
    /// Writes what the policy answers into the cells of the matrix, and shows the rows that it changes.
    #[arg(long, conflicts_with = "filter")]
    update: bool,
}

/// Why a suite did not run.
enum NotRun {
    Unreadable(String),
    Invalid(PolicyErrors),
}

/// A suite's report, and the rows that were written anew.
struct Ran {
    report: Report,
    changed: Vec<ChangedRow>,
}

impl From<PolicyErrors> for NotRun {
    fn from(errors: PolicyErrors) -> Self {
        Self::Invalid(errors)
    }
}

pub(crate) fn run(wanted: Wanted) -> Outcome {
    let mut outcome = Outcome::default();
    let filter = wanted.filter.into_iter().reduce(|mut filter, more| {
        filter.extend(more);
        filter
    });
    let mut suites = 0;
    for file in files::collect(&wanted.files, files::Wanted::Suites, &mut outcome) {
        suites += 1;
        match run_file(&file, filter.as_ref(), wanted.update) {
            Ok(ran) => show(&file, &ran, &mut outcome),
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
    } else if suites > 0 && outcome.exit_code() == 4 {
        outcome.complaints.push_str("the filter fits no test\n");
    }
    outcome
}

fn run_file(file: &Path, filter: Option<&Filter>, update: bool) -> Result<Ran, NotRun> {
    let name = file.display().to_string();
    let bytes = read(file, "")?;
    let mut suite = SuiteFile::parse_bytes(&name, &bytes)?;
    let policy_file = file.parent().unwrap_or(Path::new("")).join(suite.policy_path());
    let bytes = read(&policy_file, &format!(", the policy of `{name}`"))?;
    let policy = Policy::loader()
        .file_name(policy_file.display().to_string())
        .parse_bytes(&bytes)?;
    let mut changed = Vec::new();
    if update {
        let updated = suite.updated(&policy)?;
        if !updated.rows.is_empty() {
            let written = replace(file, &updated.text);
            written.map_err(|error| NotRun::Unreadable(format!("cannot write `{name}`: {error}")))?;
        }
        suite = SuiteFile::parse(&name, updated.text)?;
        changed = updated.rows;
    }
    let suite = suite.with_policy(&policy)?;
    let report = filter.map_or_else(|| suite.run(), |filter| suite.run_only(filter));
    Ok(Ran { report, changed })
}

fn read(file: &Path, what: &str) -> Result<Vec<u8>, NotRun> {
    files::read(file).map_err(|error| NotRun::Unreadable(format!("cannot read `{}`{what}: {error}", file.display())))
}

fn show(file: &Path, ran: &Ran, outcome: &mut Outcome) {
    for row in &ran.changed {
        outcome.line(format!("updated {}:{}", file.display(), row.line));
        outcome.line(paint::error(&format!("-{}", row.old)));
        outcome.line(paint::good(&format!("+{}", row.new)));
    }
    let report = &ran.report;
    if report.is_empty() {
        return;
    }
    outcome.files += 1;
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
    report.notes().iter().for_each(|note| outcome.line(format!("  {note}")));
}
