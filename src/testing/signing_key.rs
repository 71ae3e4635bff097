//! Key pairs of a test issuer.

use std::{
    io,
    sync::{Arc, OnceLock},
};

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        self, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
        RsaEncoding, RsaKeyPair,
    },
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::algorithm::Algorithm;

/// A key pair for one algorithm, with the id under which its public half is published.
#[derive(Clone)]
pub(super) struct SigningKey {
    pub(super) kid: String,
    pub(super) algorithm: Algorithm,
    pair: Pair,
}

#[derive(Clone)]
enum Pair {
    Rsa(&'static dyn RsaEncoding, Arc<RsaKeyPair>),
    Ec(Arc<EcdsaKeyPair>),
    Ed(Arc<Ed25519KeyPair>),
}

impl SigningKey {
    /// Makes a key with the id `<algorithm>-<number>`.
    pub(super) fn new(algorithm: Algorithm, number: usize) -> io::Result<Self> {
        let rsa = |encoding| Ok(Pair::Rsa(encoding, rsa_pair()?));
        let ec = |curve| EcdsaKeyPair::generate(curve).map(Arc::new).map(Pair::Ec);
        let pair = match algorithm {
            Algorithm::Rs256 => rsa(&signature::RSA_PKCS1_SHA256),
            Algorithm::Rs384 => rsa(&signature::RSA_PKCS1_SHA384),
            Algorithm::Rs512 => rsa(&signature::RSA_PKCS1_SHA512),
            Algorithm::Ps256 => rsa(&signature::RSA_PSS_SHA256),
            Algorithm::Ps384 => rsa(&signature::RSA_PSS_SHA384),
            Algorithm::Ps512 => rsa(&signature::RSA_PSS_SHA512),
            Algorithm::Es256 => ec(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(io::Error::other),
            Algorithm::Es384 => ec(&ECDSA_P384_SHA384_FIXED_SIGNING).map_err(io::Error::other),
            Algorithm::EdDsa => Ed25519KeyPair::generate()
                .map(|pair| Pair::Ed(Arc::new(pair)))
                .map_err(io::Error::other),
        }?;
        Ok(Self {
            kid: format!("{}-{number}", algorithm.name().to_ascii_lowercase()),
            algorithm,
            pair,
        })
    }

    /// The public half (RFC 7517 section 4).
    pub(super) fn jwk(&self) -> Value {
        let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let mut jwk = match &self.pair {
            Pair::Ec(pair) => {
                // An uncompressed point: the octet 4, then the two coordinates.
                let point = pair.public_key().as_ref().get(1..).unwrap_or_default();
                let (x, y) = point.split_at(point.len() / 2);
                let curve = if self.algorithm == Algorithm::Es384 {
                    "P-384"
                } else {
                    "P-256"
                };
                json!({"kty": "EC", "crv": curve, "x": encode(x), "y": encode(y)})
            }
            Pair::Ed(pair) => json!({"kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref())}),
            Pair::Rsa(_, pair) => {
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
            members.insert("alg".to_owned(), self.algorithm.name().into());
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
            Pair::Ec(pair) => encode(
                pair.sign(&random, signing_input.as_bytes())
                    .expect("ECDSA signature")
                    .as_ref(),
            ),
            Pair::Ed(pair) => encode(pair.sign(signing_input.as_bytes()).as_ref()),
            Pair::Rsa(encoding, pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &random, signing_input.as_bytes(), &mut signature)
                    .expect("RSA signature");
                encode(&signature)
            }
        };
        format!("{signing_input}.{signature}")
    }
}

/// One RSA key serves the whole process and every RSA algorithm: making one takes a hundred times as long as everything else here.
fn rsa_pair() -> io::Result<Arc<RsaKeyPair>> {
    static PAIR: OnceLock<Arc<RsaKeyPair>> = OnceLock::new();
    match PAIR.get() {
        Some(pair) => Ok(Arc::clone(pair)),
        None => {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(io::Error::other)?;
            Ok(Arc::clone(PAIR.get_or_init(|| Arc::new(pair))))
        }
    }
}
