//! Whether a request passes, and what happens to its answer.

use std::time::Duration;

use axum::{
    body::{Body, HttpBody},
    response::Response,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use mcp_auth_policy::{OnNotOwner, Reach};
use serde_json::Value;
use tokio::time::timeout;

use super::{
    answer::{method_not_found, not_a_message, plain, prompt_not_found, resource_not_found, task_not_found},
    confirm::Confirm,
    decide::{NO_SUCH_TOOL, Refused, decide, decide_for_good, exists, needs_guard, with_arguments},
    list_filter::ListFilter,
    message::{Ask, Message, NotAMessage, Target},
};
use crate::{Caller, Denied, PolicyHandle, PrincipalSeal, bearer::RequestId, deferral::Held};

/// The purpose for which task ids are sealed.
const TASK: &str = "task";

/// How long a client may take to send one message.
const BODY_DEADLINE: Duration = Duration::from_secs(30);

/// A request that passes.
pub(super) struct Admitted {
    pub(super) body: Body,
    /// Present if the call has to be answered by a guarded function.
    pub(super) confirm: Option<Confirm>,
    pub(super) then: Answered,
}

/// What happens to the transport's answer.
pub(super) enum Answered {
    AsItIs,
    /// Entries of a list are taken out.
    Filtered(Box<ListFilter>),
    /// The call may still be refused.
    Held(Call, Held),
}

/// What a refusal repeats of its request.
pub(super) struct Call {
    id: Option<Value>,
    request_id: Option<RequestId>,
}

impl Call {
    pub(super) fn deny(&self, denied: &Denied) -> Response {
        denied.to_json_rpc_response(self.id.as_ref(), self.request_id.as_ref().map(RequestId::as_str))
    }

    fn refuse(&self, refused: Refused, target: &Target, headers: &HeaderMap) -> Response {
        let id = self.id.as_ref();
        match (refused, target) {
            (Refused::Denied(denied), _) => self.deny(&denied),
            (Refused::Unknown, Target::Tool(_) | Target::Prompt(_)) => prompt_not_found(id),
            (Refused::Unknown, Target::Resource(uri) | Target::Template(uri)) => resource_not_found(headers, id, uri),
        }
    }
}

/// Reads the message and lets it through, rewritten if its tool does not exist for this caller, or answers it.
pub(super) async fn admit<B>(
    parts: &mut Parts,
    body: B,
    limit: usize,
    policy: Option<&PolicyHandle>,
    seal: &PrincipalSeal,
) -> Result<Admitted, Response>
where
    B: HttpBody<Data = Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    let pass = |body: Body| Admitted {
        body,
        confirm: None,
        then: Answered::AsItIs,
    };
    if parts.method != Method::POST {
        // GET opens a stream and DELETE ends a session; both carry no message, and the session is the caller's own.
        return Ok(pass(Body::empty()));
    }
    let body = read(body, limit).await?;
    let caller = parts.extensions.get::<Caller>().cloned();
    let message = Message::parse(&body).map_err(|error| match (&error, &caller) {
        // Whether the method is there comes before what it needs.
        (
            NotAMessage::NoTarget {
                id, kind: Some(kind), ..
            },
            Some(caller),
        ) if !caller.policy().declares_any(*kind) => method_not_found(&parts.headers, id.as_ref()),
        _ => not_a_message(&error),
    })?;
    let Some(caller) = caller else {
        // Without a policy the layer only authenticates, as documented on `McpAuth`.
        return Ok(pass(Body::from(body)));
    };
    let call = Call {
        id: message.id,
        request_id: parts.extensions.get::<RequestId>().cloned(),
    };
    if !exists(&message.ask, &caller) {
        // A notification is never answered (JSON-RPC 2.0 section 4.1).
        return Err(match &call.id {
            None => plain(StatusCode::ACCEPTED, Body::empty()),
            id => method_not_found(&parts.headers, id.as_ref()),
        });
    }
    match message.ask {
        Ask::Anyone => Ok(pass(Body::from(body))),
        Ask::Unknown => Err(method_not_found(&parts.headers, call.id.as_ref())),
        Ask::List(_) => Ok(Admitted {
            body: Body::from(body),
            confirm: None,
            then: Answered::Filtered(Box::new(ListFilter::new(caller, &parts.headers))),
        }),
        Ask::Operation(target) => {
            let noted = with_arguments(&caller, &target, &body, policy);
            if let Some(noted) = &noted {
                parts.extensions.insert(noted.clone());
            }
            let caller = noted.unwrap_or(caller);
            let reach = match (decide(&target, &caller), &target) {
                (Ok(reach), _) => reach,
                (Err(Refused::Unknown), Target::Tool(_)) => return Ok(pass(Body::from(rename_tool(&body, parts)))),
                (Err(refused), _) => return Err(call.refuse(refused, &target, &parts.headers)),
            };
            let steps_up = reach == Reach::Own && caller.policy().on_not_owner() == OnNotOwner::StepUp;
            let held = steps_up.then(|| caller.hold()).flatten();
            Ok(Admitted {
                body: Body::from(body),
                confirm: needs_guard(&caller, reach, policy).then(|| Confirm::new(caller)),
                then: held.map_or(Answered::AsItIs, |held| Answered::Held(call, held)),
            })
        }
        Ask::Task(task_id) => match seal.open(caller.auth(), TASK, &task_id) {
            Some(_) => Ok(pass(Body::from(body))),
            None => Err(task_not_found(call.id.as_ref())),
        },
        // What the call itself will carry is not known, so a forbid on arguments stands.
        Ask::Complete(target) => match decide(&target, &caller) {
            Ok(reach) => Ok(Admitted {
                confirm: (reach == Reach::Own).then(|| Confirm::new(caller)),
                ..pass(Body::from(body))
            }),
            Err(refused) => Err(call.refuse(refused, &target, &parts.headers)),
        },
        Ask::Listen(uris) => {
            for target in uris.into_iter().map(Target::Resource) {
                decide_for_good(&target, &caller).map_err(|refused| call.refuse(refused, &target, &parts.headers))?;
            }
            Ok(pass(Body::from(body)))
        }
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
