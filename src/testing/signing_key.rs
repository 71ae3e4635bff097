//! Key pairs of a test issuer.

use std::{
    io,
    sync::{Arc, OnceLock},
};

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::algorithm::Algorithm;

/// A key pair with the id under which its public half is published.
#[derive(Clone)]
pub(super) struct SigningKey {
    pub(super) kid: String,
    pair: Pair,
}

#[derive(Clone)]
enum Pair {
    Es256(Arc<EcdsaKeyPair>),
    Rs256(Arc<RsaKeyPair>),
}

impl SigningKey {
    pub(super) fn es256(kid: impl Into<String>) -> io::Result<Self> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(io::Error::other)?;
        Ok(Self {
            kid: kid.into(),
            pair: Pair::Es256(Arc::new(pair)),
        })
    }

    /// One RSA key serves the whole process: making one takes a hundred times as long as everything else here.
    pub(super) fn rs256(kid: impl Into<String>) -> io::Result<Self> {
        static PAIR: OnceLock<Arc<RsaKeyPair>> = OnceLock::new();
        let pair = match PAIR.get() {
            Some(pair) => pair,
            None => {
                let pair = Arc::new(RsaKeyPair::generate(KeySize::Rsa2048).map_err(io::Error::other)?);
                PAIR.get_or_init(|| pair)
            }
        };
        Ok(Self {
            kid: kid.into(),
            pair: Pair::Rs256(Arc::clone(pair)),
        })
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        match self.pair {
            Pair::Es256(_) => Algorithm::Es256,
            Pair::Rs256(_) => Algorithm::Rs256,
        }
    }

    /// The public half (RFC 7517 section 4).
    pub(super) fn jwk(&self) -> Value {
        let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let mut jwk = match &self.pair {
            Pair::Es256(pair) => {
                // An uncompressed point: the octet 4, then the two coordinates.
                let (x, y) = pair.public_key().as_ref().get(1..).unwrap_or_default().split_at(32);
                json!({"kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y)})
            }
            Pair::Rs256(pair) => {
                let public = pair.public_key();
                let (n, e) = (public.modulus(), public.exponent());
                json!({
                    "kty": "RSA",
                    "n": encode(n.big_endian_without_leading_zero()),
                    "e": encode(e.big_endian_without_leading_zero()),
                })
            }
        };
        if let Value::Object(members) = &mut jwk {
            members.insert("kid".to_owned(), self.kid.clone().into());
            members.insert("use".to_owned(), "sig".into());
            members.insert("alg".to_owned(), self.algorithm().name().into());
        }
        jwk
    }

    /// Makes the compact form of a token (RFC 7515 section 3.1).
    #[expect(
        clippy::expect_used,
        reason = "signing with a key made in this process fails only without memory"
    )]
    pub(super) fn sign(&self, header: &str, claims: &str) -> String {
        let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let signing_input = format!("{}.{}", encode(header.as_bytes()), encode(claims.as_bytes()));
        let random = SystemRandom::new();
        let signature = match &self.pair {
            Pair::Es256(pair) => encode(
                pair.sign(&random, signing_input.as_bytes())
                    .expect("ES256 signature")
                    .as_ref(),
            ),
            Pair::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, signing_input.as_bytes(), &mut signature)
                    .expect("RS256 signature");
                encode(&signature)
            }
        };
        format!("{signing_input}.{signature}")
    }
}
