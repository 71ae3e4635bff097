//! The command line of the development authorization server: `serve` runs it, `token` gets an access token from a running one.

use std::{
    error::Error,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use clap::{Args, Parser, Subcommand, ValueEnum};
use dev_authorization_server::{
    AccessTokenFormat, Algorithm, DevelopmentAuthorizationServer, SignIn, bind_loopback, sign_in,
};
use mcp_auth_policy::Policy;

/// An OAuth 2.1 authorization server for DEVELOPMENT ONLY: it signs anybody in without a password.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

// Without `Debug`: an argument is a secret.
#[derive(Subcommand)]
enum Command {
    /// Serves on localhost until Ctrl-C. Development only: anybody on this machine can sign in as anybody.
    Serve(Serve),
    /// Signs a demo user in at a running server and prints the access token, and nothing else, on standard output.
    Token(Token),
}

#[derive(Args)]
struct Serve {
    /// The port on localhost; 0 takes a free one
    #[arg(long, default_value_t = 3002)]
    port: u16,
    /// The path of the issuer, like `/tenant`, to behave like a provider with tenants or realms
    #[arg(long, value_name = "PATH", default_value = "")]
    issuer_path: String,
    /// An MCP server that tokens can be issued for, on this machine; repeat it for several
    #[arg(long, value_name = "URL", default_value = "http://localhost:3001")]
    resource: Vec<String>,
    /// The policy whose roles say what the users may do
    #[arg(long, value_name = "FILE", default_value = "./policies/todo.yaml")]
    policy: PathBuf,
    /// Somebody to sign in as, with a role of the policy; repeat it for several [default: alice=user bob=user admin=admin]
    #[arg(long, value_name = "NAME=ROLE", value_parser = user_and_role)]
    user: Vec<(String, String)>,
    /// The algorithm that signs access tokens
    #[arg(long, value_enum, default_value = "es256")]
    algorithm: AlgorithmName,
    /// How long access tokens are valid, in seconds, at most a day
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    access_token_lifetime: u64,
    /// What access tokens look like. A resource server has to ask what an opaque one stands for
    #[arg(long, value_enum, default_value = "jwt")]
    access_token_format: FormatName,
    /// The client id of a resource server that may introspect tokens [default: nobody may]
    #[arg(
        long,
        env = "MCP_AUTH_INTROSPECTION_CLIENT_ID",
        value_name = "ID",
        requires = "introspection_client_secret"
    )]
    introspection_client_id: Option<String>,
    /// Its secret; better set in the environment, where other users of the machine do not see it
    #[arg(
        long,
        env = "MCP_AUTH_INTROSPECTION_CLIENT_SECRET",
        value_name = "SECRET",
        hide_env_values = true,
        requires = "introspection_client_id"
    )]
    introspection_client_secret: Option<String>,
    /// Sign with a new key again and again, to see whether clients of the key set keep up [default: never]
    #[arg(long, value_name = "SECONDS")]
    rotate_signing_key_every: Option<u64>,
}

#[derive(Debug, Args)]
struct Token {
    /// Who signs in: alice, bob or admin, unless the server was started with others
    user: String,
    /// Scopes to request: repeat it, or separate them by spaces. Without it: everything that the user's role gives
    #[arg(long, value_name = "SCOPES")]
    scope: Vec<String>,
    /// The issuer of the running server
    #[arg(long, value_name = "URL", default_value = "http://localhost:3002")]
    issuer: String,
    /// The MCP server that the token is for. Can be left out where the authorization server knows only one
    #[arg(long, value_name = "URL")]
    resource: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum AlgorithmName {
    Es256,
    Rs256,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FormatName {
    Jwt,
    Opaque,
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Serve(arguments) => serve(arguments).await,
        Command::Token(arguments) => token(arguments).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            let mut cause = error.source();
            while let Some(error) = cause {
                eprintln!("  because: {error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: Serve) -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_target(false)
        .init();
    let policy = load_policy(&arguments.policy)?;
    // The listeners come first: with port 0 only they know the port that belongs into the issuer.
    let listeners = bind_loopback(arguments.port)
        .await
        .map_err(|error| format!("{error}; stop the other program, or choose another port with --port"))?;
    let port = listeners.first().map_or(Ok(arguments.port), |listener| {
        Ok::<_, io::Error>(listener.local_addr()?.port())
    })?;
    let mut builder = DevelopmentAuthorizationServer::builder()
        .issuer(format!("http://localhost:{port}{}", arguments.issuer_path))
        .algorithm(arguments.algorithm.into())
        .access_token_format(arguments.access_token_format.into())
        .access_token_lifetime(Duration::from_secs(arguments.access_token_lifetime));
    if arguments.user.is_empty() {
        builder = builder.users_from_policy(&policy);
    }
    for (user, role) in &arguments.user {
        builder = builder.user_with_role(&policy, user, role);
    }
    if let (Some(id), Some(secret)) = (arguments.introspection_client_id, arguments.introspection_client_secret) {
        builder = builder.introspection_client(id, secret);
    }
    if let Some(seconds) = arguments.rotate_signing_key_every {
        builder = builder.rotate_signing_key_every(Duration::from_secs(seconds));
    }
    for resource in arguments.resource {
        builder = builder.resource(resource);
    }
    let server = builder.build()?;
    print_banner(&server);
    server.serve(listeners, stop_signal()).await?;
    Ok(())
}

fn user_and_role(text: &str) -> Result<(String, String), &'static str> {
    let (user, role) = text
        .split_once('=')
        .ok_or("write a name and a role of the policy, like `alice=user`")?;
    Ok((user.to_owned(), role.to_owned()))
}

fn load_policy(file: &Path) -> Result<Policy, Box<dyn Error>> {
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file).map_err(|error| {
        format!("cannot read the policy `{name}`: {error}; run this in the folder that holds `policies`, or name the file with --policy")
    })?;
    Ok(Policy::loader().file_name(name).parse(&text)?)
}

fn print_banner(server: &DevelopmentAuthorizationServer) {
    let users: Vec<&str> = server.users().iter().map(|user| user.subject.as_str()).collect();
    let issuer = server.issuer();
    let user = users.first().copied().unwrap_or_default();
    eprintln!("DEVELOPMENT ONLY: this authorization server signs anybody in without a password");
    eprintln!("  issuer   {issuer}");
    eprintln!("  users    {}", users.join(", "));
    eprintln!("  a token  cargo run -q -p dev-authorization-server -- token {user} --issuer {issuer}");
    eprintln!("  stop     Ctrl-C");
}

async fn token(arguments: Token) -> Result<(), Box<dyn Error>> {
    let scopes: Vec<String> = arguments
        .scope
        .iter()
        .flat_map(|scopes| scopes.split_ascii_whitespace())
        .map(str::to_owned)
        .collect();
    let request = SignIn {
        issuer: arguments.issuer,
        resource: arguments.resource,
        user: arguments.user,
        scopes,
    };
    let token = sign_in(&request).await?;
    let refused: Vec<&str> = request
        .scopes
        .iter()
        .filter(|scope| !token.scopes().contains(scope))
        .map(String::as_str)
        .collect();
    if !refused.is_empty() {
        eprintln!(
            "note: the role of `{}` does not give {}: the token is without",
            request.user,
            refused.join(", ")
        );
    }
    if token.scopes().is_empty() {
        eprintln!("note: the token has no scopes");
    }
    writeln!(io::stdout(), "{}", token.dangerous_raw_token())?;
    Ok(())
}

/// Completes at Ctrl-C or, on Unix, SIGTERM.
async fn stop_signal() {
    let interrupt = async { _ = tokio::signal::ctrl_c().await };
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                () = interrupt => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    interrupt.await;
}

impl From<AlgorithmName> for Algorithm {
    fn from(name: AlgorithmName) -> Self {
        match name {
            AlgorithmName::Es256 => Self::Es256,
            AlgorithmName::Rs256 => Self::Rs256,
        }
    }
}

impl From<FormatName> for AccessTokenFormat {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::Jwt => Self::Jwt,
            FormatName::Opaque => Self::Opaque,
        }
    }
}
