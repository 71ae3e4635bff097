//! Flags and environment variables.

use std::{convert::Infallible, ffi::OsString, fmt, net::IpAddr, path::PathBuf, str::FromStr};

use clap::{CommandFactory, Parser, Subcommand, ValueEnum, builder::BoolishValueParser};

/// An MCP server that tells callers who they are.
#[derive(Debug, Clone, Parser)]
#[command(
    version,
    after_help = "Example:\n  whoami --issuer https://login.example.com --resource https://whoami.example.com/mcp --bind 0.0.0.0"
)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Settings {
    /// Something else than serving.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// TCP port to listen on.
    #[arg(long, env = "PORT", default_value_t = 3001)]
    pub port: u16,

    /// IP address to listen on [default: 127.0.0.1 and ::1].
    #[arg(long, env = "MCP_AUTH_BIND", value_name = "ADDRESS")]
    pub bind: Option<IpAddr>,

    /// Issuer URL of the authorization server [default: an embedded one for development on the next port].
    #[arg(long, env = "MCP_AUTH_ISSUER", value_name = "URL")]
    pub issuer: Option<String>,

    /// Which well-known metadata the issuer serves.
    #[arg(long, env = "MCP_AUTH_SERVER_TYPE", value_enum, default_value_t = ServerType::Auto)]
    pub server_type: ServerType,

    /// How access tokens are verified.
    #[arg(long, env = "MCP_AUTH_MODE", value_enum, default_value_t = Mode::Userinfo)]
    pub mode: Mode,

    /// URL of this server as clients call it; repeatable, comma separated [default: http://localhost:PORT].
    #[arg(long, env = "MCP_AUTH_RESOURCE", value_name = "URL", value_delimiter = ',')]
    pub resource: Vec<String>,

    /// Audience accepted beside the resource itself; repeatable, comma separated.
    #[arg(long, env = "MCP_AUTH_AUDIENCE", value_name = "AUDIENCE", value_delimiter = ',')]
    pub audience: Vec<String>,

    /// Scope that every request needs; repeatable, comma separated.
    #[arg(long, env = "MCP_AUTH_REQUIRED_SCOPES", value_name = "SCOPE", value_delimiter = ',')]
    pub required_scopes: Vec<String>,

    /// Client id of this server at the issuer, for `--mode introspection`.
    #[arg(
        long,
        env = "MCP_AUTH_INTROSPECTION_CLIENT_ID",
        value_name = "ID",
        requires = "introspection_client_secret"
    )]
    pub introspection_client_id: Option<String>,

    /// Its secret; better set in the environment, where other users of the machine do not see it.
    #[arg(
        long,
        env = "MCP_AUTH_INTROSPECTION_CLIENT_SECRET",
        value_name = "SECRET",
        hide_env_values = true,
        requires = "introspection_client_id"
    )]
    pub introspection_client_secret: Option<Secret>,

    /// Accept that `--mode userinfo` takes tokens that were issued for other servers.
    #[arg(long, env = "MCP_AUTH_INSECURE_NO_AUDIENCE_CHECK", value_parser = BoolishValueParser::new())]
    pub insecure_no_audience_check: bool,

    /// Policy file [default: ./policies/whoami.yaml if there is one, else the one built in].
    #[arg(long, env = "MCP_AUTH_POLICY", value_name = "FILE")]
    pub policy: Option<PathBuf>,

    /// Origin of web pages that may call this server, beside the resource's own; repeatable, comma separated.
    #[arg(long, env = "MCP_AUTH_ALLOWED_ORIGINS", value_name = "ORIGIN", value_delimiter = ',')]
    pub allowed_origins: Vec<String>,

    /// Host that requests may name, beside the resource's own; repeatable, comma separated.
    #[arg(long, env = "MCP_AUTH_ALLOWED_HOSTS", value_name = "HOST", value_delimiter = ',')]
    pub allowed_hosts: Vec<String>,

    /// Load the policy, audit the tool against it, and exit.
    #[arg(long)]
    pub check: bool,

    /// Form of the log on standard error.
    #[arg(long, env = "MCP_AUTH_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
}

/// Something else than serving.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Sign in as a demo user and print an access token: the real authorization code flow, against a server that runs.
    ///
    /// Example: TOKEN=$(cargo run -q -p whoami -- token alice)
    #[cfg(feature = "demo")]
    Token {
        /// Demo user: alice, bob or admin.
        user: String,
        /// Scope to request; repeatable.
        #[arg(
            long,
            value_name = "SCOPE",
            value_delimiter = ' ',
            default_value = "openid profile email"
        )]
        scope: Vec<String>,
        /// Issuer that the server printed.
        #[arg(long, value_name = "URL", default_value = "http://localhost:3002")]
        issuer: String,
        /// MCP endpoint that the token is for. Can be left out where the server has only one.
        #[arg(long, value_name = "URL")]
        resource: Option<String>,
    },
}

/// Which well-known metadata an issuer serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ServerType {
    /// OpenID Connect Discovery.
    Oidc,
    /// RFC 8414.
    Oauth,
    /// Whatever answers first, in the order MCP prescribes.
    Auto,
}

/// How access tokens are verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// Signature and claims, by the issuer's published keys.
    Jwt,
    /// The issuer is asked about tokens that are no JWTs (RFC 7662).
    Introspection,
    /// The issuer's userinfo endpoint is asked about every token. It learns who calls, not whom the token was meant for.
    Userinfo,
}

/// A text that is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object a line.
    Json,
}

/// A variable whose name begins like ours but is none of ours.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown environment variable `{name}`; known are {}; correct or unset it (a lost letter must not switch protection off)", known.join(", "))]
pub struct UnknownVariable {
    name: String,
    known: Vec<String>,
}

/// Refuses environment variables that begin with `MCP_AUTH_` and belong to no flag.
///
/// # Errors
/// There is one; the message lists the known ones.
pub fn check_environment(variables: impl Iterator<Item = OsString>) -> Result<(), UnknownVariable> {
    let command = Settings::command();
    let known: Vec<String> = command
        .get_arguments()
        .filter_map(|argument| argument.get_env()?.to_str().map(str::to_owned))
        .filter(|name| name.starts_with("MCP_AUTH_"))
        .collect();
    // Read by the compiler, and harmless to the server.
    let compiler = "MCP_AUTH_COMPILE_POLICY";
    for name in variables {
        let name = name.to_string_lossy().into_owned();
        if name.to_ascii_uppercase().starts_with("MCP_AUTH_") && name != compiler && !known.contains(&name) {
            return Err(UnknownVariable { name, known });
        }
    }
    Ok(())
}
