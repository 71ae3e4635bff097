//! `mcp-auth`: looks at what surrounds a server that `mcp-auth` protects.
//!
//! Exit codes: 0 = yes, 1 = the answer is no, 2 = usage or input/output, 3 = there is nothing that could be judged.

use std::{
    io::{ErrorKind, Write as _},
    process::ExitCode,
};

use clap::{Parser, Subcommand};

mod doctor;
mod text;

/// Looks at what surrounds an MCP server that mcp-auth protects.
#[derive(Debug, Parser)]
#[command(name = "mcp-auth", version, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

const EXIT_CODES: &str = "\
Exit codes: 0 yes, 1 the answer is no, 2 usage or input/output, 3 nothing that could be judged.

`mcp-auth <COMMAND> --help` shows examples.";

#[derive(Debug, Subcommand)]
enum Verb {
    /// Examines a live issuer: what works with MCP clients, what does not, and what to change at the provider.
    #[command(after_help = doctor::AFTER_HELP)]
    Doctor(doctor::Args),
}

/// What a verb has to say, and its exit code.
#[derive(Debug)]
struct Outcome {
    /// For standard output.
    text: String,
    /// For standard error.
    complaint: Option<String>,
    code: u8,
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().verb {
        Verb::Doctor(args) => doctor::run(&args),
    };
    let printed = std::io::stdout().write_all(outcome.text.as_bytes());
    let complaint = outcome.complaint.map(|complaint| format!("error: {complaint}\n"));
    let complained = std::io::stderr().write_all(complaint.unwrap_or_default().as_bytes());
    match printed.and(complained) {
        // A reader that goes away early does not change the answer.
        Err(error) if error.kind() != ErrorKind::BrokenPipe => ExitCode::from(2),
        _ => ExitCode::from(outcome.code),
    }
}
