//! How messages are read.

use serde_json::json;

use super::*;

fn ask(body: &str) -> Result<Ask, NotAMessage> {
    Message::parse(body.as_bytes()).map(|message| message.ask)
}

fn tool(name: &str) -> Ask {
    Ask::Operation(Target::Tool(name.into()))
}

#[test]
fn a_tool_call_is_named_by_its_decoded_body() {
    for body in [
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete-todo","arguments":{}}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools\u002fcall","params":{"n\u0061me":"delete\u002dtodo"}}"#,
        "  {\"id\":1,\"params\":{\"arguments\":null,\"name\":\"delete-todo\"},\n\"m\\u0065thod\":\"tools/call\"}",
        r#"{"result":{},"id":1,"method":"tools/call","params":{"name":"delete-todo"}}"#,
    ] {
        assert_eq!(ask(body), Ok(tool("delete-todo")), "{body}");
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
        let needs = "tools/call needs one string `name`";
        let (id, kind) = (Some(json!(7)), Some(OperationKind::Tool));
        assert_eq!(ask(&body), Err(NotAMessage::NoTarget { id, kind, needs }), "{body}");
    }
}

#[test]
fn a_name_that_no_tool_can_have_is_not_kept() {
    let call = |length| {
        format!(
            r#"{{"id":1,"method":"tools/call","params":{{"name":"{}"}}}}"#,
            "a".repeat(length)
        )
    };
    assert_eq!(ask(&call(128)), Ok(tool(&"a".repeat(128))));
    assert_eq!(ask(&call(129)), Ok(tool("")));
}

#[test]
fn other_messages_are_classified_by_method() {
    let prompt = |name: &str| Ask::Operation(Target::Prompt(name.into()));
    let resource = |uri: &str| Ask::Operation(Target::Resource(uri.into()));
    let table = [
        (r#"{"id":1,"method":"initialize"}"#, Ask::Anyone),
        (r#"{"method":"notifications/initialized"}"#, Ask::Anyone),
        (r#"{"id":1,"method":"notifications/initialized"}"#, Ask::Unknown),
        (r#"{"id":1,"result":{}}"#, Ask::Anyone),
        (r#"{"id":1,"error":{"code":1,"message":""}}"#, Ask::Anyone),
        (r#"{"id":1,"method":"tools/list"}"#, Ask::List(OperationKind::Tool)),
        (
            r#"{"id":1,"method":"resources/templates/list","params":null}"#,
            Ask::List(OperationKind::Resource),
        ),
        (r#"{"id":1,"method":"prompts/get","params":{"name":"p"}}"#, prompt("p")),
        (
            r#"{"id":1,"method":"resources/read","params":{"uri":"a://b"}}"#,
            resource("a://b"),
        ),
        (
            r#"{"id":1,"method":"resources/subscribe","params":{"uri":"a"}}"#,
            resource("a"),
        ),
        (
            r#"{"id":1,"method":"resources/unsubscribe","params":{"uri":"a"}}"#,
            resource("a"),
        ),
        (
            r#"{"id":1,"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"p","uri":"a"}}}"#,
            Ask::Complete(Target::Prompt("p".into())),
        ),
        (
            r#"{"id":1,"method":"completion/complete","params":{"ref":{"type":"ref/resource","uri":"a://{b}"}}}"#,
            Ask::Complete(Target::Template("a://{b}".into())),
        ),
        (
            r#"{"id":1,"method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true}}}"#,
            Ask::Listen(vec![]),
        ),
        (
            r#"{"id":1,"method":"subscriptions/listen","params":{"notifications":{"resourceSubscriptions":["a","b"]}}}"#,
            Ask::Listen(vec!["a".into(), "b".into()]),
        ),
        (r#"{"method":"ping"}"#, Ask::Anyone),
        (
            r#"{"method":"tools/call","params":{"name":"delete-todo"}}"#,
            Ask::Unknown,
        ),
        (
            r#"{"id":null,"method":"tools/call","params":{"name":"delete-todo"}}"#,
            Ask::Unknown,
        ),
        (r#"{"method":"prompts/get"}"#, Ask::Unknown),
        (
            r#"{"id":1,"method":"tasks/get","params":{"taskId":"t"}}"#,
            Ask::Task("t".into()),
        ),
        (r#"{"id":1,"method":"tasks/list"}"#, Ask::Unknown),
        (r#"{"id":1,"method":"Tools/Call"}"#, Ask::Unknown),
        (r#"{"id":1,"method":""}"#, Ask::Unknown),
    ];
    for (body, expected) in table {
        assert_eq!(ask(body), Ok(expected), "{body}");
    }
}

#[test]
fn a_request_that_does_not_say_what_it_is_about_is_refused() {
    let many = vec!["a"; 1001];
    for (method, params) in [
        ("prompts/get", json!({})),
        ("prompts/get", json!({ "name": 1 })),
        ("resources/read", json!({ "uri": null })),
        ("resources/read", json!(["a"])),
        ("resources/subscribe", json!(null)),
        ("resources/unsubscribe", json!({ "name": "a" })),
        ("completion/complete", json!({})),
        ("completion/complete", json!({ "ref": { "type": "ref/prompt" } })),
        (
            "completion/complete",
            json!({ "ref": { "type": "ref/resource", "name": "a" } }),
        ),
        (
            "completion/complete",
            json!({ "ref": { "type": "ref/tool", "name": "a" } }),
        ),
        ("tasks/get", json!({ "id": "t" })),
        ("tasks/cancel", json!({ "taskId": 1 })),
        ("subscriptions/listen", json!({})),
        (
            "subscriptions/listen",
            json!({ "notifications": { "resourceSubscriptions": "a" } }),
        ),
        (
            "subscriptions/listen",
            json!({ "notifications": { "resourceSubscriptions": many } }),
        ),
    ] {
        let body = json!({ "id": 1, "method": method, "params": params }).to_string();
        assert!(matches!(ask(&body), Err(NotAMessage::NoTarget { .. })), "{body}");
    }
}
