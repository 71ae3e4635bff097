//! The same tools and the same policy over a pipe instead of HTTP.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod common;

use std::sync::atomic::Ordering;

use common::{
    Tools,
    library::{Library, handle, owned},
};
use mcp_auth::{LocalIdentity, LocalServer, OperationKind, Policy, PolicyHandle};
use rmcp::{ServerHandler, ServiceExt as _};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, ReadHalf, WriteHalf};

/// The client's end of the pipe.
struct Client {
    answers: BufReader<ReadHalf<DuplexStream>>,
    requests: WriteHalf<DuplexStream>,
}

impl Client {
    async fn start<S: ServerHandler>(server: LocalServer<S>) -> Self {
        let (near, far) = tokio::io::duplex(1 << 20);
        tokio::spawn(async move { server.serve(tokio::io::split(far)).await.unwrap().waiting().await });
        let (answers, requests) = tokio::io::split(near);
        let mut client = Self {
            answers: BufReader::new(answers),
            requests,
        };
        let hello = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
        client.ask("initialize", hello).await;
        client
            .send(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }))
            .await;
        client
    }

    async fn send(&mut self, message: Value) {
        self.requests
            .write_all(format!("{message}\n").as_bytes())
            .await
            .unwrap();
    }

    async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.send(json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params }))
            .await;
        let mut line = String::new();
        self.answers.read_line(&mut line).await.unwrap();
        serde_json::from_str(&line).unwrap()
    }

    async fn call(&mut self, tool: &str, arguments: Value) -> Value {
        self.ask("tools/call", json!({ "name": tool, "arguments": arguments }))
            .await
    }
}

fn policy(more: &str) -> PolicyHandle {
    let text = format!("{}{more}", include_str!("../policies/todo.yaml"));
    Policy::parse(&text).unwrap_or_else(|errors| panic!("{errors}")).into()
}

#[tokio::test]
async fn tools_and_guards_decide_by_the_same_policy() {
    let tools = Tools::default();
    for (identity, create, list) in [
        (
            LocalIdentity::new("alice").role("user"),
            "created for alice",
            r#"OwnedBy("alice") of alice"#,
        ),
        (
            LocalIdentity::new("root").role("admin"),
            "created for root",
            "All of root",
        ),
        (
            LocalIdentity::new("eve").scopes(["read:todos"]),
            "needs the scope `create:todos`",
            "All of eve",
        ),
    ] {
        let mut client = Client::start(LocalServer::new(tools.clone(), &identity, policy("")).unwrap()).await;
        let created = client.call("create-todo", json!({ "content": "x" })).await;
        assert!(created.to_string().contains(create), "{created}");
        let listed = client.call("get-todos", json!({})).await["result"]["content"][0]["text"].clone();
        assert_eq!(listed, list);
    }
    assert_eq!(tools.ran.load(Ordering::SeqCst), 5);
}

#[tokio::test]
async fn forbids_hidden_tools_and_unknown_ones_are_answered_as_over_http() {
    let forbid = "
visibility: granted
forbid:
  - id: long-content
    tools: [create-todo]
    when: { arg: { name: content, longer_than: 5, if_missing: skip } }
    message: Write less.
";
    let policy = policy(forbid);
    policy.declare_arguments(OperationKind::Tool, "create-todo", ["content"]);
    let alice = LocalIdentity::new("alice").scopes(["create:todos"]);
    let mut client = Client::start(LocalServer::new(Tools::default(), &alice, policy.clone()).unwrap()).await;
    for (content, text) in [("short", "created for alice"), ("much too long", "Write less.")] {
        let answer = client
            .call("create-todo", json!({ "content": content }))
            .await
            .to_string();
        assert!(answer.contains(text), "{answer}");
    }
    let nobody = LocalIdentity::new("nobody");
    let mut client = Client::start(LocalServer::new(Tools::default(), &nobody, policy).unwrap()).await;
    let hidden = client.call("create-todo", json!({ "content": "x" })).await;
    assert_eq!(hidden, client.call("absent", json!({})).await);
    let list = client.ask("tools/list", json!({})).await;
    let names = list["result"]["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool["name"].clone());
    assert_eq!(names.collect::<Vec<_>>(), ["delete-todo", "get-todos"]);
}

#[tokio::test]
async fn prompts_and_resources_are_decided_and_filtered() {
    let policy: PolicyHandle = common::library::policy("visibility: granted\n");
    let reader = LocalIdentity::new("alice").scopes(["read:books"]);
    let mut client = Client::start(LocalServer::new(Library::default(), &reader, policy).unwrap()).await;
    for (method, params, text) in [
        (
            "resources/read",
            json!({ "uri": "library://books/dune" }),
            "served library://books/dune",
        ),
        (
            "resources/read",
            json!({ "uri": "library://secrets" }),
            "Resource not found",
        ),
        (
            "resources/read",
            json!({ "uri": "library://cellar" }),
            "Resource not found",
        ),
        ("prompts/get", json!({ "name": "haiku" }), "served haiku"),
        ("prompts/get", json!({ "name": "summary" }), "Prompt not found"),
        ("tasks/list", json!({}), "Method not found"),
        ("skills/list", json!({}), "Method not found"),
    ] {
        let answer = client.ask(method, params.clone()).await.to_string();
        assert!(answer.contains(text), "{method} {params}: {answer}");
    }
    for (method, list, count) in [
        ("tools/list", "tools", 1),
        ("prompts/list", "prompts", 1),
        ("resources/list", "resources", 2),
        ("resources/templates/list", "resourceTemplates", 1),
    ] {
        let answer = client.ask(method, json!({})).await;
        assert_eq!(answer["result"][list].as_array().unwrap().len(), count, "{answer}");
    }
}

#[test]
fn an_identity_that_cannot_be_is_refused_at_start() {
    let unknown = LocalServer::new(Tools::default(), &LocalIdentity::new("a").role("rolf"), policy("")).unwrap_err();
    assert!(unknown.to_string().contains("has no role `rolf`"), "{unknown}");
    // No other test of this program reads the environment.
    let nobody = LocalIdentity::from_environment().unwrap_err().to_string();
    assert!(nobody.contains("set `MCP_AUTH_LOCAL_SUBJECT`"), "{nobody}");
}

#[tokio::test]
async fn a_role_gives_what_it_gives_in_the_policy_in_force() {
    let text = |role: &str| {
        let policy =
            format!("version: 1\nscopes: {{ make: Make }}\n{role}\ntools: {{ create-todo: {{ requires: make }} }}\n");
        Policy::parse(&policy).unwrap_or_else(|errors| panic!("{errors}"))
    };
    let with_role = "roles: { maker: { scopes: [make] } }";
    let handle = PolicyHandle::from(text(with_role));
    let tools = Tools::default();
    let identity = LocalIdentity::new("alice").role("maker");
    let mut client = Client::start(LocalServer::new(tools.clone(), &identity, handle.clone()).unwrap()).await;
    // The guard's annotation asks for another scope, so the gate's answer tells: `make` is named only where it is missing.
    for (role, missing) in [
        (with_role, false),
        ("roles: { maker: { scopes: [] } }", true),
        ("", true),
        (with_role, false),
    ] {
        handle.replace(text(role)).unwrap();
        let answer = client.call("create-todo", json!({ "content": "x" })).await;
        let named = answer.to_string().contains("`make`");
        assert_eq!(named, missing, "{role}: {answer}");
        assert_eq!(tools.ran.load(Ordering::SeqCst), 0);
    }
}

#[tokio::test]
async fn a_handler_that_cannot_tell_objects_apart_answers_nobody_who_has_only_some() {
    let policy = handle(&owned());
    let complete = json!({ "ref": { "type": "ref/resource", "uri": "library://books/{title}" }, "argument": { "name": "title", "value": "d" } });
    for (scopes, served) in [(&[][..], false), (&["read:books", "summarise"], true)] {
        let identity = LocalIdentity::new("alice").scopes(scopes.iter().copied());
        let mut client = Client::start(LocalServer::new(Library::default(), &identity, policy.clone()).unwrap()).await;
        for (method, params) in [
            ("resources/read", json!({ "uri": "library://books/dune" })),
            (
                "prompts/get",
                json!({ "name": "summary", "arguments": { "words": "1" } }),
            ),
            ("completion/complete", complete.clone()),
        ] {
            let answer = client.ask(method, params).await;
            assert_eq!(answer["result"].is_object(), served, "{method} {scopes:?}: {answer}");
        }
    }
}
