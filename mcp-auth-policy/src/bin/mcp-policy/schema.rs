//! `mcp-policy schema`: JSON Schemas, with which editors complete keys, explain them and mark mistakes.

use crate::outcome::Outcome;

pub(crate) const EXAMPLES: &str = "\
Examples:
  mcp-policy schema policy
  mcp-policy schema test

Editors with the YAML language server use the file that the first line of a policy names:
  # yaml-language-server: $schema=./mcp-policy.schema.json";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which files it is for.
    #[arg(value_enum, default_value_t = Of::Policy)]
    of: Of,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Of {
    /// Policies.
    Policy,
    /// Test suites, `*.test.yaml`.
    Test,
}

pub(crate) fn run(args: &Args) -> Outcome {
    let text = match args.of {
        Of::Policy => include_str!("../../../schema/mcp-policy.schema.json"),
        Of::Test => include_str!("../../../schema/mcp-policy-test.schema.json"),
    };
    let mut outcome = Outcome::default();
    outcome.files += 1;
    outcome.text.push_str(text);
    outcome
}
