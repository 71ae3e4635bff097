//! What a test issuer knows of the tokens that it issued.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::{Map, Value};

use crate::bearer_token::BearerToken;

/// The claims of every token that is not revoked, opaque and signed. Clones share them.
#[derive(Clone, Default)]
pub(super) struct IssuedTokens(Arc<Mutex<HashMap<BearerToken, Map<String, Value>>>>);

impl IssuedTokens {
    pub(super) fn insert(&self, token: BearerToken, claims: Map<String, Value>) {
        self.lock().insert(token, claims);
    }

    pub(super) fn remove(&self, token: &BearerToken) {
        self.lock().remove(token);
    }

    pub(super) fn claims(&self, token: &str) -> Option<Map<String, Value>> {
        self.lock().get(&BearerToken::new(token)).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<BearerToken, Map<String, Value>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
