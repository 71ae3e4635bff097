//! `mcp-policy`: checks, tries, explains and shows policy files, without a server.
//!
//! Exit codes: 0 = yes, 1 = the answer is no, 2 = usage or input/output, 3 = a file is not valid, 4 = nothing to do.

use std::{
    io::{ErrorKind, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use clap::{ColorChoice, Parser, Subcommand};

mod call;
mod caller;
mod check;
mod diff;
mod explain;
mod export;
mod files;
mod load;
mod matrix;
mod outcome;
mod paint;
mod replace;
mod schema;
mod test;

use outcome::Outcome;

/// Checks, tests, explains and shows the policy files of mcp-auth.
#[derive(Debug, Parser)]
#[command(name = "mcp-policy", version, after_help = EXIT_CODES)]
struct Cli {
    /// Colours in what is printed. `auto`: on a terminal, unless `NO_COLOR` is set.
    #[arg(long, global = true, value_name = "WHEN", default_value_t = ColorChoice::Auto)]
    color: ColorChoice,
    #[command(subcommand)]
    verb: Verb,
}

const EXIT_CODES: &str = "\
Exit codes: 0 yes, 1 the answer is no, 2 usage or input/output, 3 a file is not valid, 4 nothing to do.

`-` is standard input wherever a file is taken. `mcp-policy <COMMAND> --help` shows examples.";

const TEST_EXAMPLES: &str = "\
Examples:
  mcp-policy test
  mcp-policy test policies/todo.test.yaml";

#[derive(Debug, Subcommand)]
enum Verb {
    /// Reports every mistake and doubt in policy files.
    #[command(after_help = check::EXAMPLES)]
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
    #[command(after_help = TEST_EXAMPLES)]
    Test(test::Wanted),
    /// Explains one call: the forbids, the scopes, the owner, and what would allow it.
    #[command(after_help = explain::EXAMPLES)]
    Explain(explain::Args),
    /// Shows the whole policy as a table: who reaches what, by role and by scope.
    #[command(after_help = matrix::EXAMPLES)]
    Matrix(matrix::Args),
    /// Compares two policies: which callers reach further under the new one, and which less far.
    #[command(after_help = diff::EXAMPLES)]
    Diff(diff::Args),
    /// Prints a JSON Schema: editors complete and explain the keys of policies and test suites with it.
    #[command(after_help = schema::EXAMPLES)]
    Schema(schema::Args),
    /// Writes parts of a policy for other systems.
    #[command(subcommand, after_help = export::EXAMPLES)]
    Export(export::Part),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.color {
        ColorChoice::Auto => {}
        ColorChoice::Always => anstream::ColorChoice::Always.write_global(),
        ColorChoice::Never => anstream::ColorChoice::Never.write_global(),
    }
    let outcome = match cli.verb {
        Verb::Check {
            files,
            format,
            deny_warnings,
        } => check::run(&files, format, deny_warnings),
        Verb::Test(wanted) => test::run(wanted),
        Verb::Explain(args) => explain::run(&args),
        Verb::Matrix(args) => matrix::run(&args),
        Verb::Diff(args) => diff::run(&args),
        Verb::Schema(args) => schema::run(&args),
        Verb::Export(part) => export::run(&part),
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
