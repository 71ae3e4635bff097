//! One wrong thing about a token at a time, and what the answer is.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mcp_auth::{
    AccessTokenVerifier, AuthInfo, AuthorizationServer, BearerToken, InvalidToken, VerifyError,
    testing::{Issuer, TokenBuilder},
};
use serde_json::json;

const RESOURCE: &str = "http://localhost:3001";

fn verifier(issuer: &Issuer) -> AccessTokenVerifier {
    AccessTokenVerifier::builder(RESOURCE)
        .authorization_server(issuer.authorization_server().unwrap())
        .build()
        .unwrap()
}

fn good(issuer: &Issuer) -> TokenBuilder {
    issuer
        .token()
        .subject("alice")
        .audience(RESOURCE)
        .scopes(["create:todos"])
}

fn in_seconds(seconds: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    i64::try_from(now).unwrap() + seconds
}

async fn rejection(verifier: &AccessTokenVerifier, token: &BearerToken) -> Result<AuthInfo, InvalidToken> {
    match verifier.verify(token).await {
        Ok(caller) => Ok(caller),
        Err(VerifyError::Invalid(invalid)) => Err(invalid),
        Err(VerifyError::Unavailable(error, _)) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_good_token_gives_its_facts() {
    let issuer = Issuer::start().await.unwrap();
    for token in [good(&issuer), good(&issuer).rs256()] {
        let expires_at = UNIX_EPOCH + Duration::from_secs(in_seconds(60).try_into().unwrap());
        let token = token
            .scopes(["create:todos", "read:todos"])
            .expires_at(expires_at)
            .claim("roles", json!(["admin"]));
        let caller = verifier(&issuer).verify(&token.sign()).await.unwrap();
        assert_eq!(caller.issuer(), issuer.url());
        assert_eq!(caller.subject(), "alice");
        assert_eq!(caller.client_id(), Some("test-client"));
        assert_eq!(caller.scopes(), ["create:todos", "read:todos"]);
        assert_eq!(caller.audience(), [RESOURCE]);
        assert_eq!(caller.expires_at(), Some(expires_at));
        assert_eq!(caller.claims()["roles"], json!(["admin"]));
    }
}

#[tokio::test]
async fn usual_variations_of_a_token_are_accepted() {
    let issuer = Issuer::start().await.unwrap();
    let verifier = verifier(&issuer);
    for (what, token) in [
        ("no typ", good(&issuer).without_header("typ")),
        ("typ JWT", good(&issuer).header("typ", "jwt")),
        ("long typ", good(&issuer).header("typ", "Application/AT+JWT")),
        ("no kid, one key fits", good(&issuer).without_header("kid")),
        (
            "a key in the header, not looked at",
            good(&issuer).header("jku", "https://evil.example/keys"),
        ),
        ("slash after the host", good(&issuer).audience("http://localhost:3001/")),
        (
            "several audiences",
            good(&issuer).claim("aud", json!(["https://other.example", RESOURCE])),
        ),
        ("no scope", good(&issuer).without_claim("scope")),
        ("empty scope", good(&issuer).claim("scope", "")),
        ("scope as array", good(&issuer).claim("scope", json!(["a", "b:c"]))),
        (
            "nbf and iat within the skew",
            good(&issuer).claim("nbf", in_seconds(20)).claim("iat", in_seconds(20)),
        ),
        (
            "fraction of a second",
            good(&issuer).claim("exp", json!(4_102_444_800.5)),
        ),
        (
            "no iat",
            good(&issuer)
                .without_claim("iat")
                .without_claim("jti")
                .without_claim("client_id"),
        ),
        ("nonce in an access token", good(&issuer).claim("nonce", "n")),
    ] {
        rejection(&verifier, &token.sign())
            .await
            .unwrap_or_else(|invalid| panic!("{what}: {invalid}"));
    }
}

#[tokio::test]
async fn each_rejection_has_its_reason() {
    use InvalidToken as No;
    let issuer = Issuer::start().await.unwrap();
    let stranger = Issuer::start().await.unwrap();
    let verifier = verifier(&issuer);
    let good = || good(&issuer);
    let malformed = "invalid_token";

    // One row each, so that the table can be read as one.
    #[rustfmt::skip]
    let cases = [
        ("expired now", good().claim("exp", in_seconds(0)), No::Expired, malformed),
        ("expired", good().claim("exp", in_seconds(-10)), No::Expired, malformed),
        ("exp 0", good().claim("exp", 0), No::Expired, malformed),
        ("no exp", good().without_claim("exp"), No::MissingClaim("exp"), malformed),
        ("exp text", good().claim("exp", "4102444800"), No::ClaimType("exp"), malformed),
        ("exp null", good().claim("exp", json!(null)), No::ClaimType("exp"), malformed),
        ("exp negative", good().claim("exp", -1), No::ClaimType("exp"), malformed),
        ("exp in milliseconds", good().claim("exp", 4_102_444_800_000_i64), No::ClaimType("exp"), malformed),
        ("exp without end", good().claim("exp", json!(1e300)), No::ClaimType("exp"), malformed),
        ("nbf ahead", good().claim("nbf", in_seconds(60)), No::NotYetValid, malformed),
        ("nbf text", good().claim("nbf", "1"), No::ClaimType("nbf"), malformed),
        ("iat ahead", good().claim("iat", in_seconds(60)), No::IssuedInTheFuture, malformed),
        ("iat bool", good().claim("iat", true), No::ClaimType("iat"), malformed),
        ("no sub", good().without_claim("sub"), No::MissingClaim("sub"), malformed),
        ("empty sub", good().subject(""), No::ClaimType("sub"), malformed),
        ("sub number", good().claim("sub", 7), No::ClaimType("sub"), malformed),
        ("no aud", good().without_claim("aud"), No::Audience, "invalid_audience"),
        ("no aud in list", good().claim("aud", json!([])), No::Audience, "invalid_audience"),
        ("other aud", good().audience("http://localhost:3002"), No::Audience, "invalid_audience"),
        ("longer aud", good().audience("http://localhost:3001/mcp"), No::Audience, "invalid_audience"),
        ("two slashes", good().audience("http://localhost:3001//"), No::Audience, "invalid_audience"),
        ("aud in capitals", good().audience("HTTP://localhost:3001"), No::Audience, "invalid_audience"),
        ("aud number", good().claim("aud", 1), No::ClaimType("aud"), malformed),
        ("aud mixed", good().claim("aud", json!([RESOURCE, 1])), No::ClaimType("aud"), malformed),
        ("no iss", good().without_claim("iss"), No::Issuer, "invalid_issuer"),
        ("iss number", good().claim("iss", 1), No::Issuer, "invalid_issuer"),
        ("iss list", good().claim("iss", json!([issuer.url()])), No::Issuer, "invalid_issuer"),
        ("iss with slash", good().claim("iss", format!("{}/", issuer.url())), No::Issuer, "invalid_issuer"),
        ("iss cut", good().claim("iss", &issuer.url()[..issuer.url().len() - 1]), No::Issuer, "invalid_issuer"),
        ("iss longer, not its signature", good().claim("iss", format!("{}/x", issuer.url())).forged_by(&stranger), No::Issuer, "invalid_issuer"),
        ("iss in capitals", good().claim("iss", issuer.url().to_uppercase()).forged_by(&stranger), No::Issuer, "invalid_issuer"),
        ("a stranger's token", stranger.token().audience(RESOURCE), No::Issuer, "invalid_issuer"),
        ("forged", good().forged_by(&stranger), No::Signature, malformed),
        ("unknown kid", good().header("kid", "other"), No::UnknownKey, malformed),
        ("kid number", good().header("kid", 1), No::BadHeader, malformed),
        ("kid of the RSA key", good().header("kid", "rs256-0"), No::KeyForOtherAlgorithm, malformed),
        ("RS256 with the EC key", good().header("alg", "RS256"), No::KeyForOtherAlgorithm, malformed),
        ("alg none", good().header("alg", "none"), No::Algorithm, malformed),
        ("alg NONE", good().header("alg", "NONE"), No::Algorithm, malformed),
        ("alg es256", good().header("alg", "es256"), No::Algorithm, malformed),
        ("alg HS256", good().header("alg", "HS256"), No::Algorithm, malformed),
        ("alg HS512", good().header("alg", "HS512"), No::Algorithm, malformed),
        ("alg ES256K", good().header("alg", "ES256K"), No::Algorithm, malformed),
        ("alg ES512", good().header("alg", "ES512"), No::Es512, "unsupported_algorithm"),
        ("alg number", good().header("alg", 1), No::BadHeader, malformed),
        ("no alg", good().without_header("alg"), No::BadHeader, malformed),
        ("crit", good().header("crit", json!(["exp"])), No::CriticalExtension, malformed),
        ("empty crit", good().header("crit", json!([])), No::CriticalExtension, malformed),
        ("typ dpop+jwt", good().header("typ", "dpop+jwt"), No::Type, malformed),
        ("typ logout+jwt", good().header("typ", "logout+jwt"), No::Type, malformed),
        ("empty typ", good().header("typ", ""), No::Type, malformed),
        ("typ list", good().header("typ", json!(["at+jwt"])), No::BadHeader, malformed),
        ("ID token", good().header("typ", "JWT").claim("nonce", "n"), No::IdToken, malformed),
        ("ID token without typ", good().without_header("typ").claim("at_hash", "h"), No::IdToken, malformed),
        ("ID token of the hybrid flow", good().header("typ", "JWT").claim("c_hash", "h"), No::IdToken, malformed),
        ("ID token by its use", good().header("typ", "JWT").claim("token_use", "id"), No::IdToken, malformed),
        ("cnf", good().claim("cnf", json!({"jkt": "x"})), No::SenderConstrained, malformed),
        ("cnf null", good().claim("cnf", json!(null)), No::SenderConstrained, malformed),
        ("scope number", good().claim("scope", 1), No::ClaimType("scope"), malformed),
        ("scope null", good().claim("scope", json!(null)), No::ClaimType("scope"), malformed),
        ("scope mixed", good().claim("scope", json!(["a", 1])), No::ClaimType("scope"), malformed),
        ("two scopes in one", good().claim("scope", json!(["a b"])), No::ClaimType("scope"), malformed),
        ("empty scope in list", good().claim("scope", json!([""])), No::ClaimType("scope"), malformed),
        ("tab in scope", good().claim("scope", "a\tb"), No::ClaimType("scope"), malformed),
        ("quote in scope", good().claim("scope", "a\"b"), No::ClaimType("scope"), malformed),
        ("client_id number", good().claim("client_id", 1), No::ClaimType("client_id"), malformed),
        ("empty client_id", good().claim("client_id", ""), No::ClaimType("client_id"), malformed),
        ("cid number", good().without_claim("client_id").claim("cid", 1), No::ClaimType("cid"), malformed),
        ("appid number", good().without_claim("client_id").claim("appid", 1), No::ClaimType("appid"), malformed),
        ("jti number", good().claim("jti", 1), No::ClaimType("jti"), malformed),
        ("azp number", good().claim("azp", 1), No::ClaimType("azp"), malformed),
        ("too long", good().claim("x", "x".repeat(16 * 1024)), No::TooLong, malformed),
    ];
    for (what, token, expected, reason) in cases {
        let invalid = rejection(&verifier, &token.sign()).await.expect_err(what);
        assert_eq!((invalid, invalid.reason()), (expected, reason), "{what}");
        let description = invalid.description();
        assert!(
            description
                .bytes()
                .all(|byte| (b' '..=b'~').contains(&byte) && byte != b'"' && byte != b'\\')
        );
    }
    assert_eq!(
        (stranger.metadata_fetches(), stranger.key_set_fetches()),
        (0, 0),
        "strangers are never asked"
    );
}

#[tokio::test]
async fn the_clock_decides_and_exp_has_no_leeway() {
    let issuer = Issuer::start().await.unwrap();
    let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
    let token = issuer
        .token()
        .audience(RESOURCE)
        .claim("iat", 1000)
        .claim("nbf", 1000)
        .expires_at(at(2000))
        .sign();
    for (now, expected) in [
        (at(969), Some(InvalidToken::NotYetValid)),
        (at(970), None),
        (at(1999), None),
        (at(2000), Some(InvalidToken::Expired)),
        (at(2001), Some(InvalidToken::Expired)),
    ] {
        let verifier = AccessTokenVerifier::builder(RESOURCE)
            .authorization_server(issuer.authorization_server().unwrap())
            .clock(move || now)
            .build()
            .unwrap();
        assert_eq!(rejection(&verifier, &token).await.err(), expected, "{now:?}");
    }
}

#[tokio::test]
async fn a_token_of_one_trusted_issuer_never_passes_with_the_keys_of_another() {
    let (first, second) = (Issuer::start().await.unwrap(), Issuer::start().await.unwrap());
    let verifier = AccessTokenVerifier::builder(RESOURCE)
        .authorization_server(first.authorization_server().unwrap())
        .authorization_server(second.authorization_server().unwrap())
        .build()
        .unwrap();
    for issuer in [&first, &second] {
        assert_eq!(
            verifier.verify(&good(issuer).sign()).await.unwrap().issuer(),
            issuer.url()
        );
    }
    let forged = good(&first).forged_by(&second).sign();
    assert_eq!(
        rejection(&verifier, &forged).await.unwrap_err(),
        InvalidToken::Signature
    );
}

#[tokio::test]
async fn the_audience_list_is_closed_and_exact() {
    let issuer = Issuer::start().await.unwrap();
    let verifier = AccessTokenVerifier::builder("http://localhost:3001/mcp")
        .authorization_server(issuer.authorization_server().unwrap())
        .additional_audience("todo-api")
        .build()
        .unwrap();
    for (audience, accepted) in [
        ("http://localhost:3001/mcp", true),
        ("todo-api", true),
        ("http://localhost:3001/mcp/", false),
        ("http://localhost:3001", false),
        ("todo-api/", false),
        ("", false),
    ] {
        let token = issuer.token().audience(audience).sign();
        assert_eq!(verifier.verify(&token).await.is_ok(), accepted, "{audience}");
    }
}

#[tokio::test]
async fn a_verifier_is_not_built_from_bad_settings() {
    let issuer = Issuer::start().await.unwrap();
    let server = || issuer.authorization_server().unwrap();
    let message = |resource: &str, servers: usize, audience: &str| {
        let mut builder = AccessTokenVerifier::builder(resource).additional_audience(audience);
        for _ in 0..servers {
            builder = builder.authorization_server(server());
        }
        builder.build().unwrap_err().to_string()
    };
    assert!(message("localhost:3001", 1, "a").starts_with("resource `localhost:3001` is not an absolute URL: write"));
    assert!(message(RESOURCE, 0, "a").contains("names no authorization server: add"));
    assert!(message(RESOURCE, 2, "a").contains("is configured twice"));
    assert!(message(RESOURCE, 1, "").contains("audience"));
    for (issuer, expected) in [
        (
            "http://as.example.com",
            "issuer `http://as.example.com` uses plain http: use https",
        ),
        (
            "https://as.example.com?tenant=1",
            "issuer `https://as.example.com?tenant=1` has a query: remove",
        ),
    ] {
        let message = AuthorizationServer::new(issuer).unwrap_err().to_string();
        assert!(message.starts_with(expected), "{message}");
    }
    let message = AuthorizationServer::builder("https://as.example.com")
        .algorithms([])
        .build()
        .unwrap_err()
        .to_string();
    assert!(message.contains("empty list of algorithms"));
    let settings = AuthorizationServer::builder("https://as.example.com");
    let message = settings.clone().scope_claims([]).build().unwrap_err().to_string();
    assert!(message.contains("empty list of scope claims"));
    let message = settings
        .leeway(Duration::from_secs(61))
        .build()
        .unwrap_err()
        .to_string();
    assert!(message.contains("more than 60 s"));
}
