//! Tokens for tests: right by default, and wrong in exactly the way a test asks for.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::{issued_tokens::IssuedTokens, signing_key::SigningKey};
use crate::{algorithm::Algorithm, bearer_token::BearerToken};

/// Builds one access token; made by [`Issuer::token`](super::Issuer::token).
///
/// Starts with `iss`, `sub` (`user`), `client_id` (`test-client`), `iat` (now), `exp` (in an hour) and `jti`, in the form of RFC 9068 (`typ`
/// `at+jwt`), signed with ES256. Every claim and header member can be replaced or removed.
#[derive(Clone)]
#[must_use = "call `sign` to get the token"]
pub struct TokenBuilder {
    key: SigningKey,
    /// The issuer's keys, one for each algorithm.
    keys: Vec<SigningKey>,
    issued: IssuedTokens,
    forged: bool,
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl TokenBuilder {
    pub(super) fn new(
        issuer: &str,
        key: SigningKey,
        other_keys: &[SigningKey],
        issued: IssuedTokens,
        number: usize,
    ) -> Self {
        let now = SystemTime::now();
        let builder = Self {
            key: key.clone(),
            keys: [std::slice::from_ref(&key), other_keys].concat(),
            issued,
            forged: false,
            header: Map::new(),
            claims: Map::new(),
        };
        builder
            .use_key(key)
            .header("typ", "at+jwt")
            .claim("iss", issuer)
            .claim("sub", "user")
            .claim("client_id", "test-client")
            .claim("jti", format!("token-{number}"))
            .claim("iat", seconds(now))
            .claim("exp", seconds(now + Duration::from_secs(3600)))
    }

    /// Sets `sub`. Default `user`.
    pub fn subject(self, subject: impl Into<String>) -> Self {
        self.claim("sub", subject.into())
    }

    /// Sets `aud` to one resource. There is no default, since a token has to name the server under test.
    pub fn audience(self, audience: impl Into<String>) -> Self {
        self.claim("aud", audience.into())
    }

    /// Sets `scope`. Default: the claim is absent, the token has no scopes.
    pub fn scopes<S: AsRef<str>>(self, scopes: impl IntoIterator<Item = S>) -> Self {
        let scopes: Vec<_> = scopes.into_iter().map(|scope| scope.as_ref().to_owned()).collect();
        self.claim("scope", scopes.join(" "))
    }

    /// Sets `client_id`. Default `test-client`.
    pub fn client_id(self, client_id: impl Into<String>) -> Self {
        self.claim("client_id", client_id.into())
    }

    /// Sets `exp`. Default in an hour.
    pub fn expires_at(self, time: SystemTime) -> Self {
        self.claim("exp", seconds(time))
    }

    /// Sets any claim, to any type.
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.to_owned(), value.into());
        self
    }

    /// Removes a claim.
    pub fn without_claim(mut self, name: &str) -> Self {
        self.claims.remove(name);
        self
    }

    /// Sets any member of the header. The signature is still made with the chosen key.
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.to_owned(), value.into());
        self
    }

    /// Removes a member of the header.
    pub fn without_header(mut self, name: &str) -> Self {
        self.header.remove(name);
        self
    }

    /// Signs with the issuer's key for another algorithm. Default ES256.
    pub fn algorithm(self, algorithm: Algorithm) -> Self {
        match self.keys.iter().find(|key| key.algorithm == algorithm).cloned() {
            Some(key) => self.use_key(key),
            None => self,
        }
    }

    /// Signs with the issuer's RSA key instead of its EC key.
    pub fn rs256(self) -> Self {
        self.algorithm(Algorithm::Rs256)
    }

    /// Signs with the current key of another issuer, but under the key id of this one: a forgery.
    pub fn forged_by(mut self, other: &super::Issuer) -> Self {
        self.key = other.es256();
        self.forged = true;
        self
    }

    /// Signs the token.
    #[must_use]
    pub fn sign(&self) -> BearerToken {
        let header = Value::Object(self.header.clone()).to_string();
        let claims = Value::Object(self.claims.clone()).to_string();
        let token = BearerToken::new(self.key.sign(&header, &claims));
        if !self.forged {
            self.issued.insert(token.clone(), self.claims.clone());
        }
        token
    }

    /// Issues the token as an opaque one: a random text that only introspection and userinfo understand.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "test support: a system without randomness has worse problems"
    )]
    pub fn opaque(&self) -> BearerToken {
        let mut random = [0; 24];
        aws_lc_rs::rand::fill(&mut random).expect("random numbers");
        let token = BearerToken::new(BASE64_URL_SAFE_NO_PAD.encode(random));
        self.issued.insert(token.clone(), self.claims.clone());
        token
    }

    fn use_key(mut self, key: SigningKey) -> Self {
        self.key = key;
        let (alg, kid) = (self.key.algorithm.name(), self.key.kid.clone());
        self.header("alg", alg).header("kid", kid)
    }
}

impl std::fmt::Debug for TokenBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TokenBuilder")
            .field("header", &self.header)
            .field("claims", &self.claims)
            .finish_non_exhaustive()
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
