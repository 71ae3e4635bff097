//! An authorization server inside the test process.

use std::{
    fmt, io,
    net::Ipv4Addr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    extract::State,
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use http::{HeaderValue, StatusCode, header::CONTENT_TYPE};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::oneshot};

use super::{Fault, TokenBuilder, issued_tokens::IssuedTokens, signing_key::SigningKey, token_endpoints};
use crate::{
    algorithm::Algorithm,
    bearer_token::BearerToken,
    error::ConfigError,
    http_client::{MAX_KEY_SET_BYTES, MAX_METADATA_BYTES},
    remote_check::{ClientAuthentication, Introspection},
    verify::AuthorizationServer,
};

/// An issuer on a free loopback port, serving its metadata, its key set, introspection and userinfo over HTTP.
///
/// It counts what is fetched, changes keys, and breaks in the ways of [`Fault`]. It needs a tokio runtime with I/O, and stops when it is
/// dropped. See [`testing`](crate::testing) for an example.
pub struct Issuer {
    shared: Arc<Shared>,
    /// Dropping it stops the server.
    _running: oneshot::Sender<()>,
}

pub(super) struct Shared {
    url: String,
    metadata_fetches: AtomicUsize,
    key_set_fetches: AtomicUsize,
    pub(super) introspections: AtomicUsize,
    pub(super) userinfo_requests: AtomicUsize,
    pub(super) issued: IssuedTokens,
    tokens: AtomicUsize,
    /// One key for each algorithm but ES256. They are never rotated.
    other_keys: Vec<SigningKey>,
    state: Mutex<Changeable>,
}

struct Changeable {
    es256: SigningKey,
    rotations: usize,
    fault: Option<Fault>,
}

impl Issuer {
    /// Starts an issuer with one key for each [`Algorithm`].
    ///
    /// # Errors
    /// When no loopback port is free.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let others = Algorithm::ALL
            .into_iter()
            .filter(|algorithm| *algorithm != Algorithm::Es256);
        let other_keys: io::Result<Vec<_>> = others.map(|algorithm| SigningKey::new(algorithm, 0)).collect();
        let shared = Arc::new(Shared {
            url: format!("http://{}", listener.local_addr()?),
            metadata_fetches: AtomicUsize::new(0),
            key_set_fetches: AtomicUsize::new(0),
            introspections: AtomicUsize::new(0),
            userinfo_requests: AtomicUsize::new(0),
            issued: IssuedTokens::default(),
            tokens: AtomicUsize::new(0),
            other_keys: other_keys?,
            state: Mutex::new(Changeable {
                es256: SigningKey::new(Algorithm::Es256, 0)?,
                rotations: 0,
                fault: None,
            }),
        });
        let router = Router::new()
            .route("/.well-known/oauth-authorization-server", get(metadata))
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/jwks", get(key_set))
            .route("/introspect", post(token_endpoints::introspect))
            .route("/userinfo", get(token_endpoints::userinfo))
            .route(
                "/behind-redirect/metadata",
                get(async |State(shared): State<Arc<Shared>>| json_answer(&shared.metadata())),
            )
            .route(
                "/behind-redirect/jwks",
                get(async |State(shared): State<Arc<Shared>>| json_answer(&shared.key_set())),
            )
            .with_state(Arc::clone(&shared));
        let (running, stopped) = oneshot::channel::<()>();
        let server = axum::serve(listener, router).with_graceful_shutdown(async {
            // An error is what is waited for: it says that the sender was dropped.
            stopped.await.unwrap_or_default();
        });
        tokio::spawn(async { server.await });
        Ok(Self {
            shared,
            _running: running,
        })
    }

    /// Returns the issuer identifier, `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.shared.url
    }

    /// Returns this issuer as one that a verifier can trust, with default settings.
    ///
    /// # Errors
    /// When the HTTPS client cannot be set up.
    pub fn authorization_server(&self) -> Result<AuthorizationServer, ConfigError> {
        AuthorizationServer::new(self.url())
    }

    /// Begins a token of this issuer.
    pub fn token(&self) -> TokenBuilder {
        let number = self.shared.tokens.fetch_add(1, Ordering::Relaxed);
        let (key, others) = (self.es256(), &self.shared.other_keys);
        TokenBuilder::new(self.url(), key, others, self.shared.issued.clone(), number)
    }

    /// Ends a token before its time: introspection and userinfo know it no longer. A signed one still has a good signature.
    pub fn revoke(&self, token: &BearerToken) {
        self.shared.issued.remove(token);
    }

    /// Returns settings with which a verifier may introspect at this issuer.
    pub fn introspection(&self) -> Introspection {
        Introspection::new(ClientAuthentication::client_secret_basic(
            token_endpoints::CLIENT_ID,
            token_endpoints::CLIENT_SECRET,
        ))
    }

    /// Signs any header and claims with the current ES256 key, whether or not they are JSON.
    #[must_use]
    pub fn sign_raw(&self, header: &str, claims: &str) -> BearerToken {
        BearerToken::new(self.es256().sign(header, claims))
    }

    /// Replaces the ES256 key by a new one with a new key id. The old one is no longer published.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn rotate_keys(&self) -> io::Result<()> {
        let mut state = self.shared.state();
        state.rotations += 1;
        state.es256 = SigningKey::new(Algorithm::Es256, state.rotations)?;
        Ok(())
    }

    /// Breaks the issuer, or with `None` mends it.
    pub fn set_fault(&self, fault: impl Into<Option<Fault>>) {
        self.shared.state().fault = fault.into();
    }

    /// Returns how often metadata was asked for, at either location.
    #[must_use]
    pub fn metadata_fetches(&self) -> usize {
        self.shared.metadata_fetches.load(Ordering::SeqCst)
    }

    /// Returns how often the key set was asked for.
    #[must_use]
    pub fn key_set_fetches(&self) -> usize {
        self.shared.key_set_fetches.load(Ordering::SeqCst)
    }

    /// Returns how often introspection was asked for.
    #[must_use]
    pub fn introspections(&self) -> usize {
        self.shared.introspections.load(Ordering::SeqCst)
    }

    /// Returns how often userinfo was asked for.
    #[must_use]
    pub fn userinfo_requests(&self) -> usize {
        self.shared.userinfo_requests.load(Ordering::SeqCst)
    }

    pub(super) fn es256(&self) -> SigningKey {
        self.shared.state().es256.clone()
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer")
            .field("url", &self.url())
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, Changeable> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn fault(&self) -> Option<Fault> {
        self.state().fault
    }

    fn metadata(&self) -> Value {
        let url = &self.url;
        json!({
            "issuer": url,
            "jwks_uri": format!("{url}/jwks"),
            "authorization_endpoint": format!("{url}/authorize"),
            "token_endpoint": format!("{url}/token"),
            "introspection_endpoint": format!("{url}/introspect"),
            "userinfo_endpoint": format!("{url}/userinfo"),
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
        })
    }

    fn key_set(&self) -> Value {
        let es256 = self.state().es256.jwk();
        let others = self.other_keys.iter().map(SigningKey::jwk);
        let keys: Vec<Value> = [es256].into_iter().chain(others).collect();
        json!({ "keys": keys })
    }
}

async fn metadata(State(shared): State<Arc<Shared>>) -> Response {
    shared.metadata_fetches.fetch_add(1, Ordering::SeqCst);
    let mut document = shared.metadata();
    let fault = shared.fault();
    match (fault, document.as_object_mut()) {
        (Some(Fault::Down), _) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        (Some(Fault::Slow | Fault::MetadataSlow), _) => std::future::pending::<()>().await,
        (Some(Fault::MetadataRedirect), _) => return Redirect::temporary("/behind-redirect/metadata").into_response(),
        (Some(Fault::NotJson), _) => return Html("<p>welcome</p>").into_response(),
        (Some(Fault::WrongIssuer), Some(members)) => {
            members.insert("issuer".to_owned(), format!("{}/", shared.url).into());
        }
        (Some(Fault::NoKeySet), Some(members)) => {
            members.remove("jwks_uri");
        }
        (Some(Fault::HugeMetadata), Some(members)) => {
            members.insert("padding".to_owned(), " ".repeat(MAX_METADATA_BYTES).into());
        }
        _ => {}
    }
    json_answer(&document)
}

async fn key_set(State(shared): State<Arc<Shared>>) -> Response {
    shared.key_set_fetches.fetch_add(1, Ordering::SeqCst);
    let mut document = shared.key_set();
    let fault = shared.fault();
    match (fault, document.get_mut("keys").and_then(Value::as_array_mut)) {
        (Some(Fault::Down | Fault::KeySetDown), _) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        (Some(Fault::Slow), _) => std::future::pending::<()>().await,
        (Some(Fault::KeySetRedirect), _) => return Redirect::temporary("/behind-redirect/jwks").into_response(),
        (Some(Fault::NotJson), _) => return Html("<p>welcome</p>").into_response(),
        (Some(Fault::HugeKeySet), Some(keys)) => keys.push(" ".repeat(MAX_KEY_SET_BYTES).into()),
        (Some(Fault::MalformedKeys), Some(keys)) => {
            keys.insert(
                0,
                json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": 7, "kid": "short"}),
            );
            keys.insert(
                0,
                json!({"kty": "oct", "k": "c2VjcmV0", "alg": "HS256", "kid": "shared"}),
            );
            keys.insert(0, json!("not a key"));
            keys.push(json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA", "kid": "future"}));
            keys.push(Value::Null);
        }
        _ => {}
    }
    json_answer(&document)
}

pub(super) fn json_answer(document: &Value) -> Response {
    (
        [(CONTENT_TYPE, HeaderValue::from_static("application/json"))],
        document.to_string(),
    )
        .into_response()
}
