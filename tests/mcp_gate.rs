//! The tool gate in front of a real `rmcp` transport.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod common;

use std::sync::{Arc, Mutex};

use axum::{Router, body::Body};
use common::*;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use mcp_auth::Policy;
use rmcp::model::ClientRequest;
use serde_json::{Value, json};

/// Every mode: how a call is sent in it.
async fn send_in_every_mode(
    subject: &str,
    scopes: &[&str],
    tool: &str,
    arguments: Value,
) -> Vec<(String, Answer, usize)> {
    let mut answers = Vec::new();
    for mode in MODES {
        let server = TestServer::with(mode, |builder| builder).await;
        let token = server.token(subject, scopes);
        let answer = server.send(modern(&token, call(tool, arguments.clone()))).await;
        answers.push((format!("{mode:?} 2026-07-28"), answer, server.ran()));

        let mut request = authorized(&token, post(&call(tool, arguments.clone())));
        if mode.sessions {
            request = with_header(request, "mcp-session-id", &open_session(&server.app, &token).await);
        }
        let before = server.ran();
        let answer = server.send(request).await;
        answers.push((format!("{mode:?} 2025-11-25"), answer, server.ran() - before));
    }
    answers
}

#[tokio::test]
async fn an_allowed_call_runs_in_every_mode() {
    for (mode, answer, ran) in
        send_in_every_mode("alice", &["create:todos"], "create-todo", json!({ "content": "x" })).await
    {
        assert_eq!(answer.status, StatusCode::OK, "{mode}: {answer:?}");
        assert!(answer.body.contains("created for alice"), "{mode}: {answer:?}");
        assert_eq!(ran, 1, "{mode}");
    }
}

#[tokio::test]
async fn own_reach_passes_the_gate_and_arrives_in_the_tool() {
    for (mode, answer, _) in send_in_every_mode("alice", &["create:todos"], "get-todos", json!({})).await {
        assert!(
            answer.body.contains(r#"OwnedBy(\"alice\") of alice"#),
            "{mode}: {answer:?}"
        );
    }
    for (mode, answer, _) in send_in_every_mode("admin", &["read:todos"], "get-todos", json!({})).await {
        assert!(answer.body.contains("All of admin"), "{mode}: {answer:?}");
    }
}

#[tokio::test]
async fn a_missing_scope_is_403_in_every_mode_and_no_code_runs() {
    for (mode, answer, ran) in send_in_every_mode("alice", &[], "create-todo", json!({})).await {
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{mode}: {answer:?}");
        assert!(
            answer.challenge().unwrap().contains(r#"scope="create:todos""#),
            "{mode}: {answer:?}"
        );
        assert_eq!(answer.json()["id"], 7, "{mode}");
        assert_eq!(ran, 0, "{mode}");
    }
}

#[tokio::test]
async fn a_tool_outside_the_policy_answers_byte_for_byte_like_one_that_does_not_exist() {
    // `delete-todo` is served, and this policy does not list it.
    let policy = include_str!("../policies/todo.yaml");
    let (policy, _) = policy.split_once("  delete-todo:").unwrap();
    for mode in [
        STATELESS_JSON,
        Mode {
            sessions: false,
            json: false,
        },
    ] {
        let policy = Policy::parse(policy).unwrap();
        let server = TestServer::with(mode, |builder| builder.policy(policy)).await;
        let bare = Router::new().route_service("/", transport(mode, Tools::default()));
        let token = server.token("admin", &["create:todos", "read:todos", "delete:todos"]);
        for tool in ["delete-todo", "no-such-tool", ""] {
            for request in [
                modern(&token, call(tool, json!({}))),
                authorized(&token, post(&call(tool, json!({})))),
            ] {
                let (head, body) = request.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                let answer = server
                    .send(Request::from_parts(head.clone(), Body::from(body.clone())))
                    .await;
                let missing = String::from_utf8(body.to_vec())
                    .unwrap()
                    .replace(tool_member(tool).as_str(), &tool_member("absent"));
                let mut request = Request::from_parts(head, Body::from(missing));
                if request.headers().contains_key("mcp-name") {
                    request.headers_mut().insert("mcp-name", "absent".parse().unwrap());
                }
                let expected = send(&bare, request).await;
                assert!(expected.body.contains("tool not found"), "{expected:?}");
                assert_eq!(
                    (answer.status, answer.body),
                    (expected.status, expected.body),
                    "{mode:?} `{tool}`"
                );
                assert_eq!(answer.headers, expected.headers, "{mode:?} `{tool}`");
            }
        }
        assert_eq!(server.ran(), 0);
    }
}

fn tool_member(tool: &str) -> String {
    format!(r#""name":"{tool}""#)
}

#[tokio::test]
async fn names_in_headers_are_never_believed() {
    let server = TestServer::start().await;
    let token = server.token("alice", &["read:todos"]);
    let lie = authorized(&token, post(&call("create-todo", json!({ "content": "x" }))));
    let lie = with_header(with_header(lie, "mcp-method", "tools/list"), "mcp-name", "get-todos");
    assert_eq!(server.send(lie).await.status, StatusCode::FORBIDDEN);
    assert_eq!(server.ran(), 0);
}

#[tokio::test]
async fn what_is_not_one_message_is_refused() {
    let server = TestServer::start().await;
    let token = server.token("alice", &["create:todos"]);
    let good = call("create-todo", json!({ "content": "x" })).to_string();
    for body in [
        format!("[{good}]"),
        good.replacen('{', r#"{"method":"ping","#, 1),
        good.replacen('{', "\u{feff}{", 1),
        format!("{good} {good}"),
        good.replace(r#""name":"create-todo""#, r#""name":"get-todos","name":"create-todo""#),
        good.replace(r#""name":"create-todo""#, r#""name":1"#),
        String::new(),
    ] {
        let answer = server
            .send(authorized(&token, request(Method::POST, body.clone())))
            .await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}: {answer:?}");
        assert!(answer.json()["error"]["code"].as_i64().unwrap() < -32000);
    }
    let too_long = request(Method::POST, " ".repeat(4 * 1024 * 1024 + 1));
    assert_eq!(
        server.send(authorized(&token, too_long)).await.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    assert_eq!(server.ran(), 0);
}

#[tokio::test]
async fn methods_for_what_the_policy_does_not_list_do_not_exist() {
    let server = TestServer::start().await;
    let token = server.token("alice", &["create:todos"]);
    for method in [
        "prompts/list",
        "prompts/get",
        "resources/list",
        "resources/templates/list",
        "resources/read",
        "resources/subscribe",
        "completion/complete",
        "tasks/list",
        "todos/everything",
        "",
    ] {
        let reference = json!({ "type": "ref/prompt", "name": "x" });
        let params = json!({ "uri": "file:///", "name": "x", "ref": reference });
        let ask = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
        // Without what the method would need, it does not exist either. A completion may be for either kind.
        let bare = match method {
            "completion/complete" => ask.clone(),
            _ => json!({ "jsonrpc": "2.0", "id": 7, "method": method }),
        };
        for (version, status) in [("2025-11-25", StatusCode::OK), ("2026-07-28", StatusCode::NOT_FOUND)] {
            for message in [&ask, &bare] {
                let mut request = authorized(&token, post(message));
                request
                    .headers_mut()
                    .insert("mcp-protocol-version", version.parse().unwrap());
                let answer = server.send(request).await;
                assert_eq!(answer.status, status, "{message} {version}");
                assert_eq!(answer.json()["error"]["code"], -32601, "{message} {version}");
                assert_eq!(answer.json()["id"], 7);
            }
        }
    }
}

/// The enum may grow without breaking this match, so the version that it was written for is pinned below.
fn passes(request: &ClientRequest) -> bool {
    use ClientRequest as R;
    match request {
        R::PingRequest(_)
        | R::InitializeRequest(_)
        | R::DiscoverRequest(_)
        | R::SetLevelRequest(_)
        | R::ListToolsRequest(_)
        // Of no resource here.
        | R::SubscriptionsListenRequest(_) => true,
        // By the policy, or not at all.
        R::CallToolRequest(_)
        | R::ListPromptsRequest(_)
        | R::ListResourcesRequest(_)
        | R::ListResourceTemplatesRequest(_)
        | R::CompleteRequest(_)
        | R::GetPromptRequest(_)
        | R::ReadResourceRequest(_)
        | R::SubscribeRequest(_)
        | R::UnsubscribeRequest(_)
        | R::GetTaskRequest(_)
        | R::UpdateTaskRequest(_)
        | R::CancelTaskRequest(_)
        | R::ListSkillsRequest(_)
        | R::GetSkillRequest(_)
        | R::ReadResourceDirectoryRequest(_)
        | R::CustomRequest(_) => false,
        unknown => panic!("decide who may use {unknown:?}, in src/gate/message.rs and here"),
    }
}

#[test]
fn the_table_of_methods_was_made_for_this_rmcp() {
    let lock = include_str!("../Cargo.lock");
    let (_, rmcp) = lock.split_once("name = \"rmcp\"\nversion = \"").unwrap();
    let version = rmcp.split('"').next().unwrap();
    assert_eq!(
        version, "3.9.0",
        "look for new variants of rmcp::model::ClientRequest, then change this number"
    );
}

#[tokio::test]
async fn only_methods_that_anybody_may_use_reach_the_transport_unasked() {
    let reached = Arc::new(Mutex::new(0));
    let count = Arc::clone(&reached);
    let inner = axum::routing::any(move || async move { *count.lock().unwrap() += 1 });
    let server = TestServer::start().await;
    let app = Router::new().route("/", inner).route_layer(server.auth.mcp_layer());
    let token = server.token("alice", &["create:todos"]);
    for method in [
        "ping",
        "initialize",
        "server/discover",
        "logging/setLevel",
        "prompts/list",
        "resources/list",
        "resources/templates/list",
        "tools/list",
        "completion/complete",
        "prompts/get",
        "resources/read",
        "resources/subscribe",
        "resources/unsubscribe",
        "subscriptions/listen",
        "tasks/get",
        "tasks/update",
        "tasks/cancel",
        "skills/list",
        "skills/get",
        "resources/directory/read",
        "custom/method",
        "",
    ] {
        let params = json!({
            "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" }, "level": "info",
            "name": "x", "uri": "file:///x", "taskId": "x", "ref": { "type": "ref/prompt", "name": "x" },
            "argument": { "name": "x", "value": "" }, "notifications": {}, "inputResponses": {}, "_meta": {},
        });
        let ask = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
        let request: ClientRequest = serde_json::from_value(ask.clone()).unwrap();
        let before = *reached.lock().unwrap();
        let answer = send(&app, authorized(&token, post(&ask))).await;
        let passed = *reached.lock().unwrap() > before;
        assert_eq!(passed, passes(&request), "{method} read as {request:?}: {answer:?}");
        // Without an id it is a notification, which nobody answers and which reaches nobody.
        let notification = json!({ "jsonrpc": "2.0", "method": method });
        if !passed {
            let answer = send(&app, authorized(&token, post(&notification))).await;
            assert_eq!((answer.status, &*answer.body), (StatusCode::ACCEPTED, ""), "{method}");
        }
    }
}

#[tokio::test]
async fn a_challenge_keeps_what_clients_of_older_versions_would_lose() {
    let server = TestServer::start().await;
    let token = server.token("admin", &["delete:todos", "openid", "read:todos"]);
    for (request, scopes) in [
        (
            authorized(&token, post(&call("create-todo", json!({})))),
            "create:todos read:todos delete:todos",
        ),
        (modern(&token, call("create-todo", json!({}))), "create:todos"),
    ] {
        let answer = server.send(request).await;
        assert!(
            answer.challenge().unwrap().contains(&format!(r#"scope="{scopes}""#)),
            "{answer:?}"
        );
        assert_eq!(
            answer.json()["error"]["data"]["missing_scopes"],
            json!(["create:todos"])
        );
    }
}

#[tokio::test]
async fn any_authenticated_caller_may_list_and_ping() {
    let server = TestServer::start().await;
    let token = server.token("alice", &[]);
    let list = post(&json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/list" }));
    let answer = server.send(authorized(&token, list)).await;
    let tools: Vec<_> = answer.json()["result"]["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool["name"].clone())
        .collect();
    assert_eq!(tools, ["create-todo", "delete-todo", "get-todos"]);
    let ping = post(&json!({ "jsonrpc": "2.0", "id": 7, "method": "ping" }));
    assert_eq!(server.send(authorized(&token, ping)).await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_token_does_not_reach_the_tool_and_an_event_id_does_not_reach_the_transport() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let inner = axum::routing::any(move |headers: http::HeaderMap| async move { log.lock().unwrap().push(headers) });
    let server = TestServer::start().await;
    let app = Router::new().route("/", inner).route_layer(server.auth.mcp_layer());
    let token = server.token("alice", &[]);
    for request in [
        post(&json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" })),
        request(Method::GET, ""),
    ] {
        let request = with_header(authorized(&token, request), "last-event-id", "0");
        assert_eq!(send(&app, request).await.status, StatusCode::OK);
    }
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 2);
    for headers in seen.iter() {
        assert!(
            !headers.contains_key("authorization") && !headers.contains_key("last-event-id"),
            "{headers:?}"
        );
    }
}
