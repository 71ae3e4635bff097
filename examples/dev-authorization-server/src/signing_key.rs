//! A key that signs access tokens, made anew at every start and rotation.

use std::fmt;

use aws_lc_rs::{
    error::Unspecified,
    rand::SystemRandom,
    rsa::{KeyPair as RsaKeyPair, KeySize},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::secret;

/// The algorithm that signs access tokens (RFC 7518 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256. The default.
    #[default]
    Es256,
    /// RSASSA-PKCS1-v1_5 with SHA-256, 2048 bits. What OpenID Connect providers use most; making the key takes a moment.
    Rs256,
}

impl Algorithm {
    /// Returns the name on the wire, `ES256` or `RS256`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }
}

/// A private key and the public half that the key set shows.
pub(crate) struct SigningKey {
    key_id: String,
    pair: Pair,
}

enum Pair {
    Es256(EcdsaKeyPair),
    Rs256(RsaKeyPair),
}

impl SigningKey {
    pub(crate) fn generate(algorithm: Algorithm) -> Result<Self, Unspecified> {
        let pair = match algorithm {
            Algorithm::Es256 => Pair::Es256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?),
            Algorithm::Rs256 => Pair::Rs256(RsaKeyPair::generate(KeySize::Rsa2048)?),
        };
        // The thumbprint of RFC 7638: SHA-256 over the required members, which `public_members` writes in the order of their names.
        let key_id = secret::s256(&pair.public_members().to_string());
        Ok(Self { key_id, pair })
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        match self.pair {
            Pair::Es256(_) => Algorithm::Es256,
            Pair::Rs256(_) => Algorithm::Rs256,
        }
    }

    /// Returns the public key as a member of a key set (RFC 7517 section 4).
    pub(crate) fn public(&self) -> Value {
        let mut key = self.pair.public_members();
        if let Some(members) = key.as_object_mut() {
            members.insert("use".to_owned(), json!("sig"));
            members.insert("alg".to_owned(), json!(self.algorithm().as_str()));
            members.insert("kid".to_owned(), json!(self.key_id));
        }
        key
    }

    /// Makes a JWT access token (RFC 9068 section 2) of the claims, in JWS compact serialization (RFC 7515 section 7.1).
    pub(crate) fn sign(&self, claims: &Value) -> Result<String, Unspecified> {
        let header = json!({ "alg": self.algorithm().as_str(), "typ": "at+jwt", "kid": self.key_id });
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header.to_string()),
            URL_SAFE_NO_PAD.encode(claims.to_string())
        );
        let signature = self.pair.sign(signed.as_bytes())?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

impl Pair {
    /// Returns the members of the public key that are required for its type (RFC 7518 section 6).
    fn public_members(&self) -> Value {
        match self {
            Self::Es256(pair) => {
                // An uncompressed point: the byte 4, then both coordinates of 32 bytes.
                let coordinates = pair.public_key().as_ref().get(1..).unwrap_or_default();
                let (x, y) = coordinates.split_at_checked(32).unwrap_or_default();
                json!({ "crv": "P-256", "kty": "EC", "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y) })
            }
            Self::Rs256(pair) => {
                let (n, e) = (pair.public_key().modulus(), pair.public_key().exponent());
                json!({
                    "e": URL_SAFE_NO_PAD.encode(e.big_endian_without_leading_zero()),
                    "kty": "RSA",
                    "n": URL_SAFE_NO_PAD.encode(n.big_endian_without_leading_zero()),
                })
            }
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        match self {
            Self::Es256(pair) => Ok(pair.sign(&SystemRandom::new(), message)?.as_ref().to_vec()),
            Self::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)?;
                Ok(signature)
            }
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("key_id", &self.key_id)
            .field("algorithm", &self.algorithm())
            .finish_non_exhaustive()
    }
}
