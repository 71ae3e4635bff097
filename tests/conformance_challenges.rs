//! Rows C and S of `docs/conformance.md` that no other test shows: what refusals tell clients to do.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests"
)]

mod common;

use axum::{Router, body::Body, routing::any};
use common::*;
use http::{Method, Request, StatusCode};
use mcp_auth::{
    BearerToken, McpAuth, McpAuthBuilder, Policy,
    testing::{Fault, Issuer},
};
use serde_json::{Value, json};

/// Names that clients could take for parameters of the challenge, if they were repeated carelessly. Quotes and the like cannot be in a policy.
const HOSTILE: &str = r#"
version: 1
policy: "\"policy\", scope=\"evil\""
scopes:
  read:a: Read
  read:b: Read
  'api://a?error=x&scope=y': Read
  all: { about: Everything, implies: [read:a, read:b] }
tools:
  both: { requires: [read:a, read:b] }
  one: { requires: read:a }
  scope.error: { requires: 'api://a?error=x&scope=y' }
prompts:
  resource_metadata: { requires: [read:b] }
resources:
  'books://a?scope=x&error=y': { requires: read:b }
  'books://b?resource_metadata=https://evil.example': { requires: [read:a, read:b] }
"#;

/// An issuer, and a server whose handlers do nothing but say that they were reached.
struct Server {
    issuer: Issuer,
    app: Router,
    auth: McpAuth,
}

impl Server {
    async fn start(policy: Option<&str>, configure: impl FnOnce(McpAuthBuilder) -> McpAuthBuilder) -> Self {
        let issuer = Issuer::start().await.unwrap();
        let mut builder = McpAuth::builder(RESOURCE).authorization_server(issuer.authorization_server().unwrap());
        if let Some(policy) = policy {
            builder = builder.policy(Policy::parse(policy).unwrap_or_else(|errors| panic!("{errors}")));
        }
        let auth = configure(builder).build().unwrap();
        let app = Router::new()
            .route("/", any(async || "reached"))
            .route_layer(auth.mcp_layer())
            .merge(auth.metadata_router());
        Self { issuer, app, auth }
    }

    fn token(&self, scopes: &[&str]) -> BearerToken {
        let token = self.issuer.token().subject("alice").audience(RESOURCE);
        token.scopes(scopes).sign()
    }

    async fn ask(&self, scopes: &[&str], method: &str, params: Value) -> Answer {
        let message = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
        send(&self.app, authorized(&self.token(scopes), post(&message))).await
    }
}

/// The parameters of one challenge, or a panic where the text is not what RFC 6750 section 3 allows.
fn parse(challenge: &str) -> Vec<(&str, &str)> {
    let mut rest = challenge.strip_prefix("Bearer ").expect("one scheme");
    let mut parameters: Vec<(&str, &str)> = Vec::new();
    loop {
        let (name, after) = rest.split_once("=\"").expect("a parameter");
        let (value, after) = after.split_once('"').expect("a closed string");
        assert!(!parameters.iter().any(|(known, _)| *known == name), "{name} twice");
        let allowed: fn(u8) -> bool = match name {
            "scope" => |b| matches!(b, 0x20 | 0x21 | 0x23..=0x5b | 0x5d..=0x7e),
            "error" | "error_description" => |b| matches!(b, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e),
            "resource_metadata" => |b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e),
            other => panic!("unknown parameter {other}"),
        };
        assert!(!value.is_empty() && value.bytes().all(allowed), "{name}: {value}");
        parameters.push((name, value));
        match after.strip_prefix(", ") {
            Some(more) => rest = more,
            None => {
                assert_eq!(after, "", "nothing behind the parameters");
                return parameters;
            }
        }
    }
}

/// Every kind of refusal that has a challenge.
async fn refusals(server: &Server) -> Vec<Answer> {
    let mut answers = Vec::new();
    let headers: [&[&str]; 7] = [
        &[],
        &["Basic YTpi"],
        &["Bearer"],
        &["Bearer a b"],
        &["Bearer a", "Bearer b"],
        &["Bearer made-up"],
        &["Bearer e30.e30.e30"],
    ];
    for values in headers {
        let request = values.iter().fold(post(&json!({})), |request, value| {
            with_header(request, "authorization", value)
        });
        answers.push(send(&server.app, request).await);
    }
    for (method, params) in [
        ("tools/call", json!({ "name": "both" })),
        ("tools/call", json!({ "name": "scope.error" })),
        ("prompts/get", json!({ "name": "resource_metadata" })),
        ("resources/read", json!({ "uri": "books://a?scope=x&error=y" })),
        (
            "resources/read",
            json!({ "uri": "books://b?resource_metadata=https://evil.example" }),
        ),
    ] {
        let answer = server.ask(&[], method, params.clone()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{params}: {answer:?}");
        answers.push(answer);
    }
    answers
}

#[tokio::test]
async fn every_challenge_keeps_the_grammar_and_the_order_whatever_names_say() {
    let server = Server::start(Some(HOSTILE), |builder| builder).await;
    let order = ["error", "scope", "resource_metadata", "error_description"];
    for answer in refusals(&server).await {
        let challenge = answer.challenge().unwrap_or_else(|| panic!("{answer:?}"));
        let parameters = parse(challenge);
        let names: Vec<_> = parameters.iter().map(|(name, _)| *name).collect();
        let expected: Vec<_> = order.into_iter().filter(|name| names.contains(name)).collect();
        assert_eq!(names, expected, "{challenge}");
        let find = |wanted: &str| {
            parameters
                .iter()
                .find(|(name, _)| *name == wanted)
                .map(|(_, value)| *value)
        };
        assert_eq!(find("resource_metadata"), Some(METADATA_URL), "{challenge}");
        if let Some(error) = find("error") {
            assert!(["invalid_request", "invalid_token", "insufficient_scope"].contains(&error));
        }
        // Clients search the whole header for `scope=` and the like; free text comes last and has none.
        assert!(
            find("error_description").is_none_or(|text| !text.contains('=')),
            "{challenge}"
        );
    }
}

#[tokio::test]
async fn every_refusal_is_json_that_no_cache_keeps() {
    let server = Server::start(Some(HOSTILE), |builder| builder.required_scopes(["use"])).await;
    let no_use = server.ask(&["read:a"], "ping", json!({})).await;
    assert_eq!(no_use.status, StatusCode::FORBIDDEN);
    let foreign = with_header(post(&json!({})), "origin", "https://evil.example");
    let foreign = send(&server.app, foreign).await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
    let fresh = Server::start(Some(HOSTILE), |builder| builder).await;
    fresh.issuer.set_fault(Fault::Down);
    let down = fresh.ask(&[], "ping", json!({})).await;
    assert_eq!(down.status, StatusCode::SERVICE_UNAVAILABLE);
    let other = Server::start(Some(HOSTILE), |builder| builder).await;
    for answer in refusals(&other).await.into_iter().chain([no_use, foreign, down]) {
        assert_eq!(answer.headers["cache-control"], "no-store", "{answer:?}");
        assert_eq!(answer.headers["content-type"], "application/json", "{answer:?}");
        let body = answer.json();
        let facts = body.pointer("/error/data").unwrap_or(&body);
        assert!(facts["error_description"].is_string(), "{answer:?}");
        let error = answer.challenge().and_then(|challenge| {
            let parameters = parse(challenge);
            parameters
                .iter()
                .find(|(name, _)| *name == "error")
                .map(|(_, error)| (*error).to_owned())
        });
        assert_eq!(
            facts.get("error").and_then(Value::as_str),
            error.as_deref(),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn all_scopes_that_an_operation_needs_are_asked_for_at_once() {
    let server = Server::start(Some(HOSTILE), |builder| builder).await;
    for (held, version, expected) in [
        (&[][..], "2026-07-28", "read:a read:b"),
        (&[], "2025-11-25", "read:a read:b"),
        (&["read:b"], "2026-07-28", "read:a read:b"),
        (&["read:b"], "2025-11-25", "read:a read:b"),
    ] {
        let call = call("both", json!({}));
        let request = match version {
            "2026-07-28" => modern(&server.token(held), call),
            _ => authorized(&server.token(held), post(&call)),
        };
        let answer = send(&server.app, request).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        let parameters = parse(answer.challenge().unwrap());
        assert_eq!(parameters[1], ("scope", expected), "{held:?} {version}");
    }
}

#[tokio::test]
async fn a_broad_scope_is_enough_and_the_narrow_one_is_asked_for() {
    let server = Server::start(Some(HOSTILE), |builder| builder).await;
    for (held, status) in [
        (&["all"][..], StatusCode::OK),
        (&["read:a"], StatusCode::OK),
        (&["read:b"], StatusCode::FORBIDDEN),
        (&[], StatusCode::FORBIDDEN),
    ] {
        let request = modern(&server.token(held), call("one", json!({})));
        let answer = send(&server.app, request).await;
        assert_eq!(answer.status, status, "{held:?}");
        if let Some(challenge) = answer.challenge() {
            assert_eq!(parse(challenge)[1], ("scope", "read:a"), "{held:?}");
        }
    }
}

#[tokio::test]
async fn what_is_advertised_is_the_first_step_and_the_403_names_the_next() {
    let policy = format!("{HOSTILE}advertise: [read:a]\n");
    let server = Server::start(Some(&policy), |builder| builder).await;
    assert_eq!(server.auth.metadata().scopes_supported(), ["read:a"]);
    let first = send(&server.app, post(&json!({}))).await;
    assert_eq!(parse(first.challenge().unwrap())[0], ("scope", "read:a"));
    let next = server.ask(&["read:a"], "tools/call", json!({ "name": "both" })).await;
    assert_eq!(parse(next.challenge().unwrap())[1], ("scope", "read:a read:b"));
    let done = server.ask(&["read:a", "read:b"], "tools/call", json!({ "name": "both" }));
    assert_eq!(done.await.body, "reached");
}

#[tokio::test]
async fn without_scopes_none_are_published_and_none_asked_for() {
    for policy in [
        None,
        Some("version: 1\ntools: { open: { requires: [] } }"),
        Some("version: 1\nscopes: { a: About }\ntools: { one: { requires: a } }\nadvertise: []"),
    ] {
        let server = Server::start(policy, |builder| builder).await;
        assert_eq!(server.auth.metadata().to_json().get("scopes_supported"), None);
        let answer = send(&server.app, post(&json!({}))).await;
        assert_eq!(
            parse(answer.challenge().unwrap()),
            [("resource_metadata", METADATA_URL)]
        );
        let bad = with_header(post(&json!({})), "authorization", "Bearer bad");
        let challenge = send(&server.app, bad).await;
        assert!(
            parse(challenge.challenge().unwrap())
                .iter()
                .all(|(name, _)| *name != "scope")
        );
    }
}

/// What a browser asks before a page may send a request.
fn preflight(origin: &str, headers: &str) -> Request<Body> {
    let request = with_header(request(Method::OPTIONS, ""), "origin", origin);
    let request = with_header(request, "access-control-request-method", "POST");
    with_header(request, "access-control-request-headers", headers)
}

#[tokio::test]
async fn a_page_may_send_every_header_of_the_protocol_and_no_other() {
    let server = Server::start(Some(HOSTILE), |builder| builder).await;
    let protocol =
        "authorization,content-type,accept,mcp-protocol-version,mcp-method,mcp-name,mcp-session-id,last-event-id";
    let asked = format!("{protocol}, mcp-param-region,Mcp-Param-Tenant-Id ,x-evil,mcp-param-,cookie, mcp-param-\u{e9}");
    let origin = "http://localhost:6274";
    let answer = send(&server.app, preflight(origin, &asked)).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    let allowed = answer.headers["access-control-allow-headers"]
        .to_str()
        .unwrap()
        .to_lowercase();
    let allowed: Vec<_> = allowed.split(',').map(str::trim).collect();
    for name in protocol.split(',').chain(["mcp-param-region", "mcp-param-tenant-id"]) {
        assert!(allowed.contains(&name), "{name} in {allowed:?}");
    }
    for name in ["x-evil", "cookie", "*"] {
        assert!(!allowed.contains(&name), "{name} in {allowed:?}");
    }
    let foreign = send(&server.app, preflight("https://evil.example", &asked)).await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
    assert!(!foreign.headers.contains_key("access-control-allow-headers"));
    // Neither preflight carried a token, and a page may read why its request was refused.
    let refused = send(&server.app, with_header(post(&json!({})), "origin", origin)).await;
    let exposed = refused.headers["access-control-expose-headers"].to_str().unwrap();
    for name in ["WWW-Authenticate", "Mcp-Session-Id"] {
        assert!(exposed.contains(name), "{exposed}");
    }
}
