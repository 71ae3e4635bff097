//! The public keys of an issuer (RFC 7517).

mod ed25519;
mod jwk;
mod remote_key_set;

use serde::Deserialize;
use serde_json::value::RawValue;

pub(crate) use self::{jwk::VerificationKey, remote_key_set::RemoteKeySet};
use crate::algorithm::Algorithm;

/// Every key of one fetched set that this crate can use.
#[derive(Debug)]
pub(crate) struct KeySet {
    keys: Vec<VerificationKey>,
}

/// The keys that may have signed one token.
#[derive(Debug)]
pub(crate) enum Candidates<'set> {
    /// At least one.
    Keys(Vec<&'set VerificationKey>),
    /// The set does not have the key. A newer set may.
    Unknown,
    /// The token's key id belongs to a key for another algorithm. No newer set is worth a fetch.
    OtherAlgorithm,
    /// The token names no key, and several fit.
    Ambiguous,
}

impl KeySet {
    /// Parses a JWK set. Entries that are malformed, unsupported or not for signatures are left out one by one: one bad entry must not
    /// make the good keys unusable. The error says what is wrong and quotes nothing of the document.
    pub(crate) fn parse(issuer: &str, body: &[u8]) -> Result<Self, String> {
        let entries = entries(body)?;
        let mut keys = Vec::with_capacity(entries.len());
        for (index, entry) in entries.iter().enumerate() {
            match VerificationKey::parse(entry.get().as_bytes()) {
                Ok(key) => keys.push(key),
                Err(reason) => tracing::debug!(issuer, index, %reason, "left out a key"),
            }
        }
        if keys.is_empty() {
            // Taken over all the same: an issuer that withdraws every key means it.
            tracing::warn!(
                issuer,
                entries = entries.len(),
                "the key set has no key that this server can use"
            );
        }
        Ok(Self { keys })
    }

    /// Finds the keys for a token. A key id only selects inside this set (RFC 8725 section 3.10).
    pub(crate) fn candidates(&self, kid: Option<&str>, algorithm: Algorithm) -> Candidates<'_> {
        let fitting = |key: &&VerificationKey| key.is_for(algorithm) && (kid.is_none() || key.kid() == kid);
        let keys: Vec<_> = self.keys.iter().filter(fitting).collect();
        match (keys.len(), kid) {
            (0, Some(_)) if self.keys.iter().any(|key| key.kid() == kid) => Candidates::OtherAlgorithm,
            (0, _) => Candidates::Unknown,
            (2.., None) => Candidates::Ambiguous,
            // Key ids should be unique (RFC 7517 section 4.5). Where they are not, each key is as trusted as the next.
            _ => Candidates::Keys(keys),
        }
    }
}

/// The entries of a JWK set as they stand there. The error says what is wrong and quotes nothing of the document.
pub(crate) fn entries(body: &[u8]) -> Result<Vec<&RawValue>, String> {
    #[derive(Deserialize)]
    struct Document<'a> {
        #[serde(borrow)]
        keys: Vec<&'a RawValue>,
    }
    match serde_json::from_slice::<Document<'_>>(body) {
        Ok(document) => Ok(document.keys),
        Err(_) => Err("it is not a JSON object with an array `keys` (RFC 7517 section 5)".to_owned()),
    }
}

#[cfg(test)]
mod signature_vectors;
#[cfg(test)]
mod tests;
