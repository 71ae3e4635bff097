//! What one issuer's tokens must look like, beyond what every token must.

use std::time::Duration;

use super::ScopeClaim;
use crate::algorithm::Algorithm;

/// How far `nbf` and `iat` may be ahead of our clock unless the leeway is set.
const CLOCK_SKEW: Duration = Duration::from_secs(30);

/// Longest leeway. RFC 7519 section 4.1.4 allows "usually no more than a few minutes"; clocks that are set need seconds.
pub(super) const MAX_LEEWAY: Duration = Duration::from_secs(60);

/// The settings of one issuer that concern its tokens.
#[derive(Debug, Clone)]
pub(super) struct TokenRules {
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) require_at_jwt: bool,
    /// In the order in which they are looked for. The first that a token has counts.
    pub(super) scope_claims: Vec<ScopeClaim>,
    pub(super) leeway: Option<Duration>,
}

impl Default for TokenRules {
    fn default() -> Self {
        Self {
            algorithms: Algorithm::ALL.to_vec(),
            require_at_jwt: false,
            scope_claims: vec![ScopeClaim::Scope],
            leeway: None,
        }
    }
}

impl TokenRules {
    /// How long a token passes after its `exp`. Without a setting it is refused the moment it ends.
    pub(super) fn past_expiry(&self) -> Duration {
        self.leeway.unwrap_or_default()
    }

    /// How far `nbf` and `iat` may be in the future.
    pub(super) fn clock_skew(&self) -> Duration {
        self.leeway.unwrap_or(CLOCK_SKEW)
    }
}
