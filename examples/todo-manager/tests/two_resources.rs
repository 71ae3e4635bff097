//! Two protected resources in one process, the program as it is installed: each has its path, its tokens and its metadata; keys and items are shared.

#![cfg(feature = "demo")]

mod common;

use std::{net::TcpListener, process::Stdio, time::Duration};

use common::*;
use mcp_auth::testing::Issuer;
use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    time::timeout,
};

/// The program, which ends with the test.
struct Program {
    _child: Child,
    _folder: TempDir,
    banner: Vec<String>,
    resources: [String; 2],
}

impl Program {
    /// Starts it with two resources on a free port. Its issuer takes the next one, which may be in use: then another try is made.
    async fn start(more: &[&str]) -> Self {
        for _ in 0..10 {
            if let Some(program) = Self::try_start(more).await {
                return program;
            }
        }
        panic!("it does not start with {more:?}");
    }

    /// Reads the banner. `None` if the program ends instead.
    async fn try_start(more: &[&str]) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let resources = ["team", "home"].map(|name| format!("http://localhost:{port}/{name}"));
        let mut child = Command::new(env!("CARGO_BIN_EXE_todo-manager"))
            .args(["--port", &port.to_string()])
            .args(["--resource", &resources[0], "--resource", &resources[1]])
            .args(more)
            .env_clear()
            .env("RUST_LOG", "error")
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut banner = Vec::new();
        while !banner.iter().any(|line: &String| line.starts_with("  database")) {
            let line = timeout(Duration::from_secs(20), lines.next_line()).await;
            banner.push(line.expect("it starts or ends").unwrap()?);
        }
        Some(Self {
            _child: child,
            _folder: folder,
            banner,
            resources,
        })
    }

    /// The values of a line of the banner.
    fn shown(&self, name: &str) -> Vec<&str> {
        let lines = self.banner.iter();
        lines
            .filter_map(|line| Some(line.trim().strip_prefix(name)?.trim()))
            .collect()
    }

    async fn post(&self, resource: usize, token: &str, tool: &str, arguments: Value) -> (u16, Value) {
        let request = Client::new()
            .post(&self.resources[resource])
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .bearer_auth(token)
            .body(call(tool, arguments).to_string());
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// Creates at the first resource, lists at the second, and tries each token at the other.
    async fn is_two_resources(&self, tokens: [&str; 2]) {
        let (status, created) = self
            .post(0, tokens[0], "create-todo", json!({ "content": "Buy milk" }))
            .await;
        assert_eq!(status, 200, "{created}");
        let (status, listed) = self.post(1, tokens[1], "get-todos", json!({})).await;
        assert_eq!(status, 200, "{listed}");
        assert_eq!(
            listed["result"]["structuredContent"]["todos"],
            json!([created["result"]["structuredContent"]]),
            "one database"
        );
        for (resource, token) in [(0, tokens[1]), (1, tokens[0])] {
            let (status, refused) = self.post(resource, token, "get-todos", json!({})).await;
            assert_eq!(
                (status, &refused["reason"]),
                (401, &json!("invalid_audience")),
                "{refused}"
            );
        }
    }
}

#[tokio::test]
async fn a_token_for_one_is_refused_at_the_other_and_the_keys_are_fetched_once() {
    let issuer = Issuer::start().await.unwrap();
    let program = Program::start(&["--issuer", issuer.url()]).await;
    assert_eq!(program.shown("MCP endpoint"), program.resources);
    let tokens = [0, 1].map(|resource| {
        let token = issuer.token().subject("alice").scopes(["create:todos"]);
        token.audience(&program.resources[resource]).sign()
    });
    program
        .is_two_resources(tokens.each_ref().map(|token| token.dangerous_raw_token()))
        .await;
    assert_eq!((issuer.metadata_fetches(), issuer.key_set_fetches()), (1, 1));
}

#[tokio::test]
async fn each_has_its_own_metadata_and_names_it_in_its_challenge() {
    let issuer = Issuer::start().await.unwrap();
    let program = Program::start(&["--issuer", issuer.url()]).await;
    for resource in &program.resources {
        let (origin, path) = resource.rsplit_once('/').unwrap();
        let metadata_url = format!("{origin}/.well-known/oauth-protected-resource/{path}");
        let refused = Client::new().post(resource).send().await.unwrap();
        assert_eq!(refused.status(), 401);
        let challenge = refused.headers()["www-authenticate"].to_str().unwrap();
        assert!(
            challenge.ends_with(&format!(r#"resource_metadata="{metadata_url}""#)),
            "{challenge}"
        );
        let metadata: Value = reqwest::get(metadata_url).await.unwrap().json().await.unwrap();
        assert_eq!(metadata["resource"], *resource);
    }
}

#[tokio::test]
async fn the_embedded_issuer_has_tokens_for_each_in_either_mode() {
    for mode in ["jwt", "introspection"] {
        let program = Program::start(&["--mode", mode]).await;
        let issuer = program.shown("issuer")[0];
        let mut tokens = Vec::new();
        for resource in &program.resources {
            let output = Command::new(env!("CARGO_BIN_EXE_todo-manager"))
                .args(["token", "alice", "--issuer", issuer, "--resource", resource])
                .env_clear()
                .output()
                .await
                .unwrap();
            assert!(output.status.success(), "{output:?}");
            tokens.push(String::from_utf8(output.stdout).unwrap().trim().to_owned());
        }
        program.is_two_resources([&tokens[0], &tokens[1]]).await;
    }
}
