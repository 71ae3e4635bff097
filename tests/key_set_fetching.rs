//! How often keys are fetched, and what happens when they cannot be. Counted at a real server on loopback.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::{net::TcpListener, time::Duration};

use mcp_auth::{
    AccessTokenVerifier, AuthInfo, AuthorizationServer, AuthorizationServerError, BearerToken, InvalidToken,
    VerifyError,
    testing::{Fault, Issuer},
};
use tokio::time::Instant;

const RESOURCE: &str = "http://localhost:3001";

fn verifier(server: AuthorizationServer) -> AccessTokenVerifier {
    AccessTokenVerifier::builder(RESOURCE)
        .authorization_server(server)
        .build()
        .unwrap()
}

async fn setup() -> (Issuer, AccessTokenVerifier) {
    let issuer = Issuer::start().await.unwrap();
    let server = issuer.authorization_server().unwrap();
    (issuer, verifier(server))
}

fn token(issuer: &Issuer) -> BearerToken {
    issuer.token().audience(RESOURCE).sign()
}

/// Lets time pass without waiting. The clock runs again afterwards, so that it cannot overtake the network.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// Waits for what happens in the background.
async fn eventually(happened: impl Fn() -> bool) {
    let waiting = async {
        while !happened() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(5 * SECOND, waiting).await.unwrap();
}

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

#[track_caller]
fn unavailable(outcome: Result<AuthInfo, VerifyError>) -> (AuthorizationServerError, Duration) {
    match outcome {
        Err(VerifyError::Unavailable(error, retry_after)) => (error, retry_after),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn invalid(outcome: Result<AuthInfo, VerifyError>) -> InvalidToken {
    match outcome {
        Err(VerifyError::Invalid(invalid)) => invalid,
        other => panic!("{other:?}"),
    }
}

/// Tokens that are right but for key ids that nobody has.
fn made_up(issuer: &Issuer, count: usize) -> Vec<BearerToken> {
    let token = |number| {
        issuer
            .token()
            .audience(RESOURCE)
            .header("kid", format!("random-{number}"))
            .sign()
    };
    (0..count).map(token).collect()
}

#[track_caller]
fn assert_unknown(outcome: Result<AuthInfo, VerifyError>) {
    match outcome {
        // Those that a fetch could answer.
        Err(VerifyError::Invalid(InvalidToken::UnknownKey)) => {}
        other => assert!(matches!(
            unavailable(other).0,
            AuthorizationServerError::FetchedTooRecently { .. }
        )),
    }
}

/// After one fetch that a good token caused, a flood costs one, and one more for each five seconds: two in ten seconds.
#[track_caller]
fn assert_flood_fetches(issuer: &Issuer, begin: Instant) {
    let (elapsed, fetches) = (begin.elapsed(), issuer.key_set_fetches() - 1);
    let allowed = 1 + elapsed.as_secs() / 5;
    assert!((1..=allowed).contains(&(fetches as u64)), "{fetches} in {elapsed:?}");
    assert_eq!(issuer.metadata_fetches(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_cold_herd_costs_one_metadata_and_one_key_set_fetch() {
    let (issuer, verifier) = setup().await;
    assert_eq!(
        issuer.metadata_fetches(),
        0,
        "nothing is fetched before the first token"
    );
    let herd: Vec<_> = (0..200)
        .map(|_| {
            let (verifier, token) = (verifier.clone(), token(&issuer));
            tokio::spawn(async move { verifier.verify(&token).await })
        })
        .collect();
    for request in herd {
        request.await.unwrap().unwrap();
    }
    assert_eq!((issuer.metadata_fetches(), issuer.key_set_fetches()), (1, 1));
}

#[tokio::test]
async fn verifiers_share_the_keys_of_an_issuer() {
    let issuer = Issuer::start().await.unwrap();
    let server = issuer.authorization_server().unwrap();
    for _ in 0..3 {
        verifier(server.clone()).verify(&token(&issuer)).await.unwrap();
    }
    assert_eq!((issuer.metadata_fetches(), issuer.key_set_fetches()), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_thousand_random_key_ids_at_once_cost_one_more_fetch_and_good_tokens_pass_meanwhile() {
    let (issuer, verifier) = setup().await;
    let good = token(&issuer);
    verifier.verify(&good).await.unwrap();
    let made_up = made_up(&issuer, 10_000);
    let begin = Instant::now();
    let flood: Vec<_> = made_up
        .into_iter()
        .enumerate()
        .map(|(number, made_up)| {
            let (verifier, good) = (verifier.clone(), good.clone());
            tokio::spawn(async move {
                assert_unknown(verifier.verify(&made_up).await);
                if number % 50 == 0 {
                    verifier.verify(&good).await.unwrap();
                }
            })
        })
        .collect();
    for request in flood {
        request.await.unwrap();
    }
    assert_flood_fetches(&issuer, begin);
}

/// The same spread over nine seconds, in which fetching becomes possible again. The keys are rotated at the worst moment: right after a fetch.
#[tokio::test]
async fn a_rotated_key_is_accepted_within_five_seconds_although_ten_thousand_random_key_ids_arrive() {
    let (issuer, verifier) = setup().await;
    let old = token(&issuer);
    verifier.verify(&old).await.unwrap();
    let mut made_up = made_up(&issuer, 10_000);
    let mut flood = async || {
        for token in made_up.drain(..1000) {
            assert_unknown(verifier.verify(&token).await);
        }
    };
    let begin = Instant::now();
    let until = async |time: Instant| pass(time.saturating_duration_since(Instant::now())).await;

    flood().await;
    issuer.rotate_keys().unwrap();
    let rotated = token(&issuer);
    let first_sight = Instant::now();
    let (error, retry_after) = unavailable(verifier.verify(&rotated).await);
    assert!(matches!(error, AuthorizationServerError::FetchedTooRecently { .. }));
    let may_be_fetched = first_sight + retry_after;
    assert!(retry_after <= 5 * SECOND, "{retry_after:?}");
    for second in 1..5 {
        until(begin + second * SECOND).await;
        flood().await;
        verifier.verify(&old).await.unwrap();
        let (_, retry_after) = unavailable(verifier.verify(&rotated).await);
        let waits_longer = Instant::now() + retry_after;
        assert!(
            waits_longer <= may_be_fetched + SECOND / 10,
            "nobody waits longer because others ask"
        );
    }
    until(may_be_fetched).await;
    flood().await;
    verifier.verify(&rotated).await.unwrap();
    assert!(
        verifier.verify(&old).await.is_err(),
        "the removed key ends with the same fetch"
    );
    for second in 6..10 {
        until(begin + second * SECOND).await;
        flood().await;
        verifier.verify(&rotated).await.unwrap();
    }
    assert_flood_fetches(&issuer, begin);
    assert!(
        issuer.key_set_fetches() >= 3,
        "the second fetch brought the rotated key"
    );
}

#[tokio::test]
async fn a_cold_set_is_not_fetched_twice_for_an_unknown_key_id() {
    let (issuer, verifier) = setup().await;
    let unknown = issuer.token().audience(RESOURCE).header("kid", "other").sign();
    assert_eq!(invalid(verifier.verify(&unknown).await), InvalidToken::UnknownKey);
    assert_eq!(issuer.key_set_fetches(), 1);
}

#[tokio::test]
async fn a_rotated_key_is_accepted_at_first_sight_and_the_old_one_is_gone() {
    let (issuer, verifier) = setup().await;
    let old = token(&issuer);
    verifier.verify(&old).await.unwrap();
    issuer.rotate_keys().unwrap();
    verifier.verify(&token(&issuer)).await.unwrap();
    assert_eq!(issuer.key_set_fetches(), 2);
    pass(5 * SECOND).await;
    assert_eq!(invalid(verifier.verify(&old).await), InvalidToken::UnknownKey);
}

#[tokio::test]
async fn a_good_token_is_never_refused_because_of_somebody_elses_made_up_key_id() {
    let (issuer, verifier) = setup().await;
    verifier.verify(&token(&issuer)).await.unwrap();
    let made_up = issuer.token().audience(RESOURCE).header("kid", "made up").sign();
    assert_eq!(invalid(verifier.verify(&made_up).await), InvalidToken::UnknownKey);
    issuer.rotate_keys().unwrap();
    // Clients throw a refused token away; this one they try again.
    let (error, retry_after) = unavailable(verifier.verify(&token(&issuer)).await);
    assert!(
        matches!(error, AuthorizationServerError::FetchedTooRecently { .. }),
        "{error:?}"
    );
    pass(retry_after).await;
    verifier.verify(&token(&issuer)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_herd_with_a_rotated_key_costs_one_fetch_and_nobody_is_refused() {
    let (issuer, verifier) = setup().await;
    verifier.verify(&token(&issuer)).await.unwrap();
    issuer.rotate_keys().unwrap();
    let herd: Vec<_> = (0..200)
        .map(|_| {
            let (verifier, token) = (verifier.clone(), token(&issuer));
            tokio::spawn(async move { verifier.verify(&token).await })
        })
        .collect();
    for request in herd {
        request.await.unwrap().unwrap();
    }
    assert_eq!(issuer.key_set_fetches(), 2);
}

#[tokio::test]
async fn a_second_rotation_is_seen_after_five_seconds() {
    let (issuer, verifier) = setup().await;
    verifier.verify(&token(&issuer)).await.unwrap();
    issuer.rotate_keys().unwrap();
    verifier.verify(&token(&issuer)).await.unwrap();
    issuer.rotate_keys().unwrap();
    unavailable(verifier.verify(&token(&issuer)).await);
    pass(5 * SECOND).await;
    verifier.verify(&token(&issuer)).await.unwrap();
    assert_eq!(issuer.key_set_fetches(), 3);
}

#[tokio::test]
async fn a_removed_key_is_refused_after_ten_minutes() {
    let (issuer, verifier) = setup().await;
    let old = token(&issuer);
    verifier.verify(&old).await.unwrap();
    issuer.rotate_keys().unwrap();
    pass(7 * MINUTE).await;
    verifier.verify(&old).await.unwrap();
    assert_eq!(issuer.key_set_fetches(), 1);
    pass(3 * MINUTE).await;
    assert_eq!(invalid(verifier.verify(&old).await), InvalidToken::UnknownKey);
    assert_eq!((issuer.metadata_fetches(), issuer.key_set_fetches()), (1, 2));
}

#[tokio::test]
async fn keys_are_refreshed_in_the_background_before_they_are_too_old() {
    let (issuer, verifier) = setup().await;
    verifier.verify(&token(&issuer)).await.unwrap();
    pass(8 * MINUTE).await;
    verifier.verify(&token(&issuer)).await.unwrap();
    eventually(|| issuer.key_set_fetches() == 2).await;
}

#[tokio::test]
async fn good_tokens_pass_for_an_hour_of_outage_and_then_wait() {
    let (issuer, verifier) = setup().await;
    let good = token(&issuer);
    verifier.verify(&good).await.unwrap();
    issuer.set_fault(Fault::Down);
    pass(30 * MINUTE).await;
    verifier.verify(&good).await.unwrap();
    pass(29 * MINUTE).await;
    verifier.verify(&good).await.unwrap();
    pass(MINUTE).await;
    unavailable(verifier.verify(&good).await);
    issuer.set_fault(None);
    pass(30 * SECOND).await;
    verifier.verify(&good).await.unwrap();
}

/// An issuer that hangs takes the whole deadline of each try. One request finds that out; the others go on with what is there.
#[tokio::test]
async fn nobody_waits_for_the_next_try_while_the_issuer_hangs() {
    let issuer = Issuer::start().await.unwrap();
    let server = AuthorizationServer::builder(issuer.url()).fetch_deadline(SECOND);
    let verifier = verifier(server.introspection(issuer.introspection()).build().unwrap());
    let (good, opaque) = (token(&issuer), issuer.token().audience(RESOURCE).opaque());
    verifier.verify(&good).await.unwrap();
    for (age, fault, token) in [
        (10 * MINUTE, Fault::Slow, &good),
        (60 * MINUTE, Fault::MetadataSlow, &opaque),
    ] {
        pass(age).await;
        issuer.set_fault(fault);
        verifier.verify(token).await.unwrap();
        for _ in 0..3 {
            // The try before ends, and then the pause after it.
            pass(2 * SECOND).await;
            tokio::time::sleep(SECOND / 100).await;
            pass(30 * SECOND).await;
            let (fetches, begin) = (issuer.metadata_fetches() + issuer.key_set_fetches(), Instant::now());
            verifier.verify(token).await.unwrap();
            assert!(begin.elapsed() < SECOND / 2, "{fault:?}: {:?}", begin.elapsed());
            eventually(|| issuer.metadata_fetches() + issuer.key_set_fetches() > fetches).await;
        }
        issuer.set_fault(None);
        pass(2 * SECOND).await;
        tokio::time::sleep(SECOND / 100).await;
        pass(30 * SECOND).await;
        verifier.verify(&good).await.unwrap();
    }
}

#[tokio::test]
async fn metadata_is_read_again_after_an_hour() {
    let (issuer, verifier) = setup().await;
    let good = token(&issuer);
    verifier.verify(&good).await.unwrap();
    pass(59 * MINUTE).await;
    verifier.verify(&good).await.unwrap();
    assert_eq!((issuer.metadata_fetches(), issuer.key_set_fetches()), (1, 2));
    pass(59 * MINUTE).await;
    verifier.verify(&good).await.unwrap();
    eventually(|| (issuer.metadata_fetches(), issuer.key_set_fetches()) == (2, 3)).await;
}

#[tokio::test]
async fn while_the_issuer_is_down_an_unknown_key_id_is_no_bad_token() {
    let (issuer, verifier) = setup().await;
    verifier.verify(&token(&issuer)).await.unwrap();
    issuer.rotate_keys().unwrap();
    issuer.set_fault(Fault::KeySetDown);
    unavailable(verifier.verify(&token(&issuer)).await);
    tokio::time::pause();
    for _ in 0..100 {
        unavailable(verifier.verify(&token(&issuer)).await);
    }
    tokio::time::resume();
    assert_eq!(issuer.key_set_fetches(), 2);
    issuer.set_fault(None);
    pass(SECOND).await;
    verifier.verify(&token(&issuer)).await.unwrap();
}

#[tokio::test]
async fn an_outage_at_the_start_is_unavailable_and_ends_without_a_restart() {
    let (issuer, verifier) = setup().await;
    issuer.set_fault(Fault::Down);
    assert_eq!(unavailable(verifier.verify(&token(&issuer)).await).1, SECOND);
    tokio::time::pause();
    for _ in 0..100 {
        let (_, retry_after) = unavailable(verifier.verify(&token(&issuer)).await);
        assert!(retry_after <= SECOND);
    }
    tokio::time::resume();
    assert_eq!(issuer.metadata_fetches(), 1, "the failure is remembered");
    pass(SECOND).await;
    assert_eq!(unavailable(verifier.verify(&token(&issuer)).await).1, 2 * SECOND);
    assert_eq!(issuer.metadata_fetches(), 2);
    issuer.set_fault(None);
    pass(2 * SECOND).await;
    verifier.verify(&token(&issuer)).await.unwrap();
}

#[tokio::test]
async fn an_issuer_that_refuses_connections_is_unavailable() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let issuer = Issuer::start().await.unwrap();
    let token = issuer.token().audience(RESOURCE).claim("iss", url.as_str()).sign();
    let (error, _) = unavailable(verifier(AuthorizationServer::new(&url).unwrap()).verify(&token).await);
    assert!(matches!(error, AuthorizationServerError::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn each_fault_of_the_issuer_is_unavailable_and_says_why() {
    for (fault, expected) in [
        (Fault::Down, "answered with status 503"),
        (Fault::KeySetDown, "/jwks` answered with status 503"),
        (Fault::Slow, "did not answer completely within 100ms"),
        (Fault::WrongIssuer, "says that its issuer is"),
        (Fault::NoKeySet, "its metadata has no `jwks_uri`"),
        (Fault::HugeMetadata, "more than 1048576 bytes"),
        (Fault::HugeKeySet, "/jwks` answered with more than 2097152 bytes"),
        (Fault::MetadataRedirect, "answered with status 307"),
        (Fault::KeySetRedirect, "/jwks` answered with status 307"),
        (Fault::NotJson, "cannot be used: it is not a JSON object"),
    ] {
        let issuer = Issuer::start().await.unwrap();
        issuer.set_fault(fault);
        let deadline = if fault == Fault::Slow {
            Duration::from_millis(100)
        } else {
            30 * SECOND
        };
        let server = AuthorizationServer::builder(issuer.url())
            .fetch_deadline(deadline)
            .build()
            .unwrap();
        let (error, _) = unavailable(verifier(server).verify(&token(&issuer)).await);
        assert!(error.to_string().contains(expected), "{fault:?}: {error}");
    }
}

#[tokio::test]
async fn broken_entries_of_a_key_set_do_not_hurt_the_good_ones() {
    let (issuer, verifier) = setup().await;
    issuer.set_fault(Fault::MalformedKeys);
    verifier.verify(&token(&issuer)).await.unwrap();
    verifier
        .verify(&issuer.token().rs256().audience(RESOURCE).sign())
        .await
        .unwrap();
}

#[tokio::test]
async fn one_broken_issuer_does_not_hurt_another() {
    let (broken, healthy) = (Issuer::start().await.unwrap(), Issuer::start().await.unwrap());
    broken.set_fault(Fault::Slow);
    let verifier = AccessTokenVerifier::builder(RESOURCE)
        .authorization_server(broken.authorization_server().unwrap())
        .authorization_server(healthy.authorization_server().unwrap())
        .build()
        .unwrap();
    let waiting = tokio::spawn({
        let (verifier, token) = (verifier.clone(), token(&broken));
        async move { verifier.verify(&token).await }
    });
    verifier.verify(&token(&healthy)).await.unwrap();
    assert!(!waiting.is_finished());
    waiting.abort();
}

#[tokio::test]
async fn a_cancelled_first_request_does_not_cancel_the_fetch() {
    let (issuer, verifier) = setup().await;
    let first = tokio::spawn({
        let (verifier, token) = (verifier.clone(), token(&issuer));
        async move { verifier.verify(&token).await }
    });
    while issuer.metadata_fetches() == 0 {
        tokio::task::yield_now().await;
    }
    first.abort();
    verifier.verify(&token(&issuer)).await.unwrap();
    assert_eq!((issuer.metadata_fetches(), issuer.key_set_fetches()), (1, 1));
}
