//! What people consented to, and everything that was issued for it.
//!
//! One lock guards all of it, and a request to the token endpoint holds it to its end, for a millisecond at most: what one request revokes
//! (RFC 6749 section 4.1.2, RFC 9700 section 4.14.2), no other can issue at the same moment.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::{expiring_store::ExpiringStore, secret};

/// RFC 6749 section 4.1.2 allows ten minutes; the client asks at once.
const CODE_LIFETIME: Duration = Duration::from_secs(60);
/// So long a second use of a code is noticed.
const USED_CODE_LIFETIME: Duration = Duration::from_secs(600);
/// Counted from the sign-in: refreshing does not prolong it.
const REFRESH_LIFETIME: Duration = Duration::from_secs(24 * 3600);
/// So many codes, and so many grants with a refresh token, are remembered at once.
const CAPACITY: usize = 1000;
/// So many access tokens are known at once. A forgotten one is inactive at this server; a JWT still convinces who checks its signature.
const TOKEN_CAPACITY: usize = 10_000;

/// What a person consented to: the content of access tokens.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    /// Connects everything that comes of one consent. Never leaves the server.
    pub(crate) id: String,
    pub(crate) client_id: String,
    pub(crate) subject: String,
    pub(crate) resource: String,
    pub(crate) scopes: Vec<String>,
}

/// What an authorization code stands for. Everything in it must be proved again, or is what the person consented to.
#[derive(Debug)]
pub(crate) struct AuthorizationCode {
    pub(crate) redirect_uri: String,
    pub(crate) code_challenge: String,
    pub(crate) grant: Grant,
}

/// An access token, as introspection and userinfo know it.
#[derive(Debug, Clone)]
pub(crate) struct IssuedToken {
    /// Its scopes are those of the token, which may be fewer than the person consented to.
    pub(crate) grant: Grant,
    /// Seconds since 1970, like the two claims.
    pub(crate) issued_at: u64,
    pub(crate) expires_at: u64,
}

/// A refresh token of two parts: which chain of tokens it belongs to, and which link of the chain it is (RFC 9700 section 4.14.2).
struct RefreshChain {
    grant: Grant,
    /// The hash of the second part of the latest token. All earlier ones were used.
    latest: String,
}

/// Codes, refresh tokens and access tokens.
pub(crate) struct Grants {
    codes: ExpiringStore<AuthorizationCode>,
    /// The grant of each code that was used.
    used_codes: ExpiringStore<String>,
    refresh_chains: ExpiringStore<RefreshChain>,
    access_tokens: ExpiringStore<IssuedToken>,
}

/// Why a code or a refresh token is worth nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Worthless {
    Unknown,
    /// Used a second time: somebody else has it, so all that came of it was revoked.
    Reused,
}

impl Grants {
    pub(crate) fn new(access_token_lifetime: Duration) -> Self {
        Self {
            codes: ExpiringStore::new(CAPACITY, CODE_LIFETIME),
            used_codes: ExpiringStore::new(CAPACITY, USED_CODE_LIFETIME),
            refresh_chains: ExpiringStore::new(CAPACITY, REFRESH_LIFETIME),
            access_tokens: ExpiringStore::new(TOKEN_CAPACITY, access_token_lifetime),
        }
    }

    pub(crate) fn insert_code(&mut self, code: &str, meaning: AuthorizationCode) {
        self.codes.insert(code, meaning);
    }

    /// Takes a code out: it is good for one attempt.
    pub(crate) fn take_code(&mut self, code: &str) -> Result<AuthorizationCode, Worthless> {
        if let Some(meaning) = self.codes.take(code) {
            self.used_codes.insert(code, meaning.grant.id.clone());
            return Ok(meaning);
        }
        match self.used_codes.get(code).cloned() {
            Some(grant) => {
                self.revoke(&grant);
                Err(Worthless::Reused)
            }
            None => Err(Worthless::Unknown),
        }
    }

    /// Begins a chain of refresh tokens; returns the first.
    pub(crate) fn start_refreshing(&mut self, grant: Grant, random: [String; 2]) -> String {
        let [chain, link] = random;
        let latest = secret::s256(&link);
        self.refresh_chains.insert(&chain, RefreshChain { grant, latest });
        format!("{chain}.{link}")
    }

    /// Returns the grant of the latest refresh token of a chain. An earlier one ends the chain, and all access tokens with it.
    pub(crate) fn refreshable(&mut self, refresh_token: &str) -> Result<Grant, Worthless> {
        let (chain, link) = refresh_token.split_once('.').ok_or(Worthless::Unknown)?;
        let known = self.refresh_chains.get(chain).ok_or(Worthless::Unknown)?;
        let grant = known.grant.clone();
        if secret::equal(&known.latest, &secret::s256(link)) {
            return Ok(grant);
        }
        self.revoke(&grant.id);
        Err(Worthless::Reused)
    }

    /// Returns the refresh token that replaces the latest of its chain.
    pub(crate) fn rotate(&mut self, refresh_token: &str, random: &str) -> Option<String> {
        let (chain, _) = refresh_token.split_once('.')?;
        self.refresh_chains.get_mut(chain)?.latest = secret::s256(random);
        Some(format!("{chain}.{random}"))
    }

    pub(crate) fn insert_access_token(&mut self, token: &str, issued: IssuedToken) {
        self.access_tokens.insert(token, issued);
    }

    /// Returns what an access token stands for, unless it expired or was revoked.
    pub(crate) fn access_token(&self, token: &str) -> Option<&IssuedToken> {
        // The store counts the time that this machine was awake; the claim in the token does not.
        self.access_tokens
            .get(token)
            .filter(|issued| now().is_some_and(|now| now < issued.expires_at))
    }

    /// Returns the grant of any token, and whether it is a refresh token.
    pub(crate) fn grant_of(&self, token: &str) -> Option<(&Grant, TokenKind)> {
        let chain = token
            .split_once('.')
            .and_then(|(chain, _)| self.refresh_chains.get(chain));
        match chain {
            Some(chain) => Some((&chain.grant, TokenKind::Refresh)),
            None => Some((&self.access_tokens.get(token)?.grant, TokenKind::Access)),
        }
    }

    /// Forgets one access token.
    pub(crate) fn revoke_access_token(&mut self, token: &str) {
        self.access_tokens.take(token);
    }

    /// Forgets every token that came of a grant.
    pub(crate) fn revoke(&mut self, grant: &str) {
        self.refresh_chains.remove_where(|chain| chain.grant.id == grant);
        self.access_tokens.remove_where(|token| token.grant.id == grant);
    }
}

/// The two kinds of tokens that can be revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Access,
    Refresh,
}

/// Returns the seconds since 1970, or nothing if the clock stands before.
pub(crate) fn now() -> Option<u64> {
    Some(SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_worth_nothing_after_its_claim_even_if_the_machine_slept() {
        let mut grants = Grants::new(Duration::from_secs(3600));
        let grant = Grant {
            id: "g".to_owned(),
            client_id: "c".to_owned(),
            subject: "alice".to_owned(),
            resource: "http://localhost:3001".to_owned(),
            scopes: Vec::new(),
        };
        let now = now().unwrap();
        for (token, expires_at, is_valid) in [("past", now - 1, false), ("now", now, false), ("later", now + 60, true)]
        {
            let grant = grant.clone();
            let issued_at = now - 60;
            grants.insert_access_token(
                token,
                IssuedToken {
                    grant,
                    issued_at,
                    expires_at,
                },
            );
            assert_eq!(grants.access_token(token).is_some(), is_valid, "{token}");
        }
    }
}
