//! A running to-do manager with its embedded authorization server, on free loopback ports.

#![allow(dead_code, reason = "each test program uses a part")]

use std::path::PathBuf;

use clap::Parser as _;
use dev_authorization_server::{SignIn, sign_in};
use reqwest::{Client, Response, redirect};
use serde_json::{Value, json};
use tempfile::TempDir;
use todo_manager::{
    server::{Server, StartError},
    settings::Settings,
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;

pub struct Running {
    pub resource: String,
    pub issuer: String,
    stop: CancellationToken,
    task: JoinHandle<Result<(), StartError>>,
}

/// A database that goes away with the test.
pub struct Database(TempDir);

impl Database {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn url(&self) -> String {
        format!("sqlite://{}?mode=rwc", self.path().display())
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("todos.db")
    }
}

/// Settings for a free port, unless `more` names one.
pub fn settings(database: &str, more: &[&str]) -> Settings {
    let policy = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies/todo.yaml");
    let mut arguments = vec!["todo-manager", "--database", database];
    if !more.contains(&"--policy") {
        arguments.extend(["--policy", policy]);
    }
    arguments.extend(more);
    if !more.contains(&"--port") {
        arguments.extend(["--port", "0"]);
    }
    Settings::parse_from(arguments)
}

impl Running {
    pub async fn start(database: &Database) -> Self {
        Self::with(&settings(&database.url(), &[])).await
    }

    pub async fn with(settings: &Settings) -> Self {
        Self::of(Server::start(settings).await.unwrap())
    }

    pub fn of(server: Server) -> Self {
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

    /// Calls a tool and gives its result: structured content, or the JSON text of a failure.
    pub async fn call(&self, token: &str, tool: &str, arguments: Value) -> Value {
        let response = self.post(Some(token), &call(tool, arguments)).await;
        assert_eq!(response.status(), 200);
        let answer: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        let result = &answer["result"];
        let text: Value = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
        if result["isError"] == true {
            return json!({ "isError": text });
        }
        assert_eq!(
            result["structuredContent"], text,
            "text and structured content say the same"
        );
        text
    }

    pub async fn contents(&self, token: &str) -> Vec<String> {
        let todos = self.call(token, "get-todos", json!({})).await;
        todos["todos"]
            .as_array()
            .unwrap()
            .iter()
            .map(|todo| todo["content"].as_str().unwrap().to_owned())
            .collect()
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
