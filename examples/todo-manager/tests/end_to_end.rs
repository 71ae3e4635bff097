//! The tutorial's rules over HTTP: real sign-in, real tokens, a real database, real denials.

#![cfg(feature = "demo")]

mod common;

use common::*;
use serde_json::{Value, json};

#[tokio::test]
async fn a_client_without_a_token_is_told_where_to_get_one() {
    let database = Database::new();
    let server = Running::start(&database).await;
    let response = server.post(None, &call("get-todos", json!({}))).await;
    assert_eq!(response.status(), 401);
    let metadata_url = format!("{}/.well-known/oauth-protected-resource", server.resource);
    assert_eq!(
        response.headers()["www-authenticate"],
        format!(r#"Bearer scope="create:todos read:todos delete:todos", resource_metadata="{metadata_url}""#)
    );
    let metadata: Value = reqwest::get(metadata_url).await.unwrap().json().await.unwrap();
    assert_eq!(
        metadata,
        json!({
            "resource": server.resource,
            "authorization_servers": [server.issuer],
            "scopes_supported": ["create:todos", "read:todos", "delete:todos"],
            "bearer_methods_supported": ["header"],
        })
    );
    server.stop().await;
}

#[tokio::test]
async fn users_reach_their_own_items_and_admin_everybodys() {
    let database = Database::new();
    let server = Running::start(&database).await;
    let alice = server.token("alice", &[]).await;
    let bob = server.token("bob", &[]).await;
    let admin = server.token("admin", &[]).await;

    let milk = server
        .call(&alice, "create-todo", json!({ "content": "Buy milk" }))
        .await;
    assert_eq!(
        (&milk["content"], &milk["ownerId"]),
        (&json!("Buy milk"), &json!("alice"))
    );
    assert!(milk["createdAt"].as_str().unwrap().ends_with('Z'));
    let keys = server
        .call(&bob, "create-todo", json!({ "content": "Find keys" }))
        .await;

    assert_eq!(server.contents(&alice).await, ["Buy milk"]);
    assert_eq!(server.contents(&bob).await, ["Find keys"]);
    assert_eq!(server.contents(&admin).await, ["Buy milk", "Find keys"]);

    let not_hers = server.call(&alice, "delete-todo", json!({ "id": keys["id"] })).await;
    let missing = server.call(&alice, "delete-todo", json!({ "id": "no-such-id" })).await;
    assert_eq!(not_hers, json!({ "isError": { "error": "Failed to delete todo" } }));
    assert_eq!(not_hers, missing, "somebody else's item and a missing one answer alike");
    assert_eq!(server.contents(&bob).await, ["Find keys"]);

    let deleted = server.call(&admin, "delete-todo", json!({ "id": keys["id"] })).await;
    assert_eq!(
        deleted,
        json!({ "message": format!("Todo {} deleted", keys["id"].as_str().unwrap()), "details": keys })
    );
    let deleted = server.call(&alice, "delete-todo", json!({ "id": milk["id"] })).await;
    assert_eq!(deleted["details"], milk);
    assert!(server.contents(&admin).await.is_empty());
    server.stop().await;
}

#[tokio::test]
async fn a_token_without_the_scope_gets_403_naming_it_and_nothing_happens() {
    let database = Database::new();
    let server = Running::start(&database).await;
    // What a user's role does not give is not granted: this token has no scopes at all.
    let token = server.token("alice", &["read:todos"]).await;
    for arguments in [json!({ "content": "x" }), json!({}), json!({ "content": 7 })] {
        let response = server.post(Some(&token), &call("create-todo", arguments)).await;
        assert_eq!(response.status(), 403);
        let challenge = response.headers()["www-authenticate"].to_str().unwrap().to_owned();
        assert!(
            challenge.starts_with(r#"Bearer error="insufficient_scope", scope="create:todos", "#),
            "{challenge}"
        );
    }
    let admin = server.token("admin", &[]).await;
    assert!(server.contents(&admin).await.is_empty());
    server.stop().await;
}

#[tokio::test]
async fn a_restart_keeps_the_items_and_their_owners() {
    let database = Database::new();
    let server = Running::start(&database).await;
    let alice = server.token("alice", &[]).await;
    server
        .call(&alice, "create-todo", json!({ "content": "Buy milk" }))
        .await;
    server.stop().await;

    let server = Running::start(&database).await;
    let alice = server.token("alice", &[]).await;
    let bob = server.token("bob", &[]).await;
    assert_eq!(server.contents(&alice).await, ["Buy milk"]);
    assert!(server.contents(&bob).await.is_empty());
    server.stop().await;
}

#[tokio::test]
async fn ten_clients_at_once_never_see_each_others_items() {
    let database = Database::new();
    let server = Running::start(&database).await;
    let mut clients = Vec::new();
    for number in 0..10 {
        // Ten sign-ins of three users: what separates callers is the token of each request.
        let user = ["alice", "bob", "admin"][number % 3];
        clients.push((number, user, server.token(user, &["create:todos"]).await));
    }
    let work = clients.iter().map(|(number, user, token)| {
        let server = &server;
        async move {
            for round in 0..10 {
                let content = format!("{user} {number} {round}");
                let created = server.call(token, "create-todo", json!({ "content": content })).await;
                assert_eq!(created["ownerId"], **user);
                let seen = server.contents(token).await;
                assert!(seen.contains(&content));
                assert!(
                    seen.iter().all(|content| content.starts_with(*user)),
                    "{user} saw {seen:?}"
                );
            }
        }
    });
    futures_util::future::join_all(work).await;
    server.stop().await;
}

#[tokio::test]
async fn a_resource_with_a_path_is_served_at_that_path_only() {
    let database = Database::new();
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let resource = format!("http://localhost:{port}/mcp");
    let server = Running::with(&settings(
        &database.url(),
        &["--port", &port.to_string(), "--resource", &resource],
    ))
    .await;
    let alice = server.token("alice", &[]).await;
    assert!(server.contents(&alice).await.is_empty());
    let metadata_url = format!("http://localhost:{port}/.well-known/oauth-protected-resource/mcp");
    let metadata: Value = reqwest::get(metadata_url).await.unwrap().json().await.unwrap();
    assert_eq!(metadata["resource"], resource);
    for path in ["", "/mcp/more", "/other"] {
        let status = reqwest::get(format!("http://localhost:{port}{path}"))
            .await
            .unwrap()
            .status();
        assert_eq!(status, 404, "{path}");
    }
    server.stop().await;
}
