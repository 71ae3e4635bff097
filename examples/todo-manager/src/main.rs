//! Run with
//!
//! ```text
//! cargo run -p todo-manager
//! ```

use std::{
    env,
    io::{self, IsTerminal as _, Write as _},
    path::Path,
    process::ExitCode,
};

use clap::Parser as _;
#[cfg(feature = "demo")]
use dev_authorization_server::{SignIn, sign_in};
#[cfg(feature = "demo")]
use todo_manager::settings::Command;
use todo_manager::{
    server::{self, Server, StartError},
    settings::{LogFormat, Settings, check_environment},
};
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> ExitCode {
    let settings = Settings::parse();
    start_log(settings.log_format);
    match run(&settings).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error may be closed; then nobody reads the message.
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(settings: &Settings) -> Result<(), StartError> {
    check_environment(env::vars_os().map(|(name, _)| name))?;
    #[cfg(feature = "demo")]
    if let Some(Command::Token {
        user,
        scope,
        issuer,
        resource,
    }) = &settings.command
    {
        return print_token(SignIn {
            issuer: issuer.clone(),
            resource: resource.clone(),
            user: user.clone(),
            scopes: scope.clone(),
        })
        .await;
    }
    if settings.check {
        let report = server::check(settings).await?;
        let _ = writeln!(io::stdout(), "{report}");
        return Ok(());
    }
    let signal = signal()?;
    let server = Server::start(settings).await?;
    if settings.decision_log.as_deref() == Some(Path::new("-")) {
        // Standard output is for records alone then.
        let _ = writeln!(io::stderr(), "{}", server.banner());
    } else {
        let _ = writeln!(io::stdout(), "{}", server.banner());
    }
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    tokio::spawn(async move {
        signal.await;
        tracing::info!("stopping");
        stopping.cancel();
    });
    server.serve(stop).await
}

/// Prints a token, and nothing else, on standard output.
#[cfg(feature = "demo")]
async fn print_token(request: SignIn) -> Result<(), StartError> {
    let token = sign_in(&request).await?;
    let _ = writeln!(io::stdout(), "{}", token.dangerous_raw_token());
    Ok(())
}

/// Completes on Ctrl-C, and on what an operating system sends to a service. Listens for both from the moment it is called.
#[cfg(unix)]
fn signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupted, mut terminated) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn signal() -> io::Result<impl Future<Output = ()>> {
    let mut interrupted = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupted.recv().await;
    })
}

fn start_log(format: LogFormat) {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info,rmcp=warn".into());
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
}
