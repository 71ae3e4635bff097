//! Forbids, claims and issuers of the policy, seen from outside of a server.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod common;

use std::sync::Arc;

use axum::Router;
use common::*;
use http::StatusCode;
use mcp_auth::{AuthorizationServer, McpAuth, OperationKind, Policy, PolicyHandle, Reach, testing};
use serde_json::{Map, json};

const TODO: &str = include_str!("../policies/todo.yaml");

fn policy(more: &str) -> Policy {
    Policy::parse(&format!("{TODO}{more}")).unwrap_or_else(|errors| panic!("{errors}"))
}

const SHORT: &str = "
forbid:
  - id: long-content
    tools: [create-todo]
    when: { arg: { name: content, longer_than: 5, if_missing: skip } }
    message: Write less.
";

#[tokio::test]
async fn a_forbid_on_arguments_is_judged_by_the_arguments_of_this_call_at_the_gate_and_in_the_guard() {
    for mode in [MODES[0], MODES[1]] {
        let handle = PolicyHandle::from(policy(SHORT));
        handle.declare_arguments(OperationKind::Tool, "create-todo", ["content"]);
        let server = TestServer::with(mode, |builder| builder.policy(handle)).await;
        let token = server.token("alice", &["create:todos", "read:todos", "delete:todos"]);
        // The guard asks again: without the arguments it would refuse.
        let answer = server.call(&token, "create-todo", json!({ "content": "short" })).await;
        assert_eq!((answer.status, server.ran()), (StatusCode::OK, 1), "{answer:?}");
        for content in [json!("longer than five"), json!(123_456), json!(null), json!(["x"])] {
            let answer = server.call(&token, "create-todo", json!({ "content": content })).await;
            assert_eq!((answer.status, server.ran()), (StatusCode::FORBIDDEN, 1), "{answer:?}");
            assert!(
                !answer.headers.contains_key("www-authenticate"),
                "no scope helps: {answer:?}"
            );
            let text = format!("{answer:?}");
            assert!(text.contains("Write less.") && text.contains("forbidden"), "{text}");
        }
        let answer = server.call(&token, "get-todos", json!({})).await;
        assert_eq!((answer.status, server.ran()), (StatusCode::OK, 2), "{answer:?}");
    }
}

#[tokio::test]
async fn without_the_gate_nobody_knows_the_arguments_and_the_guard_refuses() {
    let issuer = testing::Issuer::start().await.unwrap();
    let auth = McpAuth::builder(RESOURCE)
        .authorization_server(issuer.authorization_server().unwrap())
        .policy(policy(SHORT))
        .build()
        .unwrap();
    let tools = Tools::default();
    let app = Router::new()
        .route_service("/", transport(STATELESS_JSON, tools.clone()))
        .route_layer(auth.bearer_layer());
    let token = issuer
        .token()
        .subject("alice")
        .audience(RESOURCE)
        .scopes(["create:todos"])
        .sign();
    let request = authorized(&token, post(&call("create-todo", json!({ "content": "short" }))));
    let answer = send(&app, request).await;
    assert_eq!(tools.ran.load(std::sync::atomic::Ordering::SeqCst), 0, "{answer:?}");
    assert!(format!("{answer:?}").contains("Write less."), "{answer:?}");
}

#[tokio::test]
async fn an_argument_under_a_name_that_was_not_declared_leaves_the_forbid_standing() {
    let (content, name) = (["content"], "create-todo");
    for (declared, arguments, status) in [
        (Some(content), json!({ "content": "short" }), StatusCode::OK),
        // What `#[serde(alias = "text")]` would take for the content.
        (Some(content), json!({ "text": "much too long" }), StatusCode::FORBIDDEN),
        (
            Some(content),
            json!({ "content": "short", "text": "x" }),
            StatusCode::FORBIDDEN,
        ),
        (None, json!({ "content": "short" }), StatusCode::FORBIDDEN),
    ] {
        let handle = PolicyHandle::from(policy(SHORT));
        if let Some(declared) = declared {
            handle.declare_arguments(OperationKind::Tool, name, declared);
        }
        let server = TestServer::with(STATELESS_JSON, |builder| builder.policy(handle)).await;
        let answer = server
            .call(&server.token("alice", &["create:todos"]), name, arguments.clone())
            .await;
        assert_eq!(answer.status, status, "{arguments}: {answer:?}");
    }
}

#[tokio::test]
async fn a_forbidden_caller_is_not_sent_to_fetch_scopes() {
    for (message, status, text) in [
        (
            ", message: Closed for the night.",
            StatusCode::FORBIDDEN,
            "Closed for the night.",
        ),
        // Without words for the caller, the tool does not exist for it: no list shows it either.
        ("", StatusCode::OK, "tool not found"),
    ] {
        let closed = format!("\nforbid:\n  - {{ id: closed, tools: [create-todo]{message} }}\n");
        let server = TestServer::with(STATELESS_JSON, |builder| builder.policy(policy(&closed))).await;
        let answer = server
            .call(&server.token("alice", &[]), "create-todo", json!({ "content": "x" }))
            .await;
        assert_eq!(answer.status, status);
        assert!(answer.body.contains(text), "{answer:?}");
        assert!(!answer.headers.contains_key("www-authenticate"), "{answer:?}");
        assert_eq!(server.ran(), 0);
    }
}

#[test]
fn a_policy_that_does_not_cover_the_issuers_stops_the_start() {
    let build = |issuers: &[&str], callers: &str| {
        let mut builder = McpAuth::builder(RESOURCE).policy(policy(callers));
        for issuer in issuers {
            builder = builder.authorization_server(AuthorizationServer::new(*issuer).unwrap());
        }
        builder.build().map(|_| ()).map_err(|error| error.to_string())
    };
    let (one, two) = ("https://one.example", "https://two.example");
    let listed = "\ncallers: { issuers: { https://one.example: { subject: sub } } }\n";
    assert_eq!(build(&[one], ""), Ok(()));
    assert_eq!(build(&[one], listed), Ok(()));
    assert_eq!(
        build(&[two], listed).unwrap_err(),
        "policy `policy` does not fit the trusted issuers: issuer `https://two.example` is not under `callers.issuers`; did you mean \
         `https://one.example`?"
    );
    assert!(
        build(&[one, two], "")
            .unwrap_err()
            .contains("`callers.owner_key` is not written")
    );
    assert_eq!(build(&[one, two], "\ncallers: { owner_key: subject }\n"), Ok(()));
}

#[test]
fn a_replacement_that_does_not_cover_the_issuers_is_refused() {
    let handle = PolicyHandle::from(policy(""));
    let auth = McpAuth::builder(RESOURCE)
        .policy(handle.clone())
        .authorization_server(AuthorizationServer::new("https://two.example").unwrap())
        .build()
        .unwrap();
    let revision = handle.current().revision().to_owned();
    let refused = handle.replace(policy(
        "\ncallers: { issuers: { https://one.example: { subject: sub } } }\n",
    ));
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("`https://two.example` is not under")
    );
    assert_eq!(auth.status().policy().unwrap().revision(), revision);
}

#[test]
fn the_owner_key_says_whose_objects_are_the_callers_own() {
    let caller = |callers: &str| {
        let policy = Arc::new(policy(callers));
        let caller = testing::caller(&policy).subject("alice").claim("oid", "a-1").build();
        assert_eq!(caller.subject(), "alice");
        (
            caller.owner_key().to_owned(),
            caller.reach(OperationKind::Tool, "get-todos").ok(),
        )
    };
    let own = Some(Reach::Own);
    assert_eq!(caller(""), ("alice".into(), own));
    assert_eq!(
        caller("\ncallers: { default: { subject: oid } }\n"),
        ("a-1".into(), own)
    );
    assert_eq!(
        caller("\ncallers: { owner_key: issuer_and_subject }\n"),
        ("https://issuer.example#alice".into(), own)
    );
    // A claim that is missing: the caller owns nothing, and other people's objects without owner least of all.
    assert_eq!(
        caller("\ncallers: { default: { subject: user.id } }\n"),
        (String::new(), None)
    );
    assert_eq!(caller("\ncallers: { issuers: { https://other.example: {} } }\n").0, "");
}

#[test]
fn arguments_count_for_the_call_that_they_came_with_only() {
    let policy = Arc::new(policy(SHORT));
    let short = Map::from_iter([("content".to_owned(), json!("short"))]);
    let alice = testing::caller(&policy).scopes(["create:todos"]);
    let reach = |caller: mcp_auth::Caller| caller.reach(OperationKind::Tool, "create-todo").ok();
    assert_eq!(
        reach(alice.clone().calling("create-todo", short.clone()).build()),
        Some(Reach::Any)
    );
    assert_eq!(reach(alice.clone().calling("get-todos", short).build()), None);
    assert_eq!(reach(alice.build()), None);
}
