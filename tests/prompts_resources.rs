//! Prompts and resources are decided before the server sees the request.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod common;

use common::{
    SIX_MODES,
    library::{BANNED, EVERYTHING, NOBODY, READER, Server, Who, owned},
};
use serde_json::{Value, json};

/// Method, params, caller; then status, scope of the challenge and a part of the body.
type Row = (&'static str, Value, Who, u16, Option<&'static str>, &'static str);

fn rows() -> Vec<Row> {
    let read = |uri: &str| json!({ "uri": uri });
    let prompt = |name: &str| json!({ "name": name });
    let complete = |reference: Value| json!({ "ref": reference, "argument": { "name": "a", "value": "" } });
    let summary = |words: &str| json!({ "name": "summary", "arguments": { "words": words } });
    vec![
        ("prompts/get", prompt("haiku"), NOBODY, 200, None, "served haiku"),
        (
            "prompts/get",
            prompt("summary"),
            NOBODY,
            403,
            Some("summarise"),
            "missing_required_scopes",
        ),
        ("prompts/get", summary("99"), EVERYTHING, 200, None, "served summary"),
        ("prompts/get", summary("100"), EVERYTHING, 403, None, "at most 99 words"),
        (
            "prompts/get",
            prompt("unlisted"),
            EVERYTHING,
            200,
            None,
            "Prompt not found",
        ),
        (
            "prompts/get",
            prompt("no such prompt"),
            EVERYTHING,
            200,
            None,
            "Prompt not found",
        ),
        ("prompts/get", prompt("haiku"), BANNED, 200, None, "Prompt not found"),
        (
            "resources/read",
            read("library://catalogue"),
            NOBODY,
            200,
            None,
            "served library://catalogue",
        ),
        (
            "resources/read",
            read("library://books/dune"),
            READER,
            200,
            None,
            "served library://books/dune",
        ),
        (
            "resources/read",
            read("library://books/dune"),
            NOBODY,
            403,
            Some("read:books"),
            "missing_required",
        ),
        (
            "resources/read",
            read("library://secrets"),
            READER,
            403,
            Some("read:secrets"),
            "missing_required",
        ),
        (
            "resources/read",
            read("library://books/a/b"),
            EVERYTHING,
            200,
            None,
            "Resource not found",
        ),
        (
            "resources/read",
            read("library://books/..%2fsecrets"),
            EVERYTHING,
            200,
            None,
            "Resource not found",
        ),
        (
            "resources/read",
            read("library://books/.."),
            EVERYTHING,
            200,
            None,
            "Resource not found",
        ),
        (
            "resources/read",
            read("library://books/{title}"),
            EVERYTHING,
            200,
            None,
            "Resource not found",
        ),
        (
            "resources/read",
            read("library://cellar"),
            EVERYTHING,
            200,
            None,
            "Resource not found",
        ),
        (
            "resources/read",
            read("LIBRARY://catalogue"),
            EVERYTHING,
            200,
            None,
            "Resource not found",
        ),
        (
            "resources/read",
            read("library://catalogue"),
            BANNED,
            200,
            None,
            "Resource not found",
        ),
        (
            "completion/complete",
            complete(json!({ "type": "ref/prompt", "name": "haiku" })),
            NOBODY,
            200,
            None,
            "served",
        ),
        (
            "completion/complete",
            complete(json!({ "type": "ref/prompt", "name": "unlisted" })),
            EVERYTHING,
            200,
            None,
            "Prompt not found",
        ),
        (
            "completion/complete",
            complete(json!({ "type": "ref/resource", "uri": "library://books/{title}" })),
            NOBODY,
            403,
            Some("read:books"),
            "missing_required_scopes",
        ),
        (
            "completion/complete",
            complete(json!({ "type": "ref/resource", "uri": "library://books/{title}" })),
            READER,
            200,
            None,
            "served",
        ),
    ]
}

#[tokio::test]
async fn prompts_and_resources_are_decided_before_the_server_sees_the_request_in_every_mode() {
    for mode in SIX_MODES {
        let server = Server::start(mode, "").await;
        for (method, params, who, status, challenge, body) in rows() {
            let row = format!("{method} {params} {who:?} {mode:?}");
            let before = server.asked();
            let answer = server.ask(who, method, params).await;
            assert_eq!(answer.status.as_u16(), status, "{row}: {answer:?}");
            assert!(answer.body.contains(body), "{row}: {answer:?}");
            if body == "Resource not found" {
                // MCP 2026-07-28 has another code than the versions before.
                let code = if mode.1 == "2026-07-28" { -32602 } else { -32002 };
                assert_eq!(answer.json()["error"]["code"], code, "{row}");
            }
            assert_eq!(server.asked() - before, usize::from(body.contains("served")), "{row}");
            // Clients of older versions are told to keep what they hold, after that.
            let scope = challenge.map(|scope| format!(r#"scope="{scope}"#));
            match (&scope, answer.challenge()) {
                (Some(scope), Some(header)) => assert!(header.contains(scope), "{row}: {header}"),
                (expected, found) => assert_eq!(expected.as_deref(), found, "{row}"),
            }
        }
    }
}

#[tokio::test]
async fn subscribing_is_reading() {
    let server = Server::start(SIX_MODES[1], "").await;
    for (uri, who, status, asked) in [
        ("library://books/dune", READER, 200, 1),
        ("library://books/dune", NOBODY, 403, 0),
        ("library://cellar", EVERYTHING, 200, 0),
    ] {
        let before = server.asked();
        let answer = server.ask(who, "resources/subscribe", json!({ "uri": uri })).await;
        assert_eq!(
            (answer.status.as_u16(), server.asked() - before),
            (status, asked),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn one_resource_out_of_reach_refuses_the_whole_listening() {
    let server = Server::start(SIX_MODES[4], "").await;
    for (uris, who, status, text) in [
        (
            vec!["library://books/dune", "library://secrets"],
            READER,
            403,
            "read:secrets",
        ),
        (
            vec!["library://books/dune", "library://cellar"],
            READER,
            200,
            "Resource not found",
        ),
    ] {
        let params = json!({ "notifications": { "resourceSubscriptions": uris } });
        let answer = server.ask(who, "subscriptions/listen", params).await;
        assert_eq!(answer.status.as_u16(), status, "{answer:?}");
        assert!(answer.body.contains(text), "{answer:?}");
    }
}

#[tokio::test]
async fn what_is_hidden_answers_like_what_does_not_exist() {
    for mode in SIX_MODES {
        let server = Server::start(mode, "visibility: granted\n").await;
        for (method, params, absent) in [
            ("prompts/get", json!({ "name": "summary" }), json!({ "name": "absent" })),
            (
                "resources/read",
                json!({ "uri": "library://secrets" }),
                json!({ "uri": "library://absent" }),
            ),
            ("tools/call", json!({ "name": "shred" }), json!({ "name": "absent" })),
        ] {
            let hidden = server.ask(NOBODY, method, params).await;
            let absent = server.ask(NOBODY, method, absent).await;
            // The answer repeats what was asked for.
            let body = hidden.body.replace("library://secrets", "library://absent");
            assert_eq!(
                (hidden.status, &body),
                (absent.status, &absent.body),
                "{method} {mode:?}"
            );
            assert_eq!(hidden.headers, absent.headers, "{method} {mode:?}");
        }
    }
}

#[tokio::test]
async fn nobody_is_limited_to_own_objects_by_a_handler_that_cannot_tell_them_apart() {
    let reference = json!({ "ref": { "type": "ref/resource", "uri": "library://books/{title}" }, "argument": { "name": "title", "value": "d" } });
    let listen = json!({ "notifications": { "resourceSubscriptions": ["library://books/dune"] } });
    let policy = owned();
    for mode in SIX_MODES {
        let server = Server::with_policy(mode, &policy).await;
        for (method, params) in [
            ("resources/read", json!({ "uri": "library://books/dune" })),
            ("resources/subscribe", json!({ "uri": "library://books/dune" })),
            ("prompts/get", json!({ "name": "summary" })),
            ("completion/complete", reference.clone()),
            ("subscriptions/listen", listen.clone()),
        ] {
            let row = format!("{method} {mode:?}");
            let limited = server.ask(NOBODY, method, params.clone()).await;
            assert!(
                limited.body.contains(r#""error":"#) && !limited.body.contains("served"),
                "{row}: {limited:?}"
            );
            // The transport has no subscriptions of the other version, and no answer to this one before it ends.
            let answers = match method {
                "resources/subscribe" => mode.1 != "2026-07-28",
                other => other != "subscriptions/listen",
            };
            if answers {
                let all = server.ask(EVERYTHING, method, params).await;
                assert!(all.body.contains(r#""result":"#), "{row}: {all:?}");
            }
        }
    }
}
