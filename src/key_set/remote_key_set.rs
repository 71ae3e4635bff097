//! Keeping an issuer's keys fresh: when to fetch, when to wait, when to go on with what is there.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::KeySet;
use crate::{
    discovery::Discovery,
    error::AuthorizationServerError,
    http_client::{HttpClient, MAX_KEY_SET_BYTES},
    remote::{FetchFailed, Fetched, Outcome, Remote, Unavailable},
};

/// Age from which a set is fetched again in the background, so that no request waits for it.
const REFRESH_AFTER: Duration = Duration::from_secs(8 * 60);

/// Age from which requests wait for a newer set: a key that the issuer removed is refused after this time.
const MAX_AGE: Duration = Duration::from_secs(10 * 60);

/// Age up to which a set stays in use while fetching a newer one fails.
const STALE_LIMIT: Duration = Duration::from_secs(60 * 60);

/// Shortest time between two fetches for key ids that are not in the set: anybody can send tokens with made-up key ids.
const UNKNOWN_KEY_INTERVAL: Duration = Duration::from_secs(5);

/// The key set of one issuer, fetched on first use and shared.
#[derive(Debug)]
pub(crate) struct RemoteKeySet {
    issuer: String,
    remote: Remote<KeySet>,
    /// A token bucket that holds one token: when the last fetch for an unknown key id began.
    unknown_key_fetch: Mutex<Option<Instant>>,
}

impl RemoteKeySet {
    pub(crate) fn new(issuer: &str, discovery: Discovery, client: HttpClient) -> Self {
        let text = issuer.to_owned();
        let remote = Remote::new(issuer, move || {
            let (issuer, discovery, client) = (text.clone(), discovery.clone(), client.clone());
            async move { fetch(&issuer, &discovery, &client).await }
        });
        Self {
            issuer: issuer.to_owned(),
            remote,
            unknown_key_fetch: Mutex::new(None),
        }
    }

    /// Returns a set that is young enough to use.
    pub(crate) async fn current(&self) -> Outcome<KeySet> {
        let Some(set) = self.remote.current() else {
            return self.remote.fetch(None).await;
        };
        match set.asked_at.elapsed() {
            age if age < REFRESH_AFTER => Ok(set),
            // In an outage nobody waits for what the next try brings: each one may take the whole deadline.
            age if age < MAX_AGE || (age < STALE_LIMIT && self.remote.is_failing()) => {
                self.remote.fetch_in_background(&set);
                Ok(set)
            }
            age if age < STALE_LIMIT => Ok(self.remote.fetch(Some(&set)).await.unwrap_or(set)),
            _ => self.remote.fetch(Some(&set)).await,
        }
    }

    /// Fetches a newer set for a token whose key is not in `set`, at most once in 5 s. `None` when `set` is the last word.
    ///
    /// While the issuer cannot be reached, or must not be asked again yet, this is an error: nobody knows whether the key exists, and a good
    /// token that is refused is thrown away.
    pub(crate) async fn newer_than(
        &self,
        set: &Arc<Fetched<KeySet>>,
        token_arrived: Instant,
    ) -> Result<Option<Arc<Fetched<KeySet>>>, Unavailable> {
        if set.asked_at >= token_arrived {
            return Ok(None);
        }
        let newer = self
            .remote
            .fetch_if(Some(set), || self.may_fetch_for_unknown_key())
            .await?;
        newer.map(Some).ok_or_else(|| Unavailable {
            error: AuthorizationServerError::FetchedTooRecently {
                issuer: self.issuer.clone(),
            },
            retry_after: self.until_unknown_key_fetch(),
        })
    }

    fn may_fetch_for_unknown_key(&self) -> bool {
        let mut last = self.last_unknown_key_fetch();
        let allowed = last.is_none_or(|last| last.elapsed() >= UNKNOWN_KEY_INTERVAL);
        if allowed {
            *last = Some(Instant::now());
        }
        allowed
    }

    /// How long until the next fetch for an unknown key id: whoever waits so long after a rotation is let in, however many made-up key ids arrive.
    fn until_unknown_key_fetch(&self) -> Duration {
        let last = *self.last_unknown_key_fetch();
        last.map_or(Duration::ZERO, |last| {
            UNKNOWN_KEY_INTERVAL.saturating_sub(last.elapsed())
        })
    }

    fn last_unknown_key_fetch(&self) -> MutexGuard<'_, Option<Instant>> {
        // No code panics under this lock; if one did, the state would still be whole.
        self.unknown_key_fetch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn fetch(issuer: &str, discovery: &Discovery, client: &HttpClient) -> Result<KeySet, FetchFailed> {
    let deadline = client.deadline();
    let metadata = discovery.metadata().await?;
    let url = metadata.value.endpoint("jwks_uri")?;
    let body = client.get(&url, MAX_KEY_SET_BYTES, deadline).await?;
    let set = KeySet::parse(issuer, &body).map_err(|problem| AuthorizationServerError::Malformed {
        url: url.to_string(),
        problem,
    })?;
    Ok(set)
}
