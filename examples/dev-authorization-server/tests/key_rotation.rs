//! Another signing key while the server runs.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at what it did not expect"
)]

mod common;

use std::time::Duration;

use common::{RESOURCE, Server, pass, start_with};
use dev_authorization_server::Algorithm;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use serde_json::Value;

async fn token(server: &Server) -> String {
    let client_id = server.client().await;
    let code = server.code(&client_id, "alice", &[]).await;
    let answer: Value = server.token(&client_id, &code, &[]).await.json().await.unwrap();
    answer["access_token"].as_str().unwrap().to_owned()
}

async fn key_set(server: &Server) -> JwkSet {
    server.get("/jwks").send().await.unwrap().json().await.unwrap()
}

async fn is_verified(server: &Server, token: &str) -> bool {
    let header = decode_header(token).unwrap();
    let keys = key_set(server).await;
    let Some(key) = keys.find(&header.kid.unwrap()) else {
        return false;
    };
    let mut validation = Validation::new(header.alg);
    validation.set_audience(&[RESOURCE]);
    decode::<Value>(token, &DecodingKey::from_jwk(key).unwrap(), &validation).is_ok()
}

#[tokio::test]
async fn old_tokens_stay_good_until_they_expire_and_new_ones_have_the_new_key() {
    let server = start_with(|builder| builder.access_token_lifetime(Duration::from_secs(600))).await;
    let old = token(&server).await;
    server.running.rotate_signing_key(Algorithm::Rs256).unwrap();
    let new = token(&server).await;
    let algorithm = |token: &str| decode_header(token).unwrap().alg;
    assert_eq!(
        (algorithm(&old), algorithm(&new)),
        (jsonwebtoken::Algorithm::ES256, jsonwebtoken::Algorithm::RS256)
    );
    assert!(is_verified(&server, &old).await && is_verified(&server, &new).await);

    // The lifetime of the token, and a minute for resource servers that forgive.
    pass(Duration::from_secs(655)).await;
    assert_eq!(key_set(&server).await.keys.len(), 2);
    pass(Duration::from_secs(6)).await;
    assert_eq!(key_set(&server).await.keys.len(), 1);
    assert!(!is_verified(&server, &old).await && is_verified(&server, &new).await);
}

#[tokio::test]
async fn a_lost_key_can_be_taken_out_at_once() {
    let server = start_with(|builder| builder).await;
    let old = token(&server).await;
    server.running.rotate_signing_key(Algorithm::Es256).unwrap();
    server.running.forget_old_signing_keys();
    assert!(!is_verified(&server, &old).await);
    let new = token(&server).await;
    assert!(is_verified(&server, &new).await);
}

#[tokio::test]
async fn the_key_set_does_not_grow_without_end() {
    let server = start_with(|builder| builder).await;
    for _ in 0..20 {
        server.running.rotate_signing_key(Algorithm::Es256).unwrap();
    }
    assert_eq!(key_set(&server).await.keys.len(), 9);
}

#[tokio::test]
async fn the_key_is_rotated_while_it_serves_if_so_configured() {
    let server = start_with(|builder| {
        builder
            .access_token_lifetime(Duration::from_secs(20))
            .rotate_signing_key_every(Duration::from_secs(10))
    })
    .await;
    let first = key_set(&server).await;
    for _ in 0..50 {
        if key_set(&server).await.keys.len() > 1 {
            break;
        }
        pass(Duration::from_secs(11)).await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let keys = key_set(&server).await;
    assert!(keys.keys.len() > 1);
    assert_ne!(keys.keys[0], first.keys[0]);
}
