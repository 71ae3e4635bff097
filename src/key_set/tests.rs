#![allow(clippy::unwrap_used, reason = "tests")]

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::*;

/// A good entry with some members replaced; `null` removes one.
fn with(mut good: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => good.as_object_mut().unwrap().remove(name),
            value => good.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    good
}

fn encode(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn ec() -> Value {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let (x, y) = pair.public_key().as_ref().get(1..).unwrap().split_at(32);
    json!({"kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y), "kid": "ec", "use": "sig", "alg": "ES256"})
}

fn p384() -> Value {
    let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
    let (x, y) = pair.public_key().as_ref().get(1..).unwrap().split_at(48);
    json!({"kty": "EC", "crv": "P-384", "x": encode(x), "y": encode(y), "kid": "p384"})
}

fn ed() -> Value {
    let pair = Ed25519KeyPair::generate().unwrap();
    json!({"kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref()), "kid": "ed"})
}

fn rsa() -> Value {
    json!({"kty": "RSA", "n": encode(&[0xC3; 256]), "e": "AQAB", "kid": "rsa", "key_ops": ["verify"]})
}

fn parsed(keys: Value) -> KeySet {
    KeySet::parse("https://as.example.com", json!({"keys": keys}).to_string().as_bytes()).unwrap()
}

#[test]
fn each_unusable_entry_is_left_out_and_the_rest_stays() {
    let unusable = [
        json!(null),
        json!([]),
        json!({}),
        json!({"kty": "oct", "k": "c2VjcmV0", "alg": "HS256"}),
        json!({"kty": "OKP", "crv": "Ed25519", "x": "AA"}),
        json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA"}),
        with(ed(), json!({"x": encode(&[0; 32])})),
        with(ed(), json!({"x": encode(&[0xff; 32])})),
        with(ed(), json!({"crv": "Ed448"})),
        with(ed(), json!({"crv": "X25519"})),
        with(ed(), json!({"kty": "EC"})),
        with(ed(), json!({"d": encode(&[1; 32])})),
        with(ed(), json!({"alg": "ES256"})),
        with(p384(), json!({"alg": "ES256"})),
        with(p384(), json!({"alg": "ES512"})),
        with(p384(), json!({"crv": "P-256"})),
        with(p384(), json!({"crv": "P-521"})),
        with(p384(), json!({"x": encode(&[1; 48])})),
        with(rsa(), json!({"kty": 1})),
        with(rsa(), json!({"d": "AQAB"})),
        with(rsa(), json!({"use": "enc"})),
        with(rsa(), json!({"use": ["sig"]})),
        with(rsa(), json!({"key_ops": ["encrypt"]})),
        with(rsa(), json!({"key_ops": "verify"})),
        with(rsa(), json!({"alg": "RSA-OAEP"})),
        with(rsa(), json!({"alg": "HS256"})),
        with(rsa(), json!({"alg": "none"})),
        with(rsa(), json!({"alg": "ES256"})),
        with(rsa(), json!({"kid": 7})),
        with(rsa(), json!({"n": null})),
        with(rsa(), json!({"n": "+/"})),
        with(rsa(), json!({"n": encode(&[0xC3; 255])})),
        with(rsa(), json!({"n": encode(&[[0x7f].as_slice(), &[0xC3; 255]].concat())})),
        with(
            rsa(),
            json!({"n": encode(&[[0x01].as_slice(), &[0xC3; 1024]].concat())}),
        ),
        with(rsa(), json!({"n": encode(&[0xC3; 1025])})),
        with(rsa(), json!({"n": encode(&[0xC2; 256])})),
        with(rsa(), json!({"e": encode(&[0])})),
        with(rsa(), json!({"e": encode(&[1])})),
        with(rsa(), json!({"e": encode(&[0, 0, 1])})),
        with(rsa(), json!({"e": encode(&[2])})),
        with(rsa(), json!({"e": encode(&[255, 255, 255, 255, 255])})),
        with(ec(), json!({"crv": "P-384"})),
        with(ec(), json!({"crv": "secp256k1"})),
        with(ec(), json!({"x": encode(&[1; 31])})),
        with(ec(), json!({"x": encode(&[1; 32])})),
        with(ec(), json!({"x": encode(&[0; 32]), "y": encode(&[0; 32])})),
        with(ec(), json!({"y": null})),
        with(ec(), json!({"d": encode(&[1; 32])})),
        with(ec(), json!({"alg": "RS256"})),
    ];
    for entry in unusable {
        let set = parsed(json!([entry.clone(), rsa(), entry.clone(), ec()]));
        assert_eq!(set.keys.len(), 2, "{entry}");
    }
    for name in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        for key in [rsa(), ec(), ed()] {
            let private = with(key, json!({ name: "AQAB" }));
            assert_eq!(parsed(json!([private])).keys.len(), 0, "{private}");
        }
    }
    let duplicate = r#"{"keys":[{"kty":"RSA","kty":"EC"}]}"#;
    assert!(
        KeySet::parse("https://as.example.com", duplicate.as_bytes())
            .unwrap()
            .keys
            .is_empty()
    );
}

#[test]
fn usual_variations_of_a_key_are_accepted() {
    let with_zero = [[0].as_slice(), &[0xC3; 256]].concat();
    for entry in [
        rsa(),
        ec(),
        with(rsa(), json!({"kid": null, "key_ops": null})),
        with(rsa(), json!({"n": encode(&with_zero), "e": encode(&[0, 1, 0, 1])})),
        with(rsa(), json!({"n": encode(&[0xC3; 1024])})),
        with(rsa(), json!({"e": encode(&[3])})),
        with(rsa(), json!({"alg": "RS512"})),
        p384(),
        with(p384(), json!({"alg": "ES384"})),
        ed(),
        with(ed(), json!({"alg": "EdDSA"})),
        with(ed(), json!({"alg": "Ed25519"})),
        with(
            ec(),
            json!({"use": null, "alg": null, "x5c": ["AA"], "x_unknown": {"a": 1}}),
        ),
    ] {
        assert_eq!(parsed(json!([entry.clone()])).keys.len(), 1, "{entry}");
    }
}

#[test]
fn a_document_that_is_no_key_set_is_an_error() {
    for document in [
        "",
        "null",
        "[]",
        "{}",
        r#"{"keys":{}}"#,
        r#"{"keys":null}"#,
        r#"{"keys":[],"keys":[]}"#,
        "<html>",
    ] {
        assert!(
            KeySet::parse("https://as.example.com", document.as_bytes()).is_err(),
            "{document}"
        );
    }
    assert!(parsed(json!([])).keys.is_empty());
}

#[test]
fn a_key_is_chosen_by_id_and_algorithm() {
    let set = parsed(json!([
        rsa(),
        ec(),
        with(ec(), json!({"kid": "ec-2"})),
        with(ec(), json!({"kid": "ec-2"}))
    ]));
    let found = |kid, algorithm| match set.candidates(kid, algorithm) {
        Candidates::Keys(keys) => format!("{} keys", keys.len()),
        other => format!("{other:?}"),
    };
    for (kid, algorithm, expected) in [
        (Some("rsa"), Algorithm::Rs256, "1 keys"),
        (Some("ec"), Algorithm::Es256, "1 keys"),
        (Some("ec-2"), Algorithm::Es256, "2 keys"),
        (Some("rsa"), Algorithm::Es256, "OtherAlgorithm"),
        (Some("other"), Algorithm::Es256, "Unknown"),
        (Some(""), Algorithm::Es256, "Unknown"),
        (None, Algorithm::Rs256, "1 keys"),
        (None, Algorithm::Es256, "Ambiguous"),
    ] {
        assert_eq!(found(kid, algorithm), expected, "{kid:?} {algorithm}");
    }
}

#[test]
fn a_key_is_for_the_algorithms_of_its_kind_and_its_alg() {
    use Algorithm as A;
    let rsa_algorithms = [A::Rs256, A::Rs384, A::Rs512, A::Ps256, A::Ps384, A::Ps512];
    for (entry, allowed) in [
        (rsa(), &rsa_algorithms[..]),
        (with(rsa(), json!({"alg": "PS384"})), &[A::Ps384]),
        (with(rsa(), json!({"alg": "RS256"})), &[A::Rs256]),
        (ec(), &[A::Es256]),
        (with(ec(), json!({"alg": null})), &[A::Es256]),
        (p384(), &[A::Es384]),
        (ed(), &[A::EdDsa]),
    ] {
        let set = parsed(json!([entry.clone()]));
        for algorithm in Algorithm::ALL {
            let expected = allowed.contains(&algorithm);
            assert_eq!(set.keys[0].is_for(algorithm), expected, "{entry} {algorithm}");
        }
    }
}
