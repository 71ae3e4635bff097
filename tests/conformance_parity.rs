//! What `docs/parity.md` claims and no other test shows.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod common;

use axum::{Router, http::HeaderMap, response::IntoResponse as _, routing::any};
use common::*;
use http::{Method, StatusCode};
use mcp_auth::{BearerToken, McpAuth, testing::Issuer};
use serde_json::{Value, json};

#[tokio::test]
async fn checks_come_in_the_order_issuer_signature_audience_scopes() {
    let server = TestServer::with(STATELESS_JSON, |builder| builder.required_scopes(["use:server"])).await;
    let stranger = Issuer::start().await.unwrap();
    // Everything is wrong, then one thing less from row to row.
    let worst = stranger.token().audience("https://other.example").claim("exp", 1);
    let forged = server
        .issuer
        .token()
        .forged_by(&stranger)
        .audience("https://other.example")
        .claim("exp", 1);
    let expired = server.issuer.token().audience("https://other.example").claim("exp", 1);
    let elsewhere = server.issuer.token().audience("https://other.example");
    let without_scope = server.issuer.token().audience(RESOURCE);
    for (token, status, reason) in [
        (worst.sign(), 401, "invalid_issuer"),
        (forged.sign(), 401, "invalid_token"),
        (expired.sign(), 401, "invalid_token"),
        (elsewhere.sign(), 401, "invalid_audience"),
        (without_scope.sign(), 403, "missing_required_scopes"),
    ] {
        let answer = server.call(&token, "create-todo", json!({})).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["reason"]),
            (status, &reason.into()),
            "{answer:?}"
        );
    }
    // A stranger costs no request to anybody.
    assert_eq!((stranger.metadata_fetches(), stranger.key_set_fetches()), (0, 0));
}

#[tokio::test]
async fn blank_scopes_are_no_scopes() {
    let server = TestServer::start().await;
    for (scope, status) in [
        ("  create:todos   read:todos ", StatusCode::OK),
        ("create:todos", StatusCode::OK),
        (" ", StatusCode::FORBIDDEN),
        ("", StatusCode::FORBIDDEN),
        ("create:todos-and-more", StatusCode::FORBIDDEN),
        ("CREATE:TODOS", StatusCode::FORBIDDEN),
    ] {
        let token = server
            .issuer
            .token()
            .subject("alice")
            .audience(RESOURCE)
            .claim("scope", scope)
            .sign();
        let answer = server.call(&token, "create-todo", json!({ "content": "x" })).await;
        assert_eq!(answer.status, status, "`{scope}`: {answer:?}");
    }
}

#[tokio::test]
async fn what_a_handler_answers_and_what_it_was_given_before_stay_as_they_are() {
    let issuer = Issuer::start().await.unwrap();
    let auth = McpAuth::builder(RESOURCE)
        .authorization_server(issuer.authorization_server().unwrap())
        .build()
        .unwrap();
    let handler = any(async |headers: HeaderMap| {
        let status = headers.get("x-status").and_then(|value| value.to_str().ok()).unwrap();
        let status: StatusCode = status.parse().unwrap();
        (
            status,
            [("www-authenticate", "Bearer of-the-handler")],
            "in its own words",
        )
            .into_response()
    });
    let app = Router::new().route("/", handler).route_layer(auth.bearer_layer());
    let token = issuer.token().audience(RESOURCE).sign();
    for status in ["200", "400", "401", "403", "404", "500", "503"] {
        let request = with_header(authorized(&token, request(Method::GET, "")), "x-status", status);
        let answer = send(&app, request).await;
        assert_eq!(answer.status.as_str(), status);
        assert_eq!(answer.challenge(), Some("Bearer of-the-handler"));
        assert_eq!(answer.body, "in its own words");
    }
}

#[tokio::test]
async fn no_answer_tells_details_of_a_failure_and_no_option_makes_it() {
    let server = TestServer::start().await;
    let forged = server
        .issuer
        .token()
        .subject("secret-subject")
        .audience("https://secret.example")
        .claim("email", "secret@example.com")
        .sign();
    for token in [forged, BearerToken::new("e30.secret.e30"), BearerToken::new("secret")] {
        let answer = server.call(&token, "create-todo", json!({})).await;
        let body = answer.json();
        let members: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, ["error", "error_description", "reason", "request_id"]);
        let text = format!("{answer:?}");
        for hidden in ["secret", server.issuer.url(), "jsonwebtoken", "expected"] {
            assert!(!text.contains(hidden), "{hidden}: {text}");
        }
    }
}

/// The codes of the other libraries, by what causes them.
#[tokio::test]
async fn the_reasons_are_the_codes_of_the_other_libraries() {
    let server = TestServer::start().await;
    let good = || server.issuer.token().subject("alice").audience(RESOURCE);
    let bearer = |token: &BearerToken| format!("Bearer {}", token.dangerous_raw_token());
    for (header, status, reason) in [
        (None, 401, "missing_auth_header"),
        (Some("Token abc".to_owned()), 401, "invalid_auth_header_format"),
        (Some("Bearer a b".to_owned()), 400, "invalid_auth_header_format"),
        (Some("Bearer".to_owned()), 400, "missing_bearer_token"),
        (Some("Bearer abc".to_owned()), 401, "invalid_token"),
        (
            Some(bearer(&good().claim("iss", "https://other.example").sign())),
            401,
            "invalid_issuer",
        ),
        (
            Some(bearer(&good().audience("https://other.example").sign())),
            401,
            "invalid_audience",
        ),
        (Some(bearer(&good().sign())), 403, "missing_required_scopes"),
    ] {
        let request = post(&call("create-todo", json!({ "content": "x" })));
        let request = match &header {
            Some(value) => with_header(request, "authorization", value),
            None => request,
        };
        let answer = server.send(request).await;
        let body = answer.json();
        let facts = body.pointer("/error/data").unwrap_or(&body);
        assert_eq!(
            (answer.status.as_u16(), facts["reason"].as_str()),
            (status, Some(reason)),
            "{answer:?}"
        );
        // They are in the body only: the challenge has the codes of RFC 6750.
        assert!(!answer.challenge().unwrap().contains(reason) || reason == "invalid_token");
        assert_eq!(facts.get("missing_scopes").is_some(), status == 403);
        assert_eq!(facts.get("cause").or(facts.get("error_uri")), None::<&Value>);
    }
}
