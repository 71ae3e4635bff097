//! The claims of a token, from the token itself or from its issuer.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Map, Value};

use super::{InvalidToken, ScopeClaim, mismatch, token_rules::TokenRules};
use crate::{auth_info::Facts, remote_check::Method, scope_token::is_scope_token};

/// The end of the year 9999, in seconds since 1970. A greater number is milliseconds or an attempt at an overflow.
const LAST_SECOND: f64 = 253_402_300_799.0;

/// Where the client is named, the most specific first. `azp` is OpenID Connect's, `cid` Okta's, `appid` that of Microsoft Entra's version 1.
const CLIENT_CLAIMS: [&str; 4] = ["client_id", "azp", "cid", "appid"];

/// Where claims come from, which decides what must be in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// A JWT whose signature is right.
    Jwt { is_at_jwt: bool },
    /// An answer of introspection (RFC 7662 section 2.2), in which almost everything is optional.
    Introspection { without_audience: bool },
    /// What a custom verifier says.
    Custom,
    /// An answer of userinfo: about the user, not about the token.
    Userinfo,
}

impl Source {
    pub(super) fn of(method: &Method) -> Self {
        match method {
            Method::Introspection(settings) => Self::Introspection {
                without_audience: settings.without_audience,
            },
            Method::Userinfo(_) => Self::Userinfo,
        }
    }
}

/// What claims are compared with.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) audiences: &'a [String],
    pub(super) rules: &'a TokenRules,
    pub(super) now: SystemTime,
}

/// Checks everything that a signature, or the word of the authorization server, does not say.
pub(super) fn check(
    claims: Arc<Map<String, Value>>,
    source: Source,
    expected: &Expected<'_>,
) -> Result<Facts, InvalidToken> {
    if claims.contains_key("cnf") {
        return Err(InvalidToken::SenderConstrained);
    }
    check_kind(&claims, source, expected.rules)?;
    let expires_at = check_times(&claims, source, expected)?;
    let subject = string(&claims, "sub")?.ok_or(InvalidToken::MissingClaim("sub"))?;
    if let Some(issuer) = claims.get("iss").filter(|issuer| *issuer != expected.issuer) {
        mismatch::log_issuer([expected.issuer], issuer.as_str());
        return Err(InvalidToken::Issuer);
    }
    let (client_id, scopes) = match source {
        // Userinfo speaks of the user. Whatever it says there gives the token no scope.
        Source::Userinfo => (None, Vec::new()),
        _ => (client_id(&claims)?, scopes(&claims, &expected.rules.scope_claims)?),
    };
    string(&claims, "jti")?;
    let audience = check_audience(&claims, source, expected.audiences)?;
    Ok(Facts {
        issuer: expected.issuer.to_owned(),
        subject,
        client_id,
        scopes,
        audience,
        expires_at,
        claims,
        token: None,
    })
}

/// Whether it is an access token that whoever has it may use.
fn check_kind(claims: &Map<String, Value>, source: Source, rules: &TokenRules) -> Result<(), InvalidToken> {
    match source {
        Source::Jwt { is_at_jwt: false } if is_id_token(claims) => Err(InvalidToken::IdToken),
        // RFC 9068 section 2.2; the other claims it wants are wanted of every token.
        Source::Jwt { .. } if rules.require_at_jwt => {
            let missing = ["client_id", "iat", "jti"]
                .into_iter()
                .find(|name| !claims.contains_key(*name));
            missing.map_or(Ok(()), |name| Err(InvalidToken::MissingClaim(name)))
        }
        Source::Introspection { .. } if !is_bearer(claims) => Err(InvalidToken::OtherKind),
        _ => Ok(()),
    }
}

fn check_times(
    claims: &Map<String, Value>,
    source: Source,
    expected: &Expected<'_>,
) -> Result<Option<SystemTime>, InvalidToken> {
    let Expected { rules, now, .. } = *expected;
    let expires_at = time(claims, "exp")?;
    if expires_at.is_none() && matches!(source, Source::Jwt { .. }) {
        return Err(InvalidToken::MissingClaim("exp"));
    }
    if expires_at.is_some_and(|expires_at| now >= expires_at + rules.past_expiry()) {
        return Err(InvalidToken::Expired);
    }
    if time(claims, "nbf")?.is_some_and(|not_before| not_before > now + rules.clock_skew()) {
        return Err(InvalidToken::NotYetValid);
    }
    if time(claims, "iat")?.is_some_and(|issued_at| issued_at > now + rules.clock_skew()) {
        return Err(InvalidToken::IssuedInTheFuture);
    }
    Ok(expires_at)
}

/// The audience, which has to name this resource; where a setting allows it, or userinfo was asked, it may be absent.
fn check_audience(
    claims: &Map<String, Value>,
    source: Source,
    accepted: &[String],
) -> Result<Vec<String>, InvalidToken> {
    let audience = match (claims.get("aud"), source) {
        (None, Source::Introspection { without_audience: true }) | (_, Source::Userinfo) => return Ok(Vec::new()),
        (None, _) => {
            mismatch::log_audience(accepted, None);
            return Err(InvalidToken::Audience);
        }
        (Some(Value::String(one)), _) => vec![one.clone()],
        (Some(Value::Array(values)), _) => strings(values, "aud")?,
        (Some(_), _) => return Err(InvalidToken::ClaimType("aud")),
    };
    match audience.iter().any(|named| accepted.contains(named)) {
        true => Ok(audience),
        false => {
            mismatch::log_audience(accepted, Some(&audience));
            Err(InvalidToken::Audience)
        }
    }
}

/// Returns the issuer of claims that are not verified yet. Good for choosing among configured issuers, and for nothing else.
pub(super) fn unverified_issuer(claims: &Map<String, Value>) -> Option<&str> {
    claims.get("iss").and_then(Value::as_str)
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

/// Whether introspection says that this is an access token, and one without a proof of possession: `token_type` of RFC 6749 section 7.1, and what
/// two widespread servers say beside it. Introspection knows refresh tokens too, and calls them active.
fn is_bearer(claims: &Map<String, Value>) -> bool {
    let is_one_of = |name: &str, allowed: &[&str]| match claims.get(name) {
        None => true,
        Some(Value::String(text)) => allowed.iter().any(|allowed| text.eq_ignore_ascii_case(allowed)),
        Some(_) => false,
    };
    is_one_of("token_type", &["Bearer"])
        && is_one_of("token_use", &["access", "access_token"])
        && is_one_of("typ", &["Bearer", "JWT", "at+jwt", "application/at+jwt"])
}
