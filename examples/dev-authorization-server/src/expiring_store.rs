//! What the server remembers for a while, found again by a secret.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use crate::secret;

/// A bounded store of values that expire. When it is full the oldest value goes, so nobody can fill it for good.
///
/// A linear search is enough for the at most ten thousand entries of a development server. Time is tokio's clock, so that tests can move it.
#[derive(Debug)]
pub(crate) struct ExpiringStore<V> {
    entries: VecDeque<Entry<V>>,
    capacity: usize,
    lifetime: Duration,
}

#[derive(Debug)]
struct Entry<V> {
    /// The hash of the secret: see [`secret::s256`].
    key: String,
    value: V,
    /// `None` when the lifetime is longer than the clock can count: never.
    expires_at: Option<Instant>,
}

impl<V> ExpiringStore<V> {
    pub(crate) fn new(capacity: usize, lifetime: Duration) -> Self {
        Self {
            entries: VecDeque::new(),
            capacity,
            lifetime,
        }
    }

    pub(crate) fn insert(&mut self, secret: &str, value: V) {
        // All entries live equally long, so the oldest stand in front.
        while self.entries.len() >= self.capacity || self.entries.front().is_some_and(Entry::is_expired) {
            if self.entries.pop_front().is_none() {
                break;
            }
        }
        self.entries.push_back(Entry {
            key: secret::s256(secret),
            value,
            expires_at: Instant::now().checked_add(self.lifetime),
        });
    }

    pub(crate) fn get(&self, secret: &str) -> Option<&V> {
        let entry = self.entries.get(self.position(secret)?)?;
        Some(&entry.value)
    }

    pub(crate) fn get_mut(&mut self, secret: &str) -> Option<&mut V> {
        let position = self.position(secret)?;
        Some(&mut self.entries.get_mut(position)?.value)
    }

    /// Forgets every value that matches.
    pub(crate) fn remove_where(&mut self, matches: impl Fn(&V) -> bool) {
        self.entries.retain(|entry| !matches(&entry.value));
    }

    /// Removes and returns the value: whoever asks a second time gets nothing.
    pub(crate) fn take(&mut self, secret: &str) -> Option<V> {
        let position = self.position(secret)?;
        Some(self.entries.remove(position)?.value)
    }

    fn position(&self, secret: &str) -> Option<usize> {
        let key = secret::s256(secret);
        self.entries
            .iter()
            .position(|entry| entry.key == key && !entry.is_expired())
    }
}

impl<V> Entry<V> {
    fn is_expired(&self) -> bool {
        self.expires_at.is_some_and(|at| at <= Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_value_is_gone_when_its_time_is_up() {
        let mut store = ExpiringStore::new(10, Duration::from_secs(60));
        store.insert("a", 1);
        tokio::time::advance(Duration::from_secs(59)).await;
        assert_eq!(store.get("a"), Some(&1));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(store.take("a"), None);
    }

    #[test]
    fn a_value_can_be_taken_once() {
        let mut store = ExpiringStore::new(10, Duration::MAX);
        store.insert("a", 1);
        assert_eq!((store.take("a"), store.take("a")), (Some(1), None));
    }

    #[test]
    fn values_can_be_removed_by_what_they_are() {
        let mut store = ExpiringStore::new(10, Duration::MAX);
        for (secret, value) in [("a", 1), ("b", 2), ("c", 1)] {
            store.insert(secret, value);
        }
        store.remove_where(|value| *value == 1);
        assert_eq!((store.get("a"), store.get("b"), store.get("c")), (None, Some(&2), None));
    }

    #[test]
    fn a_full_store_forgets_the_oldest() {
        let mut store = ExpiringStore::new(2, Duration::MAX);
        for (secret, value) in [("a", 1), ("b", 2), ("c", 3)] {
            store.insert(secret, value);
        }
        assert_eq!(
            (store.get("a"), store.get("b"), store.get("c")),
            (None, Some(&2), Some(&3))
        );
    }
}
