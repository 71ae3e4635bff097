//! One entry of a key set, checked before it may verify anything.

use std::fmt;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, EcdsaVerificationAlgorithm, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::DecodingKey;
use serde_json::{Map, Value};

use super::ed25519;
use crate::{algorithm::Algorithm, strict_json};

/// Members of private and symmetric keys (RFC 7518 sections 6.2.2, 6.3.2 and 6.4).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Sizes of RSA moduli, in bits. RFC 7518 section 3.3 sets the minimum; the maximum keeps one verification cheap.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// Longest RSA exponent, in bits. 65537 has 17; beyond 33 the crypto library refuses.
const MAX_RSA_EXPONENT_BITS: usize = 33;

// What a key of each type and curve can be used for.
const RSA: &[Algorithm] = &[
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
];
const P256: &[Algorithm] = &[Algorithm::Es256];
const P384: &[Algorithm] = &[Algorithm::Es384];
const ED25519_ONLY: &[Algorithm] = &[Algorithm::EdDsa];

/// A public key, parsed once, and the algorithms it is for.
pub(crate) struct VerificationKey {
    kid: Option<String>,
    /// By key type and curve; or the one that the key's own `alg` names.
    algorithms: &'static [Algorithm],
    only: Option<Algorithm>,
    key: DecodingKey,
}

impl VerificationKey {
    /// Parses a JWK. The error says why the entry is left out.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, &'static str> {
        let jwk = strict_json::parse_object(json).map_err(|_| "not a JSON object, or a member twice")?;
        if PRIVATE_MEMBERS.iter().any(|name| jwk.contains_key(*name)) {
            // Whoever can read the key set can sign with such a key.
            return Err("private or symmetric key");
        }
        let (algorithms, key) = match (string(&jwk, "kty")?, string(&jwk, "crv")?) {
            (Some("RSA"), _) => (RSA, rsa(&jwk)?),
            (Some("EC"), Some("P-256")) => (P256, ec(&jwk, 32, &ECDSA_P256_SHA256_FIXED)?),
            (Some("EC"), Some("P-384")) => (P384, ec(&jwk, 48, &ECDSA_P384_SHA384_FIXED)?),
            (Some("OKP"), Some("Ed25519")) => (ED25519_ONLY, ed25519(&jwk)?),
            _ => return Err("unsupported `kty` or `crv`"),
        };
        let only = match string(&jwk, "alg")?.map(Algorithm::from_name) {
            None => None,
            Some(Some(algorithm)) if algorithms.contains(&algorithm) => Some(algorithm),
            Some(_) => return Err("`alg` is no signature algorithm for this kind of key"),
        };
        if string(&jwk, "use")?.is_some_and(|purpose| purpose != "sig") {
            return Err("`use` is not `sig`");
        }
        match jwk.get("key_ops") {
            None => {}
            Some(Value::Array(operations)) if operations.iter().any(|operation| operation == "verify") => {}
            Some(_) => return Err("`key_ops` does not allow `verify`"),
        }
        Ok(Self {
            kid: string(&jwk, "kid")?.map(str::to_owned),
            algorithms,
            only,
            key,
        })
    }

    pub(crate) fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Whether the key may verify signatures of an algorithm: its type and curve fit, and so does its own `alg` (RFC 7517 section 4.4).
    pub(crate) fn is_for(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(&algorithm) && self.only.is_none_or(|only| only == algorithm)
    }

    /// Checks a signature, base64url as in the token, over the first two parts of the token.
    pub(crate) fn verifies(&self, algorithm: Algorithm, signature: &str, signing_input: &[u8]) -> bool {
        self.is_for(algorithm)
            && matches!(
                jsonwebtoken::crypto::verify(signature, signing_input, &self.key, algorithm.for_signature()),
                Ok(true)
            )
    }
}

fn rsa(jwk: &Map<String, Value>) -> Result<DecodingKey, &'static str> {
    let (modulus, exponent) = (integer(jwk, "n")?, integer(jwk, "e")?);
    if !RSA_BITS.contains(&bits(&modulus)) || !is_odd(&modulus) {
        return Err("RSA modulus is even, or not of 2048 to 8192 bits");
    }
    // With an exponent of 1 the "signature" is the padded hash itself: anybody can make it.
    if bits(&exponent) < 2 || bits(&exponent) > MAX_RSA_EXPONENT_BITS || !is_odd(&exponent) {
        return Err("RSA exponent is not an odd number from 3 to 2^33");
    }
    let components = RsaPublicKeyComponents {
        n: &modulus,
        e: &exponent,
    };
    components
        .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
        .map_err(|_| "not an RSA public key")?;
    Ok(DecodingKey::from_rsa_raw_components(&modulus, &exponent))
}

fn ec(
    jwk: &Map<String, Value>,
    length: usize,
    curve: &'static EcdsaVerificationAlgorithm,
) -> Result<DecodingKey, &'static str> {
    let (x, y) = (bytes(jwk, "x")?, bytes(jwk, "y")?);
    // Coordinates have their full length (RFC 7518 section 6.2.1.2).
    if x.len() != length || y.len() != length {
        return Err("EC coordinate has not the length of its curve");
    }
    let point = [&[4], x.as_slice(), y.as_slice()].concat();
    ParsedPublicKey::new(curve, &point).map_err(|_| "not a point on its curve")?;
    Ok(DecodingKey::from_ec_der(&point))
}

fn ed25519(jwk: &Map<String, Value>) -> Result<DecodingKey, &'static str> {
    let x = <[u8; 32]>::try_from(bytes(jwk, "x")?).map_err(|_| "Ed25519 key is not 32 bytes")?;
    if !ed25519::is_strong(&x) {
        return Err("Ed25519 key of low order, or not canonical");
    }
    // Bytes that are no point at all verify nothing.
    Ok(DecodingKey::from_ed_der(&x))
}

fn string<'a>(jwk: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, &'static str> {
    match jwk.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err("a member that must be a string is none"),
    }
}

fn bytes(jwk: &Map<String, Value>, name: &str) -> Result<Vec<u8>, &'static str> {
    let text = string(jwk, name)?.ok_or("a member of the key is missing")?;
    BASE64_URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| "a member of the key is not base64url")
}

/// Some issuers write the sign octet of other encodings: leading zeros do not change the number.
fn integer(jwk: &Map<String, Value>, name: &str) -> Result<Vec<u8>, &'static str> {
    Ok(bytes(jwk, name)?.into_iter().skip_while(|byte| *byte == 0).collect())
}

/// The length of a number without leading zero bytes.
fn bits(number: &[u8]) -> usize {
    number
        .first()
        .map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize)
}

fn is_odd(number: &[u8]) -> bool {
    number.last().is_some_and(|last| last & 1 == 1)
}

impl fmt::Debug for VerificationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerificationKey")
            .field("kid", &self.kid)
            .field("algorithms", &self.algorithms)
            .field("only", &self.only)
            .finish_non_exhaustive()
    }
}
