//! One question for everybody who asks about the same token, and the answers that are kept.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aws_lc_rs::digest::{SHA256, digest};
use tokio::{sync::watch, time::Instant};

use super::Answer;
use crate::{bearer_token::BearerToken, remote::Unavailable};

/// Most answers that are kept. The oldest make room.
const MAX_KEPT: usize = 10_000;

type Outcome = Result<Arc<Answer>, Unavailable>;

/// The whole token as SHA-256: two tokens never share an answer, and nothing here can be used as a token.
type Key = [u8; 32];

/// The questions that are open and the answers that are kept.
pub(super) struct Answers {
    keep: Duration,
    state: Arc<Mutex<State>>,
}

/// The lock around it is never held across an `.await`.
#[derive(Default)]
struct State {
    open: HashMap<Key, watch::Receiver<Option<Outcome>>>,
    kept: HashMap<Key, (Arc<Answer>, Instant)>,
    /// The keys of `kept` in the order in which they were asked, which is the order in which they end.
    order: VecDeque<(Key, Instant)>,
}

impl Answers {
    pub(super) fn new(keep: Duration) -> Self {
        Self {
            keep,
            state: Arc::default(),
        }
    }

    /// Returns the answer for a token, by `ask` if nobody else has asked. `None` when the question ended without an answer.
    pub(super) async fn get(
        &self,
        token: &BearerToken,
        ask: impl Future<Output = Result<Answer, Unavailable>> + Send + 'static,
    ) -> Option<Outcome> {
        let key = key(token);
        let mut open = {
            let mut state = lock(&self.state);
            if let Some(answer) = state.kept(&key, self.keep) {
                return Some(Ok(answer));
            }
            // A sender that is gone without an answer belongs to a task that was ended: ask anew.
            let running = state.open.get(&key).filter(|open| open.has_changed().is_ok()).cloned();
            running.unwrap_or_else(|| self.start(&mut state, key, ask))
        };
        // Bound first: the borrow of the value must not live as long as the match.
        let answer = open.wait_for(Option::is_some).await.map(|answer| answer.clone());
        answer.ok().flatten()
    }

    fn start(
        &self,
        state: &mut State,
        key: Key,
        ask: impl Future<Output = Result<Answer, Unavailable>> + Send + 'static,
    ) -> watch::Receiver<Option<Outcome>> {
        let (sender, open) = watch::channel(None);
        state.open.insert(key, open.clone());
        let (shared, keep) = (Arc::clone(&self.state), self.keep);
        tokio::spawn(async move {
            let asked_at = Instant::now();
            let outcome = ask.await.map(Arc::new);
            let mut state = lock(&shared);
            state.open.remove(&key);
            if let Ok(answer) = &outcome {
                state.keep(key, answer, asked_at, keep);
            }
            drop(state);
            sender.send_replace(Some(outcome));
        });
        open
    }
}

impl State {
    fn kept(&self, key: &Key, keep: Duration) -> Option<Arc<Answer>> {
        let (answer, asked_at) = self.kept.get(key)?;
        (asked_at.elapsed() < keep).then(|| Arc::clone(answer))
    }

    /// Keeps an answer. Only good ones: anybody can send tokens that are not active, and push out everybody else's answers with them.
    fn keep(&mut self, key: Key, answer: &Arc<Answer>, asked_at: Instant, keep: Duration) {
        if keep.is_zero() || matches!(**answer, Answer::Inactive) {
            return;
        }
        while let Some((oldest, at)) = self.order.front() {
            if at.elapsed() < keep && self.order.len() < MAX_KEPT {
                break;
            }
            // The same token may have been asked about again since.
            if self.kept.get(oldest).is_some_and(|(_, kept)| kept == at) {
                self.kept.remove(oldest);
            }
            self.order.pop_front();
        }
        self.kept.insert(key, (Arc::clone(answer), asked_at));
        self.order.push_back((key, asked_at));
    }
}

fn key(token: &BearerToken) -> Key {
    let mut key = Key::default();
    let digest = digest(&SHA256, token.dangerous_raw_token().as_bytes());
    key.copy_from_slice(digest.as_ref());
    key
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // No code panics under this lock; if one did, the state would still be whole.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
