//! Takes out of a list what its caller may not know of.
//!
//! On the answer and not in the handler: whatever lists a server writes by hand, none of them shows more than the policy does.
//!
//! - An entry stays if the policy lists it and [`Policy::is_listed`](mcp_auth_policy::Policy::is_listed) says so; the order stays.
//! - From MCP 2026-07-28 on, a list that depends on its caller says `cacheScope: "private"`, so that no shared cache gives it to another one,
//!   and `ttlMs: 0` if it says nothing else.
//! - Within a session, what comes on any stream is looked at: the transport leads an answer by the id of its request, and a client may give two
//!   requests the same one.
//! - A page may become shorter, or empty with a cursor to the next one. A handler that pages by itself must not put names into its cursors.

use std::{
    borrow::Cow,
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::{
    body::{Body, HttpBody},
    response::Response,
};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use mcp_auth_policy::Visibility;
use serde_json::{Map, Value};

use super::{
    answer,
    decide::is_shown,
    message::Target,
    sse::{Event, Events},
};
use crate::{Caller, protocol_version};

/// What an entry is, by its name.
type Named = fn(String) -> Target;

/// The members of results that are lists, what an entry of each is, and what names it.
const LISTS: [(&str, Named, &str); 4] = [
    ("tools", Target::Tool, "name"),
    ("prompts", Target::Prompt, "name"),
    ("resources", Target::Resource, "uri"),
    ("resourceTemplates", Target::Template, "uriTemplate"),
];

/// Filters for one caller.
#[derive(Debug)]
pub(super) struct ListFilter {
    caller: Caller,
    says_who_may_cache: bool,
}

impl ListFilter {
    /// Makes the filter for the answer to a request with these headers.
    pub(super) fn new(caller: Caller, headers: &HeaderMap) -> Self {
        let depends_on_caller = caller.policy().visibility() != Visibility::All;
        Self {
            caller,
            says_who_may_cache: depends_on_caller && protocol_version::is_stateless(headers),
        }
    }

    /// Filters the answer, in whatever form the transport gave it.
    pub(super) async fn apply(self, response: Response) -> Response {
        // What the transport refuses, it refuses in plain words.
        let is_filterable = is_json(response.headers()) || is_event_stream(response.headers());
        if !response.status().is_success() && !is_filterable {
            return response;
        }
        let (mut parts, body) = response.into_parts();
        parts.headers.remove(header::CONTENT_LENGTH);
        if is_event_stream(&parts.headers) {
            let body = FilteredEvents {
                body,
                events: Events::default(),
                filter: self,
            };
            return Response::from_parts(parts, Body::new(body));
        }
        let filtered = match body.collect().await {
            Ok(body) => self.message(&body.to_bytes()).map(Cow::into_owned),
            Err(_) => None,
        };
        match filtered {
            Some(body) => Response::from_parts(parts, Body::from(body)),
            None => answer::internal_error("the answer to a list request was no JSON-RPC message"),
        }
    }

    /// Filters one message; what is no list stays as it is. `None` if it cannot be read, and so must not pass.
    fn message<'a>(&self, text: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        // What is refused before it comes to a message has no body.
        if text.is_empty() {
            return Some(text.into());
        }
        let mut message: Value = serde_json::from_slice(text).ok()?;
        let is_list = match message.get_mut("result") {
            Some(Value::Object(result)) => self.result(result),
            _ => false,
        };
        if is_list {
            serde_json::to_vec(&message).ok().map(Cow::Owned)
        } else {
            Some(text.into())
        }
    }

    /// Tells whether it was a list.
    fn result(&self, result: &mut Map<String, Value>) -> bool {
        let mut is_list = false;
        for (key, target, name) in LISTS {
            if let Some(Value::Array(entries)) = result.get_mut(key) {
                is_list = true;
                entries.retain(|entry| {
                    let name = entry.get(name).and_then(Value::as_str);
                    name.is_some_and(|name| is_shown(&self.caller, &target(name.to_owned())))
                });
            }
        }
        if is_list && self.says_who_may_cache {
            result.insert("cacheScope".to_owned(), "private".into());
            result.entry("ttlMs").or_insert_with(|| 0.into());
        }
        is_list
    }

    fn event(&self, event: Event) -> Option<Bytes> {
        let data = event.data();
        if data.is_empty() {
            return Some(event.into_bytes());
        }
        match self.message(&data) {
            Some(Cow::Owned(filtered)) => Some(event.with_data(&filtered)),
            Some(Cow::Borrowed(_)) => Some(event.into_bytes()),
            None => {
                tracing::error!("dropped a part of an answer that may hold a list: it was no JSON-RPC message");
                None
            }
        }
    }
}

pub(super) fn is_event_stream(headers: &HeaderMap) -> bool {
    has_type(headers, "text/event-stream")
}

fn is_json(headers: &HeaderMap) -> bool {
    has_type(headers, "application/json")
}

fn has_type(headers: &HeaderMap, name: &str) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| value.starts_with(name))
}

/// A stream of events, each filtered when it is complete.
struct FilteredEvents {
    body: Body,
    events: Events,
    filter: ListFilter,
}

impl HttpBody for FilteredEvents {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        loop {
            let Some(frame) = ready!(Pin::new(&mut self.body).poll_frame(context)?) else {
                return Poll::Ready(None);
            };
            let data = match frame.into_data() {
                Ok(data) => data,
                Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
            };
            self.events.push(&data);
            let mut filtered = BytesMut::new();
            while let Some(event) = self.events.next() {
                filtered.extend_from_slice(&self.filter.event(event).unwrap_or_default());
            }
            if !filtered.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(filtered.freeze()))));
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
