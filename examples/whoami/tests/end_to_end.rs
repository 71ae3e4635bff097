//! What a signed-in user is told, against the embedded authorization server and others.

#![cfg(feature = "demo")]

mod common;

use std::time::Duration;

use common::*;
use dev_authorization_server::Algorithm;
use serde_json::{Value, json};

#[tokio::test]
async fn without_a_token_a_client_learns_where_to_get_one() {
    let server = Running::start(&[]).await;
    let response = server.post(None, &call("whoami", json!({}))).await;
    assert_eq!(response.status(), 401);
    let metadata_url = format!("{}/.well-known/oauth-protected-resource", server.resource);
    assert_eq!(
        response.headers()["www-authenticate"],
        format!(r#"Bearer scope="openid profile email", resource_metadata="{metadata_url}""#)
    );
    let metadata: Value = reqwest::get(metadata_url).await.unwrap().json().await.unwrap();
    assert_eq!(
        metadata,
        json!({
            "resource": server.resource,
            "authorization_servers": [server.issuer],
            "scopes_supported": ["openid", "profile", "email"],
            "bearer_methods_supported": ["header"],
        })
    );
    server.stop().await;
}

#[tokio::test]
async fn by_jwt_a_user_is_told_what_the_token_says() {
    let server = Running::start(&["--mode", "jwt"]).await;
    let token = server.token("alice", SCOPES).await;
    let claims = server.whoami(&token).await;
    assert_eq!(claims["sub"], "alice");
    assert_eq!(
        (&claims["iss"], &claims["aud"]),
        (&json!(server.issuer), &json!(server.resource))
    );
    assert_eq!(claims["scope"], "openid profile email");
    server.stop().await;
}

#[tokio::test]
async fn a_made_up_token_is_told_nothing() {
    for mode in MODES {
        let server = Running::start(&["--mode", mode]).await;
        let token = server.token("alice", SCOPES).await;
        for token in ["made-up".to_owned(), format!("{token}x"), "e30.e30.e30".to_owned()] {
            let response = server.post(Some(&token), &call("whoami", json!({}))).await;
            assert_eq!(response.status(), 401, "{mode} {token}");
            let challenge = response.headers()["www-authenticate"].to_str().unwrap();
            assert!(
                challenge.starts_with(r#"Bearer error="invalid_token""#),
                "{mode}: {challenge}"
            );
        }
        server.stop().await;
    }
}

#[tokio::test]
async fn issuers_with_and_without_a_path_and_either_algorithm_do() {
    for (path, algorithm, server_type) in [
        ("", Algorithm::Es256, "auto"),
        ("", Algorithm::Rs256, "oidc"),
        ("/tenant", Algorithm::Es256, "oauth"),
        ("/realms/who", Algorithm::Rs256, "auto"),
        ("/tenant", Algorithm::Es256, "oidc"),
    ] {
        for mode in MODES {
            let port = free_port();
            let resource = format!("http://localhost:{port}/mcp");
            let provider = provider(path, &resource, |builder| builder.algorithm(algorithm)).await;
            let port = port.to_string();
            let server = Running::start(&[
                "--mode",
                mode,
                "--port",
                &port,
                "--resource",
                &resource,
                "--issuer",
                provider.issuer(),
                "--server-type",
                server_type,
            ])
            .await;
            let token = server.token("bob", SCOPES).await;
            assert_eq!(server.whoami(&token).await["sub"], "bob", "{mode} {path} {server_type}");
            server.stop().await;
        }
    }
}

#[tokio::test]
async fn a_rotated_key_is_accepted_while_the_server_runs() {
    let port = free_port();
    let resource = format!("http://localhost:{port}");
    let provider = provider("", &resource, |builder| builder).await;
    let port = port.to_string();
    let server = Running::start(&["--mode", "jwt", "--port", &port, "--issuer", provider.issuer()]).await;
    let old = server.token("alice", SCOPES).await;
    assert_eq!(server.whoami(&old).await["sub"], "alice");
    provider.rotate_signing_key(Algorithm::Rs256).unwrap();
    let new = server.token("bob", SCOPES).await;
    // Keys are fetched at most once in 5 s; until then the server says so, and clients keep their token.
    for _ in 0..60 {
        let response = server.post(Some(&new), &call("whoami", json!({}))).await;
        match response.status().as_u16() {
            503 => tokio::time::sleep(Duration::from_millis(100)).await,
            status => {
                assert_eq!(status, 200);
                break;
            }
        }
    }
    assert_eq!(server.whoami(&new).await["sub"], "bob");
    assert_eq!(server.whoami(&old).await["sub"], "alice");
    server.stop().await;
}
