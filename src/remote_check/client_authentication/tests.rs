use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa::{KeyPair as RsaKeyPair, KeySize},
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
    },
};
use jsonwebtoken::{DecodingKey, Validation};
use serde_json::Value;

use super::*;

const ISSUER: &str = "https://as.example.com";

fn pem(der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(64)
        .map(|line| str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        lines.join("\n")
    )
}

fn ec(curve: &'static aws_lc_rs::signature::EcdsaSigningAlgorithm) -> (String, DecodingKey) {
    let pair = EcdsaKeyPair::generate(curve).unwrap();
    let key = DecodingKey::from_ec_der(pair.public_key().as_ref());
    (pem(pair.to_pkcs8v1().unwrap().as_ref()), key)
}

fn ed() -> (String, DecodingKey) {
    let pair = Ed25519KeyPair::generate().unwrap();
    let key = DecodingKey::from_ed_der(pair.public_key().as_ref());
    (pem(pair.to_pkcs8v1().unwrap().as_ref()), key)
}

fn rsa() -> (String, DecodingKey) {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let public = pair.public_key();
    let (n, e) = (public.modulus(), public.exponent());
    let key =
        DecodingKey::from_rsa_raw_components(n.big_endian_without_leading_zero(), e.big_endian_without_leading_zero());
    let der: Pkcs8V1Der<'_> = pair.as_der().unwrap();
    (pem(der.as_ref()), key)
}

#[test]
fn private_key_jwt_is_an_assertion_for_the_issuer_and_never_the_same_twice() {
    let rsa = rsa();
    for (algorithm, (pem, public)) in [
        (Algorithm::Es256, ec(&ECDSA_P256_SHA256_FIXED_SIGNING)),
        (Algorithm::Es384, ec(&ECDSA_P384_SHA384_FIXED_SIGNING)),
        (Algorithm::EdDsa, ed()),
        (Algorithm::Rs256, rsa.clone()),
        (Algorithm::Ps512, rsa),
    ] {
        let client = ClientAuthentication::private_key_jwt("todo", Some("k1"), algorithm, pem.as_bytes()).unwrap();
        let assertion = || {
            let mut form = Serializer::new(String::new());
            assert_eq!(client.authenticate(ISSUER, &mut form).unwrap(), None);
            let form = form.finish();
            let fields: Vec<_> = form_urlencoded::parse(form.as_bytes()).into_owned().collect();
            assert_eq!(fields[0], ("client_id".to_owned(), "todo".to_owned()));
            assert_eq!(fields[1], ("client_assertion_type".to_owned(), JWT_BEARER.to_owned()));
            assert_eq!(fields[2].0, "client_assertion");
            fields[2].1.clone()
        };
        let mut validation = Validation::new(algorithm.for_signature());
        validation.set_audience(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
        let read = |text: &str| jsonwebtoken::decode::<Value>(text, &public, &validation).unwrap();
        let (first, second) = (read(&assertion()), read(&assertion()));
        assert_eq!(first.header.kid.as_deref(), Some("k1"));
        assert_eq!(
            (&first.claims["iss"], &first.claims["sub"]),
            (&json!("todo"), &json!("todo"))
        );
        assert_eq!(first.claims["aud"], ISSUER);
        assert_eq!(
            first.claims["exp"].as_u64().unwrap() - first.claims["iat"].as_u64().unwrap(),
            60
        );
        assert_ne!(first.claims["jti"], second.claims["jti"]);
        assert!(!format!("{client:?}").contains("key:"));
    }
}

#[test]
fn a_key_that_does_not_fit_is_a_mistake_of_the_configuration() {
    let (p256, _) = ec(&ECDSA_P256_SHA256_FIXED_SIGNING);
    for (algorithm, pem) in [
        (Algorithm::Es384, &*p256),
        (Algorithm::Rs256, &*p256),
        (Algorithm::EdDsa, &*p256),
        (Algorithm::Es256, "not a key"),
        (Algorithm::Es256, ""),
    ] {
        let error = ClientAuthentication::private_key_jwt("todo", None, algorithm, pem.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("PKCS #8"), "{error}");
    }
}
