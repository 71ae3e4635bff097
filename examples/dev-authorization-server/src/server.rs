//! The server: its settings, what it remembers, its routes.

use std::{
    fmt,
    future::Future,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{Method, header},
    middleware,
    routing::{get, post},
    serve::ListenerExt as _,
};
use tokio::{net::TcpListener, sync::watch, task::JoinSet};
use tower_http::cors::{AllowHeaders, Any, CorsLayer};

use crate::{
    access_token::AccessTokenFormat,
    authorize::{self, PendingRequest},
    builder::Builder,
    client_registration,
    clients::Clients,
    demo_user::{DemoUser, ScopeDescription},
    expiring_store::ExpiringStore,
    grants::Grants,
    guard_headers, introspection,
    introspection_client::IntrospectionClient,
    issuer::Issuer,
    metadata, page,
    resource::Resource,
    revocation,
    signing_key::{Algorithm, SigningKey},
    signing_keys::{self, RotateError, SigningKeys},
    token, userinfo,
};

/// Nothing that a client or a browser sends here is longer, in bytes.
pub(crate) const MAX_REQUEST: usize = 16 * 1024;
/// So many sign-ins are remembered at once.
const CAPACITY: usize = 1000;
/// How long somebody may look at the sign-in page.
pub(crate) const SIGN_IN_LIFETIME: Duration = Duration::from_secs(600);

/// An authorization server for development only. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct DevelopmentAuthorizationServer(Arc<Shared>);

/// Why serving failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// A listener can be reached from other machines.
    #[error(
        "the development authorization server signs anybody in without a password and does not listen on {0}: bind it to 127.0.0.1 or ::1"
    )]
    NotLoopback(SocketAddr),
    /// A listener has another port than the issuer, so that no request would name the right host.
    #[error(
        "the development authorization server listens on {listener}, but its issuer is `{issuer}`: use the same port for both"
    )]
    Port {
        /// Where it listens.
        listener: SocketAddr,
        /// As it was configured.
        issuer: String,
    },
    /// The operating system failed.
    #[error("the development authorization server cannot serve: {0}")]
    Io(#[from] io::Error),
}

/// What the builder decided.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) issuer: Issuer,
    pub(crate) resources: Vec<Resource>,
    pub(crate) users: Vec<DemoUser>,
    pub(crate) scopes: Vec<ScopeDescription>,
    pub(crate) introspection_clients: Vec<IntrospectionClient>,
    pub(crate) access_token_lifetime: Duration,
    pub(crate) access_token_format: AccessTokenFormat,
    pub(crate) rotation: Option<Duration>,
}

/// Settings and memory of one server. No lock is held while anything is waited for.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    keys: Mutex<SigningKeys>,
    clients: Mutex<Clients>,
    requests: Mutex<ExpiringStore<PendingRequest>>,
    grants: Mutex<Grants>,
}

impl DevelopmentAuthorizationServer {
    /// Starts with nothing configured.
    pub fn builder() -> Builder {
        Builder::new()
    }

    pub(crate) fn new(settings: Settings, key: SigningKey) -> Self {
        Self(Arc::new(Shared {
            grants: Mutex::new(Grants::new(settings.access_token_lifetime)),
            keys: Mutex::new(SigningKeys::new(key, settings.access_token_lifetime)),
            settings,
            clients: Mutex::new(Clients::new()),
            requests: Mutex::new(ExpiringStore::new(CAPACITY, SIGN_IN_LIFETIME)),
        }))
    }

    /// Returns the issuer as it was configured.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.0.settings.issuer.as_str()
    }

    /// Returns the users one can sign in as.
    #[must_use]
    pub fn users(&self) -> &[DemoUser] {
        &self.0.settings.users
    }

    /// Signs with a new key from now on. The key set shows the old one until the last token that it signed has expired, but never more
    /// than eight old keys.
    ///
    /// Making an RSA key takes a moment: in async code call it where blocking is allowed.
    ///
    /// # Errors
    /// When the operating system gives no random bytes. The old key stays in use then.
    pub fn rotate_signing_key(&self, algorithm: Algorithm) -> Result<(), RotateError> {
        let key = signing_keys::generate(algorithm)?;
        self.0.keys().replace(key);
        Ok(())
    }

    /// Takes all old keys out of the key set at once, as after the loss of a key: tokens that they signed are worth nothing.
    pub fn forget_old_signing_keys(&self) {
        self.0.keys().forget_old();
    }

    /// Returns the routes of this server, complete with all checks of headers and sizes.
    ///
    /// # Security
    /// A router does not know where it is served. Prefer [`serve`](Self::serve), which refuses anything but loopback.
    pub fn router(&self) -> Router {
        // Browser clients such as the MCP Inspector read these from their own origin. `Any` sends no credentials, and these routes use none.
        let cross_origin = CorsLayer::new()
            .allow_origin(Any)
            .allow_methods([Method::GET, Method::POST])
            // `*` would not stand for `Authorization`.
            .allow_headers(AllowHeaders::mirror_request())
            .expose_headers([header::WWW_AUTHENTICATE])
            .max_age(Duration::from_secs(3600));
        let issuer = &self.0.settings.issuer;
        let mut for_clients = Router::new()
            .route(&issuer.metadata_path(), get(metadata::authorization_server))
            .route(&issuer.path("/jwks"), get(metadata::key_set))
            .route(&issuer.path("/register"), post(client_registration::register))
            .route(&issuer.path("/token"), post(token::token))
            .route(&issuer.path("/revoke"), post(revocation::revoke))
            .route(
                &issuer.path("/userinfo"),
                get(userinfo::userinfo).post(userinfo::userinfo),
            );
        for path in issuer.openid_paths() {
            for_clients = for_clients.route(&path, get(metadata::openid_provider));
        }
        // No layer for other origins here: what a page may do with these is left to the browser's own rule, which is nothing.
        let for_people = Router::new()
            .route("/", get(page::about))
            .route(&issuer.path("/authorize"), get(authorize::show).post(authorize::decide));
        // Resource servers are no web pages.
        let mut for_resource_servers = Router::new();
        if !self.0.settings.introspection_clients.is_empty() {
            for_resource_servers =
                for_resource_servers.route(&issuer.path("/introspect"), post(introspection::introspect));
        }
        for_clients
            .layer(cross_origin)
            .merge(for_people)
            .merge(for_resource_servers)
            .layer(DefaultBodyLimit::max(MAX_REQUEST))
            .layer(middleware::map_response(guard_headers::add))
            .layer(middleware::from_fn_with_state(
                Arc::clone(&self.0),
                guard_headers::check_host,
            ))
            .with_state(Arc::clone(&self.0))
    }

    /// Serves on all the listeners until `shutdown` completes and open requests are answered. See [`bind_loopback`](crate::bind_loopback).
    ///
    /// # Errors
    /// Before anything is served: when a listener is not on loopback or has another port than the issuer.
    pub async fn serve(
        &self,
        listeners: impl IntoIterator<Item = TcpListener>,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), ServeError> {
        let listeners: Vec<TcpListener> = listeners.into_iter().collect();
        for listener in &listeners {
            self.check_address(listener.local_addr()?)?;
        }
        // Nothing is ever sent: the receivers wake when the sender is dropped.
        let (running, stopped) = watch::channel(());
        let mut servers = JoinSet::new();
        for listener in listeners {
            let mut stopped = stopped.clone();
            // A token request is two small writes; Nagle's algorithm would hold the second back.
            let listener = listener.tap_io(|connection| _ = connection.set_nodelay(true));
            let server =
                axum::serve(listener, self.router()).with_graceful_shutdown(async move { _ = stopped.changed().await });
            servers.spawn(server.into_future());
        }
        // Dropped at the end, which stops it.
        let mut rotation = JoinSet::new();
        if let Some(period) = self.0.settings.rotation {
            rotation.spawn(self.clone().rotate_every(period));
        }
        shutdown.await;
        drop(running);
        while let Some(served) = servers.join_next().await {
            served.map_err(io::Error::other)??;
        }
        Ok(())
    }

    async fn rotate_every(self, period: Duration) {
        loop {
            tokio::time::sleep(period).await;
            let server = self.clone();
            let algorithm = self.0.keys().current().algorithm();
            match tokio::task::spawn_blocking(move || server.rotate_signing_key(algorithm)).await {
                Ok(Ok(())) => tracing::info!("rotated the signing key"),
                Ok(Err(error)) => tracing::error!(%error, "cannot rotate the signing key"),
                Err(error) => tracing::error!(%error, "cannot rotate the signing key"),
            }
        }
    }

    fn check_address(&self, listener: SocketAddr) -> Result<(), ServeError> {
        if !listener.ip().is_loopback() {
            return Err(ServeError::NotLoopback(listener));
        }
        if listener.port() != self.0.settings.issuer.port() {
            return Err(ServeError::Port {
                listener,
                issuer: self.issuer().to_owned(),
            });
        }
        Ok(())
    }
}

impl Shared {
    pub(crate) fn keys(&self) -> MutexGuard<'_, SigningKeys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn clients(&self) -> MutexGuard<'_, Clients> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn requests(&self) -> MutexGuard<'_, ExpiringStore<PendingRequest>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn grants(&self) -> MutexGuard<'_, Grants> {
        self.grants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Settings {
    pub(crate) fn user(&self, subject: &str) -> Option<&DemoUser> {
        self.users.iter().find(|user| user.subject == subject)
    }

    /// Returns the one resource that a request means by its `resource` parameters (RFC 8707 section 2): the only one if it names none.
    pub(crate) fn resource<'a>(&self, mut requested: impl Iterator<Item = &'a str>) -> Option<&Resource> {
        match (requested.next(), requested.next(), self.resources.as_slice()) {
            (None, None, [only]) => Some(only),
            (Some(one), None, known) => known.iter().find(|resource| resource.is_meant_by(one)),
            _ => None,
        }
    }
}

impl fmt::Debug for DevelopmentAuthorizationServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DevelopmentAuthorizationServer")
            .field("settings", &self.0.settings)
            .finish_non_exhaustive()
    }
}
