//! What a JSON-RPC message asks for, read as `rmcp` reads it.
//!
//! The gate decides from the body alone. `Mcp-Method` and `Mcp-Name` are written by the client, and older protocol versions do not compare them
//! with the body, so they are never believed.

use std::borrow::Cow;

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
    /// `tools/call` of this tool; empty for a name that no tool can have.
    Tool(String),
    /// Something that every authenticated caller may ask: the life cycle, pings, lists, notifications, answers to the server's own requests.
    Anyone,
    /// Any other method. Prompts, resources and tasks are among them: no policy can name them yet, so for every caller there are none.
    Unknown,
}

/// Why a body is not one JSON-RPC message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotAMessage {
    /// Not JSON, not an object, or an object that names a member twice: two readers could understand it differently.
    Unreadable,
    /// `tools/call` without a string `params.name`.
    NoToolName(Option<Value>),
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
struct ToolCall<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
}

/// The longest name of a tool, in bytes (MCP 2025-11-25, Tool Names).
const MAX_TOOL_NAME: usize = 128;

/// Methods that any authenticated caller may use.
const ANYONE: &[&str] = &[
    "initialize",
    "ping",
    "server/discover",
    "tools/list",
    "prompts/list",
    "resources/list",
    "resources/templates/list",
    "logging/setLevel",
];

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
        let ask = match &*method {
            "tools/call" => match envelope.params.and_then(tool_call) {
                // No policy lists a longer name, and nobody should find one in a log.
                Some(call) if call.name.len() > MAX_TOOL_NAME => Ask::Tool(String::new()),
                Some(call) => Ask::Tool(call.name.into_owned()),
                None => return Err(NotAMessage::NoToolName(id)),
            },
            method if ANYONE.contains(&method) || method.starts_with("notifications/") => Ask::Anyone,
            _ => Ask::Unknown,
        };
        Ok(Self { id, ask })
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
fn tool_call(params: &RawValue) -> Option<ToolCall<'_>> {
    let is_object = params.get().starts_with('{');
    is_object.then(|| serde_json::from_str(params.get()).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ask(body: &str) -> Result<Ask, NotAMessage> {
        Message::parse(body.as_bytes()).map(|message| message.ask)
    }

    #[test]
    fn a_tool_call_is_named_by_its_decoded_body() {
        for body in [
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete-todo","arguments":{}}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools\u002fcall","params":{"n\u0061me":"delete\u002dtodo"}}"#,
            "  {\"params\":{\"arguments\":null,\"name\":\"delete-todo\"},\n\"m\\u0065thod\":\"tools/call\"}",
            r#"{"result":{},"id":1,"method":"tools/call","params":{"name":"delete-todo"}}"#,
            r#"{"id":null,"method":"tools/call","params":{"name":"delete-todo"}}"#,
        ] {
            assert_eq!(ask(body), Ok(Ask::Tool("delete-todo".into())), "{body}");
        }
    }

    #[test]
    fn what_two_readers_could_understand_differently_is_refused() {
        for body in [
            "",
            "null",
            "1",
            "[]",
            r#"[{"method":"ping"}]"#,
            r#"["tools/call",1,{"name":"delete-todo"}]"#,
            "{",
            r#"{"method":"ping"} {}"#,
            "\u{feff}{\"method\":\"ping\"}",
            r#"{"method":"ping","method":"tools/call"}"#,
            r#"{"method":"ping","m\u0065thod":"tools/call"}"#,
            r#"{"method":"ping","id":1,"id":2}"#,
            r#"{"result":1,"result":2}"#,
            r#"{"method":"tools/call","params":{"name":"a"},"params":{"name":"b"}}"#,
            r#"{"method":"tools/call","params":{"name":"a","name":"b"}}"#,
            r#"{"method":"tools/call","params":{"name":"a","arguments":{"x":1,"x":2}}}"#,
            r#"{"method":"tools/call","params":{"name":"a","arguments":{"$serde_json::private::RawValue":"{}"}}}"#,
            r#"{"method":"ping","id":[1]}"#,
            r#"{"method":"ping","id":{}}"#,
            r#"{"method":1}"#,
        ] {
            assert_eq!(ask(body), Err(NotAMessage::Unreadable), "{body}");
        }
    }

    #[test]
    fn a_tool_call_without_one_tool_name_is_refused() {
        for params in [
            "",
            r#","params":null"#,
            r#","params":[]"#,
            r#","params":["delete-todo"]"#,
            r#","params":{}"#,
            r#","params":{"name":1}"#,
            r#","params":{"name":null}"#,
        ] {
            let body = format!(r#"{{"id":7,"method":"tools/call"{params}}}"#);
            assert_eq!(ask(&body), Err(NotAMessage::NoToolName(Some(json!(7)))), "{body}");
        }
    }

    #[test]
    fn a_name_that_no_tool_can_have_is_not_kept() {
        let call = |length| {
            format!(
                r#"{{"method":"tools/call","params":{{"name":"{}"}}}}"#,
                "a".repeat(length)
            )
        };
        assert_eq!(ask(&call(128)), Ok(Ask::Tool("a".repeat(128))));
        assert_eq!(ask(&call(129)), Ok(Ask::Tool(String::new())));
    }

    #[test]
    fn other_messages_are_classified_by_method() {
        let table = [
            (r#"{"id":1,"method":"initialize"}"#, Ask::Anyone),
            (r#"{"method":"notifications/initialized"}"#, Ask::Anyone),
            (r#"{"id":1,"result":{}}"#, Ask::Anyone),
            (r#"{"id":1,"error":{"code":1,"message":""}}"#, Ask::Anyone),
            (r#"{"id":1,"method":"tools/list"}"#, Ask::Anyone),
            (r#"{"id":1,"method":"resources/read","params":{}}"#, Ask::Unknown),
            (r#"{"id":1,"method":"tasks/get"}"#, Ask::Unknown),
            (r#"{"id":1,"method":"Tools/Call"}"#, Ask::Unknown),
            (r#"{"id":1,"method":""}"#, Ask::Unknown),
        ];
        for (body, expected) in table {
            assert_eq!(ask(body), Ok(expected), "{body}");
        }
    }
}
