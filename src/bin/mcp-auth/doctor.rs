//! `mcp-auth doctor`: the arguments, and the exit code.

use std::time::Duration;

use clap::ValueEnum;
use mcp_auth::__doctor::{NoReport, Report, Source, examine};
use serde_json::json;

use crate::{Outcome, text};

pub(crate) const AFTER_HELP: &str = "\
Exit codes:
  0  MCP clients can sign users in, and mcp-auth can verify the tokens
  1  they cannot, or it cannot: `Does not work` has an error
  2  usage: the issuer, the resource or the URL cannot be used
  3  nothing to judge: the metadata cannot be reached, or is no metadata

JSON, one object on standard output:
  issuer         as given
  usable         true with exit code 0
  metadata       [{url, found, problem?}]  where it was looked for, in order
  modes          [\"jwt\" | \"introspection\" | \"userinfo\"]  how tokens can be verified
  keys           [{kid?, algorithms, problem?}]  the key set, in order
  works          [{code, message}]
  does_not_work  [{severity, code, message}]  error, warning or note; the gravest first
  to_change      [{required, code, action}]
With exit code 3, and 2 for an issuer, resource or URL: {usable: false, error: {code, message}}.

Examples:
  mcp-auth doctor https://login.example.com
  mcp-auth doctor https://login.example.com/tenant --server-type oidc
  mcp-auth doctor https://login.example.com --well-known https://login.example.com/metadata.json
  mcp-auth doctor https://login.example.com --resource https://mcp.example.com
  mcp-auth doctor http://localhost:3002 --format json

Nothing but public documents is fetched, over https (http on this machine alone); no token is sent or asked for.";

/// What to examine, and how to say it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The issuer URL, letter by letter as in the `iss` of its tokens.
    issuer: String,
    /// The resource of your server, to see whether the issuer knows it.
    #[arg(long, value_name = "URL")]
    resource: Option<String>,
    /// Which well-known documents to look for.
    #[arg(long, value_enum, default_value_t = ServerType::Auto)]
    server_type: ServerType,
    /// Take the metadata from this URL instead.
    #[arg(long, value_name = "URL", conflicts_with = "server_type")]
    well_known: Option<String>,
    /// Time in which a fetch has to end, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=60))]
    timeout: u64,
    /// How the report is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Which well-known documents an issuer serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ServerType {
    /// Whatever is there first, in the order MCP prescribes.
    Auto,
    /// OpenID Connect Discovery.
    Oidc,
    /// RFC 8414.
    Oauth,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

pub(crate) fn run(args: &Args) -> Outcome {
    let source = match (&args.well_known, args.server_type) {
        (Some(url), _) => Source::Url(url.clone()),
        (None, ServerType::Auto) => Source::WellKnown(mcp_auth::ServerType::Auto),
        (None, ServerType::Oidc) => Source::WellKnown(mcp_auth::ServerType::Oidc),
        (None, ServerType::Oauth) => Source::WellKnown(mcp_auth::ServerType::OAuth),
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return Outcome {
                text: String::new(),
                complaint: Some(format!("cannot start: {error}")),
                code: 2,
            };
        }
    };
    let deadline = Duration::from_secs(args.timeout);
    match runtime.block_on(examine(&args.issuer, args.resource.as_deref(), &source, deadline)) {
        Ok(report) => reported(&report, args.format),
        Err(reason) => no_report(&reason, args.format),
    }
}

fn reported(report: &Report, format: Format) -> Outcome {
    Outcome {
        text: match format {
            Format::Text => text::report(report),
            Format::Json => format!("{:#}\n", json!(report)),
        },
        complaint: None,
        code: u8::from(!report.usable),
    }
}

/// Repeats nothing of the arguments but what the message shows of them: there may be a password in a URL.
fn no_report(reason: &NoReport, format: Format) -> Outcome {
    let message = reason.message();
    let text = match format {
        Format::Text => String::new(),
        Format::Json => {
            let error = json!({ "code": reason.code(), "message": message });
            format!("{:#}\n", json!({ "usable": false, "error": error }))
        }
    };
    Outcome {
        text,
        complaint: Some(message),
        code: match reason {
            NoReport::Settings(_) => 2,
            NoReport::Issuer(_) => 3,
        },
    }
}
