//! Whatever a client brings back belongs to the principal it was given to, and no stream outlives its token.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod common;

use std::time::{Duration, SystemTime};

use axum::{
    Router,
    body::Body,
    response::{IntoResponse as _, Response},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use common::*;
use http::{Method, StatusCode};
use http_body_util::BodyExt as _;
use mcp_auth::{AuthInfo, BearerToken, CustomVerifier, CustomVerifierError, McpAuth};
use serde_json::{Map, Value, json};
use tower::ServiceExt as _;

#[tokio::test]
async fn a_session_opened_at_one_instance_is_known_to_another_with_the_same_key() {
    let key = vec![7; 32];
    let server = TestServer::with(MODES[2], |builder| builder.session_key(key.clone())).await;
    let alice = server.token("alice", &["create:todos"]);
    let session = open_session(&server.app, &alice).await;
    // Another instance in front of the same transport.
    for (key, status) in [(key, StatusCode::OK), (vec![8; 32], StatusCode::NOT_FOUND)] {
        let other = McpAuth::builder(RESOURCE)
            .authorization_server(server.issuer.authorization_server().unwrap())
            .session_key(key)
            .build()
            .unwrap();
        let inner = axum::routing::any(|| async { "reached" });
        let app = Router::new().route("/", inner).route_layer(other.mcp_layer());
        let ping = post(&json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" }));
        let answer = send(&app, with_header(authorized(&alice, ping), "mcp-session-id", &session)).await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
}

#[tokio::test]
async fn a_task_is_there_for_its_principal_only() {
    let server = TestServer::start().await;
    let auth = server.auth.clone();
    // A server that starts tasks, and one that is asked about them.
    let inner = axum::routing::any(move |info: AuthInfo| {
        let auth = auth.clone();
        async move { auth.seal().seal(&info, "task", b"7", Duration::from_secs(60)) }
    });
    let app = Router::new().route("/", inner).route_layer(server.auth.mcp_layer());
    let (alice, bob) = (server.token("alice", &[]), server.token("bob", &[]));
    let ping = post(&json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" }));
    let task_id = send(&app, authorized(&alice, ping)).await.body;
    for method in ["tasks/get", "tasks/update", "tasks/result", "tasks/cancel"] {
        for (token, id, reached) in [(&alice, &*task_id, true), (&bob, &task_id, false), (&alice, "7", false)] {
            let ask = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": { "taskId": id } });
            let answer = send(&app, authorized(token, post(&ask))).await;
            assert_eq!(!answer.body.contains("Task not found"), reached, "{method} {answer:?}");
        }
    }
}

#[tokio::test]
async fn a_stream_ends_five_seconds_after_the_token_that_opened_it() {
    let server = TestServer::start().await;
    ends_after(&server, Duration::from_secs(60)).await;
}

#[tokio::test]
async fn a_stream_of_a_token_without_an_end_ends_after_ten_minutes() {
    let server = TestServer::with(STATELESS_JSON, |builder| builder.custom_verifier(WithoutExpiry)).await;
    ends_after(&server, Duration::from_secs(600)).await;
}

/// Believes every token, but not that it ends.
struct WithoutExpiry;

impl CustomVerifier for WithoutExpiry {
    async fn verify(&self, token: &BearerToken) -> Result<Map<String, Value>, CustomVerifierError> {
        let payload = token.dangerous_raw_token().split('.').nth(1).unwrap_or_default();
        let mut claims: Map<String, Value> = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload)?)?;
        claims.remove("exp");
        Ok(claims)
    }
}

async fn ends_after(server: &TestServer, time: Duration) {
    let endless = axum::routing::any(|| async {
        let mut response = Response::new(Body::new(Endless));
        let value = "text/event-stream".parse().unwrap();
        response.headers_mut().insert("content-type", value);
        response.into_response()
    });
    let app = Router::new().route("/", endless).route_layer(server.auth.mcp_layer());
    let token = server.issuer.token().subject("alice").audience(RESOURCE);
    let token = token.expires_at(SystemTime::now() + Duration::from_secs(60)).sign();
    let response = app.oneshot(authorized(&token, request(Method::GET, ""))).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let mut body = response.into_body();
    pass(time).await;
    let still_open = tokio::time::timeout(Duration::from_millis(100), body.frame()).await;
    assert!(still_open.is_err(), "it ended with the token: {still_open:?}");
    pass(Duration::from_secs(6)).await;
    let ended = tokio::time::timeout(Duration::from_secs(5), body.frame()).await;
    assert!(ended.unwrap().is_none());
}

/// A stream on which nothing happens.
struct Endless;

impl axum::body::HttpBody for Endless {
    type Data = bytes::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, Self::Error>>> {
        std::task::Poll::Pending
    }
}
