//! `mcp-policy`: checks policy files and runs their test suites, without a server.
//!
//! Exit codes: 0 = yes, 1 = a test failed or a warning was denied, 2 = usage or input/output, 3 = a file is not valid, 4 = nothing to do.

use std::{
    io::{ErrorKind, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Parser, Subcommand};

mod check;
mod files;
mod outcome;
mod paint;
mod replace;
mod test;

use outcome::Outcome;

/// Checks policy files of mcp-auth and runs their test suites.
#[derive(Debug, Parser)]
#[command(name = "mcp-policy", version, about, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

const EXIT_CODES: &str = "Exit codes: 0 yes, 1 a test failed or a warning was denied, 2 usage or input/output, 3 a file is not valid, 4 nothing to do.";

#[derive(Debug, Subcommand)]
enum Verb {
    /// Reports every mistake and doubt in policy files.
    Check {
        /// Policy files, or folders: every `*.yaml` in them that is no `*.test.yaml`.
        #[arg(default_value = "policies")]
        files: Vec<PathBuf>,
        /// How findings are written.
        #[arg(long, value_enum, default_value_t = check::Format::Human)]
        format: check::Format,
        /// Exits 1 if there is a warning.
        #[arg(long)]
        deny_warnings: bool,
    },
    /// Runs test suites: everything that each of them says about its policy.
    Test(test::Wanted),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().verb {
        Verb::Check {
            files,
            format,
            deny_warnings,
        } => check::run(&files, format, deny_warnings),
        Verb::Test(wanted) => test::run(wanted),
    };
    finish(outcome)
}

/// Prints a whole outcome at once: a reader that goes away early changes neither the answer nor the exit code.
fn finish(outcome: Outcome) -> ExitCode {
    let code = outcome.exit_code();
    // Both streams drop colours unless they are terminals, and under `NO_COLOR`.
    let printed = anstream::stdout().write_all(outcome.text.as_bytes());
    let complained = anstream::stderr().write_all(outcome.complaints.as_bytes());
    match printed.and(complained) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => ExitCode::from(2),
        _ => ExitCode::from(code),
    }
}
