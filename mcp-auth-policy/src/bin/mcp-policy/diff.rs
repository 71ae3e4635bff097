//! `mcp-policy diff`: who reaches further under a new policy, and who less far.

use std::path::{Path, PathBuf};

use mcp_auth_policy::{Diff, Policy};

use crate::{files, outcome::Outcome, paint};

pub(crate) const EXAMPLES: &str = "\
Examples:
  mcp-policy diff old.yaml policies/todo.yaml
  git show main:policies/todo.yaml > old.yaml && mcp-policy diff old.yaml policies/todo.yaml --deny-widening

Exit codes: 0 compared, 1 with `--deny-widening` if somebody reaches further, 2 usage or input/output, 3 a file is not valid.";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The policy as it was.
    old: PathBuf,
    /// The policy as it is to be.
    new: PathBuf,
    /// Exits 1 if somebody reaches further, or if that cannot be ruled out.
    #[arg(long)]
    deny_widening: bool,
    /// How the changes are written.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people: one line for each class of callers, and an example of each that reaches further.
    Human,
    /// One JSON object.
    Json,
}

pub(crate) fn run(args: &Args) -> Outcome {
    let mut outcome = Outcome::default();
    let (old, new) = (load(&args.old, &mut outcome), load(&args.new, &mut outcome));
    let (Some(old), Some(new)) = (old, new) else {
        return outcome;
    };
    let diff = new.diff(&old);
    outcome.failed = args.deny_widening && diff.widens();
    match args.format {
        Format::Human => outcome.line(painted(&diff)),
        Format::Json => outcome.line(diff.to_json()),
    }
    outcome
}

/// Loads a policy. Its mistakes go to standard error: standard output belongs to the changes.
fn load(file: &Path, outcome: &mut Outcome) -> Option<Policy> {
    outcome.files += 1;
    let name = file.display().to_string();
    let bytes = match files::read(file) {
        Ok(bytes) => bytes,
        Err(error) => {
            outcome.complain(format!("cannot read `{name}`: {error}"));
            return None;
        }
    };
    match Policy::loader().file_name(name).parse_bytes(&bytes) {
        Ok(policy) => Some(policy),
        Err(errors) => {
            outcome.invalid = true;
            outcome.complaints.push_str(&paint::errors(&errors));
            None
        }
    }
}

fn painted(diff: &Diff) -> String {
    let text = diff.to_string();
    let lines = text.lines().map(|line| {
        let wider = line.strip_prefix("WIDER").map(|rest| (paint::error("WIDER"), rest));
        let narrower = line
            .strip_prefix("NARROWER")
            .map(|rest| (paint::good("NARROWER"), rest));
        match wider.or(narrower) {
            Some((word, rest)) => format!("{word}{rest}"),
            None => line.to_owned(),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}
