//! Plain axum routes, no MCP, protected by a YAML policy: notes that belong to whoever wrote them.
//!
//! Who may call which route, and whose notes it reaches, stands in `policies/axum-api.yaml` under `operations:`.

use std::{
    error::Error,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{delete, get},
};
use mcp_auth::{Access, AuthorizationServer, Denied, McpAuth, Policy, PolicyHandle, requires_scope};
use serde::{Deserialize, Serialize};

/// The policy as it was when this program was built; the attributes below were checked against the same text.
pub const POLICY: &str = include_str!("../../../policies/axum-api.yaml");

/// A note. `owner` is the subject that wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Counted up from 1.
    pub id: u64,
    /// Who wrote it.
    pub owner: String,
    /// What it says.
    pub text: String,
}

/// All notes, as long as the process runs.
type Notes = Arc<Mutex<(u64, Vec<Note>)>>;

/// The routes behind the bearer layer, with the metadata that tells clients where tokens come from.
///
/// # Errors
/// The resource or the issuer is no URL that can be used, or the policy and the annotations below disagree.
pub fn app(resource: &str, issuer: &str, policy: Policy) -> Result<Router, Box<dyn Error>> {
    let policy = PolicyHandle::from(policy);
    policy.require_operations_audit()?;
    let auth = McpAuth::builder(resource)
        .authorization_server(AuthorizationServer::new(issuer)?)
        .policy(policy)
        .build()?;
    Ok(Router::new()
        .route("/notes", get(list_notes).post(add_note))
        .route("/notes/{id}", delete(delete_note))
        .with_state(Notes::default())
        .layer(auth.bearer_layer())
        .merge(auth.metadata_router()))
}

#[requires_scope("write:notes", name = "add-note", policy = "../../policies/axum-api.yaml")]
async fn add_note(
    access: Access,
    State(notes): State<Notes>,
    text: String,
) -> Result<(StatusCode, Json<Note>), Denied> {
    let (last_id, notes) = &mut *notes.lock().unwrap_or_else(PoisonError::into_inner);
    *last_id += 1;
    let note = Note {
        id: *last_id,
        owner: access.owner_key().to_owned(),
        text,
    };
    notes.push(note.clone());
    Ok((StatusCode::CREATED, Json(note)))
}

#[requires_scope(
    "read:notes",
    owner_fallback,
    name = "list-notes",
    policy = "../../policies/axum-api.yaml"
)]
async fn list_notes(access: Access, State(notes): State<Notes>) -> Result<Json<Vec<Note>>, Denied> {
    let (_, notes) = &*notes.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(Json(
        notes
            .iter()
            .filter(|note| access.permits(&note.owner))
            .cloned()
            .collect(),
    ))
}

#[requires_scope(
    "delete:notes",
    owner_fallback,
    name = "delete-note",
    policy = "../../policies/axum-api.yaml"
)]
async fn delete_note(access: Access, Path(id): Path<u64>, State(notes): State<Notes>) -> Response {
    let (_, notes) = &mut *notes.lock().unwrap_or_else(PoisonError::into_inner);
    // Somebody else's note is answered like one that does not exist.
    let found = notes
        .iter()
        .position(|note| note.id == id && access.permits(&note.owner));
    match found {
        Some(position) => Json(notes.remove(position)).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
