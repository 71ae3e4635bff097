//! Opaque tokens: the issuer is asked what they stand for, and the same rules hold.

#![cfg(feature = "demo")]

mod common;

use common::*;
use mcp_auth::testing::{Fault, Issuer};
use serde_json::json;

/// Flags for an issuer of somebody else, with the credentials that the test issuer knows.
fn flags<'a>(issuer: &'a Issuer, secret: &'a str) -> [&'a str; 8] {
    [
        "--mode",
        "introspection",
        "--issuer",
        issuer.url(),
        "--introspection-client-id",
        "test-resource-server",
        "--introspection-client-secret",
        secret,
    ]
}

#[tokio::test]
async fn with_the_embedded_issuer_users_reach_their_own_items_and_admin_everybodys() {
    let database = Database::new();
    let server = Running::with(&settings(&database.url(), &["--mode", "introspection"])).await;
    let alice = server.token("alice", &[]).await;
    let admin = server.token("admin", &[]).await;
    assert!(!alice.contains('.') && !admin.contains('.'), "no JWTs");
    let hers = server
        .call(&alice, "create-todo", json!({ "content": "Buy milk" }))
        .await;
    server
        .call(&admin, "create-todo", json!({ "content": "Find keys" }))
        .await;
    assert_eq!(hers["ownerId"], "alice");
    assert_eq!(server.contents(&alice).await, ["Buy milk"]);
    assert_eq!(server.contents(&admin).await, ["Buy milk", "Find keys"]);
    let less = server.token("admin", &["read:todos"]).await;
    let response = server
        .post(Some(&less), &call("create-todo", json!({ "content": "x" })))
        .await;
    assert_eq!(response.status(), 403);
    let challenge = response.headers()["www-authenticate"].to_str().unwrap();
    assert!(
        challenge.starts_with(r#"Bearer error="insufficient_scope", scope="create:todos read:todos", "#),
        "{challenge}"
    );
    server.stop().await;
}

#[tokio::test]
async fn a_revoked_token_is_refused_and_an_outage_is_none_of_the_clients_business() {
    let database = Database::new();
    let issuer = Issuer::start().await.unwrap();
    let server = Running::with(&settings(&database.url(), &flags(&issuer, "test-secret"))).await;
    let token = issuer.token().subject("alice").audience(&server.resource).opaque();
    let list = call("get-todos", json!({}));
    let status = async || {
        let response = server.post(Some(token.dangerous_raw_token()), &list).await;
        response.status().as_u16()
    };
    assert_eq!(status().await, 200);
    issuer.set_fault(Fault::IntrospectionDown);
    assert_eq!(status().await, 503);
    issuer.set_fault(None);
    issuer.revoke(&token);
    assert_eq!(status().await, 401);
    server.stop().await;
}

#[tokio::test]
async fn a_token_for_another_server_is_refused() {
    let database = Database::new();
    let issuer = Issuer::start().await.unwrap();
    let server = Running::with(&settings(&database.url(), &flags(&issuer, "test-secret"))).await;
    let token = issuer.token().audience("https://other.example.com").opaque();
    let response = server
        .post(Some(token.dangerous_raw_token()), &call("get-todos", json!({})))
        .await;
    assert_eq!(response.status(), 401);
    server.stop().await;
}

#[tokio::test]
async fn a_jwt_is_verified_by_its_signature_and_nobody_is_asked() {
    let database = Database::new();
    let issuer = Issuer::start().await.unwrap();
    let server = Running::with(&settings(&database.url(), &flags(&issuer, "test-secret"))).await;
    let token = issuer.token().subject("alice").audience(&server.resource).sign();
    assert!(server.contents(token.dangerous_raw_token()).await.is_empty());
    assert_eq!(issuer.introspections(), 0);
    server.stop().await;
}

#[tokio::test]
async fn an_issuer_that_does_not_know_this_server_is_an_outage_not_a_bad_token() {
    let database = Database::new();
    let issuer = Issuer::start().await.unwrap();
    let server = Running::with(&settings(&database.url(), &flags(&issuer, "another secret"))).await;
    let token = issuer.token().audience(&server.resource).opaque();
    let response = server
        .post(Some(token.dangerous_raw_token()), &call("get-todos", json!({})))
        .await;
    assert_eq!(response.status(), 503);
    assert!(!response.headers().contains_key("www-authenticate"));
    server.stop().await;
}

#[test]
fn no_secret_is_printed() {
    let settings = settings(
        "sqlite::memory:",
        &[
            "--introspection-client-id",
            "rs",
            "--introspection-client-secret",
            "hunter2",
        ],
    );
    assert!(!format!("{settings:?}").contains("hunter2"));
}
