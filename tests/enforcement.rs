//! Every enforcement point in every mode of the transport: status, challenge, body, and that nothing ran.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod common;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body};
use common::{Answer, MODES, Mode, RESOURCE, SIX_MODES, call, client_request, send};
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use mcp_auth::{
    Access, BearerToken, McpAuth, OperationKind, Policy, PolicyHandle, ToolFailure, guarded, requires_scope,
    testing::Issuer,
};
use rmcp::{
    RoleServer, ServerHandler,
    handler::server::wrapper::Parameters,
    model::{ProgressNotificationParam, ProgressToken},
    service::RequestContext,
    tool, tool_handler, tool_router,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
    },
};
use serde_json::{Value, json};
use tower::ServiceExt as _;

const POLICY: &str = "
version: 1
policy: notes
scopes:
  write:notes: Write notes
  delete:notes: Delete anybody's notes
  audit:notes: See who read what
objects:
  note: { owner: owner_id }
tools:
  write-note: { requires: write:notes }
  delete-note: { requires: delete:notes, object: note, owner_fallback: true }
  purge-note: { requires: delete:notes, object: note, owner_fallback: true }
forbid:
  - id: long-note
    tools: [write-note, delete-note]
    when: { arg: { name: owner, is: nobody, if_missing: skip } }
    message: Nobody has no notes.
";

/// Deletes notes, and counts how many.
#[derive(Debug, Clone, Default)]
struct Notes {
    deleted: Arc<AtomicUsize>,
}

#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Note {
    owner: String,
    #[serde(default)]
    how: String,
}

#[guarded]
#[tool_router]
impl Notes {
    #[tool(name = "write-note")]
    #[requires_scope("write:notes")]
    async fn write_note(&self, access: Access, Parameters(_): Parameters<Note>) -> Result<String, ToolFailure> {
        self.deleted.fetch_add(1, Ordering::SeqCst);
        Ok(format!("written by {}", access.subject()))
    }

    /// `how` says what happens before and after the check.
    #[tool(name = "delete-note")]
    #[requires_scope("delete:notes", owner_fallback)]
    async fn delete_note(
        &self,
        access: Access,
        context: RequestContext<RoleServer>,
        Parameters(note): Parameters<Note>,
    ) -> Result<String, ToolFailure> {
        if note.how == "says something first" {
            let progress = ProgressNotificationParam::new(ProgressToken(rmcp::model::NumberOrString::Number(1)), 0.5);
            context.peer.notify_progress(progress).await.unwrap();
            // Long enough that it went out.
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
        if note.how == "takes long" {
            tokio::time::sleep(Duration::from_secs(4)).await;
        }
        if note.how == "panics" {
            panic!("on purpose");
        }
        let checked = access.check_owner(&note.owner);
        if note.how == "catches the denial" {
            return Ok(format!("it was {:?}", checked.is_ok()));
        }
        if note.how == "says not found" {
            checked.map_err(|denied| denied.or_not_found(ToolFailure::text("no such note")))?;
            return Ok("deleted".into());
        }
        checked?;
        self.deleted.fetch_add(1, Ordering::SeqCst);
        if note.how == "fails later" {
            return Err(ToolFailure::text("the disk is full"));
        }
        Ok("deleted".into())
    }

    /// Stricter in the code than in the policy: the annotation has no owner fallback.
    #[tool(name = "purge-note")]
    #[requires_scope("delete:notes")]
    async fn purge_note(&self, Parameters(_): Parameters<Note>) -> Result<String, ToolFailure> {
        self.deleted.fetch_add(1, Ordering::SeqCst);
        Ok("purged".into())
    }
}

#[tool_handler]
impl ServerHandler for Notes {}

struct Server {
    issuer: Issuer,
    app: Router,
    notes: Notes,
    mode: Mode,
    version: &'static str,
}

impl Server {
    async fn start(mode: Mode, version: &'static str, policy: &str) -> Self {
        let issuer = Issuer::start().await.unwrap();
        let handle = PolicyHandle::from(Policy::parse(policy).unwrap_or_else(|errors| panic!("{errors}")));
        // The audit would refuse an annotation that is stricter than the policy; the guard must hold without it.
        for tool in ["write-note", "delete-note"] {
            handle.declare_arguments(OperationKind::Tool, tool, ["owner", "how"]);
        }
        let auth = McpAuth::builder(RESOURCE)
            .authorization_server(issuer.authorization_server().unwrap())
            .policy(handle)
            .build()
            .unwrap();
        let notes = Notes::default();
        let served = notes.clone();
        let config = StreamableHttpServerConfig::default()
            .with_legacy_session_mode(mode.sessions)
            .with_json_response(mode.json);
        let service = StreamableHttpService::new(
            move || Ok(served.clone()),
            LocalSessionManager::default().into(),
            config,
        );
        Self {
            app: Router::new().route_service("/", service).route_layer(auth.mcp_layer()),
            issuer,
            notes,
            mode,
            version,
        }
    }

    fn token(&self, scopes: &[&str]) -> BearerToken {
        self.issuer
            .token()
            .subject("alice")
            .audience(RESOURCE)
            .scopes(scopes)
            .sign()
    }

    async fn request(&self, token: &BearerToken, message: Value) -> Request<Body> {
        client_request(&self.app, self.mode, self.version, token, message).await
    }

    async fn call(&self, scopes: &[&str], tool: &str, owner: &str, how: &str) -> Answer {
        let token = self.token(scopes);
        let message = call(tool, json!({ "owner": owner, "how": how }));
        send(&self.app, self.request(&token, message).await).await
    }

    fn ran(&self) -> usize {
        self.notes.deleted.load(Ordering::SeqCst)
    }
}

/// What is tried: tool, scopes, owner; then status, scope of the challenge, a part of the body, and whether the tool did something.
type Row = (
    &'static str,
    &'static [&'static str],
    &'static str,
    u16,
    Option<&'static str>,
    &'static str,
    usize,
);

const STEP_UP: &[Row] = &[
    // Before dispatch.
    (
        "write-note",
        &["write:notes"],
        "alice",
        200,
        None,
        "written by alice",
        1,
    ),
    (
        "write-note",
        &[],
        "alice",
        403,
        Some("write:notes"),
        "missing_required_scopes",
        0,
    ),
    (
        "write-note",
        &["write:notes"],
        "nobody",
        403,
        None,
        "Nobody has no notes.",
        0,
    ),
    (
        "no-such-tool",
        &["write:notes"],
        "alice",
        200,
        None,
        "tool not found",
        0,
    ),
    // In the tool: the annotation is stricter than the policy.
    ("purge-note", &["delete:notes"], "bob", 200, None, "purged", 1),
    (
        "purge-note",
        &[],
        "alice",
        403,
        Some("delete:notes"),
        "missing_required_scopes",
        0,
    ),
    // About the owner.
    ("delete-note", &["delete:notes"], "bob", 200, None, "deleted", 1),
    ("delete-note", &[], "alice", 200, None, "deleted", 1),
    (
        "delete-note",
        &[],
        "bob",
        403,
        Some("delete:notes"),
        "on an object of somebody else",
        0,
    ),
    (
        "delete-note",
        &[],
        "",
        403,
        Some("delete:notes"),
        "on an object of somebody else",
        0,
    ),
    ("delete-note", &[], "nobody", 403, None, "Nobody has no notes.", 0),
];

#[tokio::test]
async fn every_point_decides_alike_in_all_six_modes() {
    for (mode, version) in SIX_MODES {
        let server = Server::start(mode, version, &format!("{POLICY}on_not_owner: step_up\n")).await;
        for (tool, scopes, owner, status, challenge, body, ran) in STEP_UP {
            let row = format!("{tool} {scopes:?} {owner:?} {mode:?} {version}");
            let before = server.ran();
            let answer = server.call(scopes, tool, owner, "").await;
            assert_eq!(answer.status.as_u16(), *status, "{row}: {answer:?}");
            assert!(answer.body.contains(body), "{row}: {answer:?}");
            assert_eq!(server.ran() - before, *ran, "{row}");
            match challenge {
                Some(scope) => {
                    let header = answer.challenge().unwrap_or_else(|| panic!("{row}: {answer:?}"));
                    assert!(header.contains(&format!(r#"scope="{scope}""#)), "{row}: {header}");
                    assert!(header.contains(r#"error="insufficient_scope""#), "{row}: {header}");
                    assert_eq!(answer.json()["id"], 7, "{row}");
                }
                None => assert_eq!(answer.challenge(), None, "{row}"),
            }
        }
    }
}

#[tokio::test]
async fn hidden_owners_answer_in_the_tool_in_all_six_modes() {
    for (mode, version) in SIX_MODES {
        let server = Server::start(mode, version, POLICY).await;
        for (how, text) in [("", "not found"), ("says not found", "no such note")] {
            let answer = server.call(&[], "delete-note", "bob", how).await;
            assert_eq!(
                (answer.status, answer.challenge()),
                (StatusCode::OK, None),
                "{answer:?}"
            );
            assert!(
                answer.body.contains(text) && answer.body.contains(r#""isError":true"#),
                "{answer:?}"
            );
            assert!(!answer.body.contains("delete:notes"), "{answer:?}");
        }
        assert_eq!(server.ran(), 0);
    }
}

#[tokio::test]
async fn what_a_tool_does_around_its_check_has_a_defined_answer() {
    for (mode, version) in SIX_MODES {
        let server = Server::start(mode, version, &format!("{POLICY}on_not_owner: step_up\n")).await;
        let answer = server.call(&[], "delete-note", "bob", "says not found").await;
        assert_eq!(
            answer.status,
            StatusCode::FORBIDDEN,
            "the policy wants it to be told: {answer:?}"
        );
        // A denial that the tool caught changes nothing.
        let answer = server.call(&[], "delete-note", "bob", "catches the denial").await;
        assert_eq!(
            (answer.status, answer.challenge()),
            (StatusCode::OK, None),
            "{answer:?}"
        );
        assert!(answer.body.contains("it was false"), "{answer:?}");
        // An error after a check that passed is the tool's own.
        let answer = server.call(&[], "delete-note", "alice", "fails later").await;
        assert_eq!(
            (answer.status, answer.challenge()),
            (StatusCode::OK, None),
            "{answer:?}"
        );
        assert!(answer.body.contains("the disk is full"), "{answer:?}");
    }
}

#[tokio::test]
async fn a_message_before_the_check_ends_the_hold() {
    for (mode, version) in SIX_MODES {
        let server = Server::start(mode, version, &format!("{POLICY}on_not_owner: step_up\n")).await;
        let answer = server.call(&[], "delete-note", "bob", "says something first").await;
        assert_eq!(
            (answer.status, answer.challenge()),
            (StatusCode::OK, None),
            "{mode:?} {version}: {answer:?}"
        );
        let (progress, result) = answer.body.split_once("notifications/progress").unwrap();
        assert!(!progress.contains("isError"), "{answer:?}");
        assert!(result.contains("on an object of somebody else"), "{answer:?}");
    }
}

#[tokio::test]
async fn a_slow_tool_is_held_two_seconds_and_then_answers_by_itself() {
    // From 2026-07-28 on the transport itself sends nothing before the first message, and so the answer is 403 after any time.
    for (mode, version, held) in [
        (MODES[1], "2025-11-25", true),
        (MODES[2], "2025-11-25", true),
        (MODES[1], "2026-07-28", false),
    ] {
        let server = Server::start(mode, version, &format!("{POLICY}on_not_owner: step_up\n")).await;
        let token = server.token(&[]);
        let slow = server
            .request(
                &token,
                call("delete-note", json!({ "owner": "bob", "how": "takes long" })),
            )
            .await;
        let started = std::time::Instant::now();
        let response = server.app.clone().oneshot(slow).await.unwrap();
        let head = started.elapsed();
        if !held {
            assert_eq!(response.status(), StatusCode::FORBIDDEN);
            continue;
        }
        assert_eq!(response.status(), StatusCode::OK);
        assert!((1500..3500).contains(&head.as_millis()), "{head:?}");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert!(String::from_utf8_lossy(&body).contains("on an object of somebody else"));
    }
}

#[tokio::test]
async fn a_client_that_leaves_while_it_is_held_and_a_tool_that_panics_hold_up_nobody() {
    let server = Server::start(MODES[1], "2026-07-28", &format!("{POLICY}on_not_owner: step_up\n")).await;
    let token = server.token(&[]);
    let slow = server
        .request(
            &token,
            call("delete-note", json!({ "owner": "bob", "how": "takes long" })),
        )
        .await;
    let left = tokio::time::timeout(Duration::from_millis(100), server.app.clone().oneshot(slow)).await;
    assert!(left.is_err(), "it was not held");
    let panics = server.call(&[], "delete-note", "alice", "panics");
    let _ = tokio::time::timeout(Duration::from_secs(4), panics).await;
    let answer = server.call(&[], "delete-note", "bob", "").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{answer:?}");
}

#[tokio::test]
async fn nothing_is_held_for_a_call_that_reaches_everything() {
    let server = Server::start(MODES[2], "2025-11-25", &format!("{POLICY}on_not_owner: step_up\n")).await;
    let token = server.token(&["delete:notes"]);
    let slow = server
        .request(
            &token,
            call("delete-note", json!({ "owner": "bob", "how": "takes long" })),
        )
        .await;
    let started = std::time::Instant::now();
    let response = server.app.clone().oneshot(slow).await.unwrap();
    assert!(
        started.elapsed() < Duration::from_millis(1500),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(response.status(), StatusCode::OK);
}
