//! `mcp-policy explain`: why one call is allowed or denied.

use std::path::PathBuf;

use mcp_auth_policy::{Arguments, OperationId, Ownership, Policy, Question, Reach};
use serde_json::{Map, Value};

use crate::{
    call,
    caller::{self, Caller},
    load,
    outcome::Outcome,
};

mod human;
mod json;

pub(crate) const EXAMPLES: &str = "\
Examples:
  mcp-policy explain policies/todo.yaml delete-todo --role user --owner other
  mcp-policy explain policies/todo.yaml create-todo --scopes create:todos,read:todos --arg content=tea
  mcp-policy explain policies/todo.yaml get-todos --format json";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The policy; `-` is standard input.
    policy: PathBuf,
    /// A tool, or `prompt:NAME`, `resource:URI`, `operation:NAME`.
    call: String,
    /// Who owns the object that is acted on.
    #[arg(long, value_enum, help_heading = "Call")]
    owner: Option<Owner>,
    /// An argument of the call; the value is JSON, or else text. Without any: those that are best for the caller.
    #[arg(long = "arg", value_name = "NAME=VALUE", value_parser = argument, help_heading = "Call")]
    arguments: Vec<(String, Value)>,
    /// The call has no arguments.
    #[arg(long, conflicts_with = "arguments", help_heading = "Call")]
    no_args: bool,
    /// Exits 1 if the call is denied.
    #[arg(long)]
    exit_code: bool,
    /// How it is written.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    // Last, since the headings of its options would go on.
    #[command(flatten)]
    caller: caller::Description,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Owner {
    /// The caller.
    Me,
    /// Somebody else.
    Other,
    /// Nobody, or it is not known.
    Absent,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    /// For people.
    Human,
    /// One JSON object.
    Json,
}

/// All that an answer is made of.
struct Asked<'a> {
    policy: &'a Policy,
    call: &'a str,
    caller: &'a Caller,
    /// Who owns the object, if that is known. A caller without an owner key owns nothing.
    owner: Option<Ownership>,
}

fn argument(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
    Ok((name.to_owned(), value))
}

pub(crate) fn run(args: &Args) -> Outcome {
    let mut outcome = Outcome::default();
    let Some(loaded) = load::policy(&args.policy, &mut outcome) else {
        return outcome;
    };
    let policy = &loaded.policy;
    let Some(caller) = caller::caller(&args.caller, policy, &mut outcome) else {
        return outcome;
    };
    let asked = Asked {
        policy,
        call: &args.call,
        caller: &caller,
        owner: match caller.resolved.owner_key() {
            "" => Some(Ownership::Absent),
            _ => args.owner.map(Owner::ownership),
        },
    };
    let allowed = match call::find(policy, &args.call) {
        Some(id) => answer(args, &asked, id, &mut outcome),
        None => {
            match args.format {
                Format::Human => outcome.text = human::unlisted(&asked),
                Format::Json => outcome.json(&json::unlisted(&asked)),
            }
            false
        }
    };
    outcome.failed |= args.exit_code && !allowed;
    outcome
}

/// Prints the explanation and tells whether the call is allowed.
fn answer(args: &Args, asked: &Asked<'_>, id: OperationId, outcome: &mut Outcome) -> bool {
    let arguments: Map<String, Value> = args.arguments.iter().cloned().collect();
    let known = args.no_args || !arguments.is_empty();
    let question = Question {
        facts: asked.caller.token.facts(),
        grants: asked.caller.resolved.grants(),
        arguments: if known {
            Arguments::Known(&arguments)
        } else {
            Arguments::Unknown
        },
        owner: asked.owner,
    };
    let Some(explanation) = asked.policy.explain(id, &question) else {
        return false;
    };
    match args.format {
        Format::Human => outcome.text = human::print(asked, &explanation),
        Format::Json => outcome.json(&json::answer(asked, &explanation)),
    }
    explanation.decision.reach > Reach::Deny
}

impl Owner {
    fn ownership(self) -> Ownership {
        match self {
            Self::Me => Ownership::Caller,
            Self::Other => Ownership::Other,
            Self::Absent => Ownership::Absent,
        }
    }
}
