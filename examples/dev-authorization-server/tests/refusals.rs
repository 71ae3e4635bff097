//! What a client gets that does something wrong.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at what it did not expect"
)]

mod common;

use std::time::Duration;

use common::{CHALLENGE, RESOURCE, oauth_error, pass, returned, start, start_with};
use serde_json::json;

#[tokio::test]
async fn a_bad_request_with_a_verified_redirect_uri_is_answered_by_redirect() {
    let server = start().await;
    let client_id = server.client().await;
    for (changes, error) in [
        (vec![("response_type", "token")], "unsupported_response_type"),
        (vec![("response_type", "")], "invalid_request"),
        (vec![("response_mode", "fragment")], "invalid_request"),
        (vec![("code_challenge", "")], "invalid_request"),
        (vec![("code_challenge_method", "plain")], "invalid_request"),
        (vec![("code_challenge_method", "")], "invalid_request"),
        (vec![("code_challenge", "too-short")], "invalid_request"),
        (vec![("request", "e30.e30.")], "request_not_supported"),
        (
            vec![("request_uri", "https://app.example/request")],
            "request_uri_not_supported",
        ),
        (vec![("prompt", "none")], "interaction_required"),
        (vec![("resource", "http://localhost:9999")], "invalid_target"),
        (vec![("resource", "http://localhost:3001/mcp")], "invalid_target"),
        (vec![("resource", RESOURCE), ("resource", RESOURCE)], "invalid_target"),
    ] {
        let answer = returned(&server.authorize(&client_id, &changes).await);
        assert_eq!(answer["error"], error, "{changes:?}");
        assert_eq!(
            (answer["state"].as_str(), &answer["iss"]),
            ("state-1", &server.issuer),
            "{changes:?}"
        );
        assert!(!answer.contains_key("code"));
    }
}

#[tokio::test]
async fn a_request_without_verified_redirect_uri_is_answered_by_a_page() {
    let server = start().await;
    let client_id = server.client().await;
    for changes in [
        vec![("client_id", "unknown")],
        vec![("client_id", "")],
        vec![("redirect_uri", "")],
        vec![("redirect_uri", "https://evil.example/callback")],
        vec![("redirect_uri", "http://localhost:6274/callback/../other")],
        vec![("redirect_uri", "http://localhost:6274/callback#fragment")],
        vec![("redirect_uri", "javascript:alert(1)")],
        vec![("state", "one"), ("state", "two")],
    ] {
        let response = server.authorize(&client_id, &changes).await;
        assert_eq!(response.status(), 400, "{changes:?}");
        assert!(response.headers().get("location").is_none(), "{changes:?}");
        assert!(
            response.text().await.unwrap().contains("Development only"),
            "{changes:?}"
        );
    }
}

#[tokio::test]
async fn with_several_resources_one_must_be_named() {
    let server = start_with(|builder| builder.resource("http://localhost:3005/mcp")).await;
    let client_id = server.client().await;
    let answer = returned(&server.authorize(&client_id, &[("resource", "")]).await);
    assert_eq!(answer["error"], "invalid_target");
}

#[tokio::test]
async fn a_code_is_worth_nothing_without_everything_it_is_bound_to() {
    let server = start_with(|builder| builder.resource("http://localhost:3005/mcp")).await;
    let (client_id, other_client) = (server.client().await, server.client().await);
    let wrong_verifier = "x".repeat(43);
    for (changes, error) in [
        (vec![("code_verifier", wrong_verifier.as_str())], "invalid_grant"),
        (vec![("code_verifier", "short")], "invalid_grant"),
        // With `plain` the challenge would be its own verifier.
        (vec![("code_verifier", CHALLENGE)], "invalid_grant"),
        (vec![("code_verifier", "")], "invalid_request"),
        (vec![("client_id", other_client.as_str())], "invalid_grant"),
        (vec![("client_id", "unknown")], "invalid_client"),
        (vec![("client_id", "")], "invalid_request"),
        (
            vec![("redirect_uri", "http://localhost:6275/callback")],
            "invalid_grant",
        ),
        (vec![("redirect_uri", "")], "invalid_request"),
        (vec![("resource", "http://localhost:3005/mcp")], "invalid_target"),
        (vec![("resource", "http://localhost:9999")], "invalid_target"),
        (vec![("code", "made-up")], "invalid_grant"),
        (vec![("code", "")], "invalid_request"),
        (vec![("grant_type", "password")], "unsupported_grant_type"),
        (vec![("grant_type", "")], "invalid_request"),
        (
            vec![("client_id", client_id.as_str()), ("client_id", client_id.as_str())],
            "invalid_request",
        ),
    ] {
        let code = server.code(&client_id, "alice", &[]).await;
        let response = server.token(&client_id, &code, &changes).await;
        assert_eq!(oauth_error(response).await, (400, error.to_owned()), "{changes:?}");
    }
}

#[tokio::test]
async fn a_code_is_good_once() {
    let server = start().await;
    let client_id = server.client().await;
    let code = server.code(&client_id, "alice", &[]).await;
    assert_eq!(server.token(&client_id, &code, &[]).await.status(), 200);
    let again = server.token(&client_id, &code, &[]).await;
    assert_eq!(oauth_error(again).await, (400, "invalid_grant".to_owned()));
}

#[tokio::test]
async fn a_failed_attempt_uses_the_code_up() {
    let server = start().await;
    let client_id = server.client().await;
    let code = server.code(&client_id, "alice", &[]).await;
    let wrong = server
        .token(&client_id, &code, &[("redirect_uri", "http://localhost:1/callback")])
        .await;
    assert_eq!(wrong.status(), 400);
    let right = server.token(&client_id, &code, &[]).await;
    assert_eq!(oauth_error(right).await, (400, "invalid_grant".to_owned()));
}

#[tokio::test]
async fn a_code_is_good_for_a_minute() {
    let server = start().await;
    let client_id = server.client().await;
    for (age, status) in [(55, 200), (61, 400)] {
        let code = server.code(&client_id, "alice", &[]).await;
        pass(Duration::from_secs(age)).await;
        assert_eq!(server.token(&client_id, &code, &[]).await.status(), status, "{age} s");
    }
}

#[tokio::test]
async fn the_sign_in_page_is_good_for_ten_minutes() {
    let server = start().await;
    let client_id = server.client().await;
    for (age, status) in [(590, 303), (601, 400)] {
        let page = server.page(&client_id, &[]).await;
        pass(Duration::from_secs(age)).await;
        assert_eq!(
            server.form(&page, "alice", "allow").send().await.unwrap().status(),
            status,
            "{age} s"
        );
    }
}

#[tokio::test]
async fn bad_client_metadata_is_refused() {
    let server = start().await;
    let uris: Vec<String> = (0..11).map(|port| format!("http://localhost:{port}/")).collect();
    for (metadata, error) in [
        (json!({}), "invalid_redirect_uri"),
        (json!({ "redirect_uris": [] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": uris }), "invalid_redirect_uri"),
        (
            json!({ "redirect_uris": ["http://localhost/", "http://app.example/"] }),
            "invalid_redirect_uri",
        ),
        (
            json!({ "redirect_uris": ["javascript:alert(1)"] }),
            "invalid_redirect_uri",
        ),
        (
            json!({ "redirect_uris": "http://localhost/" }),
            "invalid_client_metadata",
        ),
        (
            json!({ "redirect_uris": ["http://localhost/"], "client_name": "a\u{202e}b" }),
            "invalid_client_metadata",
        ),
        (
            json!({ "redirect_uris": ["http://localhost/"], "client_name": "a".repeat(101) }),
            "invalid_client_metadata",
        ),
        (
            json!({ "redirect_uris": ["http://localhost/"], "grant_types": ["client_credentials"] }),
            "invalid_client_metadata",
        ),
        (
            json!({ "redirect_uris": ["http://localhost/"], "response_types": ["token"] }),
            "invalid_client_metadata",
        ),
        (
            json!({ "redirect_uris": ["http://localhost/"], "logo_uri": "a".repeat(20_000) }),
            "invalid_client_metadata",
        ),
        (json!([]), "invalid_client_metadata"),
    ] {
        let response = server.post("/register").json(&metadata).send().await.unwrap();
        assert_eq!(oauth_error(response).await, (400, error.to_owned()), "{metadata}");
    }
}

#[tokio::test]
async fn a_client_that_wants_a_secret_becomes_a_public_one() {
    let server = start().await;
    let client = server
        .register(&json!({
            "redirect_uris": ["http://localhost:1/callback"],
            "token_endpoint_auth_method": "client_secret_post",
            "grant_types": ["authorization_code", "refresh_token"],
            "client_name": "Inspector",
        }))
        .await;
    assert_eq!(client["token_endpoint_auth_method"], "none");
    assert_eq!(client["grant_types"], json!(["authorization_code", "refresh_token"]));
    assert_eq!(client["client_name"], "Inspector");
    assert_eq!(client.get("client_secret"), None);
}
