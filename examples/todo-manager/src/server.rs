//! From settings to a running server.

mod banner;
#[cfg(feature = "demo")]
mod demo;

use std::{
    collections::HashSet,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use axum::{Router, serve::ListenerExt as _};
use mcp_auth::{AuthorizationServer, ConfigError, DecisionLog, McpAuth, PolicyHandle};
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{
    listen::{ListenError, listen},
    policy::{self, LoadedPolicy, PolicyError},
    settings::{Mode, Reload, Settings, UnknownVariable},
    store::{OpenError, TodoStore},
    tools::TodoManager,
    verification::{self, ModeError},
};

/// How long requests under way may take when the server stops.
const GRACE: Duration = Duration::from_secs(10);

/// The server cannot run.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A variable that begins with `MCP_AUTH_` is none of ours.
    #[error(transparent)]
    UnknownVariable(#[from] UnknownVariable),
    /// The policy cannot be used.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// Tools and policy do not fit.
    #[error(transparent)]
    Audit(#[from] mcp_auth::AuditErrors),
    /// The settings contradict the mode.
    #[error(transparent)]
    Mode(#[from] ModeError),
    /// A URL or scope is not what it must be.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Two resources, or a resource and the metadata of another, would be served at one path.
    #[error(
        "the resource `{0}` cannot be served: another one has the same path; give each `--resource` (MCP_AUTH_RESOURCE) a path of its own"
    )]
    SamePath(String),
    /// The port cannot be listened on.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The database cannot be opened.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// The decision log cannot be written.
    #[error(
        "cannot open the decision log `{}`: {error}; set `--decision-log` (MCP_AUTH_DECISION_LOG) to a file that can be written, or to `-`",
        path.display()
    )]
    DecisionLog {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        error: io::Error,
    },
    /// The embedded authorization server may not or cannot run.
    #[error("{0}")]
    Demo(String),
    /// A demo user could not be signed in.
    #[cfg(feature = "demo")]
    #[error(transparent)]
    SignIn(#[from] dev_authorization_server::SignInError),
    /// A socket failed while serving.
    #[error("the server stopped: {0}")]
    Serve(#[from] io::Error),
}

/// A server that listens already, and has checked everything that can be checked without its issuer.
#[derive(Debug)]
pub struct Server {
    listeners: Vec<TcpListener>,
    store: TodoStore,
    policy: LoadedPolicy,
    resources: Vec<McpAuth>,
    issuer: Issuer,
    mode: Mode,
    database: String,
}

/// Who issues the tokens.
#[derive(Debug)]
enum Issuer {
    Configured(String),
    #[cfg(feature = "demo")]
    Embedded(demo::Embedded),
}

impl Issuer {
    fn url(&self) -> &str {
        match self {
            Self::Configured(url) => url,
            #[cfg(feature = "demo")]
            Self::Embedded(embedded) => embedded.issuer(),
        }
    }
}

/// Checks the settings, loads the policy and audits the tools against it.
///
/// # Errors
/// The settings contradict each other, the policy has mistakes, or the tools do not fit it.
pub async fn check(settings: &Settings) -> Result<String, StartError> {
    let loaded = load(settings, Reload::Off).await?;
    let policy = loaded.policy.current();
    Ok(format!(
        "ok: policy `{}` ({}), revision {}",
        policy.name(),
        loaded.source,
        policy.revision()
    ))
}

async fn load(settings: &Settings, reload: Reload) -> Result<LoadedPolicy, StartError> {
    verification::check(settings)?;
    let loaded = policy::load(settings.policy.as_deref(), reload)?;
    // The tools are listed, not called: the database can wait until all the rest is known to be right.
    let manager = TodoManager::new(TodoStore::open("sqlite::memory:").await?);
    // Of this policy, and of each that is to replace it.
    loaded.policy.require_audit_of(&manager).await?;
    Ok(loaded)
}

/// The records go to standard output or to a file, besides the log.
fn decision_log(path: &Path) -> Result<DecisionLog, StartError> {
    let log = if path == Path::new("-") {
        DecisionLog::to_writer(io::stdout())
    } else {
        DecisionLog::to_file(path)
    };
    log.map_err(|error| StartError::DecisionLog {
        path: path.to_owned(),
        error,
    })
}

impl Server {
    /// Checks the settings, opens the database and listens. Fetches nothing: an issuer that is down is no reason not to start.
    ///
    /// # Errors
    /// The first cause that keeps the server from running; nothing is left listening.
    pub async fn start(settings: &Settings) -> Result<Self, StartError> {
        let policy = load(settings, settings.reload).await?;
        let log = settings.decision_log.as_deref().map(decision_log).transpose()?;
        let listeners = listen(settings.bind, settings.port).await?;
        let port = listeners
            .first()
            .map_or(Ok(settings.port), |listener| listener.local_addr().map(|a| a.port()))?;
        let mut resources = settings.resource.clone();
        if resources.is_empty() {
            resources.push(format!("http://localhost:{port}"));
        }
        let issuer = issuer(settings, port, &resources, &policy).await?;
        // One for all resources: its keys are fetched once.
        let trusted = verification::trust(settings, issuer.url())?;
        let resources = resources
            .iter()
            .map(|resource| protect(settings, resource, &trusted, &policy.policy, log.as_ref()))
            .collect::<Result<Vec<_>, _>>()?;
        let mut paths = HashSet::new();
        for auth in &resources {
            if !paths.insert(path(auth)) || !paths.insert(auth.metadata().metadata_path()) {
                return Err(StartError::SamePath(auth.metadata().resource().to_owned()));
            }
        }
        let store = TodoStore::open(&settings.database).await?;
        Ok(Self {
            listeners,
            store,
            policy,
            resources,
            issuer,
            mode: settings.mode,
            database: settings.database.clone(),
        })
    }

    /// Returns the URL of the first resource: the one to give to a client.
    #[must_use]
    pub fn resource(&self) -> &str {
        self.resources.first().map_or("", |auth| auth.metadata().resource())
    }

    /// Returns the issuer of the tokens.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.issuer.url()
    }

    /// Returns the policy in force, whose status says what became of the last reload.
    #[must_use]
    pub fn policy(&self) -> &PolicyHandle {
        &self.policy.policy
    }

    /// Returns the protected resources; each has a status.
    #[must_use]
    pub fn resources(&self) -> &[McpAuth] {
        &self.resources
    }

    /// Returns what to show when the server runs.
    #[must_use]
    pub fn banner(&self) -> String {
        banner::banner(self)
    }

    /// Serves until `stop` is cancelled, then lets requests under way finish.
    ///
    /// # Errors
    /// A socket failed.
    pub async fn serve(self, stop: CancellationToken) -> Result<(), StartError> {
        let mut app = Router::new();
        for auth in &self.resources {
            app = app.merge(endpoint(auth, &self.store, &stop));
        }
        let mut tasks = JoinSet::new();
        for listener in self.listeners {
            // Without TCP_NODELAY an answer in two writes waits for the client's delayed acknowledgement, about 40 ms.
            let listener = listener.tap_io(|stream| {
                let _ = stream.set_nodelay(true);
            });
            let stopped = stop.clone().cancelled_owned();
            tasks.spawn(
                axum::serve(listener, app.clone())
                    .with_graceful_shutdown(stopped)
                    .into_future(),
            );
        }
        #[cfg(feature = "demo")]
        if let Issuer::Embedded(embedded) = self.issuer {
            embedded.serve(&mut tasks, &stop);
        }
        let result = tokio::select! {
            result = finish(&mut tasks) => result,
            () = async { stop.cancelled().await; tokio::time::sleep(GRACE).await } => Ok(()),
        };
        drop(self.policy.watcher);
        self.store.close().await;
        Ok(result?)
    }
}

/// Waits for every listener; the first failure ends all.
async fn finish(tasks: &mut JoinSet<io::Result<()>>) -> io::Result<()> {
    while let Some(result) = tasks.join_next().await {
        result??;
    }
    Ok(())
}

async fn issuer(
    settings: &Settings,
    port: u16,
    resources: &[String],
    policy: &LoadedPolicy,
) -> Result<Issuer, StartError> {
    match &settings.issuer {
        Some(issuer) => Ok(Issuer::Configured(issuer.clone())),
        #[cfg(feature = "demo")]
        None => {
            let port = if settings.port == 0 { 0 } else { port.saturating_add(1) };
            demo::Embedded::start(settings, port, resources, &policy.policy.current())
                .await
                .map(Issuer::Embedded)
        }
        #[cfg(not(feature = "demo"))]
        None => {
            let _ = (port, resources, policy);
            Err(StartError::Demo(
                "no issuer is set, and this build has no embedded authorization server; set `--issuer` (MCP_AUTH_ISSUER)".into(),
            ))
        }
    }
}

/// The lines that make a resource server of an MCP server.
fn protect(
    settings: &Settings,
    resource: &str,
    issuer: &AuthorizationServer,
    policy: &PolicyHandle,
    log: Option<&DecisionLog>,
) -> Result<McpAuth, ConfigError> {
    let mut builder = McpAuth::builder(resource)
        .authorization_server(issuer.clone())
        .policy(policy.clone())
        .required_scopes(&settings.required_scopes);
    if let Some(log) = log {
        builder = builder.decision_log(log.clone());
    }
    for audience in &settings.audience {
        builder = builder.audience(audience);
    }
    for host in &settings.allowed_hosts {
        builder = builder.allowed_host(host);
    }
    for origin in &settings.allowed_origins {
        builder = builder.allowed_origin(origin);
    }
    builder.build()
}

/// One protected MCP endpoint at the path of its resource, and its metadata beside it.
fn endpoint(auth: &McpAuth, store: &TodoStore, stop: &CancellationToken) -> Router {
    let manager = TodoManager::new(store.clone());
    let mut config = StreamableHttpServerConfig::default()
        // Every request stands alone, for old clients too: no state to lose on a restart, and none to steal.
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_allowed_hosts(auth.allowed_hosts().to_vec());
    config.cancellation_token = stop.child_token();
    let service = StreamableHttpService::new(
        move || Ok(manager.clone()),
        NeverSessionManager::default().into(),
        config,
    );
    Router::new()
        // The path is literal, whatever characters it has.
        .without_v07_checks()
        .route_service(&path(auth).replace('{', "{{").replace('}', "}}"), service)
        .route_layer(auth.mcp_layer())
        .merge(auth.metadata_router())
}

/// The path at which a resource is served.
fn path(auth: &McpAuth) -> String {
    Url::parse(auth.metadata().resource()).map_or_else(|_| "/".to_owned(), |url| url.path().to_owned())
}
