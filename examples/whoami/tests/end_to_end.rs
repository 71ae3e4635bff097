//! What a signed-in user is told, against the embedded authorization server and others.

#![cfg(feature = "demo")]

mod common;

use std::time::Duration;

use common::*;
use dev_authorization_server::{AccessTokenFormat, Algorithm, SignIn, sign_in};
use serde_json::{Value, json};
use whoami::server::Server;

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
async fn the_banner_names_every_resource_and_how_to_get_a_token_for_one() {
    let resources = ["http://localhost:3001/a", "http://localhost:3001/b"];
    let server = Server::start(&settings(&["--resource", resources[0], "--resource", resources[1]]))
        .await
        .unwrap();
    let banner = server.banner();
    for resource in resources {
        assert!(banner.contains(&format!("  MCP endpoint  {resource}\n")), "{banner}");
    }
    let command = format!("token alice --issuer {} --resource {})", server.issuer(), resources[0]);
    assert!(banner.contains(&command), "{banner}");
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
async fn by_introspection_a_user_is_told_what_the_issuer_says_of_the_token() {
    let server = Running::start(&["--mode", "introspection"]).await;
    let token = server.token("bob", SCOPES).await;
    assert!(!token.contains('.'), "no JWT");
    let claims = server.whoami(&token).await;
    assert_eq!((&claims["active"], &claims["sub"]), (&json!(true), &json!("bob")));
    assert_eq!(
        (&claims["iss"], &claims["aud"]),
        (&json!(server.issuer), &json!(server.resource))
    );
    server.stop().await;
}

#[tokio::test]
async fn by_userinfo_which_is_the_default_a_user_is_told_what_the_issuer_says_of_the_user() {
    let server = Running::start(&[]).await;
    for (scopes, claims) in [
        (&["openid"][..], json!({ "sub": "admin" })),
        (
            SCOPES,
            json!({ "sub": "admin", "name": "Admin", "preferred_username": "admin", "email": "admin@example.com" }),
        ),
    ] {
        let token = server.token("admin", scopes).await;
        assert_eq!(server.whoami(&token).await, claims);
    }
    server.stop().await;
}

#[tokio::test]
async fn an_edited_policy_decides_before_the_tool_is_reached() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("whoami.yaml");
    let policy = std::fs::read_to_string(POLICY).unwrap();
    std::fs::write(
        &file,
        policy.replace("whoami: { requires: [] }", "whoami: { requires: profile }"),
    )
    .unwrap();
    let server = Running::start(&["--mode", "jwt", "--policy", file.to_str().unwrap()]).await;
    let response = server
        .post(
            Some(&server.token("alice", &["openid"]).await),
            &call("whoami", json!({})),
        )
        .await;
    // A tool that refuses by itself can only say so in its answer.
    assert_eq!(response.status(), 403);
    let challenge = response.headers()["www-authenticate"].to_str().unwrap();
    assert!(
        challenge.starts_with(r#"Bearer error="insufficient_scope", scope="#),
        "{challenge}"
    );
    assert!(challenge.contains("profile"), "{challenge}");
    assert_eq!(
        server.whoami(&server.token("alice", SCOPES).await).await["sub"],
        "alice"
    );
    server.stop().await;
}

#[tokio::test]
async fn by_userinfo_a_token_without_openid_is_refused() {
    let server = Running::start(&["--mode", "userinfo"]).await;
    let token = server.token("alice", &["profile"]).await;
    let response = server.post(Some(&token), &call("whoami", json!({}))).await;
    assert_eq!(response.status(), 401);
    // The client learns what to ask for.
    let challenge = response.headers()["www-authenticate"].to_str().unwrap();
    assert!(challenge.contains(r#"scope="openid profile email""#), "{challenge}");
    server.stop().await;
}

#[tokio::test]
async fn a_token_for_another_server_passes_only_where_that_was_accepted() {
    let port = free_port();
    let resource = format!("http://localhost:{port}");
    for (format, mode, status) in [
        (AccessTokenFormat::Jwt, "jwt", 401),
        (AccessTokenFormat::Jwt, "introspection", 401),
        (AccessTokenFormat::Opaque, "jwt", 401),
        (AccessTokenFormat::Opaque, "introspection", 401),
        (AccessTokenFormat::Jwt, "userinfo", 200),
        (AccessTokenFormat::Opaque, "userinfo", 200),
    ] {
        let provider = provider("", &resource, |builder| {
            builder.resource("http://localhost:1/other").access_token_format(format)
        })
        .await;
        let port = port.to_string();
        let mut flags = vec!["--port", &port, "--issuer", provider.issuer()];
        flags.extend(with_provider(mode));
        let server = Running::start(&flags).await;
        let token = sign_in(&SignIn {
            issuer: server.issuer.clone(),
            resource: Some("http://localhost:1/other".to_owned()),
            user: "alice".to_owned(),
            scopes: vec!["openid".to_owned()],
        })
        .await
        .unwrap();
        let response = server
            .post(Some(token.dangerous_raw_token()), &call("whoami", json!({})))
            .await;
        assert_eq!(response.status(), status, "{format:?} {mode}");
        server.stop().await;
    }
}

#[tokio::test]
async fn in_mode_introspection_jwts_are_verified_by_signature() {
    let port = free_port();
    let resource = format!("http://localhost:{port}");
    let provider = provider("", &resource, |builder| builder).await;
    let port = port.to_string();
    let mut flags = vec!["--port", &port, "--issuer", provider.issuer()];
    flags.extend(with_provider("introspection"));
    let server = Running::start(&flags).await;
    let claims = server.whoami(&server.token("alice", SCOPES).await).await;
    // What only the token itself says.
    assert!(claims["jti"].is_string());
    assert_eq!(claims.get("active"), None);
    server.stop().await;
}

#[tokio::test]
async fn a_revoked_token_is_refused_where_the_issuer_is_asked() {
    let port = free_port();
    let resource = format!("http://localhost:{port}");
    for (mode, status) in [("introspection", 401), ("userinfo", 401)] {
        let provider = provider("", &resource, |builder| {
            builder.access_token_format(AccessTokenFormat::Opaque)
        })
        .await;
        let port = port.to_string();
        let mut flags = vec!["--port", &port, "--issuer", provider.issuer()];
        flags.extend(with_provider(mode));
        let server = Running::start(&flags).await;
        let token = server.token("alice", SCOPES).await;
        let claims = introspect(provider.issuer(), &token).await;
        assert_eq!(server.whoami(&token).await["sub"], "alice");
        let form = [("client_id", claims["client_id"].as_str().unwrap()), ("token", &token)];
        let revoked = reqwest::Client::new()
            .post(format!("{}/revoke", provider.issuer()))
            .form(&form);
        assert_eq!(revoked.send().await.unwrap().status(), 200);
        let response = server.post(Some(&token), &call("whoami", json!({}))).await;
        assert_eq!(response.status(), status, "{mode}");
        server.stop().await;
    }
}

#[tokio::test]
async fn an_issuer_that_does_not_know_this_server_is_an_outage_not_a_bad_token() {
    let port = free_port();
    let resource = format!("http://localhost:{port}");
    let provider = provider("", &resource, |builder| {
        builder.access_token_format(AccessTokenFormat::Opaque)
    })
    .await;
    let port = port.to_string();
    let server = Running::start(&[
        "--port",
        &port,
        "--issuer",
        provider.issuer(),
        "--mode",
        "introspection",
        "--introspection-client-id",
        "rs",
        "--introspection-client-secret",
        "another secret",
    ])
    .await;
    let token = server.token("alice", SCOPES).await;
    let response = server.post(Some(&token), &call("whoami", json!({}))).await;
    assert_eq!(response.status(), 503);
    assert!(!response.headers().contains_key("www-authenticate"));
    server.stop().await;
}

#[tokio::test]
async fn an_issuer_that_is_down_is_an_outage_not_a_bad_token() {
    for mode in ["introspection", "userinfo"] {
        // Nobody listens there.
        let issuer = format!("http://127.0.0.1:{}", free_port());
        let mut flags = vec!["--issuer", &issuer];
        flags.extend(with_provider(mode));
        let server = Running::start(&flags).await;
        let response = server.post(Some("opaque"), &call("whoami", json!({}))).await;
        assert_eq!(response.status(), 503, "{mode}");
        assert!(response.headers().contains_key("retry-after"), "{mode}");
        assert!(!response.headers().contains_key("www-authenticate"), "{mode}");
        server.stop().await;
    }
}

/// What the provider says of a token.
async fn introspect(issuer: &str, token: &str) -> Value {
    let request = reqwest::Client::new().post(format!("{issuer}/introspect"));
    let request = request.basic_auth("rs", Some("rs+secret")).form(&[("token", token)]);
    request.send().await.unwrap().json().await.unwrap()
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
    for (path, algorithm, server_type, format) in [
        ("", Algorithm::Es256, "auto", AccessTokenFormat::Jwt),
        ("", Algorithm::Rs256, "oidc", AccessTokenFormat::Jwt),
        ("/tenant", Algorithm::Es256, "oauth", AccessTokenFormat::Jwt),
        ("/realms/who", Algorithm::Rs256, "auto", AccessTokenFormat::Jwt),
        ("/tenant", Algorithm::Es256, "oidc", AccessTokenFormat::Opaque),
        ("", Algorithm::Es256, "oauth", AccessTokenFormat::Opaque),
    ] {
        for mode in MODES {
            if (*mode, format) == ("jwt", AccessTokenFormat::Opaque) {
                continue;
            }
            let port = free_port();
            let resource = format!("http://localhost:{port}/mcp");
            let provider = provider(path, &resource, |builder| {
                builder.algorithm(algorithm).access_token_format(format)
            })
            .await;
            let port = port.to_string();
            let mut flags = vec!["--port", &port, "--resource", &resource];
            flags.extend(["--issuer", provider.issuer(), "--server-type", server_type]);
            flags.extend(with_provider(mode));
            let server = Running::start(&flags).await;
            let token = server.token("bob", SCOPES).await;
            assert_eq!(
                server.whoami(&token).await["sub"],
                "bob",
                "{mode} {path} {server_type} {format:?}"
            );
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
