//! Lists of a server that would show everything to everybody.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod common;

use common::{
    MODES, SIX_MODES, TestServer, authorized,
    library::{BANNED, EVERYTHING, NOBODY, READER, Server},
    post,
};
use http::StatusCode;
use serde_json::{Value, json};

const EVERY_NAME: [&str; 9] = [
    "search",
    "shred",
    "summary",
    "haiku",
    "library://catalogue",
    "library://secrets",
    "library://books/dune",
    "library://books/{title}",
    "library://shelves/{shelf}/{book}",
];
const OPEN: [&str; 3] = ["search", "haiku", "library://catalogue"];
const BOOKS: [&str; 5] = [
    "search",
    "haiku",
    "library://catalogue",
    "library://books/dune",
    "library://books/{title}",
];

#[tokio::test]
async fn lists_show_what_the_policy_shows_to_this_caller_in_every_mode() {
    for mode in SIX_MODES {
        for (visibility, who, expected) in [
            ("all", NOBODY, &EVERY_NAME[..]),
            ("all", BANNED, &EVERY_NAME),
            ("obtainable", NOBODY, &EVERY_NAME),
            ("obtainable", BANNED, &[]),
            ("granted", NOBODY, &OPEN),
            ("granted", READER, &BOOKS),
            ("granted", EVERYTHING, &EVERY_NAME),
            ("granted", BANNED, &[]),
        ] {
            let server = Server::start(mode, &format!("visibility: {visibility}\n")).await;
            assert_eq!(server.names(who).await, expected, "{visibility} {who:?} {mode:?}");
        }
    }
}

#[tokio::test]
async fn a_list_that_depends_on_its_caller_says_so_to_caches() {
    for (visibility, tools, prompts) in [
        ("all", ("public", json!(60_000)), (Value::Null, Value::Null)),
        ("obtainable", ("private", json!(60_000)), ("private".into(), json!(0))),
    ] {
        for mode in [SIX_MODES[3], SIX_MODES[4]] {
            let server = Server::start(mode, &format!("visibility: {visibility}\n")).await;
            let list = server.list(NOBODY, "tools/list").await;
            assert_eq!(
                (list["cacheScope"].as_str().unwrap(), list["ttlMs"].clone()),
                tools,
                "{list}"
            );
            assert_eq!(list["nextCursor"], "2", "pages go on");
            let list = server.list(NOBODY, "prompts/list").await;
            if visibility != "all" {
                assert_eq!((list["cacheScope"].clone(), list["ttlMs"].clone()), prompts, "{list}");
            }
        }
        // Older versions know no such member.
        let server = Server::start((MODES[0], "2025-11-25"), "visibility: granted\n").await;
        assert!(server.list(NOBODY, "prompts/list").await.get("cacheScope").is_none());
    }
}

#[tokio::test]
async fn a_list_request_that_the_transport_refuses_is_not_a_mistake_of_the_server() {
    let server = TestServer::start().await;
    let token = server.token("alice", &[]);
    let list = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/list" });
    for (name, value, status) in [
        ("accept", "application/json", StatusCode::NOT_ACCEPTABLE),
        ("content-type", "text/plain", StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ] {
        let mut request = authorized(&token, post(&list));
        request.headers_mut().insert(name, value.parse().unwrap());
        let answer = server.send(request).await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert!(!answer.body.is_empty(), "{answer:?}");
    }
}
