//! When the issuer is asked about a token (RFC 7662), and how often. Counted at a real server on loopback.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use mcp_auth::{
    AccessTokenVerifier, AuthInfo, AuthorizationServer, AuthorizationServerError, BearerToken, ClientAuthentication,
    ConfigError, Introspection, InvalidToken, VerifyError,
    testing::{Fault, Issuer, TokenBuilder},
};
use serde_json::json;

const RESOURCE: &str = "http://localhost:3001";
const SECOND: Duration = Duration::from_secs(1);

fn verifier(url: &str, introspection: Introspection) -> AccessTokenVerifier {
    let server = AuthorizationServer::builder(url).introspection(introspection).build();
    AccessTokenVerifier::builder(RESOURCE)
        .authorization_server(server.unwrap())
        .build()
        .unwrap()
}

async fn setup() -> (Issuer, AccessTokenVerifier) {
    let issuer = Issuer::start().await.unwrap();
    let verifier = verifier(issuer.url(), issuer.introspection());
    (issuer, verifier)
}

fn good(issuer: &Issuer) -> TokenBuilder {
    issuer
        .token()
        .subject("alice")
        .audience(RESOURCE)
        .scopes(["create:todos"])
}

async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
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
async fn an_opaque_token_is_asked_about_and_gives_its_facts() {
    let (issuer, verifier) = setup().await;
    let token = good(&issuer).claim("roles", json!(["admin"])).opaque();
    let caller = verifier.verify(&token).await.unwrap();
    assert_eq!((caller.issuer(), caller.subject()), (issuer.url(), "alice"));
    assert_eq!(caller.client_id(), Some("test-client"));
    assert_eq!(caller.scopes(), ["create:todos"]);
    assert_eq!(caller.audience(), [RESOURCE]);
    assert!(caller.expires_at().unwrap() > SystemTime::now());
    assert_eq!(caller.claims().get("roles"), Some(&json!(["admin"])));
    issuer.revoke(&token);
    assert_eq!(invalid(verifier.verify(&token).await), InvalidToken::Inactive);
    assert_eq!((issuer.introspections(), issuer.key_set_fetches()), (2, 0));
}

#[tokio::test]
async fn a_jwt_good_or_bad_is_never_asked_about() {
    let (issuer, verifier) = setup().await;
    let stranger = Issuer::start().await.unwrap();
    verifier.verify(&good(&issuer).sign()).await.unwrap();
    let three_parts = |text: &str| BearerToken::new(text);
    for token in [
        good(&issuer).claim("exp", 1).sign(),
        good(&issuer).audience("https://other.example").sign(),
        good(&issuer).forged_by(&stranger).sign(),
        good(&issuer).header("kid", "unknown").sign(),
        good(&issuer).header("alg", "none").sign(),
        good(&issuer).header("alg", "ES512").sign(),
        good(&issuer).header("typ", "dpop+jwt").sign(),
        good(&issuer).without_claim("iss").sign(),
        good(&stranger).sign(),
        three_parts("a.b.c"),
        three_parts("e30.e30."),
        three_parts(".."),
        three_parts("v4.public.AAAA"),
        BearerToken::new("A".repeat(16 * 1024 + 1)),
    ] {
        invalid(verifier.verify(&token).await);
    }
    assert_eq!(issuer.introspections(), 0);
    // What is no JWT is: fewer or more parts, or other characters.
    for opaque in ["opaque", "a.b", "a.b.c.d.e", "a~b.c.d", "a.b.c="] {
        assert_eq!(
            invalid(verifier.verify(&BearerToken::new(opaque)).await),
            InvalidToken::Inactive
        );
    }
    assert_eq!(issuer.introspections(), 5);
}

#[tokio::test]
async fn without_introspection_an_opaque_token_is_refused_and_nobody_is_asked() {
    let issuer = Issuer::start().await.unwrap();
    let verifier = AccessTokenVerifier::builder(RESOURCE)
        .authorization_server(issuer.authorization_server().unwrap())
        .build()
        .unwrap();
    assert_eq!(
        invalid(verifier.verify(&good(&issuer).opaque()).await),
        InvalidToken::NotCompact
    );
    assert_eq!((issuer.metadata_fetches(), issuer.introspections()), (0, 0));
}

#[tokio::test]
async fn every_token_means_jwts_too_and_no_keys_are_fetched() {
    let issuer = Issuer::start().await.unwrap();
    let stranger = Issuer::start().await.unwrap();
    let verifier = verifier(issuer.url(), issuer.introspection().every_token());
    let token = good(&issuer).sign();
    assert_eq!(verifier.verify(&token).await.unwrap().subject(), "alice");
    issuer.revoke(&token);
    assert_eq!(invalid(verifier.verify(&token).await), InvalidToken::Inactive);
    // A kind of JWT that could not be verified here, and something that only looks like one.
    for token in [
        good(&issuer).header("alg", "HS256").sign(),
        BearerToken::new("v4.public.AAAA"),
    ] {
        verifier.verify(&token).await.ok();
    }
    assert_eq!((issuer.introspections(), issuer.key_set_fetches()), (4, 0));
    // Somebody else's tokens are not shown to this issuer.
    for token in [good(&stranger).sign(), good(&stranger).header("alg", "HS256").sign()] {
        assert_eq!(invalid(verifier.verify(&token).await), InvalidToken::Issuer);
    }
    assert_eq!(issuer.introspections(), 4);
}

#[tokio::test]
async fn jwts_of_other_issuers_are_verified_with_their_keys() {
    let (asked, signing) = (Issuer::start().await.unwrap(), Issuer::start().await.unwrap());
    let introspecting = AuthorizationServer::builder(asked.url()).introspection(asked.introspection().every_token());
    let verifier = AccessTokenVerifier::builder(RESOURCE)
        .authorization_server(signing.authorization_server().unwrap())
        .authorization_server(introspecting.build().unwrap())
        .build()
        .unwrap();
    let callers = [good(&signing).sign(), good(&asked).sign(), good(&asked).opaque()];
    for (token, issuer) in callers.iter().zip([&signing, &asked, &asked]) {
        assert_eq!(verifier.verify(token).await.unwrap().issuer(), issuer.url());
    }
    let unsigned = good(&signing).header("alg", "none").sign();
    assert_eq!(invalid(verifier.verify(&unsigned).await), InvalidToken::Algorithm);
    assert_eq!((asked.introspections(), signing.introspections()), (2, 0));
    assert_eq!((asked.key_set_fetches(), signing.key_set_fetches()), (0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_herd_costs_one_question_for_each_token_and_nobody_gets_anothers_answer() {
    let issuer = Issuer::start().await.unwrap();
    let verifier = verifier(issuer.url(), issuer.introspection().cache_for(60 * SECOND));
    let tokens: Vec<_> = ["alice", "bob", "carol"]
        .map(|name| (name, good(&issuer).subject(name).opaque()))
        .into();
    let herd: Vec<_> = (0..200)
        .flat_map(|_| tokens.clone())
        .map(|(name, token)| {
            let verifier = verifier.clone();
            tokio::spawn(async move { assert_eq!(verifier.verify(&token).await.unwrap().subject(), name) })
        })
        .collect();
    for request in herd {
        request.await.unwrap();
    }
    assert_eq!((issuer.introspections(), issuer.metadata_fetches()), (3, 1));
}

#[tokio::test]
async fn a_cancelled_request_does_not_cancel_the_question() {
    let (issuer, verifier) = setup().await;
    let token = good(&issuer).opaque();
    let first = tokio::spawn({
        let (verifier, token) = (verifier.clone(), token.clone());
        async move { verifier.verify(&token).await }
    });
    while issuer.metadata_fetches() == 0 {
        tokio::task::yield_now().await;
    }
    let second = tokio::spawn(async move { verifier.verify(&token).await });
    tokio::task::yield_now().await;
    first.abort();
    second.await.unwrap().unwrap();
    assert_eq!(issuer.introspections(), 1);
}

#[tokio::test]
async fn answers_are_kept_only_by_setting_for_their_time_and_never_past_exp() {
    let issuer = Issuer::start().await.unwrap();
    let now = Arc::new(AtomicU64::new(
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs(),
    ));
    let server =
        AuthorizationServer::builder(issuer.url()).introspection(issuer.introspection().cache_for(60 * SECOND));
    let clock = Arc::clone(&now);
    let verifier = AccessTokenVerifier::builder(RESOURCE)
        .authorization_server(server.build().unwrap())
        .clock(move || UNIX_EPOCH + Duration::from_secs(clock.load(Ordering::SeqCst)))
        .build()
        .unwrap();
    let token = good(&issuer).opaque();
    let ends_soon = good(&issuer).claim("exp", now.load(Ordering::SeqCst) + 10).opaque();
    for token in [&token, &ends_soon] {
        let (first, again) = (
            verifier.verify(token).await.unwrap(),
            verifier.verify(token).await.unwrap(),
        );
        assert!(
            std::ptr::eq(first.claims(), again.claims()),
            "shared, not copied for each request"
        );
    }
    assert_eq!(issuer.introspections(), 2);
    now.fetch_add(10, Ordering::SeqCst);
    assert_eq!(invalid(verifier.verify(&ends_soon).await), InvalidToken::Expired);

    issuer.revoke(&token);
    pass(59 * SECOND).await;
    verifier.verify(&token).await.unwrap();
    pass(SECOND).await;
    assert_eq!(invalid(verifier.verify(&token).await), InvalidToken::Inactive);
    assert_eq!(issuer.introspections(), 3);
}

#[tokio::test]
async fn an_outage_is_unavailable_is_soon_left_alone_and_ends_without_a_restart() {
    let (issuer, verifier) = setup().await;
    let token = good(&issuer).opaque();
    verifier.verify(&token).await.unwrap();
    issuer.set_fault(Fault::IntrospectionDown);
    let before = issuer.introspections();
    for _ in 0..200 {
        let error = unavailable(verifier.verify(&token).await);
        assert!(
            error.to_string().contains("/introspect` answered with status 503"),
            "{error}"
        );
    }
    assert!(issuer.introspections() - before <= 5, "{}", issuer.introspections());
    // JWTs need nobody.
    verifier.verify(&good(&issuer).sign()).await.unwrap();
    issuer.set_fault(None);
    pass(SECOND).await;
    // One answer ends the outage, for everybody.
    for _ in 0..10 {
        verifier.verify(&token).await.unwrap();
    }
}

#[tokio::test]
async fn an_issuer_that_never_answers_is_unavailable_after_the_deadline() {
    let issuer = Issuer::start().await.unwrap();
    let server = AuthorizationServer::builder(issuer.url())
        .fetch_deadline(Duration::from_millis(100))
        .introspection(issuer.introspection())
        .build()
        .unwrap();
    let verifier = AccessTokenVerifier::builder(RESOURCE)
        .authorization_server(server)
        .build()
        .unwrap();
    let token = good(&issuer).opaque();
    verifier.verify(&token).await.unwrap();
    issuer.set_fault(Fault::Slow);
    let error = unavailable(verifier.verify(&token).await);
    assert!(matches!(error, AuthorizationServerError::TimedOut { .. }), "{error}");
}

#[tokio::test]
async fn settings_that_cannot_work_or_are_dangerous_are_refused() {
    let build = |introspection| {
        AuthorizationServer::builder("https://as.example.com")
            .introspection(introspection)
            .build()
    };
    let basic = |id: &str, secret: &str| Introspection::new(ClientAuthentication::client_secret_basic(id, secret));
    for (introspection, expected) in [
        (basic("", "s"), "have no client id"),
        (basic("todo", ""), "have no secret"),
        (
            Introspection::new(ClientAuthentication::bearer(BearerToken::new("a\nb"))),
            "no header can hold",
        ),
        (basic("todo", "s").cache_for(301 * SECOND), "more than 5 minutes"),
    ] {
        let error = build(introspection).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    build(basic("todo", "s").cache_for(300 * SECOND)).unwrap();

    let (first, second) = (Issuer::start().await.unwrap(), Issuer::start().await.unwrap());
    let asked = |issuer: &Issuer| {
        let server = AuthorizationServer::builder(issuer.url()).introspection(issuer.introspection());
        server.build().unwrap()
    };
    let error = AccessTokenVerifier::builder(RESOURCE)
        .authorization_server(asked(&first))
        .authorization_server(asked(&second))
        .build()
        .unwrap_err();
    assert!(matches!(error, ConfigError::SeveralForOpaqueTokens { .. }), "{error}");
}
