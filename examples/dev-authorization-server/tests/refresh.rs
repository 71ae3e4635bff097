//! Refresh tokens: what they give, what they are bound to, and what ends them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at what it did not expect"
)]

mod common;

use std::time::Duration;

use common::{RESOURCE, claims, oauth_error, pass, start, start_with};
use reqwest::Response;
use serde_json::{Value, json};

async fn refresh_token_of(response: Response) -> String {
    assert_eq!(response.status(), 200);
    let answer: Value = response.json().await.unwrap();
    text(&answer["refresh_token"])
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn invalid_grant() -> (u16, String) {
    (400, "invalid_grant".to_owned())
}

#[tokio::test]
async fn a_refresh_token_gives_the_same_again_and_its_successor() {
    let server = start().await;
    let client_id = server.refreshing_client().await;
    let first = server
        .sign_in(&client_id, "admin", &[("scope", "create:todos read:todos")])
        .await;
    let response = server
        .refresh(&client_id, &text(&first["refresh_token"]), &[("resource", RESOURCE)])
        .await;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["cache-control"]),
        (200, &"no-store".parse().unwrap())
    );
    let second: Value = response.json().await.unwrap();
    assert_eq!(
        (&second["token_type"], &second["expires_in"]),
        (&json!("Bearer"), &json!(3600))
    );
    assert_eq!(second["scope"], "create:todos read:todos");
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    let (old, new) = (
        claims(&text(&first["access_token"])),
        claims(&text(&second["access_token"])),
    );
    for claim in ["iss", "sub", "aud", "client_id", "scope"] {
        assert_eq!(old[claim], new[claim], "{claim}");
    }
    assert_ne!(old["jti"], new["jti"]);
}

#[tokio::test]
async fn only_a_client_that_registered_for_them_gets_refresh_tokens() {
    let server = start().await;
    let client_id = server.client().await;
    let answer = server.sign_in(&client_id, "alice", &[]).await;
    assert_eq!(answer.get("refresh_token"), None);
}

#[tokio::test]
async fn scopes_can_only_shrink() {
    let server = start().await;
    let client_id = server.refreshing_client().await;
    let answer = server
        .sign_in(&client_id, "admin", &[("scope", "create:todos read:todos")])
        .await;
    let mut refresh_token = text(&answer["refresh_token"]);
    for (requested, granted) in [
        ("read:todos", Some("read:todos")),
        ("read:todos create:todos", Some("create:todos read:todos")),
        ("", Some("create:todos read:todos")),
        // The role has it, the sign-in did not ask for it.
        ("delete:todos", None),
        ("read:todos delete:todos", None),
        ("made:up", None),
    ] {
        let response = server
            .refresh(&client_id, &refresh_token, &[("scope", requested)])
            .await;
        let Some(granted) = granted else {
            assert_eq!(
                oauth_error(response).await,
                (400, "invalid_scope".to_owned()),
                "{requested}"
            );
            continue;
        };
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer["scope"], granted, "{requested}");
        assert_eq!(claims(&text(&answer["access_token"]))["scope"], granted, "{requested}");
        refresh_token = text(&answer["refresh_token"]);
    }
    // A refused request did not use the token up.
    refresh_token_of(server.refresh(&client_id, &refresh_token, &[]).await).await;
}

#[tokio::test]
async fn a_refresh_token_is_worth_nothing_without_everything_it_is_bound_to() {
    let server = start_with(|builder| builder.resource("http://localhost:3005/mcp")).await;
    let (client_id, other_client) = (server.refreshing_client().await, server.refreshing_client().await);
    // The other client signed in too, so that only the token is not its own.
    server.sign_in(&other_client, "alice", &[]).await;
    let answer = server.sign_in(&client_id, "alice", &[]).await;
    let refresh_token = text(&answer["refresh_token"]);
    let (chain, _) = refresh_token.split_once('.').unwrap();
    let unknown_chain = refresh_token.replace(chain, &"x".repeat(43));
    for (changes, error) in [
        (vec![("client_id", other_client.as_str())], "invalid_grant"),
        (vec![("client_id", "unknown")], "invalid_client"),
        (vec![("client_id", "")], "invalid_request"),
        (vec![("refresh_token", "")], "invalid_request"),
        (vec![("refresh_token", "made-up")], "invalid_grant"),
        (vec![("refresh_token", unknown_chain.as_str())], "invalid_grant"),
        (
            vec![("refresh_token", answer["access_token"].as_str().unwrap())],
            "invalid_grant",
        ),
        (vec![("resource", "http://localhost:3005/mcp")], "invalid_target"),
        (vec![("resource", "http://localhost:9999")], "invalid_target"),
        (vec![("resource", RESOURCE), ("resource", RESOURCE)], "invalid_target"),
    ] {
        let response = server.refresh(&client_id, &refresh_token, &changes).await;
        assert_eq!(oauth_error(response).await, (400, error.to_owned()), "{changes:?}");
    }
    refresh_token_of(server.refresh(&client_id, &refresh_token, &[]).await).await;
}

#[tokio::test]
async fn a_used_refresh_token_revokes_the_whole_family() {
    let server = start().await;
    let (client_id, other_client) = (server.refreshing_client().await, server.refreshing_client().await);
    let first = text(&server.sign_in(&client_id, "alice", &[]).await["refresh_token"]);
    let unrelated = text(&server.sign_in(&other_client, "alice", &[]).await["refresh_token"]);
    let second = refresh_token_of(server.refresh(&client_id, &first, &[]).await).await;
    let third = refresh_token_of(server.refresh(&client_id, &second, &[]).await).await;

    // Two links back, so it is not the latest used one alone that is known.
    let again = server.refresh(&client_id, &first, &[]).await;
    assert_eq!(oauth_error(again).await, invalid_grant());
    let latest = server.refresh(&client_id, &third, &[]).await;
    assert_eq!(oauth_error(latest).await, invalid_grant());
    refresh_token_of(server.refresh(&other_client, &unrelated, &[]).await).await;
}

#[tokio::test]
async fn of_two_uses_at_once_one_succeeds_and_the_family_ends() {
    let server = start().await;
    let client_id = server.refreshing_client().await;
    let first = text(&server.sign_in(&client_id, "alice", &[]).await["refresh_token"]);
    let (one, two) = tokio::join!(
        server.refresh(&client_id, &first, &[]),
        server.refresh(&client_id, &first, &[])
    );
    let (winner, loser) = if one.status() == 200 { (one, two) } else { (two, one) };
    assert_eq!(oauth_error(loser).await, invalid_grant());
    let next = refresh_token_of(winner).await;
    let response = server.refresh(&client_id, &next, &[]).await;
    assert_eq!(oauth_error(response).await, invalid_grant());
}

#[tokio::test]
async fn a_code_that_is_used_twice_revokes_what_it_gave() {
    let server = start().await;
    let client_id = server.refreshing_client().await;
    let code = server.code(&client_id, "alice", &[]).await;
    let refresh_token = refresh_token_of(server.token(&client_id, &code, &[]).await).await;
    let again = server.token(&client_id, &code, &[]).await;
    assert_eq!(oauth_error(again).await, invalid_grant());
    let response = server.refresh(&client_id, &refresh_token, &[]).await;
    assert_eq!(oauth_error(response).await, invalid_grant());
}

#[tokio::test]
async fn a_sign_in_lasts_a_day_however_often_it_is_refreshed() {
    let server = start().await;
    let client_id = server.refreshing_client().await;
    let mut refresh_token = text(&server.sign_in(&client_id, "alice", &[]).await["refresh_token"]);
    for _ in 0..2 {
        pass(Duration::from_secs(11 * 3600)).await;
        refresh_token = refresh_token_of(server.refresh(&client_id, &refresh_token, &[]).await).await;
    }
    pass(Duration::from_secs(2 * 3600 + 1)).await;
    let response = server.refresh(&client_id, &refresh_token, &[]).await;
    assert_eq!(oauth_error(response).await, invalid_grant());
}

#[tokio::test]
async fn a_client_can_revoke_its_own_tokens_only() {
    let server = start().await;
    let (client_id, other_client) = (server.refreshing_client().await, server.refreshing_client().await);
    server.sign_in(&other_client, "bob", &[]).await;
    let refresh_token = text(&server.sign_in(&client_id, "alice", &[]).await["refresh_token"]);

    for (client, token, answer) in [
        (other_client.as_str(), refresh_token.as_str(), (400, "invalid_grant")),
        ("unknown", &refresh_token, (400, "invalid_client")),
        ("", &refresh_token, (400, "invalid_request")),
        (&client_id, "", (400, "invalid_request")),
    ] {
        let (status, error) = oauth_error(server.revoke(client, token).await).await;
        assert_eq!((status, error.as_str()), answer, "{client} {token}");
    }
    assert_eq!(server.revoke(&client_id, "made-up").await.status(), 200);
    assert_eq!(server.revoke(&client_id, &refresh_token).await.status(), 200);
    let response = server.refresh(&client_id, &refresh_token, &[]).await;
    assert_eq!(oauth_error(response).await, invalid_grant());
    // As often as one likes.
    assert_eq!(server.revoke(&client_id, &refresh_token).await.status(), 200);
}
