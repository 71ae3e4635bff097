//! A running whoami server on free loopback ports, with its embedded authorization server or one of the test.

#![allow(dead_code, reason = "each test program uses a part")]

use clap::Parser as _;
use dev_authorization_server::{Builder, DevelopmentAuthorizationServer, SignIn, bind_loopback, sign_in};
use mcp_auth::Policy;
use reqwest::{Client, Response, redirect};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;
use whoami::{
    server::{Server, StartError},
    settings::Settings,
};

pub struct Running {
    pub resource: String,
    pub issuer: String,
    stop: CancellationToken,
    task: JoinHandle<Result<(), StartError>>,
}

pub const POLICY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies/whoami.yaml");
pub const MODES: &[&str] = &["jwt", "introspection", "userinfo"];
/// What the policy tells clients to ask for.
pub const SCOPES: &[&str] = &["openid", "profile", "email"];

/// Settings for a free port and the policy of this repository, unless `more` names others.
pub fn settings(more: &[&str]) -> Settings {
    let mut arguments = vec!["whoami"];
    arguments.extend(more);
    if !more.contains(&"--policy") {
        arguments.extend(["--policy", POLICY]);
    }
    if !more.contains(&"--port") {
        arguments.extend(["--port", "0"]);
    }
    Settings::parse_from(arguments)
}

/// A port that was free a moment ago: for a server whose resource an issuer has to know before it starts.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// What a mode needs with an issuer of somebody else.
pub fn with_provider(mode: &str) -> &'static [&'static str] {
    match mode {
        "introspection" => &[
            "--mode",
            "introspection",
            "--introspection-client-id",
            "rs",
            "--introspection-client-secret",
            "rs secret",
        ],
        "userinfo" => &["--mode", "userinfo", "--insecure-no-audience-check"],
        _ => &["--mode", "jwt"],
    }
}

/// Starts an authorization server beside the whoami server, as a provider would run.
pub async fn provider(
    path: &str,
    resource: &str,
    change: impl FnOnce(Builder) -> Builder,
) -> DevelopmentAuthorizationServer {
    let listeners = bind_loopback(0).await.unwrap();
    let port = listeners[0].local_addr().unwrap().port();
    let policy = Policy::parse(&std::fs::read_to_string(POLICY).unwrap()).unwrap();
    let builder = DevelopmentAuthorizationServer::builder()
        .issuer(format!("http://localhost:{port}{path}"))
        .resource(resource)
        .introspection_client("rs", "rs secret")
        .users_from_policy(&policy);
    let server = change(builder).build().unwrap();
    let serving = server.clone();
    tokio::spawn(async move { serving.serve(listeners, std::future::pending()).await });
    server
}

impl Running {
    pub async fn start(more: &[&str]) -> Self {
        let server = Server::start(&settings(more)).await.unwrap();
        let stop = CancellationToken::new();
        Self {
            resource: server.resource().to_owned(),
            issuer: server.issuer().to_owned(),
            task: tokio::spawn(server.serve(stop.clone())),
            stop,
        }
    }

    /// Stops as on Ctrl-C and waits until everything is written.
    pub async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap().unwrap();
    }

    /// Signs in through the real authorization code flow.
    pub async fn token(&self, user: &str, scopes: &[&str]) -> String {
        let request = SignIn {
            issuer: self.issuer.clone(),
            resource: Some(self.resource.clone()),
            user: user.to_owned(),
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
        };
        sign_in(&request).await.unwrap().dangerous_raw_token().to_owned()
    }

    pub async fn post(&self, token: Option<&str>, message: &Value) -> Response {
        let mut request = Client::new()
            .post(&self.resource)
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .body(message.to_string());
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        request.send().await.unwrap()
    }

    /// Calls the tool and gives what it answers.
    pub async fn whoami(&self, token: &str) -> Value {
        let response = self.post(Some(token), &call("whoami", json!({}))).await;
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert_eq!(status, 200, "{text}");
        let answer: Value = serde_json::from_str(&text).unwrap();
        let result = &answer["result"];
        assert_ne!(result["isError"], true, "{text}");
        let text: Value = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
        assert_eq!(
            result["structuredContent"], text,
            "text and structured content say the same"
        );
        text
    }
}

pub fn call(tool: &str, arguments: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": tool, "arguments": arguments } })
}

/// Does what a person does in a browser: opens the page, picks a user, allows. Gives the address the browser is sent to.
pub async fn allow_as(user: &str, authorization_url: &str) -> Url {
    let browser = Client::builder().redirect(redirect::Policy::none()).build().unwrap();
    let page = browser.get(authorization_url).send().await.unwrap();
    assert_eq!(page.status(), 200, "{}", page.text().await.unwrap());
    let cookie = page.headers()["set-cookie"]
        .to_str()
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let html = page.text().await.unwrap();
    let fields = [
        ("request", field(&html, "request")),
        ("user", user.to_owned()),
        ("decision", "allow".to_owned()),
    ];
    let action = Url::parse(authorization_url).unwrap().join("/authorize").unwrap();
    let origin = action.origin().ascii_serialization();
    let answer = browser
        .post(action)
        .header("cookie", cookie)
        .header("origin", origin)
        .form(&fields)
        .send()
        .await
        .unwrap();
    assert!(answer.status().is_redirection(), "{answer:?}");
    Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap()
}

/// The value of a hidden field.
fn field(html: &str, name: &str) -> String {
    let (_, rest) = html.split_once(&format!(r#"name="{name}" value=""#)).unwrap();
    rest.split('"').next().unwrap().to_owned()
}
