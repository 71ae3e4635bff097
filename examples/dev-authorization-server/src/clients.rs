//! The registered clients: those that somebody allowed in, and those that only said hello.
//!
//! Anybody can register, web pages of other origins included, so registering must not cost anybody else anything. Allowing a client takes
//! the form of the sign-in page, which no other origin can send. So the two are kept apart, and a flood of registrations only makes those
//! forgotten that nobody allowed yet. A sign-in that is under way holds its client and does not look it up again.

use std::time::Duration;

use crate::{client_registration::Client, expiring_store::ExpiringStore};

/// So many clients of either kind are remembered at once.
const CAPACITY: usize = 1000;

/// Clients by their id. They keep it for weeks, so only the number of newer ones of the same kind makes this server forget one.
pub(crate) struct Clients {
    registered: ExpiringStore<Client>,
    allowed: ExpiringStore<Client>,
}

impl Clients {
    pub(crate) fn new() -> Self {
        Self {
            registered: ExpiringStore::new(CAPACITY, Duration::MAX),
            allowed: ExpiringStore::new(CAPACITY, Duration::MAX),
        }
    }

    pub(crate) fn get(&self, client_id: &str) -> Option<&Client> {
        self.allowed.get(client_id).or_else(|| self.registered.get(client_id))
    }

    pub(crate) fn register(&mut self, client: Client) {
        self.registered.insert(&client.client_id.clone(), client);
    }

    /// Keeps a client that a person allowed in.
    pub(crate) fn allow(&mut self, client: &Client) {
        if self.allowed.get(&client.client_id).is_none() {
            self.allowed.insert(&client.client_id, client.clone());
        }
    }
}
