//! Who signed in, for whoever has the token.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at what it did not expect"
)]

mod common;

use std::time::Duration;

use common::{Server, pass, start, start_with};
use dev_authorization_server::{AccessTokenFormat, DevelopmentAuthorizationServer};
use mcp_auth_policy::Policy;
use reqwest::Method;
use serde_json::{Value, json};

async fn token(server: &Server, user: &str, scope: &str) -> String {
    let client_id = server.client().await;
    let answer = server.sign_in(&client_id, user, &[("scope", scope)]).await;
    answer["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_scopes_decide_what_is_told() {
    for format in [AccessTokenFormat::Jwt, AccessTokenFormat::Opaque] {
        let server = start_with(|builder| builder.access_token_format(format)).await;
        for (scope, claims) in [
            ("openid", json!({ "sub": "alice" })),
            (
                "openid profile",
                json!({ "sub": "alice", "name": "ALICE", "preferred_username": "alice" }),
            ),
            ("openid email", json!({ "sub": "alice", "email": "alice@example.com" })),
            (
                "create:todos email profile openid",
                json!({ "sub": "alice", "name": "ALICE", "preferred_username": "alice", "email": "alice@example.com" }),
            ),
        ] {
            let token = token(&server, "alice", scope).await;
            for method in [Method::GET, Method::POST] {
                let url = format!("{}/userinfo", server.issuer);
                let request = server.http.request(method.clone(), url).bearer_auth(&token);
                let response = request.send().await.unwrap();
                assert_eq!(response.status(), 200, "{method} {scope}");
                assert_eq!(response.headers()["cache-control"], "no-store");
                assert_eq!(response.json::<Value>().await.unwrap(), claims, "{method} {scope}");
            }
        }
    }
}

#[tokio::test]
async fn a_token_without_openid_is_refused_with_the_scope_that_it_needs() {
    let server = start().await;
    for scope in ["", "create:todos", "profile email"] {
        let token = token(&server, "alice", scope).await;
        let response = server.userinfo(&token).await;
        assert_eq!(response.status(), 403, "{scope}");
        let challenge = response.headers()["www-authenticate"].to_str().unwrap();
        assert!(
            challenge.starts_with(r#"Bearer error="insufficient_scope", scope="openid","#),
            "{challenge}"
        );
    }
}

#[tokio::test]
async fn whoever_brings_no_good_token_is_told_so() {
    let server = start().await;
    let client_id = server.refreshing_client().await;
    let answer = server.sign_in(&client_id, "alice", &[("scope", "openid")]).await;
    let (good, refresh_token) = (
        answer["access_token"].as_str().unwrap(),
        answer["refresh_token"].as_str().unwrap(),
    );
    let bearer = |token: &str| format!("Bearer {token}");
    for (header, status, error) in [
        (None, 401, None),
        (Some("Basic cnM6cnMtc2VjcmV0".to_owned()), 401, None),
        (Some("Bearer".to_owned()), 400, Some("invalid_request")),
        (Some("Bearer ".to_owned()), 400, Some("invalid_request")),
        (Some(bearer(&format!("{good} {good}"))), 400, Some("invalid_request")),
        (Some(bearer("\"quoted\"")), 400, Some("invalid_request")),
        (Some(bearer("made-up")), 401, Some("invalid_token")),
        (Some(bearer(refresh_token)), 401, Some("invalid_token")),
        (Some(bearer(&format!("{good}x"))), 401, Some("invalid_token")),
    ] {
        let mut request = server.get("/userinfo");
        if let Some(header) = &header {
            request = request.header("authorization", header);
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status, "{header:?}");
        let challenge = response.headers()["www-authenticate"].to_str().unwrap().to_owned();
        assert!(challenge.starts_with("Bearer "), "{challenge}");
        let expected = error.map(|error| format!(r#"error="{error}""#));
        assert_eq!(
            challenge.contains("error="),
            expected.is_some(),
            "{header:?}: {challenge}"
        );
        assert!(
            expected.is_none_or(|expected| challenge.contains(&expected)),
            "{challenge}"
        );
        assert!(!response.text().await.unwrap().contains("sub"), "{header:?}");
    }
    // Not from anywhere else, and not twice.
    let query = server.get(&format!("/userinfo?access_token={good}"));
    assert_eq!(query.send().await.unwrap().status(), 401);
    let form = server.post("/userinfo").form(&[("access_token", good)]);
    assert_eq!(form.send().await.unwrap().status(), 401);
    let twice = server.get("/userinfo").bearer_auth(good).bearer_auth(good);
    assert_eq!(twice.send().await.unwrap().status(), 400);
    assert_eq!(server.userinfo(good).await.status(), 200);
}

#[tokio::test]
async fn an_expired_or_revoked_token_is_refused() {
    let server = start().await;
    let client_id = server.client().await;
    let sign_in = async || {
        let answer = server.sign_in(&client_id, "alice", &[("scope", "openid")]).await;
        answer["access_token"].as_str().unwrap().to_owned()
    };
    let token = sign_in().await;
    assert_eq!(server.revoke(&client_id, &token).await.status(), 200);
    assert_eq!(server.userinfo(&token).await.status(), 401);
    let token = sign_in().await;
    assert_eq!(server.userinfo(&token).await.status(), 200);
    pass(Duration::from_secs(3601)).await;
    assert_eq!(server.userinfo(&token).await.status(), 401);
}

#[tokio::test]
async fn pages_of_other_origins_may_ask_and_read_the_challenge() {
    let server = start().await;
    let preflight = server
        .http
        .request(Method::OPTIONS, format!("{}/userinfo", server.issuer))
        .header("origin", "http://localhost:6274")
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "authorization");
    let response = preflight.send().await.unwrap();
    // `*` does not stand for this header.
    assert_eq!(response.headers()["access-control-allow-headers"], "authorization");
    let response = server
        .get("/userinfo")
        .header("origin", "http://localhost:6274")
        .send()
        .await
        .unwrap();
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
    assert_eq!(response.headers()["access-control-expose-headers"], "www-authenticate");
}

#[test]
fn the_demo_users_have_names() {
    let policy = Policy::parse(include_str!("policy.yaml")).unwrap();
    let server = DevelopmentAuthorizationServer::builder()
        .issuer("http://localhost:3002")
        .resource(common::RESOURCE)
        .users_from_policy(&policy)
        .build()
        .unwrap();
    let names: Vec<&str> = server.users().iter().map(|user| user.name.as_str()).collect();
    assert_eq!(names, ["Alice", "Bob", "Admin"]);
}
