//! Tokens that only the userinfo endpoint of their issuer knows. Counted at a real server on loopback.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::time::Duration;

use axum::{
    Router,
    http::{StatusCode, header},
    routing::get,
};
use mcp_auth::{
    AccessTokenVerifier, AuthInfo, AuthorizationServer, AuthorizationServerError, BearerToken, ConfigError,
    InvalidToken, Userinfo, VerifyError,
    testing::{Fault, Issuer, TokenBuilder},
};
use serde_json::json;
use tokio::net::TcpListener;

const RESOURCE: &str = "http://localhost:3001";

fn verifier(url: &str, userinfo: Userinfo) -> AccessTokenVerifier {
    let server = AuthorizationServer::builder(url).insecure_userinfo_without_audience(userinfo);
    AccessTokenVerifier::builder(RESOURCE)
        .authorization_server(server.build().unwrap())
        .build()
        .unwrap()
}

/// As authorization servers issue tokens when nobody asked for a resource.
fn good(issuer: &Issuer) -> TokenBuilder {
    issuer
        .token()
        .subject("alice")
        .scopes(["openid", "create:todos"])
        .claim("email", "alice@example.com")
}

#[track_caller]
fn invalid(outcome: Result<AuthInfo, VerifyError>) -> InvalidToken {
    match outcome {
        Err(VerifyError::Invalid(invalid)) => invalid,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn unavailable(outcome: Result<AuthInfo, VerifyError>) -> AuthorizationServerError {
    match outcome {
        Err(VerifyError::Unavailable(error, _)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_token_gives_the_claims_of_its_user_and_no_scopes() {
    let issuer = Issuer::start().await.unwrap();
    let verifier = verifier(issuer.url(), Userinfo::new());
    let token = good(&issuer).opaque();
    let caller = verifier.verify(&token).await.unwrap();
    assert_eq!((caller.issuer(), caller.subject()), (issuer.url(), "alice"));
    assert_eq!(caller.claims().get("email"), Some(&json!("alice@example.com")));
    assert_eq!(
        (caller.scopes(), caller.audience(), caller.client_id()),
        (&[][..], &[][..], None)
    );
    assert_eq!(caller.expires_at(), None);
    issuer.revoke(&token);
    assert_eq!(invalid(verifier.verify(&token).await), InvalidToken::Inactive);
    assert_eq!(
        (
            issuer.userinfo_requests(),
            issuer.introspections(),
            issuer.key_set_fetches()
        ),
        (2, 0, 0)
    );
}

#[tokio::test]
async fn jwts_are_verified_here_unless_every_token_is_asked_about() {
    let issuer = Issuer::start().await.unwrap();
    let for_another = good(&issuer).audience("https://other.example").sign();
    let default = verifier(issuer.url(), Userinfo::new());
    assert_eq!(invalid(default.verify(&for_another).await), InvalidToken::Audience);
    assert_eq!(issuer.userinfo_requests(), 0);
    let every = verifier(issuer.url(), Userinfo::new().every_token());
    every.verify(&for_another).await.unwrap();
    assert_eq!(issuer.userinfo_requests(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn kept_answers_cost_one_request_for_each_token() {
    let issuer = Issuer::start().await.unwrap();
    let verifier = verifier(issuer.url(), Userinfo::new().cache_for(Duration::from_secs(60)));
    let tokens: Vec<_> = ["alice", "bob"]
        .map(|name| (name, good(&issuer).subject(name).opaque()))
        .into();
    let herd: Vec<_> = (0..100)
        .flat_map(|_| tokens.clone())
        .map(|(name, token)| {
            let verifier = verifier.clone();
            tokio::spawn(async move { assert_eq!(verifier.verify(&token).await.unwrap().subject(), name) })
        })
        .collect();
    for request in herd {
        request.await.unwrap();
    }
    assert_eq!(issuer.userinfo_requests(), 2);
}

#[tokio::test]
async fn an_outage_is_unavailable() {
    let issuer = Issuer::start().await.unwrap();
    let token = good(&issuer).opaque();
    for fault in [Fault::UserinfoDown, Fault::NotJson] {
        let verifier = verifier(issuer.url(), Userinfo::new());
        issuer.set_fault(None);
        verifier.verify(&token).await.unwrap();
        issuer.set_fault(fault);
        unavailable(verifier.verify(&token).await);
    }
}

#[tokio::test]
async fn each_answer_has_its_meaning() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let metadata = json!({"issuer": url, "userinfo_endpoint": format!("{url}/userinfo")}).to_string();
    // The token is the answer: a status, a space, a body.
    let userinfo = async |headers: axum::http::HeaderMap| {
        let token = headers.get(header::AUTHORIZATION).unwrap().to_str().unwrap();
        let (status, body) = token.strip_prefix("Bearer ").unwrap().split_once(' ').unwrap();
        (StatusCode::from_u16(status.parse().unwrap()).unwrap(), body.to_owned())
    };
    let router = Router::new()
        .route("/.well-known/oauth-authorization-server", get(async || metadata))
        .route("/userinfo", get(userinfo));
    tokio::spawn(async { axum::serve(listener, router).await });

    let other_issuer = format!("{url}/");
    for (answer, expected) in [
        (r#"200 {"sub":"alice"}"#.to_owned(), Ok(None)),
        // What the user's profile says is no fact about the token.
        (
            r#"200 {"sub":"alice","scope":"admin","client_id":7,"aud":"other"}"#.to_owned(),
            Ok(None),
        ),
        (format!(r#"200 {{"sub":"alice","iss":"{url}"}}"#), Ok(None)),
        (
            format!(r#"200 {{"sub":"alice","iss":"{other_issuer}"}}"#),
            Ok(Some(InvalidToken::Issuer)),
        ),
        ("200 {}".to_owned(), Ok(Some(InvalidToken::MissingClaim("sub")))),
        (r#"200 {"sub":""}"#.to_owned(), Ok(Some(InvalidToken::ClaimType("sub")))),
        (r#"200 {"sub":1}"#.to_owned(), Ok(Some(InvalidToken::ClaimType("sub")))),
        ("401 -".to_owned(), Ok(Some(InvalidToken::Inactive))),
        ("403 -".to_owned(), Ok(Some(InvalidToken::Inactive))),
        (r#"200 {"sub":"alice","sub":"admin"}"#.to_owned(), Err("appears twice")),
        ("200 eyJhbGciOiJub25lIn0.e30.".to_owned(), Err("not a JSON object")),
        ("400 -".to_owned(), Err("status 400")),
        ("404 -".to_owned(), Err("status 404")),
        ("500 -".to_owned(), Err("status 500")),
    ] {
        let verifier = verifier(&url, Userinfo::new());
        let found = verifier.verify(&BearerToken::new(&answer)).await;
        match expected {
            Ok(None) => assert_eq!(found.unwrap().scopes(), [""; 0], "{answer}"),
            Ok(Some(expected)) => assert_eq!(invalid(found), expected, "{answer}"),
            Err(expected) => {
                let error = unavailable(found).to_string();
                assert!(error.contains(expected), "{answer}: {error}");
            }
        }
    }
}

#[test]
fn introspection_and_userinfo_are_not_both_asked() {
    let introspection = mcp_auth::Introspection::new(mcp_auth::ClientAuthentication::client_secret_post("a", "b"));
    let error = AuthorizationServer::builder("https://as.example.com")
        .introspection(introspection)
        .insecure_userinfo_without_audience(Userinfo::new())
        .build()
        .unwrap_err();
    assert!(matches!(error, ConfigError::IntrospectionAndUserinfo { .. }), "{error}");
}
