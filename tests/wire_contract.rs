//! Every row of the wire contract, as a client sees it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod common;

use axum::{Router, routing::post as post_route};
use common::*;
use http::{Method, StatusCode};
use mcp_auth::{Access, BearerToken, Denied, Policy, requires_scope, testing::Fault};
use serde_json::json;

const SCOPES: &str = "create:todos read:todos delete:todos";

#[tokio::test]
async fn no_credentials_are_challenged_without_an_error() {
    let server = TestServer::start().await;
    for (request, reason) in [
        (post(&call("create-todo", json!({}))), "missing_auth_header"),
        (
            with_header(post(&json!({})), "authorization", "Basic YTpi"),
            "invalid_auth_header_format",
        ),
        (request(Method::GET, ""), "missing_auth_header"),
        (request(Method::DELETE, ""), "missing_auth_header"),
        (post(&json!("not even JSON-RPC")), "missing_auth_header"),
    ] {
        let answer = server.send(request).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        let expected = format!(r#"Bearer scope="{SCOPES}", resource_metadata="{METADATA_URL}""#);
        assert_eq!(answer.challenge(), Some(&*expected));
        assert_eq!(answer.headers["cache-control"], "no-store");
        let body = answer.json();
        assert_eq!(body["reason"], reason);
        assert_eq!(body.get("error"), None);
        assert!(body["request_id"].is_string());
    }
    assert_eq!(server.ran(), 0);
}

#[tokio::test]
async fn a_token_in_the_query_string_is_no_credential() {
    let server = TestServer::start().await;
    let token = server.token("alice", &["create:todos"]);
    let mut request = post(&call("create-todo", json!({ "content": "x" })));
    *request.uri_mut() = format!("/?access_token={}", token.dangerous_raw_token())
        .parse()
        .unwrap();
    let answer = server.send(request).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.json()["reason"], "missing_auth_header");
}

#[tokio::test]
async fn a_malformed_header_is_400_or_401_by_choice() {
    for as_401 in [false, true] {
        let server = TestServer::with(STATELESS_JSON, |builder| builder.malformed_as_401(as_401)).await;
        for (headers, reason) in [
            (&["Bearer"] as &[&str], "missing_bearer_token"),
            (&["Bearer a b"], "invalid_auth_header_format"),
            (&["Bearer a", "Bearer a"], "invalid_auth_header_format"),
        ] {
            let request = headers.iter().fold(post(&json!({})), |request, value| {
                with_header(request, "authorization", value)
            });
            let answer = server.send(request).await;
            assert_eq!(
                answer.status,
                if as_401 {
                    StatusCode::UNAUTHORIZED
                } else {
                    StatusCode::BAD_REQUEST
                }
            );
            let challenge = answer.challenge().unwrap();
            let start =
                format!(r#"Bearer error="invalid_request", resource_metadata="{METADATA_URL}", error_description=""#);
            assert!(challenge.starts_with(&start), "{challenge}");
            assert_eq!(answer.json()["error"], "invalid_request");
            assert_eq!(answer.json()["reason"], reason);
        }
    }
}

#[tokio::test]
async fn a_bad_token_is_invalid_token_and_nothing_of_it_comes_back() {
    let server = TestServer::start().await;
    let good = || {
        server
            .issuer
            .token()
            .subject("alice")
            .audience(RESOURCE)
            .scopes(["create:todos"])
    };
    let expired = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
    for (token, reason) in [
        (BearerToken::new("opaque-token"), "invalid_token"),
        (good().expires_at(expired).sign(), "invalid_token"),
        (good().without_claim("exp").sign(), "invalid_token"),
        (good().without_claim("sub").sign(), "invalid_token"),
        (good().audience("http://localhost:3009").sign(), "invalid_audience"),
        (good().claim("iss", "https://evil.example").sign(), "invalid_issuer"),
        (good().claim("scope", 7).sign(), "invalid_token"),
    ] {
        let answer = server.call(&token, "create-todo", json!({ "content": "x" })).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{reason}");
        let challenge = answer.challenge().unwrap();
        let start = format!(
            r#"Bearer error="invalid_token", scope="{SCOPES}", resource_metadata="{METADATA_URL}", error_description=""#
        );
        assert!(challenge.starts_with(&start), "{challenge}");
        assert_eq!(answer.json()["reason"], reason);
        assert_eq!(answer.json()["error"], "invalid_token");
        let raw = token.dangerous_raw_token();
        let segments = raw.split('.').filter(|segment| segment.len() > 8);
        for secret in segments.chain(["evil.example", "3009", "alice"]) {
            assert!(
                !answer.body.contains(secret) && !challenge.contains(secret),
                "{secret} in {answer:?}"
            );
        }
    }
    assert_eq!(server.ran(), 0);
}

#[tokio::test]
async fn a_missing_scope_is_403_naming_it_before_arguments_are_looked_at() {
    let server = TestServer::start().await;
    let token = server.token("alice", &[]);
    let first = server
        .call(&token, "create-todo", json!({ "no such argument": 1 }))
        .await;
    assert_eq!(first.status, StatusCode::FORBIDDEN);
    let challenge = first.challenge().unwrap();
    let start = format!(
        r#"Bearer error="insufficient_scope", scope="create:todos", resource_metadata="{METADATA_URL}", error_description=""#
    );
    assert!(challenge.starts_with(&start), "{challenge}");
    let body = first.json();
    assert_eq!(body["jsonrpc"], "2.0");
    assert_eq!(body["id"], 7);
    assert_eq!(body["error"]["code"], 403);
    assert_eq!(body["error"]["data"]["error"], "insufficient_scope");
    assert_eq!(body["error"]["data"]["reason"], "missing_required_scopes");
    assert_eq!(body["error"]["data"]["missing_scopes"], json!(["create:todos"]));
    assert!(
        body["error"]["message"].as_str().unwrap().contains("create:todos"),
        "{body}"
    );
    assert_eq!(body.get("error_description"), None, "never both forms");
    let second = server.call(&token, "create-todo", json!({})).await;
    assert_eq!(
        second.challenge(),
        first.challenge(),
        "the same denial gives the same challenge, byte by byte"
    );
    assert_eq!(server.ran(), 0);
}

#[tokio::test]
async fn a_scope_that_every_request_needs_is_checked_first() {
    let server = TestServer::with(STATELESS_JSON, |builder| builder.required_scopes(["use:server"])).await;
    let answer = server
        .call(
            &server.token("alice", &["create:todos"]),
            "create-todo",
            json!({ "content": "x" }),
        )
        .await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(
        answer
            .challenge()
            .unwrap()
            .starts_with(r#"Bearer error="insufficient_scope", scope="use:server", "#)
    );
    assert_eq!(answer.json()["reason"], "missing_required_scopes");
    let token = server.token("alice", &["create:todos", "use:server"]);
    assert_eq!(
        server
            .call(&token, "create-todo", json!({ "content": "x" }))
            .await
            .status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_required_scope_may_be_held_through_one_that_implies_it() {
    let policy = Policy::parse(
        "version: 1\nscopes: { use: Use it, all: { about: Everything, implies: [use] } }\ntools: { create-todo: { requires: use } }",
    );
    let policy = policy.unwrap();
    let server = TestServer::with(STATELESS_JSON, |builder| {
        builder.policy(policy).required_scopes(["use"])
    })
    .await;
    let ping = || post(&json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" }));
    for (scopes, status) in [
        (&["all"] as &[&str], StatusCode::OK),
        (&["use"], StatusCode::OK),
        (&["other"], StatusCode::FORBIDDEN),
    ] {
        let answer = server.send(authorized(&server.token("alice", scopes), ping())).await;
        assert_eq!(answer.status, status, "{scopes:?}");
    }
}

#[tokio::test]
async fn an_annotated_handler_behind_the_bearer_layer_is_challenged_completely() {
    #[requires_scope("delete:todos", name = "purge")]
    async fn purge(access: Access) -> Result<String, Denied> {
        Ok(format!("{:?}", access.filter()))
    }
    let policy =
        "version: 1\nscopes: { \"delete:todos\": Delete }\noperations: { purge: { requires: \"delete:todos\" } }";
    let policy = Policy::parse(policy).unwrap();
    let server = TestServer::with(STATELESS_JSON, |builder| {
        builder.policy(policy).required_scopes(["use:server"])
    })
    .await;
    let app = Router::new()
        .route("/", post_route(purge))
        .route_layer(server.auth.bearer_layer());
    let token = |scopes: &[&str]| server.token("alice", scopes);
    let answer = send(&app, authorized(&token(&["use:server"]), post(&json!({})))).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let challenge = answer.challenge().unwrap();
    let start = format!(
        r#"Bearer error="insufficient_scope", scope="use:server delete:todos", resource_metadata="{METADATA_URL}", error_description=""#
    );
    assert!(challenge.starts_with(&start), "{challenge}");
    assert_eq!(answer.json()["missing_scopes"], json!(["delete:todos"]));
    let answer = send(
        &app,
        authorized(&token(&["use:server", "delete:todos"]), post(&json!({}))),
    )
    .await;
    assert_eq!((answer.status, &*answer.body), (StatusCode::OK, "All"));
    assert_eq!(send(&app, post(&json!({}))).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_first_challenge_asks_for_what_the_metadata_publishes() {
    let server = TestServer::with(STATELESS_JSON, |builder| {
        builder.scopes_supported(["create:todos", "offline_access", "create:todos"])
    });
    let answer = server.await.send(post(&json!({}))).await;
    assert!(
        answer
            .challenge()
            .unwrap()
            .starts_with(r#"Bearer scope="create:todos", "#),
        "{answer:?}"
    );
}

#[tokio::test]
async fn following_each_challenge_ends_with_a_token_that_works() {
    let server = TestServer::with(STATELESS_JSON, |builder| builder.required_scopes(["use:server"])).await;
    let mut scopes: Vec<String> = Vec::new();
    for _ in 0..3 {
        let held: Vec<&str> = scopes.iter().map(String::as_str).collect();
        let answer = server
            .call(&server.token("alice", &held), "create-todo", json!({ "content": "x" }))
            .await;
        if answer.status == StatusCode::OK {
            return;
        }
        // A client that asks for exactly what it is told.
        let (_, rest) = answer.challenge().unwrap().split_once("scope=\"").unwrap();
        scopes = rest.split('"').next().unwrap().split(' ').map(str::to_owned).collect();
    }
    panic!("the challenges send the client in circles, the last one to {scopes:?}");
}

#[tokio::test]
async fn json_that_would_overflow_the_stack_is_refused_without_being_followed() {
    let server = TestServer::start().await;
    // Written so that the text grows with the square of the levels only: a backslash as `\u005c`, a quote as `\u0022`.
    let bomb = (0..60).fold(String::from("1"), |inner, _| {
        let nested = format!("{}{inner}{}", "[".repeat(125), "]".repeat(125));
        let escaped = nested.replace('\\', r"\u005c").replace('"', r"\u0022");
        format!(r#"{{"$serde_json::private::RawValue":"{escaped}"}}"#)
    });
    assert!(bomb.len() < 1_000_000);
    for claims in [bomb.clone(), format!(r#"{{"sub":{bomb}}}"#)] {
        let token = server.issuer.sign_raw(r#"{"alg":"ES256"}"#, &claims);
        let answer = server.call(&token, "create-todo", json!({})).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
    let token = server.token("alice", &["create:todos"]);
    for body in [
        format!(r#"{{"jsonrpc":"2.0","id":{bomb},"method":"ping"}}"#),
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"create-todo","arguments":{bomb}}}}}"#
        ),
        format!(r#"{{"jsonrpc":"2.0","method":"notifications/x","params":{bomb}}}"#),
    ] {
        let answer = server.send(authorized(&token, request(Method::POST, body))).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn an_unreachable_issuer_is_503_and_the_server_recovers() {
    let server = TestServer::start().await;
    let token = server.token("alice", &["create:todos"]);
    server.issuer.set_fault(Fault::Down);
    let answer = server.call(&token, "create-todo", json!({ "content": "x" })).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.challenge(), None);
    let retry_after: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=30).contains(&retry_after));
    assert_eq!(answer.json()["reason"], "authorization_server_unavailable");
    assert!(!answer.body.contains(server.issuer.url()), "{answer:?}");
    server.issuer.set_fault(None);
    // As long as the answer says.
    pass(std::time::Duration::from_secs(retry_after)).await;
    assert_eq!(
        server
            .call(&token, "create-todo", json!({ "content": "x" }))
            .await
            .status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_foreign_host_or_origin_is_403_before_authentication() {
    let server = TestServer::start().await;
    let token = server.token("alice", &["create:todos"]);
    let good = || authorized(&token, post(&call("create-todo", json!({ "content": "x" }))));
    let mut foreign_host = good();
    foreign_host
        .headers_mut()
        .insert("host", "evil.example".parse().unwrap());
    for (request, reason) in [
        (foreign_host, "forbidden_host"),
        (with_header(good(), "origin", "http://evil.example"), "forbidden_origin"),
        (with_header(good(), "origin", "null"), "forbidden_origin"),
    ] {
        let answer = server.send(request).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert_eq!(answer.challenge(), None);
        assert_eq!(answer.json()["reason"], reason);
        assert!(!answer.headers.contains_key("access-control-allow-origin"));
    }
    assert_eq!(server.ran(), 0);
    assert_eq!(
        server
            .send(with_header(good(), "origin", "http://localhost:6274"))
            .await
            .status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn browsers_of_allowed_origins_get_a_preflight_and_may_read_the_challenge() {
    let server = TestServer::start().await;
    let preflight = |origin: &str| {
        let request = with_header(request(Method::OPTIONS, ""), "origin", origin);
        with_header(request, "access-control-request-method", "POST")
    };
    let answer = server.send(preflight("http://localhost:6274")).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(answer.headers["access-control-allow-origin"], "http://localhost:6274");
    assert!(
        answer.headers["access-control-allow-headers"]
            .to_str()
            .unwrap()
            .contains("Authorization")
    );
    assert_eq!(
        server.send(preflight("http://evil.example")).await.status,
        StatusCode::FORBIDDEN
    );

    let answer = server
        .send(with_header(post(&json!({})), "origin", "http://localhost:6274"))
        .await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(
        answer.headers["access-control-expose-headers"]
            .to_str()
            .unwrap()
            .contains("WWW-Authenticate")
    );
}

#[tokio::test]
async fn the_metadata_is_public_and_says_where_to_get_a_token() {
    let server = TestServer::start().await;
    let mut request = request(Method::GET, "");
    *request.uri_mut() = "/.well-known/oauth-protected-resource".parse().unwrap();
    let answer = server.send(with_header(request, "origin", "http://evil.example")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(
        answer.json(),
        json!({
            "resource": RESOURCE,
            "authorization_servers": [server.issuer.url()],
            "scopes_supported": ["create:todos", "read:todos", "delete:todos"],
            "bearer_methods_supported": ["header"],
        })
    );
}

#[tokio::test]
async fn identity_is_not_carried_over_to_the_next_request() {
    let server = TestServer::start().await;
    let token = server.token("alice", &["create:todos"]);
    assert_eq!(
        server
            .call(&token, "create-todo", json!({ "content": "x" }))
            .await
            .status,
        StatusCode::OK
    );
    assert_eq!(
        server
            .send(post(&call("create-todo", json!({ "content": "x" }))))
            .await
            .status,
        StatusCode::UNAUTHORIZED
    );
}
