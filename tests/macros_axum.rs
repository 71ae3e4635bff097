//! `#[requires_scope]` on axum handlers, and identity as an extractor.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Path, Request},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::{StatusCode, header};
use http_body_util::BodyExt;
use mcp_auth::{Access, AuthInfo, Caller, Denied, Policy, requires_scope, testing};
use serde_json::{Value, json};
use tower::ServiceExt;

const POLICY: &str = "
version: 1
policy: handlers
scopes:
  read: Read everything
roles:
  reader: { scopes: [read] }
objects:
  note: { owner: owner_id }
operations:
  list: { requires: read, object: note, owner_fallback: true }
  echo: { requires: read }
  one: { requires: read, object: note, owner_fallback: true }
  careless: { requires: read, object: note, owner_fallback: true }
";

#[requires_scope("read", owner_fallback)]
async fn list(access: Access) -> Result<impl IntoResponse, Denied> {
    Ok((StatusCode::OK, format!("{:?}", access.filter())))
}

/// The caller stands before the extractor that consumes the body.
#[requires_scope("read")]
async fn echo(_caller: Caller, body: String) -> Result<impl IntoResponse, (StatusCode, String)> {
    Ok((StatusCode::CREATED, body))
}

#[requires_scope("read", owner_fallback)]
async fn one(Path(owner): Path<String>, access: Access) -> Response {
    if owner == "missing" {
        return (StatusCode::NOT_FOUND, "no such note").into_response();
    }
    match access.check_owner(&owner) {
        Ok(()) => owner.into_response(),
        Err(denied) => denied.into_response(),
    }
}

#[requires_scope("read", owner_fallback)]
async fn careless(access: Access) -> Response {
    access.subject().to_owned().into_response()
}

async fn whoami(auth: AuthInfo, caller: Caller) -> String {
    format!("{} {}", auth.subject(), caller.subject())
}

async fn maybe(auth: Option<AuthInfo>) -> String {
    auth.map_or_else(|| "nobody".into(), |auth| auth.subject().to_owned())
}

/// Stands for the bearer layer: `Authorization: subject scope scope`.
async fn identify(mut request: Request, next: Next) -> Response {
    let policy = Arc::new(Policy::parse(POLICY).unwrap_or_else(|errors| panic!("{errors}")));
    if let Some(value) = request.headers().get(header::AUTHORIZATION) {
        let mut words = value.to_str().unwrap().split(' ').map(str::to_owned);
        let subject = words.next().unwrap();
        let caller = testing::caller(&policy).subject(subject).scopes(words).build();
        request.extensions_mut().insert(caller.auth().clone());
        if !request.headers().contains_key("x-no-policy") {
            request.extensions_mut().insert(caller);
        }
    }
    next.run(request).await
}

fn app() -> Router {
    Router::new()
        .route("/list", get(list))
        .route("/echo", post(echo))
        .route("/notes/{owner}", get(one))
        .route("/careless", get(careless))
        .route("/whoami", get(whoami))
        .route("/maybe", get(maybe))
        .layer(from_fn(identify))
}

async fn send(request: http::request::Builder, body: &str) -> (Response, String) {
    let response = app()
        .oneshot(request.body(Body::from(body.to_owned())).unwrap())
        .await
        .unwrap();
    let (parts, body) = response.into_parts();
    let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    (Response::from_parts(parts, Body::empty()), text)
}

async fn get_as(caller: &str, path: &str) -> (Response, String) {
    let request = http::Request::get(path);
    send(
        if caller.is_empty() {
            request
        } else {
            request.header(header::AUTHORIZATION, caller)
        },
        "",
    )
    .await
}

#[tokio::test]
async fn a_handler_gets_a_checked_access() {
    assert_eq!(get_as("alice read", "/list").await.1, "All");
    assert_eq!(get_as("alice", "/list").await.1, "OwnedBy(\"alice\")");
}

#[tokio::test]
async fn a_missing_scope_is_403_with_the_denial_in_the_extensions() {
    let (response, body) = send(
        http::Request::post("/echo").header(header::AUTHORIZATION, "alice read"),
        "hi",
    )
    .await;
    assert_eq!((response.status(), body.as_str()), (StatusCode::CREATED, "hi"));
    let (response, body) = send(
        http::Request::post("/echo").header(header::AUTHORIZATION, "alice"),
        "hi",
    )
    .await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(
        body,
        "`echo` needs the scope `read`; ask the user to grant access, then try again"
    );

    let (response, body) = denied_response().await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
    let denied = response.extensions().get::<Denied>().unwrap();
    assert_eq!(denied.missing_scopes(), ["read"]);
    assert_eq!(
        serde_json::from_str::<Value>(&body).unwrap(),
        json!({
            "error": "insufficient_scope",
            "error_description": "`echo` needs the scope `read`; ask the user to grant access, then try again",
            "reason": "missing_required_scopes",
            "missing_scopes": ["read"],
        })
    );
}

async fn denied_response() -> (Response, String) {
    #[requires_scope("read", name = "echo")]
    async fn guarded(_caller: Caller) -> Response {
        StatusCode::OK.into_response()
    }
    let policy = Arc::new(Policy::parse(POLICY).unwrap());
    let (parts, body) = guarded(testing::caller(&policy).build()).await.into_parts();
    let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
    (Response::from_parts(parts, Body::empty()), text)
}

#[tokio::test]
async fn somebody_elses_note_is_404_without_a_challenge() {
    assert_eq!(get_as("alice", "/notes/alice").await.1, "alice");
    assert_eq!(get_as("alice read", "/notes/bob").await.1, "bob");
    let (response, body) = get_as("alice", "/notes/bob").await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert_eq!(
        serde_json::from_str::<Value>(&body).unwrap(),
        json!({ "error_description": "not found", "reason": "not_found" })
    );
    // An error of the handler's own comes through although nothing was asked yet.
    assert_eq!(get_as("alice", "/notes/missing").await.1, "no such note");
}

#[tokio::test]
async fn a_handler_that_ignores_its_limit_is_refused() {
    assert_eq!(get_as("alice read", "/careless").await.0.status(), StatusCode::OK);
    let (response, body) = get_as("alice", "/careless").await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert!(
        body.contains("ownership_unchecked") && !body.contains("alice"),
        "{body}"
    );
}

#[tokio::test]
async fn identity_is_an_extractor_that_fails_closed() {
    assert_eq!(get_as("alice", "/whoami").await.1, "alice alice");
    assert_eq!(get_as("alice", "/maybe").await.1, "alice");
    assert_eq!(get_as("", "/maybe").await.1, "nobody");
    for path in ["/whoami", "/list", "/careless"] {
        let (response, body) = get_as("", path).await;
        // No token would help here, so nothing sends a client for one.
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR, "{path}");
        assert!(!response.headers().contains_key(header::WWW_AUTHENTICATE));
        assert!(body.contains("missing_identity"), "{body}");
    }
    let request = http::Request::get("/list")
        .header(header::AUTHORIZATION, "alice")
        .header("x-no-policy", "1");
    assert_eq!(send(request, "").await.0.status(), StatusCode::INTERNAL_SERVER_ERROR);
}
