//! The key in use and those that were: what rotation leaves behind.

use std::{collections::VecDeque, fmt, sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::signing_key::{Algorithm, SigningKey};

/// So many old keys are shown at once; one more and the oldest goes.
pub(crate) const MAX_OLD_KEYS: u32 = 8;
/// Resource servers may forgive an expired token that long, and need the key for it.
const LEEWAY: Duration = Duration::from_secs(60);

/// A signing key cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cannot make a signing key: the operating system gave no random bytes")]
pub struct RotateError;

/// The key that signs, and the public halves of earlier ones, as long as tokens that they signed are valid.
pub(crate) struct SigningKeys {
    current: Arc<SigningKey>,
    old: VecDeque<OldKey>,
    kept_for: Duration,
}

struct OldKey {
    public: Value,
    gone_at: Option<Instant>,
}

impl SigningKeys {
    pub(crate) fn new(current: SigningKey, access_token_lifetime: Duration) -> Self {
        Self {
            current: Arc::new(current),
            old: VecDeque::new(),
            kept_for: kept_for(access_token_lifetime),
        }
    }

    pub(crate) fn current(&self) -> Arc<SigningKey> {
        Arc::clone(&self.current)
    }

    /// Signs with another key from now on.
    pub(crate) fn replace(&mut self, key: SigningKey) {
        self.old.push_front(OldKey {
            public: self.current.public(),
            gone_at: Instant::now().checked_add(self.kept_for),
        });
        self.old.truncate(MAX_OLD_KEYS as usize);
        self.current = Arc::new(key);
    }

    pub(crate) fn forget_old(&mut self) {
        self.old.clear();
    }

    /// Returns the key set document (RFC 7517 section 5), the key in use first.
    pub(crate) fn key_set(&self) -> Value {
        let now = Instant::now();
        let old = self
            .old
            .iter()
            .filter(|key| key.gone_at.is_none_or(|at| now < at))
            .map(|key| key.public.clone());
        let keys: Vec<Value> = [self.current.public()].into_iter().chain(old).collect();
        json!({ "keys": keys })
    }
}

/// How long a key is shown after it signed the last token.
fn kept_for(access_token_lifetime: Duration) -> Duration {
    access_token_lifetime.saturating_add(LEEWAY)
}

/// Returns the shortest time between rotations in which no key goes while a token of it is valid.
pub(crate) fn shortest_rotation(access_token_lifetime: Duration) -> Duration {
    let seconds = kept_for(access_token_lifetime)
        .as_secs()
        .div_ceil(u64::from(MAX_OLD_KEYS));
    Duration::from_secs(seconds)
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKeys")
            .field("current", &self.current)
            .field("old", &self.old.len())
            .finish_non_exhaustive()
    }
}

pub(crate) fn generate(algorithm: Algorithm) -> Result<SigningKey, RotateError> {
    SigningKey::generate(algorithm).map_err(|_| RotateError)
}
