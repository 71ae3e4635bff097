//! What an operator may change about the tokens of one issuer, with real signatures.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::time::{Duration, UNIX_EPOCH};

use mcp_auth::{
    AccessTokenVerifier, Algorithm, AuthInfo, AuthorizationServer, AuthorizationServerBuilder, BearerToken,
    InvalidToken, ScopeClaim, VerifyError,
    testing::{Issuer, TokenBuilder},
};
use serde_json::{Value, json};

const RESOURCE: &str = "http://localhost:3001";

/// Configured claims, the token's claims, and its scopes or the claim that is wrong.
type ScopeCase = (
    &'static [ScopeClaim],
    Value,
    Result<&'static [&'static str], &'static str>,
);

type Change = fn(AuthorizationServerBuilder) -> AuthorizationServerBuilder;

fn verifier(
    issuer: &Issuer,
    change: impl FnOnce(AuthorizationServerBuilder) -> AuthorizationServerBuilder,
) -> AccessTokenVerifier {
    let server = change(AuthorizationServer::builder(issuer.url())).build().unwrap();
    AccessTokenVerifier::builder(RESOURCE)
        .authorization_server(server)
        .build()
        .unwrap()
}

fn good(issuer: &Issuer) -> TokenBuilder {
    issuer.token().audience(RESOURCE)
}

async fn verify(verifier: &AccessTokenVerifier, token: &BearerToken) -> Result<AuthInfo, InvalidToken> {
    match verifier.verify(token).await {
        Ok(caller) => Ok(caller),
        Err(VerifyError::Invalid(invalid)) => Err(invalid),
        Err(VerifyError::Unavailable(error, _)) => panic!("{error}"),
    }
}

#[tokio::test]
async fn every_algorithm_verifies_and_a_changed_signature_does_not() {
    let (issuer, stranger) = (Issuer::start().await.unwrap(), Issuer::start().await.unwrap());
    let verifier = verifier(&issuer, |builder| builder);
    for algorithm in Algorithm::ALL {
        let token = good(&issuer).algorithm(algorithm).subject(algorithm.name());
        let caller = verify(&verifier, &token.sign()).await;
        assert_eq!(caller.unwrap().subject(), algorithm.name());

        let (_, signature) = token
            .sign()
            .dangerous_raw_token()
            .rsplit_once('.')
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .unwrap();
        let other_claims = token.clone().subject("admin").sign();
        let (signing_input, _) = other_claims.dangerous_raw_token().rsplit_once('.').unwrap();
        let swapped = BearerToken::new(format!("{signing_input}.{signature}"));
        assert_eq!(
            verify(&verifier, &swapped).await,
            Err(InvalidToken::Signature),
            "{algorithm}"
        );

        let forged = token.forged_by(&stranger).sign();
        assert_eq!(
            verify(&verifier, &forged).await,
            Err(InvalidToken::Signature),
            "{algorithm}"
        );
    }
}

#[tokio::test]
async fn both_names_of_eddsa_are_one_algorithm() {
    let issuer = Issuer::start().await.unwrap();
    let verifier = verifier(&issuer, |builder| builder.algorithms([Algorithm::EdDsa]));
    let token = good(&issuer).algorithm(Algorithm::EdDsa).header("alg", "Ed25519");
    verify(&verifier, &token.sign()).await.unwrap();
}

#[tokio::test]
async fn the_header_never_chooses_what_a_key_is_used_for() {
    let issuer = Issuer::start().await.unwrap();
    let verifier = verifier(&issuer, |builder| builder);
    for signed in Algorithm::ALL {
        for claimed in Algorithm::ALL.into_iter().filter(|claimed| *claimed != signed) {
            let token = good(&issuer).algorithm(signed).header("alg", claimed.name()).sign();
            assert_eq!(
                verify(&verifier, &token).await,
                Err(InvalidToken::KeyForOtherAlgorithm),
                "{signed} {claimed}"
            );
        }
    }
}

#[tokio::test]
async fn an_issuer_may_use_only_its_algorithms() {
    let issuer = Issuer::start().await.unwrap();
    for allowed in Algorithm::ALL {
        let verifier = verifier(&issuer, |builder| builder.algorithms([allowed]));
        for algorithm in Algorithm::ALL {
            let expected = (algorithm != allowed).then_some(InvalidToken::Algorithm);
            let token = good(&issuer).algorithm(algorithm).sign();
            assert_eq!(verify(&verifier, &token).await.err(), expected, "{allowed} {algorithm}");
        }
    }
}

#[tokio::test]
async fn at_jwt_can_be_demanded() {
    let issuer = Issuer::start().await.unwrap();
    let verifier = verifier(&issuer, AuthorizationServerBuilder::require_at_jwt);
    let good = || good(&issuer);
    for (what, token, expected) in [
        ("complete", good(), None),
        ("long typ", good().header("typ", "application/AT+jwt"), None),
        ("nonce", good().claim("nonce", "n"), None),
        ("no typ", good().without_header("typ"), Some(InvalidToken::Type)),
        ("JWT", good().header("typ", "JWT"), Some(InvalidToken::Type)),
        (
            "client_id",
            good().without_claim("client_id"),
            Some(InvalidToken::MissingClaim("client_id")),
        ),
        (
            "azp is not enough",
            good().without_claim("client_id").claim("azp", "a"),
            Some(InvalidToken::MissingClaim("client_id")),
        ),
        (
            "iat",
            good().without_claim("iat"),
            Some(InvalidToken::MissingClaim("iat")),
        ),
        (
            "jti",
            good().without_claim("jti"),
            Some(InvalidToken::MissingClaim("jti")),
        ),
    ] {
        assert_eq!(verify(&verifier, &token.sign()).await.err(), expected, "{what}");
    }
}

#[tokio::test]
async fn scopes_come_from_the_first_configured_claim_that_is_there() {
    use ScopeClaim::{Permissions, Scope, Scopes, Scp};
    let issuer = Issuer::start().await.unwrap();
    let none: &[&str] = &[];
    let cases: [ScopeCase; 13] = [
        (&[Scope], json!({"scope": "a b"}), Ok(&["a", "b"])),
        (&[Scope], json!({"scope": ["a", "b"]}), Ok(&["a", "b"])),
        (
            &[Scope],
            json!({"scp": "a", "scopes": ["b"], "permissions": ["c"]}),
            Ok(none),
        ),
        (&[Scp], json!({"scp": "a b", "scope": "c"}), Ok(&["a", "b"])),
        (&[Scp], json!({"scp": ["a"]}), Ok(&["a"])),
        (&[Scopes], json!({"scopes": ["a"]}), Ok(&["a"])),
        (&[Permissions], json!({"scope": "a", "permissions": ["c"]}), Ok(&["c"])),
        (&[Scope, Scp], json!({"scope": "a", "scp": "b"}), Ok(&["a"])),
        (&[Scope, Scp], json!({"scope": "", "scp": "b"}), Ok(none)),
        (&[Scope, Scp], json!({"scp": "b"}), Ok(&["b"])),
        (&[Scp], json!({"scp": 7}), Err("scp")),
        (&[Scopes], json!({"scopes": null}), Err("scopes")),
        (&[Permissions], json!({"permissions": ["a b"]}), Err("permissions")),
    ];
    for (claims, members, expected) in cases {
        let verifier = verifier(&issuer, |builder| builder.scope_claims(claims.iter().copied()));
        let mut token = good(&issuer);
        for (name, value) in members.as_object().unwrap() {
            token = token.claim(name, value.clone());
        }
        let found = verify(&verifier, &token.sign()).await;
        match expected {
            Ok(scopes) => assert_eq!(found.unwrap().scopes(), scopes, "{claims:?} {members}"),
            Err(name) => assert_eq!(found, Err(InvalidToken::ClaimType(name)), "{claims:?} {members}"),
        }
    }
}

#[tokio::test]
async fn the_client_is_the_first_of_its_four_claims() {
    let issuer = Issuer::start().await.unwrap();
    let verifier = verifier(&issuer, |builder| builder);
    for (claims, expected) in [
        (
            json!({"client_id": "a", "azp": "b", "cid": "c", "appid": "d"}),
            Some("a"),
        ),
        (json!({"azp": "b", "cid": "c", "appid": "d"}), Some("b")),
        (json!({"cid": "c", "appid": "d"}), Some("c")),
        (json!({"appid": "d"}), Some("d")),
        // A company of that number, not a client.
        (json!({"client_id": "a", "cid": 7}), Some("a")),
        (json!({}), None),
    ] {
        let mut token = good(&issuer).without_claim("client_id");
        for (name, value) in claims.as_object().unwrap() {
            token = token.claim(name, value.clone());
        }
        assert_eq!(
            verify(&verifier, &token.sign()).await.unwrap().client_id(),
            expected,
            "{claims}"
        );
    }
}

#[tokio::test]
async fn leeway_moves_every_time_check() {
    let issuer = Issuer::start().await.unwrap();
    let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
    let token = good(&issuer)
        .claim("iat", 1000)
        .claim("nbf", 1000)
        .expires_at(at(2000))
        .sign();
    let ten: Change = |builder| builder.leeway(Duration::from_secs(10));
    let none: Change = |builder| builder.leeway(Duration::ZERO);
    for (change, now, expected) in [
        (ten, 989, Some(InvalidToken::NotYetValid)),
        (ten, 990, None),
        (ten, 2009, None),
        (ten, 2010, Some(InvalidToken::Expired)),
        (none, 999, Some(InvalidToken::NotYetValid)),
        (none, 1000, None),
        (none, 1999, None),
        (none, 2000, Some(InvalidToken::Expired)),
    ] {
        let server = change(AuthorizationServer::builder(issuer.url())).build().unwrap();
        let verifier = AccessTokenVerifier::builder(RESOURCE)
            .authorization_server(server)
            .clock(move || at(now))
            .build()
            .unwrap();
        assert_eq!(verify(&verifier, &token).await.err(), expected, "{now}");
    }
}
