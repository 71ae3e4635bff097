//! A value that is fetched from the authorization server and shared by every request.
//!
//! - Reading the current value takes no lock.
//! - One fetch is in flight at a time; whoever needs it meanwhile waits for its result.
//! - A fetch runs in a task of its own: it does not end when the request that started it is cancelled, and no lock is held while it runs.
//! - After a failure the next fetch waits 1 s, then 2 s, up to 30 s. Until then everybody gets the failure at once.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwapOption;
use tokio::{sync::watch, time::Instant};

use crate::error::AuthorizationServerError;

/// Pause after the first failed fetch. Doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Longest pause between two failing fetches.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// A value and when the fetch that brought it began.
#[derive(Debug)]
pub(crate) struct Fetched<T> {
    pub(crate) value: T,
    pub(crate) asked_at: Instant,
}

/// Nothing to work with: why, and when it is worth asking again.
#[derive(Debug, Clone)]
pub(crate) struct Unavailable {
    pub(crate) error: AuthorizationServerError,
    pub(crate) retry_after: Duration,
}

pub(crate) type Outcome<T> = Result<Arc<Fetched<T>>, Unavailable>;

/// Why a fetch failed: by itself, or because another remote value that it needs cannot be had, which that one has logged.
#[derive(Debug)]
pub(crate) struct FetchFailed {
    error: AuthorizationServerError,
    is_logged: bool,
}

impl From<AuthorizationServerError> for FetchFailed {
    fn from(error: AuthorizationServerError) -> Self {
        Self {
            error,
            is_logged: false,
        }
    }
}

impl From<Unavailable> for FetchFailed {
    fn from(unavailable: Unavailable) -> Self {
        Self {
            error: unavailable.error,
            is_logged: true,
        }
    }
}

type Fetch<T> = dyn Fn() -> Pin<Box<dyn Future<Output = Result<T, FetchFailed>> + Send>> + Send + Sync + 'static;

/// A fetch under way, and later what it brought.
type Running<T> = watch::Receiver<Option<Outcome<T>>>;

/// How a caller gets a newer value.
enum Next<T> {
    Landed(Arc<Fetched<T>>),
    Running(Running<T>),
    MayNotStart,
}

/// One remote value. Cheap to clone; clones share it.
pub(crate) struct Remote<T>(Arc<Inner<T>>);

struct Inner<T> {
    issuer: String,
    fetch: Box<Fetch<T>>,
    current: ArcSwapOption<Fetched<T>>,
    flight: Mutex<Flight<T>>,
}

/// What is known about fetching. The lock around it is never held across an `.await`.
struct Flight<T> {
    running: Option<Running<T>>,
    failures: u32,
    failure: Option<(AuthorizationServerError, Instant)>,
}

impl<T: Send + Sync + 'static> Remote<T> {
    /// Remembers how to fetch; fetches nothing yet.
    pub(crate) fn new<F, Fut, E>(issuer: &str, fetch: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
        E: Into<FetchFailed>,
    {
        Self(Arc::new(Inner {
            issuer: issuer.to_owned(),
            fetch: Box::new(move || {
                let fetching = fetch();
                Box::pin(async move { fetching.await.map_err(Into::into) })
            }),
            current: ArcSwapOption::empty(),
            flight: Mutex::new(Flight {
                running: None,
                failures: 0,
                failure: None,
            }),
        }))
    }

    /// Returns the newest value, of any age.
    pub(crate) fn current(&self) -> Option<Arc<Fetched<T>>> {
        self.0.current.load_full()
    }

    /// Returns a newer value than the one `seen`: waits for the fetch that runs, or starts one.
    pub(crate) async fn fetch(&self, seen: Option<&Arc<Fetched<T>>>) -> Outcome<T> {
        match self.fetch_if(seen, || true).await? {
            Some(newer) => Ok(newer),
            None => Err(self.interrupted()),
        }
    }

    /// Does the same, but starts a fetch only if `may_start` agrees. `None` if it does not.
    pub(crate) async fn fetch_if(
        &self,
        seen: Option<&Arc<Fetched<T>>>,
        may_start: impl FnOnce() -> bool,
    ) -> Result<Option<Arc<Fetched<T>>>, Unavailable> {
        match self.join_or_start(seen, may_start)? {
            Next::Landed(newer) => Ok(Some(newer)),
            Next::Running(running) => self.landed(running).await.map(Some),
            Next::MayNotStart => Ok(None),
        }
    }

    /// Starts a fetch without waiting for it, unless one runs or the last failure is too recent.
    pub(crate) fn fetch_in_background(&self, seen: &Arc<Fetched<T>>) {
        drop(self.join_or_start(Some(seen), || true));
    }

    /// Whether the last fetch failed.
    pub(crate) fn is_failing(&self) -> bool {
        self.0.flight().failures > 0
    }

    fn join_or_start(
        &self,
        seen: Option<&Arc<Fetched<T>>>,
        may_start: impl FnOnce() -> bool,
    ) -> Result<Next<T>, Unavailable> {
        let mut flight = self.0.flight();
        // A fetch may have landed since the caller looked. Values land under this lock, so this answer is exact.
        if let Some(current) = self.current()
            && !seen.is_some_and(|seen| Arc::ptr_eq(seen, &current))
        {
            return Ok(Next::Landed(current));
        }
        // A sender that is gone without an answer belongs to a runtime that was shut down: start anew.
        if let Some(running) = flight.running.as_ref().filter(|running| running.has_changed().is_ok()) {
            return Ok(Next::Running(running.clone()));
        }
        if let Some((error, retry_at)) = &flight.failure {
            let retry_after = retry_at.saturating_duration_since(Instant::now());
            if !retry_after.is_zero() {
                return Err(Unavailable {
                    error: error.clone(),
                    retry_after,
                });
            }
        }
        // After a failure nobody knows what a fetch would bring: the pause alone decides.
        if flight.failures == 0 && !may_start() {
            return Ok(Next::MayNotStart);
        }
        let (answer, running) = watch::channel(None);
        flight.running = Some(running.clone());
        drop(flight);

        let inner = Arc::clone(&self.0);
        tokio::spawn(async move {
            let asked_at = Instant::now();
            let result = (inner.fetch)().await;
            let outcome = inner.land(result, asked_at);
            answer.send_replace(Some(outcome));
        });
        Ok(Next::Running(running))
    }

    async fn landed(&self, mut running: Running<T>) -> Outcome<T> {
        match running.wait_for(Option::is_some).await.map(|answer| answer.clone()) {
            Ok(Some(outcome)) => outcome,
            Ok(None) | Err(_) => Err(self.interrupted()),
        }
    }

    fn interrupted(&self) -> Unavailable {
        let error = AuthorizationServerError::Interrupted {
            issuer: self.0.issuer.clone(),
        };
        Unavailable {
            error,
            retry_after: FIRST_PAUSE,
        }
    }
}

impl<T> Inner<T> {
    fn flight(&self) -> MutexGuard<'_, Flight<T>> {
        // No code panics under this lock; if one did, the state would still be whole.
        self.flight.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores what a fetch brought, before anybody who waits is woken.
    fn land(&self, result: Result<T, FetchFailed>, asked_at: Instant) -> Outcome<T> {
        let mut flight = self.flight();
        flight.running = None;
        match result {
            Ok(value) => {
                let fetched = Arc::new(Fetched { value, asked_at });
                self.current.store(Some(Arc::clone(&fetched)));
                flight.failures = 0;
                flight.failure = None;
                Ok(fetched)
            }
            Err(FetchFailed { error, is_logged }) => {
                let pause = LONGEST_PAUSE.min(FIRST_PAUSE * 2_u32.saturating_pow(flight.failures.min(5)));
                if !is_logged {
                    tracing::warn!(
                        issuer = self.issuer,
                        error = &error as &dyn std::error::Error,
                        next_try_in = ?pause,
                        "cannot use the authorization server"
                    );
                }
                flight.failures = flight.failures.saturating_add(1);
                flight.failure = Some((error.clone(), Instant::now() + pause));
                Err(Unavailable {
                    error,
                    retry_after: pause,
                })
            }
        }
    }
}

impl<T> Clone for Remote<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> fmt::Debug for Remote<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote")
            .field("issuer", &self.0.issuer)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
