//! The signature vectors of Wycheproof, judged by keys as an issuer would publish them.
//!
//! Each valid vector has many neighbours that are wrong in one place: padding, encoding, range, length, hash, salt.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use wycheproof::{TestResult, ecdsa, eddsa, rsa_pkcs1_verify, rsa_pss_verify};

use super::*;

/// How many vectors were judged.
#[derive(Debug, Default)]
struct Judged {
    valid: usize,
    invalid: usize,
}

impl Judged {
    /// What a vector of this key says of a signature. A key that is left out accepts nothing.
    fn judge(
        &mut self,
        jwk: &Value,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
        expected: bool,
        id: usize,
    ) {
        crate::verify::install_crypto();
        let set = KeySet::parse(
            "https://as.example.com",
            json!({ "keys": [jwk] }).to_string().as_bytes(),
        )
        .unwrap();
        let accepted = match set.candidates(None, algorithm) {
            Candidates::Keys(keys) => keys[0].verifies(algorithm, &encode(signature), message),
            _ => false,
        };
        assert_eq!(accepted, expected, "{algorithm} vector {id}");
        match expected {
            true => self.valid += 1,
            false => self.invalid += 1,
        }
    }

    /// A set that is empty proves nothing.
    fn assert_at_least(&self, valid: usize, invalid: usize) {
        assert!(self.valid >= valid && self.invalid >= invalid, "{self:?}");
    }
}

fn encode(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

#[test]
fn ecdsa_signatures_in_the_form_of_jws() {
    let mut judged = Judged::default();
    for (name, algorithm, curve, length) in [
        (
            ecdsa::TestName::EcdsaSecp256r1Sha256P1363,
            Algorithm::Es256,
            "P-256",
            32,
        ),
        (
            ecdsa::TestName::EcdsaSecp384r1Sha384P1363,
            Algorithm::Es384,
            "P-384",
            48,
        ),
    ] {
        for group in ecdsa::TestSet::load(name).unwrap().test_groups {
            // The point is `04`, x, y.
            let (x, y) = group.key.key[1..].split_at(length);
            let jwk = json!({"kty": "EC", "crv": curve, "x": encode(x), "y": encode(y)});
            for test in &group.tests {
                let expected = test.result == TestResult::Valid;
                judged.judge(&jwk, algorithm, &test.msg, &test.sig, expected, test.tc_id);
            }
        }
    }
    judged.assert_at_least(300, 100);
}

#[test]
fn ed25519_signatures() {
    let mut judged = Judged::default();
    for group in eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": encode(&group.key.pk)});
        for test in &group.tests {
            let expected = test.result == TestResult::Valid;
            judged.judge(&jwk, Algorithm::EdDsa, &test.msg, &test.sig, expected, test.tc_id);
        }
    }
    judged.assert_at_least(80, 60);
}

#[test]
fn rsa_signatures_with_pkcs1_padding() {
    use rsa_pkcs1_verify::{TestName, TestSet};
    let mut judged = Judged::default();
    for (name, algorithm) in [
        (TestName::Rsa2048Sha256, Algorithm::Rs256),
        (TestName::Rsa3072Sha256, Algorithm::Rs256),
        (TestName::Rsa4096Sha256, Algorithm::Rs256),
        (TestName::Rsa8192Sha256, Algorithm::Rs256),
        (TestName::Rsa2048Sha384, Algorithm::Rs384),
        (TestName::Rsa3072Sha384, Algorithm::Rs384),
        (TestName::Rsa4096Sha384, Algorithm::Rs384),
        (TestName::Rsa8192Sha384, Algorithm::Rs384),
        (TestName::Rsa2048Sha512, Algorithm::Rs512),
        (TestName::Rsa3072Sha512, Algorithm::Rs512),
        (TestName::Rsa4096Sha512, Algorithm::Rs512),
        (TestName::Rsa8192Sha512, Algorithm::Rs512),
    ] {
        for group in TestSet::load(name).unwrap().test_groups {
            let jwk = json!({"kty": "RSA", "n": encode(&group.key.n), "e": encode(&group.key.e)});
            for test in &group.tests {
                let expected = test.result == TestResult::Valid;
                judged.judge(&jwk, algorithm, &test.msg, &test.sig, expected, test.tc_id);
            }
        }
    }
    judged.assert_at_least(80, 3000);
}

#[test]
fn rsa_signatures_with_pss_padding() {
    use rsa_pss_verify::{TestName, TestSet};
    // Salts as long as the hash (RFC 7518 section 3.5). The crypto library takes others too, which only the holder of the private key can make.
    let mut judged = Judged::default();
    for (name, algorithm) in [
        (TestName::RsaPss2048Sha256Mgf1SaltLen32, Algorithm::Ps256),
        (TestName::RsaPss3072Sha256Mgf1SaltLen32, Algorithm::Ps256),
        (TestName::RsaPss4096Sha256Mgf1SaltLen32, Algorithm::Ps256),
        (TestName::RsaPss2048Sha384Mgf1SaltLen48, Algorithm::Ps384),
        (TestName::RsaPss4096Sha384Mgf1SaltLen48, Algorithm::Ps384),
        (TestName::RsaPss4096Sha512Mgf1SaltLen64, Algorithm::Ps512),
    ] {
        for group in TestSet::load(name).unwrap().test_groups {
            let jwk = json!({"kty": "RSA", "n": encode(&group.key.n), "e": encode(&group.key.e)});
            for test in &group.tests {
                let expected = test.result == TestResult::Valid;
                judged.judge(&jwk, algorithm, &test.msg, &test.sig, expected, test.tc_id);
            }
        }
    }
    judged.assert_at_least(100, 100);
}
