//! Dynamic client registration (RFC 7591).

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use serde_json::json;

use crate::{oauth_error::OAuthError, redirect_uri::RedirectUri, secret, server::Shared};

const MAX_REDIRECT_URIS: usize = 10;
const MAX_NAME_LENGTH: usize = 100;

/// A registered client. All clients are public: a secret in a program that runs at its user's is none.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) client_id: String,
    /// What the client calls itself. Anybody may claim any name.
    pub(crate) name: Option<String>,
    pub(crate) redirect_uris: Vec<RedirectUri>,
    /// Whether it registered for refresh tokens: it gets none otherwise.
    pub(crate) refreshes: bool,
}

/// The client metadata that is looked at (RFC 7591 section 2); the rest is ignored, as that section demands.
#[derive(Debug, Deserialize)]
pub(crate) struct ClientMetadata {
    #[serde(default)]
    redirect_uris: Vec<String>,
    client_name: Option<String>,
    grant_types: Option<Vec<String>>,
    response_types: Option<Vec<String>>,
}

/// Answers `POST /register`.
///
/// A client that asks to authenticate with a secret is registered as a public one, and the answer says so (RFC 7591 section 3.2.1 lets the
/// server replace what it does not support). One that registers the grant type `refresh_token` gets refresh tokens; that is the only condition.
pub(crate) async fn register(
    State(shared): State<Arc<Shared>>,
    metadata: Result<Json<ClientMetadata>, JsonRejection>,
) -> Result<Response, OAuthError> {
    let Json(metadata) =
        metadata.map_err(|_| invalid_metadata("send the client metadata as a JSON object of at most 16 KiB"))?;
    let refreshes = metadata
        .grant_types
        .iter()
        .flatten()
        .any(|grant_type| grant_type == "refresh_token");
    let client = Client {
        client_id: secret::random().map_err(|_| OAuthError::server())?,
        redirect_uris: redirect_uris(&metadata)?,
        name: client_name(&metadata)?,
        refreshes,
    };
    let grant_types = ["authorization_code", "refresh_token"];
    supports(metadata.grant_types, "authorization_code", "grant_types")?;
    supports(metadata.response_types, "code", "response_types")?;

    let mut answer = json!({
        "client_id": client.client_id,
        "client_id_issued_at": SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
        "redirect_uris": metadata.redirect_uris,
        "grant_types": grant_types.get(..=usize::from(refreshes)),
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    });
    if let (Some(name), Some(members)) = (&client.name, answer.as_object_mut()) {
        members.insert("client_name".to_owned(), json!(name));
    }
    tracing::info!(client_id = client.client_id, client_name = ?client.name, "registered a client");
    shared.clients().register(client);
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

fn redirect_uris(metadata: &ClientMetadata) -> Result<Vec<RedirectUri>, OAuthError> {
    if metadata.redirect_uris.is_empty() || metadata.redirect_uris.len() > MAX_REDIRECT_URIS {
        return Err(OAuthError::new(
            "invalid_redirect_uri",
            format!("`redirect_uris` must have 1 to {MAX_REDIRECT_URIS} elements"),
        ));
    }
    let parse = |(index, uri): (usize, &String)| {
        RedirectUri::parse(uri)
            .map_err(|problem| OAuthError::new("invalid_redirect_uri", format!("`redirect_uris[{index}]` {problem}")))
    };
    metadata.redirect_uris.iter().enumerate().map(parse).collect()
}

/// Returns the name that the client wants to be shown with, if it can be shown without misleading.
fn client_name(metadata: &ClientMetadata) -> Result<Option<String>, OAuthError> {
    let name = metadata
        .client_name
        .as_deref()
        .map(str::trim)
        .filter(|name| !name.is_empty());
    if name.is_some_and(|name| name.chars().count() > MAX_NAME_LENGTH || name.chars().any(is_invisible)) {
        return Err(invalid_metadata(
            "`client_name` is longer than 100 characters or has invisible ones",
        ));
    }
    Ok(name.map(str::to_owned))
}

/// Control characters, and those that turn or hide the text around them.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn supports(wanted: Option<Vec<String>>, ours: &str, member: &str) -> Result<(), OAuthError> {
    match wanted {
        Some(wanted) if !wanted.iter().any(|one| one == ours) => Err(invalid_metadata(format!(
            "`{member}` must contain `{ours}`: there is no other way to begin here"
        ))),
        _ => Ok(()),
    }
}

fn invalid_metadata(description: impl Into<String>) -> OAuthError {
    OAuthError::new("invalid_client_metadata", description)
}
