//! A protected MCP server over plain HTTP requests, with an issuer that really serves its keys.

#![allow(
    dead_code,
    missing_docs,
    missing_debug_implementations,
    unreachable_pub,
    reason = "each test program uses a part"
)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "test support")]

pub mod library;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{Router, body::Body};
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use mcp_auth::{
    Access, BearerToken, McpAuth, McpAuthBuilder, Policy, ToolFailure, guarded, requires_scope, testing::Issuer,
};
use rmcp::{
    ServerHandler,
    handler::server::wrapper::Parameters,
    tool, tool_handler, tool_router,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
    },
};
use serde_json::{Value, json};
use tower::ServiceExt as _;

pub const RESOURCE: &str = "http://localhost:3001";
pub const METADATA_URL: &str = "http://localhost:3001/.well-known/oauth-protected-resource";

/// A to-do server that only counts how often its tools ran.
#[derive(Debug, Clone, Default)]
pub struct Tools {
    pub ran: Arc<AtomicUsize>,
}

#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
pub struct Content {
    #[allow(dead_code, reason = "read by the schema only")]
    content: String,
}

#[guarded(policy = "policies/todo.yaml")]
#[tool_router]
impl Tools {
    #[tool(name = "create-todo")]
    #[requires_scope("create:todos")]
    async fn create_todo(&self, access: Access, Parameters(_): Parameters<Content>) -> Result<String, ToolFailure> {
        self.ran.fetch_add(1, Ordering::SeqCst);
        Ok(format!("created for {}", access.subject()))
    }

    #[tool(name = "get-todos")]
    #[requires_scope("read:todos", owner_fallback)]
    async fn get_todos(&self, access: Access) -> Result<String, ToolFailure> {
        self.ran.fetch_add(1, Ordering::SeqCst);
        Ok(format!("{:?} of {}", access.filter(), access.subject()))
    }

    #[tool(name = "delete-todo")]
    #[requires_scope("delete:todos", owner_fallback)]
    async fn delete_todo(&self, access: Access) -> Result<String, ToolFailure> {
        self.ran.fetch_add(1, Ordering::SeqCst);
        Ok(format!("{:?} of {}", access.filter(), access.subject()))
    }
}

#[tool_handler]
impl ServerHandler for Tools {}

/// An issuer, the server that trusts it, and its tools.
pub struct TestServer {
    pub issuer: Issuer,
    pub auth: McpAuth,
    pub app: Router,
    pub tools: Tools,
}

/// How the transport behind the layer works.
#[derive(Debug, Clone, Copy)]
pub struct Mode {
    pub sessions: bool,
    pub json: bool,
}

pub const STATELESS_JSON: Mode = Mode {
    sessions: false,
    json: true,
};
pub const MODES: [Mode; 3] = [
    STATELESS_JSON,
    Mode {
        sessions: false,
        json: false,
    },
    Mode {
        sessions: true,
        json: false,
    },
];

impl TestServer {
    pub async fn start() -> Self {
        Self::with(STATELESS_JSON, |builder| builder).await
    }

    pub async fn with(mode: Mode, configure: impl FnOnce(McpAuthBuilder) -> McpAuthBuilder) -> Self {
        let issuer = Issuer::start().await.unwrap();
        let policy = Policy::parse(include_str!("../../policies/todo.yaml")).unwrap();
        let builder = McpAuth::builder(RESOURCE)
            .authorization_server(issuer.authorization_server().unwrap())
            .policy(policy);
        let auth = configure(builder).build().unwrap();
        let tools = Tools::default();
        let served = tools.clone();
        let app = Router::new()
            .route_service("/", transport(mode, served))
            .route_layer(auth.mcp_layer())
            .merge(auth.metadata_router());
        Self {
            issuer,
            auth,
            app,
            tools,
        }
    }

    pub fn token(&self, subject: &str, scopes: &[&str]) -> BearerToken {
        self.issuer
            .token()
            .subject(subject)
            .audience(RESOURCE)
            .scopes(scopes)
            .sign()
    }

    pub fn ran(&self) -> usize {
        self.tools.ran.load(Ordering::SeqCst)
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        send(&self.app, request).await
    }

    /// Calls a tool as a client of 2025-11-25 without a session.
    pub async fn call(&self, token: &BearerToken, tool: &str, arguments: Value) -> Answer {
        self.send(authorized(token, post(&call(tool, arguments)))).await
    }
}

/// The server without anything of ours in front of it.
pub fn transport(mode: Mode, tools: Tools) -> StreamableHttpService<Tools, LocalSessionManager> {
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(mode.sessions)
        .with_json_response(mode.json);
    StreamableHttpService::new(move || Ok(tools.clone()), LocalSessionManager::default().into(), config)
}

/// Lets time pass without waiting. The clock runs again afterwards, so that it cannot overtake the network.
pub async fn pass(time: std::time::Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub fn challenge(&self) -> Option<&str> {
        assert!(
            self.headers.get_all(header::WWW_AUTHENTICATE).iter().count() <= 1,
            "{self:?}"
        );
        self.headers
            .get(header::WWW_AUTHENTICATE)
            .map(|value| value.to_str().unwrap())
    }
}

pub async fn send(app: &Router, request: Request<Body>) -> Answer {
    let (parts, body) = app.clone().oneshot(request).await.unwrap().into_parts();
    let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body,
    }
}

pub fn call(tool: &str, arguments: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": { "name": tool, "arguments": arguments } })
}

/// A request as MCP clients send it, without a token.
pub fn post(message: &Value) -> Request<Body> {
    request(Method::POST, message.to_string())
}

pub fn request(method: Method, body: impl Into<Body>) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri("/")
        .header(header::HOST, "localhost:3001")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT, "application/json, text/event-stream")
        .header("mcp-protocol-version", "2025-11-25")
        .body(body.into())
        .unwrap()
}

pub fn authorized(token: &BearerToken, request: Request<Body>) -> Request<Body> {
    with_header(
        request,
        "authorization",
        &format!("Bearer {}", token.dangerous_raw_token()),
    )
}

pub fn with_header(mut request: Request<Body>, name: &'static str, value: &str) -> Request<Body> {
    request.headers_mut().append(name, value.parse().unwrap());
    request
}

/// Legacy sessions, stateless events, stateless JSON, and each with MCP 2026-07-28.
pub const SIX_MODES: [(Mode, &str); 6] = [
    (MODES[0], "2025-11-25"),
    (MODES[1], "2025-11-25"),
    (MODES[2], "2025-11-25"),
    (MODES[0], "2026-07-28"),
    (MODES[1], "2026-07-28"),
    (MODES[2], "2026-07-28"),
];

/// A request as a client of this mode and version sends it, in a session of its own where there are sessions.
pub async fn client_request(
    app: &Router,
    mode: Mode,
    version: &'static str,
    token: &BearerToken,
    mut message: Value,
) -> Request<Body> {
    message["params"]["_meta"] = json!({ "progressToken": 1 });
    if version == "2026-07-28" {
        return modern(token, message);
    }
    let request = authorized(token, post(&message));
    if !mode.sessions {
        return request;
    }
    with_header(request, "mcp-session-id", &open_session(app, token).await)
}

/// A request in the form of 2026-07-28: the version in header and body, method and name in headers.
pub fn modern(token: &BearerToken, mut message: Value) -> Request<Body> {
    let version = "2026-07-28";
    let meta = &mut message["params"]["_meta"];
    meta["io.modelcontextprotocol/protocolVersion"] = version.into();
    meta["io.modelcontextprotocol/clientInfo"] = json!({ "name": "test", "version": "1" });
    meta["io.modelcontextprotocol/clientCapabilities"] = json!({});
    let mut request = authorized(token, post(&message));
    request
        .headers_mut()
        .insert("mcp-protocol-version", version.parse().unwrap());
    request = with_header(request, "mcp-method", message["method"].as_str().unwrap());
    let params = &message["params"];
    match params["name"].as_str().or(params["uri"].as_str()) {
        Some(name) => with_header(request, "mcp-name", name),
        None => request,
    }
}

/// Opens a session and gives the id the client saw.
pub async fn open_session(app: &Router, token: &BearerToken) -> String {
    let initialize = json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "test", "version": "1" } } });
    let answer = send(app, authorized(token, post(&initialize))).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let session = answer.headers["mcp-session-id"].to_str().unwrap().to_owned();
    let initialized = post(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
    let initialized = with_header(authorized(token, initialized), "mcp-session-id", &session);
    assert_eq!(send(app, initialized).await.status, StatusCode::ACCEPTED);
    session
}
