//! The tower service.

use std::{
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, HttpBody},
    response::Response,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header, request::Parts};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use mcp_auth_policy::OperationKind;
use serde_json::{Map, Value, json};
use tokio::time::timeout;
use tower_service::Service;

use super::message::{Ask, Message, NotAMessage};
use crate::{
    AuthInfo, Caller, DeniedReason,
    bearer::RequestId,
    decision_record::Stage,
    drain::drain,
    protocol_version,
    refusal_body::json_response,
    session::{SESSION_ID, SessionBinding},
};

/// The service that [`McpGateLayer`](super::McpGateLayer) puts around an MCP endpoint.
#[derive(Debug, Clone)]
pub struct McpGate<S> {
    inner: S,
    sessions: SessionBinding,
    max_request_body_bytes: usize,
}

/// A name that no tool of a policy can have (`:` is outside MCP's character set), so that the transport answers "unknown tool" in its own words.
const NO_SUCH_TOOL: &str = "mcp-auth:not-in-the-policy";

/// How long a client may take to send one message.
const BODY_DEADLINE: Duration = Duration::from_secs(30);

impl<S> McpGate<S> {
    pub(crate) fn new(inner: S, sessions: SessionBinding, max_request_body_bytes: usize) -> Self {
        Self {
            inner,
            sessions,
            max_request_body_bytes,
        }
    }
}

impl<S, B, R> Service<Request<B>> for McpGate<S>
where
    S: Service<Request<Body>, Response = http::Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
    R: HttpBody<Data = Bytes> + Send + 'static,
    R::Error: Into<axum::BoxError>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The clone is not ready; the service that was polled is the one to call.
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        let sessions = self.sessions.clone();
        let limit = self.max_request_body_bytes;
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let Some(auth) = parts.extensions.get::<AuthInfo>().cloned() else {
                tracing::error!("the MCP gate got a request without an identity: put the bearer layer in front of it");
                return Ok(plain(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "no bearer layer in front of this service",
                ));
            };
            if let Err(ForeignSession) = unbind_session(&sessions, &auth, &mut parts.headers) {
                drain(body).await;
                // In the words of the transport for a session that does not exist.
                return Ok(plain(StatusCode::NOT_FOUND, "Not Found: Session not found"));
            }
            // An event id belongs to no session and to no caller: whoever named one would get somebody else's answers again.
            parts.headers.remove("last-event-id");
            let body = match admit(&mut parts, body, limit).await {
                Ok(body) => body,
                Err(response) => return Ok(response),
            };
            let mut response = inner.call(Request::from_parts(parts, body)).await?.map(Body::new);
            bind_session(&sessions, &auth, response.headers_mut());
            Ok(response)
        })
    }
}

/// The session id that a request names is not one that its caller was given.
struct ForeignSession;

/// Replaces the bound session id by the transport's own one.
fn unbind_session(sessions: &SessionBinding, auth: &AuthInfo, headers: &mut HeaderMap) -> Result<(), ForeignSession> {
    let mut presented = headers.get_all(SESSION_ID).iter();
    let Some(first) = presented.next() else { return Ok(()) };
    let one = presented.next().is_none().then_some(first);
    let session_id = one
        .and_then(|value| value.to_str().ok())
        .and_then(|value| sessions.unbind(value, auth))
        .and_then(|session_id| HeaderValue::from_str(session_id).ok());
    match session_id {
        Some(session_id) => headers.insert(SESSION_ID, session_id),
        // These versions have no sessions, and ignore the header.
        None if protocol_version::is_stateless(headers) => headers.remove(SESSION_ID),
        None => return Err(ForeignSession),
    };
    Ok(())
}

/// Binds the id of a session that the transport opened to the caller that opened it.
fn bind_session(sessions: &SessionBinding, auth: &AuthInfo, headers: &mut HeaderMap) {
    let Some(session_id) = headers.remove(SESSION_ID) else {
        return;
    };
    let bound = session_id
        .to_str()
        .ok()
        .and_then(|id| HeaderValue::from_str(&sessions.bind(id, auth)).ok());
    if let Some(bound) = bound {
        headers.insert(SESSION_ID, bound);
    }
}

/// Reads the message and lets it through, rewritten if its tool does not exist for this policy, or answers it.
async fn admit<B>(parts: &mut Parts, body: B, limit: usize) -> Result<Body, Response>
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    if parts.method != Method::POST {
        // GET opens a stream and DELETE ends a session; both carry no message, and the session is the caller's own.
        return Ok(Body::empty());
    }
    let body = read(body, limit).await?;
    let message = Message::parse(&body).map_err(|error| not_a_message(&error))?;
    let Some(caller) = parts.extensions.get::<Caller>().cloned() else {
        // Without a policy the layer only authenticates, as documented on `McpAuth`.
        return Ok(Body::from(body));
    };
    let request_id = parts.extensions.get::<RequestId>().cloned();
    let request_id = request_id.as_ref().map(RequestId::as_str);
    match &message.ask {
        Ask::Anyone => Ok(Body::from(body)),
        Ask::Tool(tool) => {
            let caller = with_arguments(caller, tool, &body, parts);
            let decision = caller.reach(OperationKind::Tool, tool);
            match caller.settle(Stage::Gate, OperationKind::Tool, tool, decision) {
                Ok(_) => Ok(Body::from(body)),
                Err(denied) => match denied.reason() {
                    DeniedReason::UnknownOperation => Ok(Body::from(rename_tool(&body, parts))),
                    _ => Err(denied.to_json_rpc_response(message.id.as_ref(), request_id)),
                },
            }
        }
        // A notification is never answered (JSON-RPC 2.0 section 4.1).
        Ask::Unknown if message.id.is_none() => Err(plain(StatusCode::ACCEPTED, Body::empty())),
        Ask::Unknown => Err(method_not_found(&parts.headers, message.id.as_ref())),
    }
}

/// Reads the whole body, which may take some time and space but not any.
async fn read<B>(body: B, limit: usize) -> Result<Bytes, Response>
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    match timeout(BODY_DEADLINE, Limited::new(body, limit).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let text = format!("Payload Too Large: request body exceeds {limit} bytes");
            Err(plain(StatusCode::PAYLOAD_TOO_LARGE, text))
        }
        Ok(Err(_)) => Err(plain(StatusCode::BAD_REQUEST, "Bad Request: the body ended early")),
        Err(_) => Err(plain(
            StatusCode::REQUEST_TIMEOUT,
            "Request Timeout: the body took too long",
        )),
    }
}

/// Hands the arguments of a call to its caller, here and for the guard, if a forbid reads them.
///
/// What is no object leaves them unknown, so that the forbid stands; the transport would refuse it anyway.
fn with_arguments(caller: Caller, tool: &str, body: &Bytes, parts: &mut Parts) -> Caller {
    let policy = caller.policy();
    let reads_them = policy
        .find(OperationKind::Tool, tool)
        .is_some_and(|tool| policy.reads_arguments(tool));
    let arguments = reads_them.then(|| arguments(body)).flatten();
    let Some(arguments) = arguments else { return caller };
    let caller = caller.with_call(OperationKind::Tool, tool.to_owned(), arguments);
    parts.extensions.insert(caller.clone());
    caller
}

/// Reads `params.arguments` as the transport does: absent and `null` are no arguments.
fn arguments(body: &[u8]) -> Option<Map<String, Value>> {
    let mut message: Value = serde_json::from_slice(body).ok()?;
    match message.pointer_mut("/params/arguments").map(Value::take) {
        None | Some(Value::Null) => Some(Map::new()),
        Some(Value::Object(arguments)) => Some(arguments),
        Some(_) => None,
    }
}

/// The same message for a tool that does not exist.
fn rename_tool(body: &Bytes, parts: &mut Parts) -> Vec<u8> {
    let Ok(mut message) = serde_json::from_slice::<Value>(body) else {
        return Vec::new();
    };
    if let Some(name) = message.pointer_mut("/params/name") {
        *name = NO_SUCH_TOOL.into();
    }
    if let header::Entry::Occupied(mut name) = parts.headers.entry("mcp-name") {
        name.insert(HeaderValue::from_static(NO_SUCH_TOOL));
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    message.to_string().into_bytes()
}

fn not_a_message(error: &NotAMessage) -> Response {
    let (id, code, message) = match error {
        NotAMessage::Unreadable => (&None, -32700, "Parse error: the body is not one JSON-RPC message"),
        NotAMessage::NoToolName(id) => (id, -32602, "Invalid params: tools/call needs one string `name`"),
    };
    json_rpc_error(StatusCode::BAD_REQUEST, id.as_ref(), code, message)
}

/// As the transport answers a method it does not know: 404 from 2026-07-28 on. Before, 404 meant an ended session.
fn method_not_found(headers: &HeaderMap, id: Option<&Value>) -> Response {
    let status = if protocol_version::is_stateless(headers) {
        StatusCode::NOT_FOUND
    } else {
        StatusCode::OK
    };
    json_rpc_error(status, id, -32601, "Method not found")
}

fn json_rpc_error(status: StatusCode, id: Option<&Value>, code: i32, message: &str) -> Response {
    let body = json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } });
    json_response(status, &body)
}

fn plain(status: StatusCode, text: impl Into<Body>) -> Response {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
}
