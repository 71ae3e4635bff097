//! What a JSON-RPC message asks for, read as `rmcp` reads it.
//!
//! The gate decides from the body alone. `Mcp-Method` and `Mcp-Name` are written by the client, and older protocol versions do not compare them
//! with the body, so they are never believed.

use std::borrow::Cow;

use mcp_auth_policy::OperationKind;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::strict_json;

/// One JSON-RPC message, as far as authorization needs it.
#[derive(Debug, PartialEq)]
pub(crate) struct Message {
    /// The request's `id`; `None` for notifications and responses.
    pub(crate) id: Option<Value>,
    /// What is asked.
    pub(crate) ask: Ask,
}

/// What a message asks the server to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// Something that the policy decides by its name.
    Operation(Target),
    /// Values for an argument of a prompt, or for a variable of a template: nothing of either is run or read.
    Complete(Target),
    /// Updates of these resources, by URI (`subscriptions/listen`).
    Listen(Vec<String>),
    /// A task, by its id: only whom the id was sealed for may ask.
    Task(String),
    /// A list, which shows only what this caller may know of.
    List(OperationKind),
    /// Something that every authenticated caller may ask: the life cycle, pings, notifications, answers to the server's own requests.
    Anyone,
    /// Any other method. No policy can name what it is about, so for every caller it does not exist.
    Unknown,
}

/// What the policy knows by name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A tool; empty for a name that no tool can have.
    Tool(String),
    /// A prompt.
    Prompt(String),
    /// A resource, by its URI.
    Resource(String),
    /// A resource template, by its text.
    Template(String),
}

impl Target {
    pub(crate) fn kind(&self) -> OperationKind {
        match self {
            Self::Tool(_) => OperationKind::Tool,
            Self::Prompt(_) => OperationKind::Prompt,
            Self::Resource(_) | Self::Template(_) => OperationKind::Resource,
        }
    }
}

/// Why a body is not one JSON-RPC message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotAMessage {
    /// Not JSON, not an object, or an object that names a member twice: two readers could understand it differently.
    Unreadable,
    /// The `params` do not say what the method is about.
    NoTarget {
        /// The request's id.
        id: Option<Value>,
        /// What the method is for, if the policy knows such things.
        kind: Option<OperationKind>,
        /// What the method needs.
        needs: &'static str,
    },
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Located<'a> {
    #[serde(borrow)]
    uri: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Task<'a> {
    #[serde(borrow, rename = "taskId")]
    task_id: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Completion<'a> {
    #[serde(borrow, rename = "ref")]
    reference: Reference<'a>,
}

#[derive(Deserialize)]
struct Reference<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    uri: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Listen {
    notifications: Notifications,
}

#[derive(Deserialize)]
struct Notifications {
    #[serde(rename = "resourceSubscriptions", default)]
    resources: Option<Vec<String>>,
}

/// The longest name of a tool, in bytes (MCP 2025-11-25, Tool Names).
const MAX_TOOL_NAME: usize = 128;

/// The most resources that one request may listen to: each of them is looked up and decided.
const MAX_SUBSCRIPTIONS: usize = 1000;

/// Methods that any authenticated caller may use.
const ANYONE: &[&str] = &["initialize", "ping", "server/discover", "logging/setLevel"];

impl Message {
    /// Reads one message.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, NotAMessage> {
        // Before anything reads it: this protects the transport's own reader too.
        strict_json::check(body).map_err(|_| NotAMessage::Unreadable)?;
        let envelope: Envelope<'_> = serde_json::from_slice(body).map_err(|_| NotAMessage::Unreadable)?;
        let id = envelope.id.map(request_id).transpose()?;
        // A message with a `method` is a request even if it carries a `result` too.
        let Some(method) = envelope.method else {
            return Ok(Self {
                id: None,
                ask: Ask::Anyone,
            });
        };
        // With an id it is a request whatever its name, and the transport hands it to the server as one.
        let is_notification = id.is_none() && method.starts_with("notifications/");
        if is_notification || ANYONE.contains(&&*method) {
            return Ok(Self { id, ask: Ask::Anyone });
        }
        // Without an id it is a notification, whatever its name, and no notification but those above has a meaning.
        if id.is_none() {
            return Ok(Self { id, ask: Ask::Unknown });
        }
        match ask(&method, envelope.params) {
            Ok(ask) => Ok(Self { id, ask }),
            Err(needs) => Err(NotAMessage::NoTarget {
                id,
                kind: kind(&method),
                needs,
            }),
        }
    }
}

/// Reads what a method is about, or says what its `params` need.
fn ask(method: &str, params: Option<&RawValue>) -> Result<Ask, &'static str> {
    Ok(match method {
        "tools/call" => {
            let Named { name } = read(params).ok_or("tools/call needs one string `name`")?;
            // No policy lists a longer name, and nobody should find one in a log.
            let is_possible = name.len() <= MAX_TOOL_NAME;
            let name = if is_possible { name.into_owned() } else { String::new() };
            Ask::Operation(Target::Tool(name))
        }
        "prompts/get" => {
            let Named { name } = read(params).ok_or("prompts/get needs one string `name`")?;
            Ask::Operation(Target::Prompt(name.into_owned()))
        }
        "resources/read" | "resources/subscribe" | "resources/unsubscribe" => {
            let Located { uri } = read(params).ok_or("this method needs one string `uri`")?;
            Ask::Operation(Target::Resource(uri.into_owned()))
        }
        "completion/complete" => {
            let target = read(params).and_then(|completion: Completion<'_>| completion.reference.target());
            Ask::Complete(
                target.ok_or(
                    "completion/complete needs a `ref` with the `name` of a prompt or the `uri` of a resource",
                )?,
            )
        }
        "tasks/get" | "tasks/update" | "tasks/result" | "tasks/cancel" => {
            let Task { task_id } = read(params).ok_or("this method needs one string `taskId`")?;
            Ask::Task(task_id.into_owned())
        }
        "subscriptions/listen" => {
            let Listen { notifications } = read(params).ok_or("subscriptions/listen needs `notifications`")?;
            let uris = notifications.resources.unwrap_or_default();
            if uris.len() > MAX_SUBSCRIPTIONS {
                return Err("subscriptions/listen takes at most 1000 `resourceSubscriptions`");
            }
            Ask::Listen(uris)
        }
        "tools/list" | "prompts/list" | "resources/list" | "resources/templates/list" => {
            kind(method).map_or(Ask::Unknown, Ask::List)
        }
        _ => Ask::Unknown,
    })
}

fn kind(method: &str) -> Option<OperationKind> {
    match method.split('/').next()? {
        "tools" => Some(OperationKind::Tool),
        "prompts" => Some(OperationKind::Prompt),
        "resources" => Some(OperationKind::Resource),
        _ => None,
    }
}

impl Reference<'_> {
    fn target(self) -> Option<Target> {
        match &*self.kind {
            "ref/prompt" => Some(Target::Prompt(self.name?.into_owned())),
            "ref/resource" => Some(Target::Template(self.uri?.into_owned())),
            _ => None,
        }
    }
}

/// A string, a number or null (JSON-RPC 2.0 section 4); anything else could be large, and is repeated in answers.
fn request_id(id: &RawValue) -> Result<Value, NotAMessage> {
    match id.get().as_bytes().first() {
        Some(b'{' | b'[') | None => Err(NotAMessage::Unreadable),
        Some(_) => serde_json::from_str(id.get()).map_err(|_| NotAMessage::Unreadable),
    }
}

/// Reads `params` as an object. A derived struct would also take an array, member by member, and so would the transport behind the gate.
fn read<'a, T: Deserialize<'a>>(params: Option<&'a RawValue>) -> Option<T> {
    let params = params?.get();
    params
        .starts_with('{')
        .then(|| serde_json::from_str(params).ok())
        .flatten()
}

#[cfg(test)]
mod tests;
