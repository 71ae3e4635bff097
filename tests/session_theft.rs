//! A session id is no credential: whoever has one, but is not its principal, has nothing, whatever the method and however the id was come by.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod common;

use axum::body::Body;
use common::*;
use http::{Method, Request, StatusCode};
use mcp_auth::{BearerToken, Policy, testing::Issuer};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

const SESSIONS: Mode = MODES[2];

/// A server that trusts two issuers, and the second one.
async fn server() -> (TestServer, Issuer) {
    let other = Issuer::start().await.unwrap();
    let issuer = other.authorization_server().unwrap();
    let policy = include_str!("../policies/todo.yaml");
    let policy = Policy::parse(&format!("{policy}\ncallers: {{ owner_key: issuer_and_subject }}\n")).unwrap();
    let server = TestServer::with(SESSIONS, |builder| builder.authorization_server(issuer).policy(policy)).await;
    (server, other)
}

/// A token for a principal, all of which may call every tool.
fn token(issuer: &Issuer, subject: &str, client_id: &str) -> BearerToken {
    let token = issuer.token().subject(subject).audience(RESOURCE).client_id(client_id);
    token.scopes(["create:todos", "read:todos", "delete:todos"]).sign()
}

/// Everything that can be sent in a session.
fn requests() -> [(&'static str, Request<Body>); 7] {
    let message = |message| post(&message);
    [
        ("a call", message(call("create-todo", json!({ "content": "x" })))),
        (
            "a list",
            message(json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/list" })),
        ),
        (
            "a notification",
            message(json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 1 } })),
        ),
        (
            "a response",
            message(json!({ "jsonrpc": "2.0", "id": 1, "result": {} })),
        ),
        (
            "an error response",
            message(json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": 1, "message": "x" } })),
        ),
        ("a stream", request(Method::GET, "")),
        ("the end", request(Method::DELETE, "")),
    ]
}

#[tokio::test]
async fn nobody_else_can_use_a_session_with_any_method() {
    let (server, other) = server().await;
    let alice = token(&server.issuer, "alice", "app");
    let victim = open_session(&server.app, &alice).await;
    let transport_id = victim.rsplit_once('.').unwrap().0.to_owned();
    let thieves = [
        ("another subject", token(&server.issuer, "mallory", "app")),
        (
            "another client of the same subject",
            token(&server.issuer, "alice", "ap"),
        ),
        ("the same subject at another issuer", token(&other, "alice", "app")),
        (
            "no client",
            server
                .issuer
                .token()
                .subject("alice")
                .audience(RESOURCE)
                .without_claim("client_id")
                .sign(),
        ),
    ];
    for (thief, token) in thieves {
        let own = open_session(&server.app, &token).await;
        let (own_id, own_code) = own.rsplit_once('.').unwrap();
        let victims_code = victim.rsplit_once('.').unwrap().1;
        for stolen in [
            vec![victim.clone()],
            vec![transport_id.clone()],
            vec![format!("{transport_id}.")],
            vec![format!("{transport_id}.{own_code}")],
            vec![format!("{own_id}.{victims_code}")],
            vec![format!("{victim}.{own_code}")],
            // One's own next to the stolen one.
            vec![own.clone(), victim.clone()],
            vec![victim.clone(), own.clone()],
            vec![format!("{own}, {victim}")],
        ] {
            for (what, request) in requests() {
                let request = stolen.iter().fold(authorized(&token, request), |request, id| {
                    with_header(request, "mcp-session-id", id)
                });
                let answer = server.send(request).await;
                let row = format!("{what} of {thief} with {stolen:?}");
                // In the words that rmcp has for a session that does not exist.
                assert_eq!(answer.status, StatusCode::NOT_FOUND, "{row}: {answer:?}");
                assert_eq!(answer.body, "Not Found: Session not found", "{row}");
                assert!(!answer.headers.contains_key("mcp-session-id"), "{row}");
            }
        }
        // Versions without sessions ignore the id, and so does the server: nothing of alice's is reached.
        for (what, request) in requests() {
            let mut request = with_header(authorized(&token, request), "mcp-session-id", &victim);
            request
                .headers_mut()
                .insert("mcp-protocol-version", "2026-07-28".parse().unwrap());
            let answer = server.send(request).await;
            assert!(!answer.status.is_success(), "{what} of {thief}: {answer:?}");
        }
        // Without any token there is no session at all, and none is admitted.
        for (what, request) in requests() {
            let answer = server.send(with_header(request, "mcp-session-id", &victim)).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{what}: {answer:?}");
        }
    }
    assert_eq!(server.ran(), 0);

    // The session lives on, and is alice's with any token of hers.
    let renewed = server
        .issuer
        .token()
        .subject("alice")
        .audience(RESOURCE)
        .client_id("app");
    let renewed = renewed.scopes(["create:todos"]).sign();
    for (what, request) in requests() {
        let answer = server.app.clone();
        let request = with_header(authorized(&renewed, request), "mcp-session-id", &victim);
        let status = tower::ServiceExt::oneshot(answer, request).await.unwrap().status();
        assert!(status.is_success(), "{what}: {status}");
    }
    // It has ended now, by its principal.
    let gone = post(&call("create-todo", json!({ "content": "x" })));
    let gone = server
        .send(with_header(authorized(&alice, gone), "mcp-session-id", &victim))
        .await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND, "{gone:?}");
}

#[tokio::test]
async fn the_next_request_on_a_connection_is_nobodys_until_its_own_token_says_so() {
    for mode in [STATELESS_JSON, SESSIONS] {
        let server = TestServer::with(mode, |builder| builder).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = server.app.clone();
        let serving = tokio::spawn(async move { axum::serve(listener, app).await });
        let (alice, bob) = (
            server.token("alice", &["create:todos"]),
            server.token("bob", &["create:todos"]),
        );
        let mut sessions = Vec::new();
        for token in [&alice, &bob] {
            sessions.push(if mode.sessions {
                open_session(&server.app, token).await
            } else {
                String::new()
            });
        }
        let mut connection = TcpStream::connect(address).await.unwrap();
        let mut ran = 0;
        // Who asks, in whose session.
        for (who, session) in [
            (Some(0), 0),
            (None, 0),
            (Some(1), 1),
            (Some(1), 0),
            (Some(0), 0),
            (None, 1),
            (Some(0), 1),
            (Some(1), 1),
            (None, 0),
        ] {
            let token = who.map(|who: usize| [&alice, &bob][who]);
            let answer = exchange(&mut connection, token, mode.sessions.then(|| &*sessions[session])).await;
            let row = format!("{mode:?} {who:?} in session {session}: {answer}");
            match who {
                None => assert!(answer.starts_with("HTTP/1.1 401 "), "{row}"),
                Some(who) if mode.sessions && who != session => assert!(answer.starts_with("HTTP/1.1 404 "), "{row}"),
                Some(who) => {
                    ran += 1;
                    assert!(answer.contains(["created for alice", "created for bob"][who]), "{row}");
                }
            }
            assert_eq!(server.ran(), ran, "{row}");
        }
        serving.abort();
    }
}

/// One call on a connection that stays open. The answer is read to its end, so that the next one begins where it should.
async fn exchange(connection: &mut TcpStream, token: Option<&BearerToken>, session: Option<&str>) -> String {
    let body = call("create-todo", json!({ "content": "x" })).to_string();
    let token = token.map(|token| format!("authorization: Bearer {}\r\n", token.dangerous_raw_token()));
    let session = session.map(|session| format!("mcp-session-id: {session}\r\n"));
    let request = format!(
        "POST / HTTP/1.1\r\nhost: localhost:3001\r\n{}{}content-type: application/json\r\n\
         accept: application/json, text/event-stream\r\nmcp-protocol-version: 2025-11-25\r\ncontent-length: {}\r\n\r\n{body}",
        token.unwrap_or_default(),
        session.unwrap_or_default(),
        body.len(),
    );
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&answer).to_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .split("content-length: ")
                .nth(1)
                .map(|rest| rest.lines().next().unwrap().parse::<usize>().unwrap());
            let whole = match length {
                Some(length) => body.len() == length,
                None => body.ends_with("0\r\n\r\n"),
            };
            if whole {
                return String::from_utf8(answer).unwrap();
            }
        }
        let mut part = [0; 4096];
        let read = tokio::time::timeout(std::time::Duration::from_secs(5), connection.read(&mut part));
        let read = read.await.unwrap().unwrap();
        assert!(
            read > 0,
            "the connection was closed: {}",
            String::from_utf8_lossy(&answer)
        );
        answer.extend_from_slice(&part[..read]);
    }
}
