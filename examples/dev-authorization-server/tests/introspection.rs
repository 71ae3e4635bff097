//! Who may ask what a token stands for, and what the answer is.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at what it did not expect"
)]

mod common;

use std::time::Duration;

use common::{RESOURCE, Server, oauth_error, pass, start, start_with};
use dev_authorization_server::AccessTokenFormat;
use serde_json::{Value, json};

async fn introspecting() -> Server {
    start_with(|builder| builder.introspection_client("rs", "rs-secret")).await
}

async fn introspecting_opaque() -> Server {
    start_with(|builder| {
        builder
            .introspection_client("rs", "rs-secret")
            .access_token_format(AccessTokenFormat::Opaque)
    })
    .await
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_opaque_token_says_nothing_and_introspection_everything() {
    let server = introspecting_opaque().await;
    let client_id = server.client().await;
    let answer = server
        .sign_in(&client_id, "admin", &[("scope", "read:todos create:todos openid")])
        .await;
    let token = text(&answer["access_token"]);
    assert!(!token.contains('.'), "it has not the form of a JWT");
    let mut claims = server.introspect(&token).await;
    let (issued_at, expires_at) = (claims["iat"].take(), claims["exp"].take());
    assert_eq!(expires_at.as_u64().unwrap() - issued_at.as_u64().unwrap(), 3600);
    assert_eq!(
        claims,
        json!({
            "active": true,
            "scope": "create:todos read:todos openid",
            "client_id": client_id,
            "sub": "admin",
            "aud": RESOURCE,
            "iss": server.issuer,
            "exp": null,
            "iat": null,
            "token_type": "Bearer",
        })
    );
}

#[tokio::test]
async fn a_jwt_is_introspected_to_what_it_says() {
    let server = introspecting().await;
    let client_id = server.client().await;
    let answer = server.sign_in(&client_id, "alice", &[]).await;
    let token = text(&answer["access_token"]);
    let (said, introspected) = (common::claims(&token), server.introspect(&token).await);
    for claim in ["iss", "sub", "aud", "client_id", "iat", "exp", "scope"] {
        assert_eq!(said[claim], introspected[claim], "{claim}");
    }
}

#[tokio::test]
async fn a_user_without_scopes_has_no_scope_member() {
    let server = introspecting_opaque().await;
    let client_id = server.client().await;
    let answer = server.sign_in(&client_id, "nobody", &[]).await;
    let claims = server.introspect(&text(&answer["access_token"])).await;
    assert_eq!((claims["active"].as_bool(), claims.get("scope")), (Some(true), None));
}

#[tokio::test]
async fn whatever_is_no_access_token_is_inactive_and_nothing_more() {
    for server in [introspecting().await, introspecting_opaque().await] {
        let client_id = server.refreshing_client().await;
        let code = server.code(&client_id, "alice", &[]).await;
        let answer = server.sign_in(&client_id, "alice", &[]).await;
        let token = text(&answer["access_token"]);
        for token in [
            "made-up".to_owned(),
            code,
            text(&answer["refresh_token"]),
            format!("{token}x"),
            format!(" {token}"),
            token.to_lowercase(),
        ] {
            assert_eq!(server.introspect(&token).await, json!({ "active": false }), "{token}");
        }
        assert_eq!(server.introspect(&token).await["active"], true);
    }
}

#[tokio::test]
async fn an_expired_token_is_inactive() {
    let server = introspecting_opaque().await;
    let client_id = server.client().await;
    let answer = server.sign_in(&client_id, "alice", &[]).await;
    let token = text(&answer["access_token"]);
    pass(Duration::from_secs(3590)).await;
    assert_eq!(server.introspect(&token).await["active"], true);
    pass(Duration::from_secs(11)).await;
    assert_eq!(server.introspect(&token).await, json!({ "active": false }));
}

#[tokio::test]
async fn what_was_revoked_is_inactive() {
    for server in [introspecting().await, introspecting_opaque().await] {
        let client_id = server.refreshing_client().await;
        let answer = server.sign_in(&client_id, "alice", &[]).await;
        let (one, refresh_token) = (text(&answer["access_token"]), text(&answer["refresh_token"]));
        let refreshed: Value = server
            .refresh(&client_id, &refresh_token, &[])
            .await
            .json()
            .await
            .unwrap();
        let two = text(&refreshed["access_token"]);
        let active = async || {
            (
                server.introspect(&one).await["active"] == true,
                server.introspect(&two).await["active"] == true,
            )
        };
        assert_eq!(active().await, (true, true));
        assert_eq!(server.revoke(&client_id, &one).await.status(), 200);
        assert_eq!(active().await, (false, true), "an access token goes alone");
        // The refresh token a second time: somebody has stolen it.
        assert_eq!(server.refresh(&client_id, &refresh_token, &[]).await.status(), 400);
        assert_eq!(active().await, (false, false), "the whole family goes");
    }
}

#[tokio::test]
async fn only_a_configured_resource_server_gets_an_answer() {
    let server = start_with(|builder| {
        builder
            .introspection_client("rs", "rs-secret")
            .introspection_client("other:1", "a b&c%:+")
    })
    .await;
    let client_id = server.client().await;
    let answer = server.sign_in(&client_id, "alice", &[]).await;
    let token = text(&answer["access_token"]);
    let basic = |id: &str, secret: &str| Some((id.to_owned(), secret.to_owned()));
    // Credentials in the header as they are before base64, in the body, and the answer.
    let table = [
        (basic("rs", "rs-secret"), vec![], Ok(())),
        (basic("rs", "rs-secret"), vec![("client_id", "rs")], Ok(())),
        (basic("other%3A1", "a+b%26c%25%3A%2B"), vec![], Ok(())),
        (None, vec![("client_id", "rs"), ("client_secret", "rs-secret")], Ok(())),
        (
            None,
            vec![("client_id", "other:1"), ("client_secret", "a b&c%:+")],
            Ok(()),
        ),
        (None, vec![], Err((401, "invalid_client"))),
        (None, vec![("client_id", "rs")], Err((401, "invalid_client"))),
        (None, vec![("client_secret", "rs-secret")], Err((401, "invalid_client"))),
        (
            None,
            vec![("client_id", "rs"), ("client_secret", "rs-secreT")],
            Err((401, "invalid_client")),
        ),
        (
            None,
            vec![("client_id", "other:1"), ("client_secret", "rs-secret")],
            Err((401, "invalid_client")),
        ),
        // A client of users is none: it has no secret at all.
        (
            None,
            vec![("client_id", client_id.as_str()), ("client_secret", "x")],
            Err((401, "invalid_client")),
        ),
        (basic("rs", "wrong"), vec![], Err((401, "invalid_client"))),
        (basic("rs", ""), vec![], Err((401, "invalid_client"))),
        (basic("", "rs-secret"), vec![], Err((401, "invalid_client"))),
        (
            basic("rs", "rs-secret"),
            vec![("client_id", "other:1")],
            Err((401, "invalid_client")),
        ),
        (
            basic("rs", "rs-secret"),
            vec![("client_id", "rs"), ("client_secret", "rs-secret")],
            Err((400, "invalid_request")),
        ),
    ];
    for (header, body, expected) in table {
        let mut form = vec![("token", token.as_str())];
        form.extend(body);
        let mut request = server.post("/introspect").form(&form);
        if let Some((id, secret)) = &header {
            request = request.basic_auth(id, Some(secret));
        }
        let response = request.send().await.unwrap();
        let place = format!("{header:?} {form:?}");
        match expected {
            Ok(()) => assert_eq!(response.json::<Value>().await.unwrap()["active"], true, "{place}"),
            Err((status, error)) => {
                let challenge = response.headers().get("www-authenticate").cloned();
                assert_eq!(challenge.is_some(), status == 401, "{place}");
                assert_eq!(oauth_error(response).await, (status, error.to_owned()), "{place}");
            }
        }
    }
    // The user's own token is no proof of being a resource server, and neither is a second header.
    let request = server
        .post("/introspect")
        .bearer_auth(&token)
        .form(&[("token", &token)]);
    assert_eq!(request.send().await.unwrap().status(), 401);
    let request = server.post("/introspect").basic_auth("rs", Some("rs-secret"));
    let request = request.header("authorization", "Basic eDp5").form(&[("token", &token)]);
    assert_eq!(request.send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn a_request_that_asks_for_nothing_is_invalid() {
    let server = introspecting().await;
    let send = async |request: reqwest::RequestBuilder| {
        oauth_error(request.basic_auth("rs", Some("rs-secret")).send().await.unwrap()).await
    };
    let invalid = (400, "invalid_request".to_owned());
    assert_eq!(send(server.post("/introspect").form(&[("x", "y")])).await, invalid);
    assert_eq!(send(server.post("/introspect").form(&[("token", "")])).await, invalid);
    assert_eq!(
        send(server.post("/introspect").form(&[("token", "a"), ("token", "b")])).await,
        invalid
    );
    assert_eq!(
        send(server.post("/introspect").json(&json!({ "token": "a" }))).await,
        invalid
    );
    let long = "x".repeat(20_000);
    assert_eq!(
        send(server.post("/introspect").form(&[("token", &long)])).await,
        invalid
    );
    let get = server.get("/introspect?token=a").basic_auth("rs", Some("rs-secret"));
    assert_eq!(get.send().await.unwrap().status(), 405);
}

#[tokio::test]
async fn without_a_configured_resource_server_there_is_no_endpoint() {
    let server = start().await;
    let response = server.post("/introspect").form(&[("token", "a")]).send().await.unwrap();
    assert_eq!(response.status(), 404);
    let metadata: Value = server
        .get("/.well-known/oauth-authorization-server")
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(metadata.get("introspection_endpoint"), None);
}

#[tokio::test]
async fn pages_of_other_origins_cannot_read_an_answer() {
    let server = introspecting().await;
    let request = server.post("/introspect").basic_auth("rs", Some("rs-secret"));
    let request = request
        .form(&[("token", "a")])
        .header("origin", "http://localhost:6274");
    let response = request.send().await.unwrap();
    assert_eq!(response.headers().get("access-control-allow-origin"), None);
}
