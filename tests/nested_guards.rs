//! A guarded function may call other guarded functions. What becomes of the call is decided by the first one, not by those it calls.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod common;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::Router;
use common::{Mode, RESOURCE, SIX_MODES, call, client_request, send};
use http::StatusCode;
use mcp_auth::{Access, Caller, Denied, McpAuth, Policy, ToolFailure, guarded, requires_scope, testing::Issuer};
use rmcp::{
    ServerHandler,
    handler::server::wrapper::Parameters,
    tool, tool_handler, tool_router,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
    },
};
use serde_json::json;

const POLICY: &str = "
version: 1
scopes: { 'delete:notes': Delete notes }
objects: { note: { owner: owner_id } }
tools:
  delete-note: { requires: 'delete:notes', object: note, owner_fallback: true }
operations:
  purge: { requires: 'delete:notes' }
  look: { requires: 'delete:notes', object: note, owner_fallback: true }
  list: { requires: 'delete:notes', object: note, owner_fallback: true }
on_not_owner: step_up
";

#[derive(Debug, Clone, Default)]
struct Notes {
    deleted: Arc<AtomicUsize>,
}

#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
struct Note {
    owner: String,
    /// Which function is called first.
    calls: String,
    then: String,
}

#[requires_scope("delete:notes")]
async fn purge(_caller: &Caller) -> Result<(), Denied> {
    Ok(())
}

#[requires_scope("delete:notes", owner_fallback)]
async fn look(access: Access, owner: &str) -> Result<(), Denied> {
    access.check_owner(owner)
}

#[requires_scope("delete:notes", owner_fallback)]
async fn list(access: Access) -> Result<usize, Denied> {
    Ok(format!("{:?}", access.filter()).len())
}

#[guarded]
#[tool_router]
impl Notes {
    #[tool(name = "delete-note")]
    #[requires_scope("delete:notes", owner_fallback)]
    async fn delete_note(&self, access: Access, Parameters(note): Parameters<Note>) -> Result<String, ToolFailure> {
        let inner = match note.calls.as_str() {
            "purge" => purge(access.caller()).await,
            "look" => look(access.caller().clone(), &note.owner).await,
            _ => list(access.caller().clone()).await.map(|_| ()),
        };
        // Long enough that a response that is not held any more goes out.
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        match note.then.as_str() {
            "passes it on" => inner?,
            "checks itself" => access.check_owner(&note.owner)?,
            _ => assert!(access.permits(access.owner_key())),
        }
        self.deleted.fetch_add(1, Ordering::SeqCst);
        Ok("deleted".into())
    }
}

#[tool_handler]
impl ServerHandler for Notes {}

fn app(auth: &McpAuth, mode: Mode, notes: &Notes) -> Router {
    let served = notes.clone();
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(mode.sessions)
        .with_json_response(mode.json);
    let service = StreamableHttpService::new(
        move || Ok(served.clone()),
        LocalSessionManager::default().into(),
        config,
    );
    Router::new().route_service("/", service).route_layer(auth.mcp_layer())
}

#[tokio::test]
async fn a_denial_of_an_inner_function_counts_when_the_outer_one_ends_with_it() {
    let issuer = Issuer::start().await.unwrap();
    let auth = McpAuth::builder(RESOURCE)
        .authorization_server(issuer.authorization_server().unwrap())
        .policy(Policy::parse(POLICY).unwrap_or_else(|errors| panic!("{errors}")))
        .build()
        .unwrap();
    let token = issuer
        .token()
        .subject("alice")
        .audience(RESOURCE)
        .scopes(["other"])
        .sign();
    for (mode, version) in SIX_MODES {
        let notes = Notes::default();
        let app = app(&auth, mode, &notes);
        for (owner, calls, then, denied) in [
            // Caught: the tool did its work, and says so.
            ("bob", "purge", "goes on", false),
            ("bob", "look", "goes on", false),
            ("bob", "purge", "passes it on", true),
            ("bob", "look", "passes it on", true),
            // An inner function that ended well does not let the response go.
            ("bob", "list", "checks itself", true),
            ("alice", "look", "checks itself", false),
            ("alice", "purge", "checks itself", false),
        ] {
            let before = notes.deleted.load(Ordering::SeqCst);
            let message = call("delete-note", json!({ "owner": owner, "calls": calls, "then": then }));
            let answer = send(&app, client_request(&app, mode, version, &token, message).await).await;
            let row = format!("{mode:?} {version} {owner} {calls} {then}: {answer:?}");
            assert_eq!(answer.status == StatusCode::FORBIDDEN, denied, "{row}");
            assert_eq!(answer.challenge().is_some(), denied, "{row}");
            assert_eq!(
                notes.deleted.load(Ordering::SeqCst) - before,
                usize::from(!denied),
                "{row}"
            );
        }
    }
}
