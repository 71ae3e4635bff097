//! Rows T and K of `docs/conformance.md` that no other test shows over the wire: which tokens reach a tool.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod common;

use std::time::{Duration, SystemTime};

use common::*;
use http::{Method, StatusCode, header};
use mcp_auth::{BearerToken, OperationKind, Policy, PolicyHandle, testing::Issuer};
use serde_json::json;

fn create() -> serde_json::Value {
    call("create-todo", json!({ "content": "x" }))
}

#[tokio::test]
async fn the_scheme_has_any_case_and_any_number_of_spaces_behind_it() {
    let server = TestServer::start().await;
    let token = server.token("alice", &["create:todos"]);
    let token = token.dangerous_raw_token();
    for (value, status) in [
        (format!("Bearer {token}"), StatusCode::OK),
        (format!("bearer {token}"), StatusCode::OK),
        (format!("BEARER {token}"), StatusCode::OK),
        (format!("bEaReR   {token}"), StatusCode::OK),
        (format!("Bearer {token} "), StatusCode::OK),
        (format!("Bearer\t{token}"), StatusCode::UNAUTHORIZED),
        (format!("Bearer{token}"), StatusCode::UNAUTHORIZED),
        (format!("Token {token}"), StatusCode::UNAUTHORIZED),
        (token.to_owned(), StatusCode::UNAUTHORIZED),
        (format!("Bearer \"{token}\""), StatusCode::BAD_REQUEST),
        (format!("Bearer {token}, Bearer {token}"), StatusCode::BAD_REQUEST),
        (format!("Bearer {token},{token}"), StatusCode::BAD_REQUEST),
    ] {
        let answer = server.send(with_header(post(&create()), "authorization", &value)).await;
        assert_eq!(answer.status, status, "{answer:?}");
    }
}

#[tokio::test]
async fn a_token_in_the_query_or_in_a_form_counts_for_nothing() {
    let server = TestServer::start().await;
    let (alice, bob) = (
        server.token("alice", &["create:todos"]),
        server.token("bob", &["create:todos"]),
    );
    let query = format!("/?access_token={}", bob.dangerous_raw_token());
    let mut alone = post(&create());
    *alone.uri_mut() = query.parse().unwrap();
    let answer = server.send(alone).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(!answer.challenge().unwrap().contains("error"), "{answer:?}");
    assert!(!format!("{answer:?}").contains(bob.dangerous_raw_token()));

    let mut beside = authorized(&alice, post(&create()));
    *beside.uri_mut() = query.parse().unwrap();
    let answer = server.send(beside).await;
    assert!(
        answer.body.contains("created for alice"),
        "the header decides: {answer:?}"
    );

    let form = || {
        let mut form = request(Method::POST, format!("access_token={}", bob.dangerous_raw_token()));
        let urlencoded = "application/x-www-form-urlencoded".parse().unwrap();
        form.headers_mut().insert(header::CONTENT_TYPE, urlencoded);
        form
    };
    let before = server.ran();
    let answer = server.send(form()).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(!answer.challenge().unwrap().contains("error"), "{answer:?}");
    // Two ways at once are a malformed request (RFC 6750 section 3.1), and so is a form at an MCP endpoint.
    let answer = server.send(authorized(&alice, form())).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
    assert!(!answer.body.contains(bob.dangerous_raw_token()));
    assert_eq!(server.ran(), before);
}

#[tokio::test]
async fn each_kind_of_bad_token_is_401_invalid_token_and_runs_nothing() {
    let server = TestServer::start().await;
    let stranger = Issuer::start().await.unwrap();
    let good = || {
        let token = server.issuer.token().subject("admin").audience(RESOURCE);
        token.scopes(["create:todos", "read:todos", "delete:todos"])
    };
    let now = SystemTime::now();
    let seconds = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let ahead = seconds(now + Duration::from_secs(3600));
    // One row each, so that the table can be read as one.
    #[rustfmt::skip]
    let tokens = [
        ("expired", good().expires_at(now - Duration::from_secs(1)).sign()),
        ("without end", good().without_claim("exp").sign()),
        ("not valid yet", good().claim("nbf", ahead).sign()),
        ("issued in the future", good().claim("iat", ahead).sign()),
        ("for another resource", good().audience("https://other.example").sign()),
        ("for nobody", good().without_claim("aud").sign()),
        ("for others only", good().claim("aud", json!(["https://a.example", "https://b.example"])).sign()),
        ("for a longer name", good().audience("http://localhost:3001-evil").sign()),
        ("for a path below", good().audience("http://localhost:3001/mcp-evil").sign()),
        ("for a host that begins alike", good().audience("http://localhost:3001.evil.example").sign()),
        ("for another scheme", good().audience("https://localhost:3001").sign()),
        ("for a part of the name", good().audience("http://localhost").sign()),
        ("of a stranger", stranger.token().subject("admin").audience(RESOURCE).sign()),
        ("forged", good().forged_by(&stranger).sign()),
        ("unsigned", good().header("alg", "none").sign()),
        ("HMAC", good().header("alg", "HS256").sign()),
        ("with a critical extension", good().header("crit", json!(["b64"])).sign()),
        ("an ID token", good().header("typ", "JWT").claim("nonce", "n").sign()),
        ("an identity assertion", good().header("typ", "oauth-id-jag+jwt").sign()),
        ("a DPoP proof", good().header("typ", "dpop+jwt").sign()),
        ("a logout token", good().header("typ", "logout+jwt").sign()),
        ("a security event", good().header("typ", "secevent+jwt").sign()),
        ("a client assertion", good().header("typ", "client-authentication+jwt").sign()),
        ("bound to a DPoP key", good().claim("cnf", json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" })).sign()),
        ("bound to a certificate", good().claim("cnf", json!({ "x5t#S256": "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0" })).sign()),
        ("with a scope of another type", good().claim("scope", json!({ "create:todos": true })).sign()),
        ("without a subject", good().without_claim("sub").sign()),
        ("with a member twice", server.issuer.sign_raw(r#"{"alg":"ES256"}"#, r#"{"sub":"a","sub":"admin"}"#)),
        ("opaque", BearerToken::new("opaque-token")),
        ("an encrypted one", BearerToken::new("e30.AAAA.AAAA.AAAA.AAAA")),
        ("very long", BearerToken::new("a".repeat(100_000))),
    ];
    for (what, token) in tokens {
        let answer = server.send(authorized(&token, post(&create()))).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{what}: {answer:?}");
        let challenge = answer.challenge().unwrap();
        assert!(
            challenge.starts_with(r#"Bearer error="invalid_token", "#),
            "{what}: {challenge}"
        );
        assert_eq!(answer.json()["error"], "invalid_token", "{what}");
    }
    assert_eq!(server.ran(), 0);
    assert_eq!((stranger.metadata_fetches(), stranger.key_set_fetches()), (0, 0));
    let several = good().claim("aud", json!(["https://a.example", RESOURCE])).sign();
    assert_eq!(
        server.send(authorized(&several, post(&create()))).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_token_with_some_scopes_does_what_they_allow() {
    let server = TestServer::start().await;
    let token = server.token("alice", &["read:todos"]);
    let list = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/list" });
    assert_eq!(
        server.send(authorized(&token, post(&list))).await.status,
        StatusCode::OK
    );
    let read = server.call(&token, "get-todos", json!({})).await;
    assert!(read.body.contains("All of alice"), "{read:?}");
    let delete = server.call(&token, "delete-todo", json!({})).await;
    assert!(delete.body.contains("OwnedBy"), "{delete:?}");
    let create = server.call(&token, "create-todo", json!({ "content": "x" })).await;
    assert_eq!(create.status, StatusCode::FORBIDDEN);
}

/// The claim that names the tenant is compared with the argument of the call, and with nothing else that a client writes.
#[tokio::test]
async fn an_argument_repeated_in_a_header_is_never_what_is_decided() {
    let policy = "version: 1\nscopes: { a: About }\ntools: { create-todo: { requires: a } }\nforbid:\n  - id: no-secrets\n    tools: [create-todo]\n    \
                  when: { arg: { name: content, is: secret, if_missing: deny } }\n    message: Not this one.\n";
    let handle = PolicyHandle::from(Policy::parse(policy).unwrap_or_else(|errors| panic!("{errors}")));
    handle.declare_arguments(OperationKind::Tool, "create-todo", ["content"]);
    let server = TestServer::with(STATELESS_JSON, |builder| builder.policy(handle)).await;
    let token = server.token("alice", &["a"]);
    for (body, in_header, allowed) in [
        ("public", "public", true),
        ("public", "secret", true),
        ("secret", "public", false),
        ("secret", "secret", false),
    ] {
        let message = call("create-todo", json!({ "content": body }));
        let request = with_header(authorized(&token, post(&message)), "mcp-param-content", in_header);
        let answer = server.send(request).await;
        assert_eq!(
            answer.body.contains("Not this one."),
            !allowed,
            "{body} {in_header}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn the_client_says_who_it_is_and_nobody_believes_it() {
    let server = TestServer::start().await;
    let token = server.token("alice", &["read:todos"]);
    for name in ["admin", "trusted-client", ""] {
        let mut message = create();
        message["params"]["_meta"] = json!({
            "io.modelcontextprotocol/clientInfo": { "name": name, "version": "1" },
            "sub": "admin", "scope": "create:todos",
        });
        let request = authorized(&token, post(&message));
        let request = with_header(request, "x-forwarded-user", "admin");
        let request = with_header(request, "user-agent", "admin");
        assert_eq!(server.send(request).await.status, StatusCode::FORBIDDEN, "{name}");
    }
    assert_eq!(server.ran(), 0);
}

#[tokio::test]
async fn no_method_is_open_to_requests_without_a_token() {
    let server = TestServer::start().await;
    for method in [
        "initialize",
        "ping",
        "server/discover",
        "tools/list",
        "tools/call",
        "prompts/list",
        "resources/read",
        "subscriptions/listen",
        "completion/complete",
        "tasks/get",
        "logging/setLevel",
        "notifications/initialized",
        "no/such-method",
    ] {
        for version in ["2025-06-18", "2025-11-25", "2026-07-28"] {
            let mut request = post(&json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": {} }));
            request
                .headers_mut()
                .insert("mcp-protocol-version", version.parse().unwrap());
            let answer = server.send(request).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {version}");
            assert!(answer.challenge().unwrap().contains(METADATA_URL), "{method} {version}");
        }
    }
}
