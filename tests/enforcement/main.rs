//! Every enforcement point in every mode of the transport, over a server whose tools check in every way.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

#[path = "../common/mod.rs"]
mod common;
mod hold;
mod matrix;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body};
use common::{Answer, Mode, RESOURCE, call, client_request, send};
use http::Request;
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
    tools: [write-note, delete-note, purge-note]
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
        for tool in ["write-note", "delete-note", "purge-note"] {
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
