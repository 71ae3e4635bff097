//! From MCP 2026-07-28 on, headers repeat what the body says, for proxies. A request whose two halves disagree is for nobody.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod common;

use common::*;
use http::{HeaderMap, StatusCode};
use serde_json::json;

type Change = fn(&mut HeaderMap);

/// What is changed of the headers of a `tools/call` of `create-todo`, and whether the two halves still agree.
const TABLE: [(&str, Change, bool); 13] = [
    ("nothing", |_| {}, true),
    (
        "the name in base64",
        |headers| set(headers, "mcp-name", "=?base64?Y3JlYXRlLXRvZG8=?="),
        true,
    ),
    ("another name", |headers| set(headers, "mcp-name", "get-todos"), false),
    (
        "another name in base64",
        |headers| set(headers, "mcp-name", "=?base64?Z2V0LXRvZG9z?="),
        false,
    ),
    (
        "another case of the name",
        |headers| set(headers, "mcp-name", "Create-Todo"),
        false,
    ),
    ("an empty name", |headers| set(headers, "mcp-name", ""), false),
    ("no name", |headers| drop(headers.remove("mcp-name")), false),
    (
        "another method",
        |headers| set(headers, "mcp-method", "tools/list"),
        false,
    ),
    ("no method", |headers| drop(headers.remove("mcp-method")), false),
    (
        "another version",
        |headers| set(headers, "mcp-protocol-version", "2025-11-25"),
        false,
    ),
    (
        "a version that nobody knows",
        |headers| set(headers, "mcp-protocol-version", "2099-01-01"),
        false,
    ),
    (
        "two names, the wrong one first",
        |headers| two(headers, "mcp-name", "get-todos", "create-todo"),
        false,
    ),
    (
        "two methods, the wrong one first",
        |headers| two(headers, "mcp-method", "ping", "tools/call"),
        false,
    ),
];

fn set(headers: &mut HeaderMap, name: &'static str, value: &'static str) {
    headers.insert(name, value.parse().unwrap());
}

fn two(headers: &mut HeaderMap, name: &'static str, first: &'static str, second: &'static str) {
    set(headers, name, first);
    headers.append(name, second.parse().unwrap());
}

#[tokio::test]
async fn a_request_whose_headers_and_body_disagree_does_nothing() {
    for mode in MODES {
        let server = TestServer::with(mode, |builder| builder).await;
        let token = server.token("admin", &["create:todos", "read:todos", "delete:todos"]);
        for (what, change, agrees) in TABLE {
            let mut request = modern(&token, call("create-todo", json!({ "content": "x" })));
            change(request.headers_mut());
            let before = server.ran();
            let answer = server.send(request).await;
            let row = format!("{what}, {mode:?}: {answer:?}");
            assert_eq!(
                answer.status,
                if agrees {
                    StatusCode::OK
                } else {
                    StatusCode::BAD_REQUEST
                },
                "{row}"
            );
            assert_eq!(server.ran() - before, usize::from(agrees), "{row}");
            if !agrees {
                // In the transport's words, which must not fade with a new version of it: the gate trusts no header, and checks none.
                assert_eq!(answer.json()["error"]["code"], -32020, "{row}");
            }
        }
    }
}
