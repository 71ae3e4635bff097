//! What a JSON-RPC message asks for, read as `rmcp` reads it.
//!
//! The gate decides from the body alone. `Mcp-Method` and `Mcp-Name` are written by the client, and older protocol versions do not compare them
//! with the body, so they are never believed.

use std::borrow::Cow;

use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, value::RawValue};

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
    /// `tools/call` of this tool.
    Tool(String),
    /// Something that every authenticated caller may ask: the life cycle, pings, lists, notifications, answers to the server's own requests.
    Anyone,
    /// A method of MCP that a policy decides but this version's policy language cannot name: nobody may use it.
    Undeclared(String),
    /// A method that is not part of MCP.
    Unknown(String),
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
    #[serde(default)]
    id: Option<Value>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
    // Never used; they are here so that a message naming one of them twice is refused.
    #[serde(default, rename = "jsonrpc")]
    _jsonrpc: IgnoredAny,
    #[serde(default, rename = "result")]
    _result: IgnoredAny,
    #[serde(default, rename = "error")]
    _error: IgnoredAny,
}

#[derive(Deserialize)]
struct ToolCall<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(default, rename = "arguments")]
    _arguments: IgnoredAny,
}

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

/// Methods of MCP that act on something a policy has to name first.
const UNDECLARED: &[&str] = &[
    "prompts/get",
    "resources/read",
    "resources/subscribe",
    "resources/unsubscribe",
    "resources/directory/read",
    "completion/complete",
    "subscriptions/listen",
    "skills/list",
    "skills/get",
    "tasks/get",
    "tasks/update",
    "tasks/cancel",
];

impl Message {
    /// Reads one message.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, NotAMessage> {
        let envelope: Envelope<'_> = object(body).ok_or(NotAMessage::Unreadable)?;
        let id = envelope.id;
        // A message with a `method` is a request even if it carries a `result` too.
        let Some(method) = envelope.method else {
            return Ok(Self {
                id: None,
                ask: Ask::Anyone,
            });
        };
        let ask = match &*method {
            "tools/call" => match envelope
                .params
                .and_then(|raw| object::<ToolCall<'_>>(raw.get().as_bytes()))
            {
                Some(call) => Ask::Tool(call.name.into_owned()),
                None => return Err(NotAMessage::NoToolName(id)),
            },
            method if ANYONE.contains(&method) || method.starts_with("notifications/") => Ask::Anyone,
            method if UNDECLARED.contains(&method) => Ask::Undeclared(method.to_owned()),
            method => Ask::Unknown(method.to_owned()),
        };
        Ok(Self { id, ask })
    }
}

/// Reads a JSON object. A derived struct would also take an array, member by member, and so would the transport behind the gate.
fn object<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Option<T> {
    let is_object = json.trim_ascii_start().first() == Some(&b'{');
    is_object.then(|| serde_json::from_slice(json).ok()).flatten()
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
            r#","params":{"name":"a","name":"b"}"#,
            r#","params":{"name":"a","arguments":{},"arguments":{}}"#,
        ] {
            let body = format!(r#"{{"id":7,"method":"tools/call"{params}}}"#);
            assert_eq!(ask(&body), Err(NotAMessage::NoToolName(Some(json!(7)))), "{body}");
        }
    }

    #[test]
    fn other_messages_are_classified_by_method() {
        let table = [
            (r#"{"id":1,"method":"initialize"}"#, Ask::Anyone),
            (r#"{"method":"notifications/initialized"}"#, Ask::Anyone),
            (r#"{"id":1,"result":{}}"#, Ask::Anyone),
            (r#"{"id":1,"error":{"code":1,"message":""}}"#, Ask::Anyone),
            (r#"{"id":1,"method":"tools/list"}"#, Ask::Anyone),
            (
                r#"{"id":1,"method":"resources/read","params":{}}"#,
                Ask::Undeclared("resources/read".into()),
            ),
            (r#"{"id":1,"method":"tasks/get"}"#, Ask::Undeclared("tasks/get".into())),
            (r#"{"id":1,"method":"Tools/Call"}"#, Ask::Unknown("Tools/Call".into())),
            (r#"{"id":1,"method":""}"#, Ask::Unknown(String::new())),
        ];
        for (body, expected) in table {
            assert_eq!(ask(body), Ok(expected), "{body}");
        }
    }
}
