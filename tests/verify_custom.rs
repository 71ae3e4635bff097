//! Verification by the server's own code, and what is checked all the same.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use common::{STATELESS_JSON, TestServer};
use mcp_auth::{
    AccessTokenVerifier, AuthInfo, AuthorizationServer, AuthorizationServerError, BearerToken, ConfigError,
    CustomVerifier, CustomVerifierError, InvalidToken, Userinfo, VerifyError, testing::Issuer,
};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

const RESOURCE: &str = "http://localhost:3001";
const ISSUER: &str = "https://auth.example.com";

/// A token is what the verifier is to do, in base64url: fail in a way, or give claims.
struct Obedient;

impl CustomVerifier for Obedient {
    async fn verify(&self, token: &BearerToken) -> Result<Map<String, Value>, CustomVerifierError> {
        let order = BASE64_URL_SAFE_NO_PAD.decode(token.dangerous_raw_token())?;
        match &*String::from_utf8(order)? {
            "refuse" => Err(CustomVerifierError::Refused),
            "fail" => Err(std::io::Error::other("the table is gone"))?,
            "panic" => panic!("on purpose"),
            "hang" => std::future::pending().await,
            claims => Ok(serde_json::from_str(claims)?),
        }
    }
}

/// Panics before there is anything to wait for.
struct PanicsAtOnce(bool);

impl CustomVerifier for PanicsAtOnce {
    fn verify(&self, _: &BearerToken) -> impl Future<Output = Result<Map<String, Value>, CustomVerifierError>> + Send {
        assert!(!self.0, "on purpose");
        std::future::pending()
    }
}

fn verifier(custom: impl CustomVerifier) -> AccessTokenVerifier {
    AccessTokenVerifier::builder(RESOURCE)
        .authorization_server(AuthorizationServer::new(ISSUER).unwrap())
        .custom_verifier(custom)
        .build()
        .unwrap()
}

fn token(order: impl ToString) -> BearerToken {
    BearerToken::new(BASE64_URL_SAFE_NO_PAD.encode(order.to_string()))
}

async fn verify(order: impl ToString) -> Result<AuthInfo, VerifyError> {
    verifier(Obedient).verify(&token(order)).await
}

/// Everything right, with some members replaced; `null` removes one.
fn claims(changes: &Value) -> Value {
    let mut claims = json!({"iss": ISSUER, "sub": "alice", "aud": RESOURCE, "scope": "a b"});
    let members = claims.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => members.remove(name),
            value => members.insert(name.clone(), value.clone()),
        };
    }
    claims
}

#[tokio::test]
async fn its_claims_become_the_facts() {
    let caller = verify(claims(&json!({"client_id": "c"}))).await.unwrap();
    assert_eq!(
        (caller.issuer(), caller.subject(), caller.client_id()),
        (ISSUER, "alice", Some("c"))
    );
    assert_eq!(caller.scopes(), ["a", "b"]);
    assert_eq!(caller.audience(), [RESOURCE]);
    assert_eq!(caller.expires_at(), None);
}

#[tokio::test]
async fn what_it_says_is_checked() {
    use InvalidToken as No;
    for (changes, expected) in [
        (json!({"iss": null}), No::Issuer),
        (json!({"iss": "https://evil.example"}), No::Issuer),
        (json!({"iss": 1}), No::Issuer),
        (json!({"aud": null}), No::Audience),
        (json!({"aud": "https://other.example"}), No::Audience),
        (json!({"sub": null}), No::MissingClaim("sub")),
        (json!({"exp": 1}), No::Expired),
        (json!({"nbf": 4_102_444_800_u64}), No::NotYetValid),
        (json!({"scope": 1}), No::ClaimType("scope")),
        (json!({"cnf": {}}), No::SenderConstrained),
    ] {
        match verify(claims(&changes)).await {
            Err(VerifyError::Invalid(found)) => assert_eq!(found, expected, "{changes}"),
            other => panic!("{changes}: {other:?}"),
        }
    }
    for (order, expected) in [("refuse".to_owned(), No::Custom), ("x".repeat(16 * 1024), No::TooLong)] {
        match verify(order).await {
            Err(VerifyError::Invalid(found)) => assert_eq!(found, expected),
            other => panic!("{expected:?}: {other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_any_kind_is_unavailable() {
    for (order, expected) in [
        ("fail", "the custom verifier failed: the table is gone"),
        ("not json", "the custom verifier failed: expected"),
        ("panic", "the custom verifier failed: it panicked"),
        ("hang", "the custom verifier failed: it did not answer within 5 s"),
    ] {
        let begin = Instant::now();
        match verify(order).await {
            Err(VerifyError::Unavailable(error, retry_after)) => {
                assert!(error.to_string().starts_with(expected), "{error}");
                assert!(begin.elapsed() < Duration::from_secs(6), "{order}");
                assert_eq!(retry_after, Duration::from_secs(1));
            }
            other => panic!("{order}: {other:?}"),
        }
    }
    let outcome = verifier(PanicsAtOnce(true)).verify(&BearerToken::new("a")).await;
    assert!(matches!(
        outcome,
        Err(VerifyError::Unavailable(
            AuthorizationServerError::CustomVerifier { .. },
            _
        ))
    ));
}

#[tokio::test]
async fn the_layer_answers_401_503_and_403() {
    let server = TestServer::with(STATELESS_JSON, |builder| {
        builder.custom_verifier(Obedient).required_scopes(["create:todos"])
    });
    let server = server.await;
    let iss = server.issuer.url();
    for (order, status) in [
        (claims(&json!({"iss": iss, "scope": "create:todos"})).to_string(), 200),
        (claims(&json!({"iss": iss})).to_string(), 403),
        ("refuse".to_owned(), 401),
        ("fail".to_owned(), 503),
        ("panic".to_owned(), 503),
    ] {
        let answer = server
            .call(&token(&order), "create-todo", json!({"content": "x"}))
            .await;
        assert_eq!(answer.status.as_u16(), status, "{order}: {answer:?}");
        assert_eq!(
            answer.challenge().is_some(),
            (401..=403).contains(&status),
            "{answer:?}"
        );
        if status == 503 {
            // Not the reason of an outage: who looks for the cause looks here, not at the authorization server.
            assert_eq!(answer.json()["reason"], "token_verification_failed");
            let description = "This server could not verify the access token because of a failure of its own; try the same token again later";
            assert_eq!(answer.json()["error_description"], description);
            assert_eq!(answer.headers["retry-after"], "1");
            assert!(!answer.body.contains("the table is gone"), "{answer:?}");
        }
    }
    assert_eq!((server.ran(), server.issuer.metadata_fetches()), (1, 0));
}

#[tokio::test]
async fn settings_that_it_would_make_useless_are_refused() {
    let issuer = Issuer::start().await.unwrap();
    let asked = AuthorizationServer::builder(issuer.url()).insecure_userinfo_without_audience(Userinfo::new());
    let error = AccessTokenVerifier::builder(RESOURCE)
        .authorization_server(asked.build().unwrap())
        .custom_verifier(Obedient)
        .build()
        .unwrap_err();
    assert!(
        matches!(error, ConfigError::CustomVerifierAndRemoteCheck { .. }),
        "{error}"
    );
}
