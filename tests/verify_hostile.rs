//! Tokens that nobody makes by mistake.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

use aws_lc_rs::hmac;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use mcp_auth::{
    AccessTokenVerifier, AuthorizationServerError, BearerToken, InvalidToken, VerifyError,
    testing::{Issuer, TokenBuilder},
};
use serde_json::json;

const RESOURCE: &str = "http://localhost:3001";

async fn setup() -> (Issuer, AccessTokenVerifier) {
    let issuer = Issuer::start().await.unwrap();
    let server = issuer.authorization_server().unwrap();
    let verifier = AccessTokenVerifier::builder(RESOURCE)
        .authorization_server(server)
        .build()
        .unwrap();
    (issuer, verifier)
}

fn good(issuer: &Issuer) -> TokenBuilder {
    issuer.token().audience(RESOURCE)
}

async fn refused(verifier: &AccessTokenVerifier, token: impl Into<String>) -> InvalidToken {
    match verifier.verify(&BearerToken::new(token)).await {
        Err(VerifyError::Invalid(invalid)) => invalid,
        // A changed key id may be that of a new key, and the keys are not fetched again for each.
        Err(VerifyError::Unavailable(AuthorizationServerError::FetchedTooRecently { .. }, _)) => {
            InvalidToken::UnknownKey
        }
        Err(VerifyError::Unavailable(error, _)) => panic!("{error}"),
        Ok(caller) => panic!("accepted: {caller:?}"),
    }
}

fn encode(text: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(text)
}

#[tokio::test]
async fn every_changed_character_is_refused() {
    let (issuer, verifier) = setup().await;
    for token in [good(&issuer).sign(), good(&issuer).rs256().sign()] {
        let token = token.dangerous_raw_token();
        for (at, old) in token.char_indices() {
            // The next letter of the alphabet changes the lowest bit, which for a last letter may be an unused one.
            let next = char::from_u32(u32::from(old) + 1).unwrap();
            for new in [next, 'A', '.', '=', '+', ' ', 'é'] {
                if new != old {
                    refused(&verifier, format!("{}{new}{}", &token[..at], &token[at + 1..])).await;
                }
            }
        }
    }
    assert_eq!(issuer.metadata_fetches(), 1);
}

#[tokio::test]
async fn every_truncation_and_extension_is_refused() {
    let (issuer, verifier) = setup().await;
    let token = good(&issuer).sign();
    let token = token.dangerous_raw_token();
    for end in 0..token.len() {
        refused(&verifier, &token[..end]).await;
    }
    for extra in [
        ".",
        "A",
        "AA",
        "AAAA",
        "=",
        "==",
        " ",
        "\n",
        "\0",
        ".AAAA",
        ".AAAA.AAAA",
    ] {
        refused(&verifier, format!("{token}{extra}")).await;
        refused(&verifier, format!("{extra}{token}")).await;
    }
}

#[tokio::test]
async fn nothing_but_three_parts_of_base64url_is_read() {
    let (issuer, verifier) = setup().await;
    for token in [
        "",
        ".",
        "a.b",
        "a.b.c",
        "...",
        "....",
        "opaque-token",
        "e30.e30.",
        "e30=.e30.AA",
        "e30.e30.A",
        "e30.e30.AB",
    ] {
        assert_eq!(refused(&verifier, token).await, InvalidToken::NotCompact, "{token}");
    }
    for token in ["e30..AA", ".e30.AA", "e30.e30.AA"] {
        assert_eq!(refused(&verifier, token).await, InvalidToken::BadHeader, "{token}");
    }
    // The signed text in its other two forms (RFC 7515 section 7.2), where a header may stand outside of the signature.
    let signed = good(&issuer).sign();
    let parts: Vec<_> = signed.dangerous_raw_token().split('.').collect();
    let signature = json!({"protected": parts[0], "header": {"alg": "none"}, "signature": parts[2]});
    let mut flattened = signature.clone();
    flattened["payload"] = json!(parts[1]);
    for form in [flattened, json!({"payload": parts[1], "signatures": [signature]})] {
        assert_eq!(refused(&verifier, form.to_string()).await, InvalidToken::NotCompact);
    }
    let jwe = format!(
        "{}.AAAA.AAAA.AAAA.AAAA",
        encode(r#"{"alg":"RSA-OAEP","enc":"A256GCM","zip":"DEF"}"#)
    );
    assert_eq!(refused(&verifier, jwe).await, InvalidToken::NotCompact);
    for huge in ["A".repeat(10 << 20), ".".repeat(10 << 20)] {
        assert_eq!(refused(&verifier, huge).await, InvalidToken::TooLong);
    }
    assert_eq!(issuer.metadata_fetches(), 0);
}

#[tokio::test]
async fn duplicate_members_are_refused_although_signed() {
    let (issuer, verifier) = setup().await;
    let header = r#"{"alg":"ES256","kid":"es256-0"}"#;
    let claims = format!(
        r#""iss":"{}","sub":"alice","aud":"{RESOURCE}","exp":4102444800"#,
        issuer.url()
    );
    let sign = |header: &str, claims: &str| issuer.sign_raw(header, claims).dangerous_raw_token().to_owned();
    assert!(
        verifier
            .verify(&issuer.sign_raw(header, &format!("{{{claims}}}")))
            .await
            .is_ok()
    );

    for twice in [
        r#","sub":"admin""#,
        r#","s\u0075b":"admin""#,
        r#","x":{"a":1,"a":1}"#,
        r#","exp":4102444801"#,
    ] {
        let token = sign(header, &format!("{{{claims}{twice}}}"));
        assert_eq!(refused(&verifier, token).await, InvalidToken::BadClaims, "{twice}");
    }
    for header in [
        r#"{"alg":"none","alg":"ES256"}"#,
        r#"{"alg":"ES256","alg":"ES256"}"#,
        "[]",
        "",
        "\"ES256\"",
        "{",
    ] {
        let token = sign(header, &format!("{{{claims}}}"));
        assert_eq!(refused(&verifier, token).await, InvalidToken::BadHeader, "{header}");
    }
    for claims in ["[]", "", "null", "{", "\u{feff}{}", &format!("{{{claims}}}{{}}")] {
        assert_eq!(
            refused(&verifier, sign(header, claims)).await,
            InvalidToken::BadClaims,
            "{claims}"
        );
    }
}

#[tokio::test]
async fn no_signature_and_foreign_signatures_are_refused() {
    let (issuer, verifier) = setup().await;
    let token = good(&issuer).sign();
    let (signing_input, _) = token.dangerous_raw_token().rsplit_once('.').unwrap();
    let payload = signing_input.split_once('.').unwrap().1;

    for header in [r#"{"alg":"none"}"#, r#"{"alg":"ES256"}"#] {
        let unsigned = format!("{}.{payload}.", encode(header));
        assert_eq!(refused(&verifier, unsigned).await, InvalidToken::NotCompact);
    }
    // r = s = 0, the signature that some libraries took for valid over everything.
    for signature in [[0; 64].as_slice(), &[0; 63], &[0xff; 64], &[0; 1], &[0; 1000]] {
        let forged = format!("{signing_input}.{}", encode(signature));
        assert_eq!(refused(&verifier, forged).await, InvalidToken::Signature);
    }
    // The public key as HMAC secret.
    let published = reqwest::get(format!("{}/jwks", issuer.url()))
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    let input = format!("{}.{payload}", encode(r#"{"alg":"HS256","typ":"JWT","kid":"es256-0"}"#));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &published), input.as_bytes());
    assert_eq!(
        refused(&verifier, format!("{input}.{}", encode(tag))).await,
        InvalidToken::Algorithm
    );
}

#[tokio::test]
async fn keys_inside_the_token_are_never_used_or_fetched() {
    let (issuer, verifier) = setup().await;
    let attacker = Issuer::start().await.unwrap();
    let own_keys: serde_json::Value = serde_json::from_slice(
        &reqwest::get(format!("{}/jwks", attacker.url()))
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap(),
    )
    .unwrap();
    let before = attacker.key_set_fetches();
    let forged = good(&issuer).forged_by(&attacker);
    for (name, value) in [
        ("jwk", own_keys["keys"][0].clone()),
        ("jku", json!(format!("{}/jwks", attacker.url()))),
        ("x5u", json!(format!("{}/jwks", attacker.url()))),
        ("x5c", json!(["AAAA"])),
        ("kid", json!(format!("{}/jwks", attacker.url()))),
        ("kid", json!("../../../../dev/null")),
    ] {
        refused(
            &verifier,
            forged.clone().header(name, value).sign().dangerous_raw_token(),
        )
        .await;
    }
    assert_eq!(attacker.key_set_fetches(), before);
}

#[tokio::test]
async fn nothing_prints_the_token() {
    let (issuer, verifier) = setup().await;
    let token = good(&issuer)
        .subject("secret-subject")
        .claim("email", "secret@example.com")
        .audience("x")
        .sign();
    let error = verifier.verify(&token).await.unwrap_err();
    let printed = format!("{error} {error:?} {token:?} {verifier:?} {issuer:?}");
    for part in token.dangerous_raw_token().split('.').chain(["secret"]) {
        assert!(!printed.contains(part), "{printed}");
    }
}
