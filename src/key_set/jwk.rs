//! One entry of a key set, checked before it may verify anything.

use std::fmt;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::DecodingKey;
use serde_json::{Map, Value};

use crate::{algorithm::Algorithm, strict_json};

/// Members of private and symmetric keys (RFC 7518 sections 6.2.2, 6.3.2 and 6.4).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Sizes of RSA moduli, in bits. RFC 7518 section 3.3 sets the minimum; the maximum keeps one verification cheap.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// Longest RSA exponent, in bits. 65537 has 17; beyond 33 the crypto library refuses.
const MAX_RSA_EXPONENT_BITS: usize = 33;

/// A public key for one algorithm, parsed once.
pub(crate) struct VerificationKey {
    kid: Option<String>,
    algorithm: Algorithm,
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
        let (algorithm, key) = match string(&jwk, "kty")? {
            Some("RSA") => (Algorithm::Rs256, rsa(&jwk)?),
            Some("EC") => (Algorithm::Es256, ec(&jwk)?),
            _ => return Err("unsupported `kty`"),
        };
        if string(&jwk, "alg")?.is_some_and(|alg| alg != algorithm.name()) {
            return Err("`alg` is another algorithm");
        }
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
            algorithm,
            key,
        })
    }

    pub(crate) fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Checks a signature, base64url as in the token, over the first two parts of the token.
    pub(crate) fn verifies(&self, signature: &str, signing_input: &[u8]) -> bool {
        let algorithm = match self.algorithm {
            Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
            Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
        };
        matches!(
            jsonwebtoken::crypto::verify(signature, signing_input, &self.key, algorithm),
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

fn ec(jwk: &Map<String, Value>) -> Result<DecodingKey, &'static str> {
    if string(jwk, "crv")? != Some("P-256") {
        return Err("unsupported `crv`");
    }
    let (x, y) = (bytes(jwk, "x")?, bytes(jwk, "y")?);
    // Coordinates have their full length (RFC 7518 section 6.2.1.2).
    if x.len() != 32 || y.len() != 32 {
        return Err("EC coordinate is not 32 bytes");
    }
    let point = [&[4], x.as_slice(), y.as_slice()].concat();
    ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &point).map_err(|_| "not a point on P-256")?;
    Ok(DecodingKey::from_ec_der(&point))
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
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}
