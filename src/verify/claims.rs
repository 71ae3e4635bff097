//! The claims of a token whose signature is right.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};

use super::{InvalidToken, ScopeClaim, token_rules::TokenRules};
use crate::{auth_info::Facts, scope_token::is_scope_token};

/// The end of the year 9999, in seconds since 1970. A greater number is milliseconds or an attempt at an overflow.
const LAST_SECOND: f64 = 253_402_300_799.0;

/// Where the client is named, the most specific first. `azp` is OpenID Connect's, `cid` Okta's, `appid` that of Microsoft Entra's version 1.
const CLIENT_CLAIMS: [&str; 4] = ["client_id", "azp", "cid", "appid"];

/// Checks everything that the signature does not say.
pub(super) fn check(
    claims: Map<String, Value>,
    is_at_jwt: bool,
    rules: &TokenRules,
    audiences: &[String],
    now: SystemTime,
) -> Result<Facts, InvalidToken> {
    if claims.contains_key("cnf") {
        return Err(InvalidToken::SenderConstrained);
    }
    if !is_at_jwt && is_id_token(&claims) {
        return Err(InvalidToken::IdToken);
    }
    if rules.require_at_jwt
        && let Some(missing) = ["client_id", "iat", "jti"]
            .into_iter()
            .find(|name| !claims.contains_key(*name))
    {
        // RFC 9068 section 2.2; the other claims it wants are wanted of every token.
        return Err(InvalidToken::MissingClaim(missing));
    }

    let expires_at = time(&claims, "exp")?.ok_or(InvalidToken::MissingClaim("exp"))?;
    if now >= expires_at + rules.past_expiry() {
        return Err(InvalidToken::Expired);
    }
    if time(&claims, "nbf")?.is_some_and(|not_before| not_before > now + rules.clock_skew()) {
        return Err(InvalidToken::NotYetValid);
    }
    if time(&claims, "iat")?.is_some_and(|issued_at| issued_at > now + rules.clock_skew()) {
        return Err(InvalidToken::IssuedInTheFuture);
    }

    let subject = string(&claims, "sub")?.ok_or(InvalidToken::MissingClaim("sub"))?;
    let issuer = string(&claims, "iss")?.ok_or(InvalidToken::Issuer)?;
    let client_id = client_id(&claims)?;
    string(&claims, "jti")?;
    let scopes = scopes(&claims, &rules.scope_claims)?;
    let audience = audience(&claims)?;
    if !audience.iter().any(|named| audiences.contains(named)) {
        return Err(InvalidToken::Audience);
    }
    Ok(Facts {
        issuer,
        subject,
        client_id,
        scopes,
        audience,
        expires_at,
        claims,
    })
}

/// Returns the issuer of claims that are not verified yet. Good for choosing among configured issuers, and for nothing else.
pub(super) fn unverified_issuer(claims: &Map<String, Value>) -> Result<&str, InvalidToken> {
    claims.get("iss").and_then(Value::as_str).ok_or(InvalidToken::Issuer)
}

/// A string that is not empty. Another type is an error and not an absence: a claim that a check cannot read must not switch it off.
fn string(claims: &Map<String, Value>, name: &'static str) -> Result<Option<String>, InvalidToken> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text.clone())),
        Some(_) => Err(InvalidToken::ClaimType(name)),
    }
}

/// A NumericDate (RFC 7519 section 2), which may have a fraction.
fn time(claims: &Map<String, Value>, name: &'static str) -> Result<Option<SystemTime>, InvalidToken> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    value
        .as_f64()
        .filter(|seconds| (0.0..=LAST_SECOND).contains(seconds))
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .and_then(|since| UNIX_EPOCH.checked_add(since))
        .ok_or(InvalidToken::ClaimType(name))
        .map(Some)
}

fn audience(claims: &Map<String, Value>) -> Result<Vec<String>, InvalidToken> {
    match claims.get("aud") {
        None => Err(InvalidToken::Audience),
        Some(Value::String(one)) => Ok(vec![one.clone()]),
        Some(Value::Array(values)) => strings(values, "aud"),
        Some(_) => Err(InvalidToken::ClaimType("aud")),
    }
}

/// `client_id` and `azp` must have their type wherever they are; the others only where they are what is used.
fn client_id(claims: &Map<String, Value>) -> Result<Option<String>, InvalidToken> {
    string(claims, "azp")?;
    let named = CLIENT_CLAIMS.into_iter().find(|name| claims.contains_key(*name));
    named.map_or(Ok(None), |name| string(claims, name))
}

/// Scope tokens as one text (RFC 9068 section 2.2.3) or, as some servers write them, as an array. Without a claim there are none.
///
/// Only the first claim that the token has is read, even if it is empty: a union would give more than any of them says.
fn scopes(claims: &Map<String, Value>, names: &[ScopeClaim]) -> Result<Vec<String>, InvalidToken> {
    let found = names
        .iter()
        .find_map(|claim| Some((claim.name(), claims.get(claim.name())?)));
    let Some((name, value)) = found else {
        return Ok(Vec::new());
    };
    let scopes = match value {
        Value::String(text) => text
            .split(' ')
            .filter(|token| !token.is_empty())
            .map(str::to_owned)
            .collect(),
        Value::Array(values) => strings(values, name)?,
        _ => return Err(InvalidToken::ClaimType(name)),
    };
    match scopes.iter().all(|scope| is_scope_token(scope)) {
        true => Ok(scopes),
        false => Err(InvalidToken::ClaimType(name)),
    }
}

fn strings(values: &[Value], name: &'static str) -> Result<Vec<String>, InvalidToken> {
    let text = |value: &Value| value.as_str().map(str::to_owned).ok_or(InvalidToken::ClaimType(name));
    values.iter().map(text).collect()
}

/// Whether an untyped token has a claim that only ID tokens have (OpenID Connect Core sections 2 and 3.3.2.11), or says so in the way of AWS.
fn is_id_token(claims: &Map<String, Value>) -> bool {
    ["nonce", "at_hash", "c_hash", "s_hash"]
        .iter()
        .any(|name| claims.contains_key(*name))
        || claims.get("token_use").is_some_and(|token_use| token_use != "access")
}
