//! The compact form of a signed token (RFC 7515 section 3.1), taken apart without believing any of it.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::InvalidToken;
use crate::{algorithm::Algorithm, strict_json};

/// Longest token, in bytes. Checked before anything else, since every later step costs time in proportion.
const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// Refuses a token that is too long to look at.
pub(super) fn check_length(token: &str) -> Result<(), InvalidToken> {
    match token.len() > MAX_TOKEN_BYTES {
        true => Err(InvalidToken::TooLong),
        false => Ok(()),
    }
}

/// Whether a token looks like a JWT, good or bad: three parts of base64url, of which some may be empty.
pub(super) fn is_jwt(token: &str) -> bool {
    let of_base64url = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' || byte == b'.';
    token.bytes().filter(|byte| *byte == b'.').count() == 2 && token.bytes().all(of_base64url)
}

/// The issuer that three parts name, if the middle one is a claims set. Believed by nobody; a token of somebody else is not asked about.
pub(super) fn claimed_issuer(token: &str) -> Option<String> {
    let payload = decode(token.split('.').nth(1)?).ok()?;
    let claims = strict_json::parse_object(&payload).ok()?;
    claims.get("iss")?.as_str().map(str::to_owned)
}

/// A JWT of which nothing is verified yet.
pub(super) struct CompactToken<'a> {
    pub(super) signed: Signed<'a>,
    pub(super) claims: Map<String, Value>,
}

impl<'a> CompactToken<'a> {
    pub(super) fn parse(token: &'a str) -> Result<Self, InvalidToken> {
        let (signed, payload) = Signed::parse(token)?;
        let claims = strict_json::parse_object(&payload).map_err(|_| InvalidToken::BadClaims)?;
        Ok(Self { signed, claims })
    }
}

/// What is needed to find the key of a signed text and check its signature.
pub(super) struct Signed<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) kid: Option<String>,
    pub(super) is_at_jwt: bool,
    pub(super) signing_input: &'a [u8],
    pub(super) signature: &'a str,
}

impl<'a> Signed<'a> {
    /// Takes a text in the compact form apart, and returns its payload beside what signs it.
    pub(super) fn parse(token: &'a str) -> Result<(Self, Vec<u8>), InvalidToken> {
        let (signing_input, signature) = token.rsplit_once('.').ok_or(InvalidToken::NotCompact)?;
        let (header, payload) = signing_input.split_once('.').ok_or(InvalidToken::NotCompact)?;
        // Five parts are a JWE: the dots that are left fail as base64url. So does an unused bit that is not zero, because two texts for
        // one token would let a refused token come back in other letters.
        let header = decode(header)?;
        let payload = decode(payload)?;
        if signature.is_empty() {
            return Err(InvalidToken::NotCompact);
        }
        decode(signature)?;

        let header = strict_json::parse_object(&header).map_err(|_| InvalidToken::BadHeader)?;
        if header.contains_key("crit") {
            return Err(InvalidToken::CriticalExtension);
        }
        let alg = string(&header, "alg")?.ok_or(InvalidToken::BadHeader)?;
        let algorithm = match alg {
            "ES512" => Err(InvalidToken::Es512),
            alg => Algorithm::from_name(alg).ok_or(InvalidToken::Algorithm),
        }?;
        let is_at_jwt = is_at_jwt(string(&header, "typ")?)?;
        let kid = string(&header, "kid")?.map(str::to_owned);
        let signed = Self {
            algorithm,
            kid,
            is_at_jwt,
            signing_input: signing_input.as_bytes(),
            signature,
        };
        Ok((signed, payload))
    }
}

/// Whether `typ` says that this is an access token. It is optional for a plain JWT; every other explicit type is another kind of token
/// (`dpop+jwt`, `logout+jwt`, …) that must not pass as an access token (RFC 8725 section 3.11).
fn is_at_jwt(typ: Option<&str>) -> Result<bool, InvalidToken> {
    match typ.map(str::to_ascii_lowercase).as_deref() {
        None | Some("jwt") => Ok(false),
        Some("at+jwt" | "application/at+jwt") => Ok(true),
        Some(_) => Err(InvalidToken::Type),
    }
}

fn decode(part: &str) -> Result<Vec<u8>, InvalidToken> {
    BASE64_URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| InvalidToken::NotCompact)
}

fn string<'h>(header: &'h Map<String, Value>, name: &str) -> Result<Option<&'h str>, InvalidToken> {
    match header.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(InvalidToken::BadHeader),
    }
}
