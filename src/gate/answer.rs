//! What the gate answers by itself.

use axum::{body::Body, response::Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use super::message::NotAMessage;
use crate::{protocol_version, refusal_body::json_response};

pub(super) fn plain(status: StatusCode, text: impl Into<Body>) -> Response {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
}

/// For a mistake in the server, not of the client: loud in the log, silent on the wire.
pub(super) fn internal_error(what: &'static str) -> Response {
    tracing::error!("MCP gate: {what}");
    plain(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
}

pub(super) fn not_a_message(error: &NotAMessage) -> Response {
    let (id, code, message) = match error {
        NotAMessage::Unreadable => (
            &None,
            -32700,
            "Parse error: the body is not one JSON-RPC message".to_owned(),
        ),
        NotAMessage::NoTarget { id, needs, .. } => (id, -32602, format!("Invalid params: {needs}")),
    };
    json_rpc_error(StatusCode::BAD_REQUEST, id.as_ref(), code, &message)
}

/// As the transport answers a method it does not know: 404 from 2026-07-28 on. Before, 404 meant an ended session.
pub(super) fn method_not_found(headers: &HeaderMap, id: Option<&Value>) -> Response {
    let status = if protocol_version::is_stateless(headers) {
        StatusCode::NOT_FOUND
    } else {
        StatusCode::OK
    };
    json_rpc_error(status, id, -32601, "Method not found")
}

/// For a prompt that does not exist, or not for this caller: the same words.
pub(super) fn prompt_not_found(id: Option<&Value>) -> Response {
    json_rpc_error(StatusCode::OK, id, -32602, "Prompt not found")
}

/// For a resource that does not exist, or not for this caller: the same words (MCP, Resources, Error Handling). The code is another one from
/// 2026-07-28 on.
pub(super) fn resource_not_found(headers: &HeaderMap, id: Option<&Value>, uri: &str) -> Response {
    let code = if protocol_version::is_stateless(headers) {
        -32602
    } else {
        -32002
    };
    let error = json!({ "code": code, "message": "Resource not found", "data": { "uri": uri } });
    json_response(StatusCode::OK, &json!({ "jsonrpc": "2.0", "id": id, "error": error }))
}

/// For a task that does not exist, or that is somebody else's: the same words.
pub(super) fn task_not_found(id: Option<&Value>) -> Response {
    json_rpc_error(StatusCode::OK, id, -32602, "Task not found")
}

fn json_rpc_error(status: StatusCode, id: Option<&Value>, code: i32, message: &str) -> Response {
    let body = json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } });
    json_response(status, &body)
}
