//! Ties a text that a client carries to the principal that it was given to.
//!
//! Session ids, task ids, `requestState` and the like come back from clients. Possession proves nothing: they leak, and they can be guessed or
//! made up. Sealed, such a text has an authentication code (HMAC-SHA-256) over itself **and** over who may bring it back: issuer, subject and
//! client id. Nothing is stored, so any instance with the same key can check it.
//!
//! A text of somebody else, of another purpose, changed or too old does not open; all of these look the same. What is sealed can be read by its
//! holder: a seal is no encryption.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::{hmac, rand};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{AuthInfo, ConfigError};

/// Seals texts for principals, and opens what they bring back. Clones share the key.
///
/// [`McpAuth::seal`](crate::McpAuth::seal) gives the one of a server; its key is random unless
/// [`McpAuthBuilder::session_key`](crate::McpAuthBuilder::session_key) sets it.
///
/// ```
/// use std::time::Duration;
/// use mcp_auth::{AuthInfo, PrincipalSeal};
///
/// /// An id for an upload that only this caller can continue, for an hour.
/// fn upload_id(seal: &PrincipalSeal, caller: &AuthInfo, file: &str) -> String {
///     seal.seal(caller, "upload", file.as_bytes(), Duration::from_secs(3600))
/// }
///
/// fn file_of(seal: &PrincipalSeal, caller: &AuthInfo, upload_id: &str) -> Option<Vec<u8>> {
///     seal.open(caller, "upload", upload_id)
/// }
/// ```
#[derive(Clone)]
pub struct PrincipalSeal(hmac::Key);

/// The shortest key, in bytes: as long as the code (RFC 2104 section 3).
const SHORTEST_KEY: usize = 32;

/// A hundred years: whoever means "for ever" gives more than a clock can count.
const LONGEST_LIFETIME: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

impl PrincipalSeal {
    /// A seal under a key of at least 32 random bytes. Instances behind one address share it.
    ///
    /// # Errors
    /// When the key is shorter.
    pub fn new(key: &[u8]) -> Result<Self, ConfigError> {
        if key.len() < SHORTEST_KEY {
            return Err(ConfigError::SessionKeyTooShort { bytes: key.len() });
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, key)))
    }

    /// A seal under a key that only this process knows: what it sealed ends with it.
    ///
    /// # Errors
    /// When the operating system gives no random numbers.
    pub fn random() -> Result<Self, ConfigError> {
        let mut key = [0; SHORTEST_KEY];
        rand::fill(&mut key).map_err(|_| ConfigError::NoRandomness)?;
        Self::new(&key)
    }

    /// Seals a value for a caller. It opens for the same purpose only, and not after `lifetime`, or after a century.
    ///
    /// The text holds letters, digits, `-`, `_` and `.`.
    #[must_use]
    pub fn seal(&self, caller: &AuthInfo, purpose: &str, value: &[u8], lifetime: Duration) -> String {
        self.seal_until(
            caller,
            purpose,
            value,
            SystemTime::now() + lifetime.min(LONGEST_LIFETIME),
        )
    }

    /// Opens what [`seal`](Self::seal) gave to this caller for this purpose. `None` for everything else.
    #[must_use]
    pub fn open(&self, caller: &AuthInfo, purpose: &str, sealed: &str) -> Option<Vec<u8>> {
        let (sealed, code) = sealed.rsplit_once('.')?;
        let (value, until) = sealed.rsplit_once('.')?;
        let value = URL_SAFE_NO_PAD.decode(value).ok()?;
        let statement: [&[u8]; 4] = [b"mcp-auth seal v1", purpose.as_bytes(), &value, until.as_bytes()];
        self.verify(&statement, caller, code)?;
        let until = UNIX_EPOCH.checked_add(Duration::from_secs(until.parse().ok()?))?;
        (SystemTime::now() < until).then_some(value)
    }

    fn seal_until(&self, caller: &AuthInfo, purpose: &str, value: &[u8], until: SystemTime) -> String {
        let until = until
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs()
            .to_string();
        let statement: [&[u8]; 4] = [b"mcp-auth seal v1", purpose.as_bytes(), value, until.as_bytes()];
        let code = self.sign(&statement, caller);
        format!("{}.{until}.{code}", URL_SAFE_NO_PAD.encode(value))
    }

    /// Makes the code over some parts, of which the first names what they are, and the caller.
    pub(crate) fn sign(&self, parts: &[&[u8]], caller: &AuthInfo) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.0, &statement(parts, caller)))
    }

    /// Checks a code, in constant time.
    pub(crate) fn verify(&self, parts: &[&[u8]], caller: &AuthInfo, code: &str) -> Option<()> {
        let code = URL_SAFE_NO_PAD.decode(code).ok()?;
        hmac::verify(&self.0, &statement(parts, caller), &code).ok()
    }
}

impl fmt::Debug for PrincipalSeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrincipalSeal(redacted)")
    }
}

/// What the code vouches for. Every part is preceded by its length, so that no two statements give the same bytes.
fn statement(parts: &[&[u8]], caller: &AuthInfo) -> Vec<u8> {
    let caller = [
        Some(caller.issuer().as_bytes()),
        Some(caller.subject().as_bytes()),
        caller.client_id().map(str::as_bytes),
    ];
    let mut bytes = Vec::new();
    for part in parts.iter().copied().map(Some).chain(caller) {
        match part {
            Some(part) => {
                bytes.push(1);
                bytes.extend((part.len() as u64).to_be_bytes());
                bytes.extend(part);
            }
            None => bytes.push(0),
        }
    }
    bytes
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::auth_info::Facts;

    pub(crate) fn caller(issuer: &str, subject: &str, client_id: Option<&str>) -> AuthInfo {
        AuthInfo::new(Facts {
            issuer: issuer.into(),
            subject: subject.into(),
            client_id: client_id.map(Into::into),
            scopes: vec![],
            audience: vec![],
            expires_at: None,
            claims: Arc::default(),
            token: None,
        })
    }

    /// Everybody who is not `alice` of `https://a` with the client `app`.
    pub(crate) fn others() -> [AuthInfo; 5] {
        [
            caller("https://a", "bob", Some("app")),
            caller("https://b", "alice", Some("app")),
            caller("https://a", "alice", Some("ap")),
            caller("https://a", "alice", None),
            caller("https://aa", "lice", Some("app")),
        ]
    }

    #[test]
    fn only_its_principal_opens_a_seal_and_only_for_its_purpose() {
        let seal = PrincipalSeal::random().unwrap();
        let alice = caller("https://a", "alice", Some("app"));
        let sealed = seal.seal(&alice, "task", b"7", Duration::from_secs(60));
        assert_eq!(seal.open(&alice, "task", &sealed).as_deref(), Some(&b"7"[..]));
        assert_eq!(seal.open(&alice, "upload", &sealed), None);
        for other in others() {
            assert_eq!(seal.open(&other, "task", &sealed), None, "{other:?}");
        }
        assert_eq!(PrincipalSeal::random().unwrap().open(&alice, "task", &sealed), None);
    }

    #[test]
    fn a_seal_that_is_changed_or_too_old_does_not_open() {
        let seal = PrincipalSeal::new(&[7; 32]).unwrap();
        let alice = caller("https://a", "alice", None);
        let sealed = seal.seal(&alice, "task", b"value", Duration::from_secs(60));
        for position in 0..sealed.len() {
            let mut changed = sealed.clone().into_bytes();
            changed[position] = if changed[position] == b'B' { b'C' } else { b'B' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(seal.open(&alice, "task", &changed), None, "{changed}");
        }
        for text in ["", ".", "..", "...", "dmFsdWU.1.", "dmFsdWU"] {
            assert_eq!(seal.open(&alice, "task", text), None, "{text}");
        }
        let old = seal.seal_until(&alice, "task", b"value", SystemTime::now() - Duration::from_secs(1));
        assert_eq!(seal.open(&alice, "task", &old), None);
        let for_ever = seal.seal(&alice, "task", b"value", Duration::MAX);
        assert!(seal.open(&alice, "task", &for_ever).is_some());
        let same_key = PrincipalSeal::new(&[7; 32]).unwrap();
        assert!(same_key.open(&alice, "task", &sealed).is_some(), "another instance");
    }

    #[test]
    fn a_short_key_is_refused_and_no_key_is_shown() {
        let error = PrincipalSeal::new(&[1; 31]).unwrap_err().to_string();
        assert!(error.contains("31 bytes"), "{error}");
        assert_eq!(
            format!("{:?}", PrincipalSeal::new(&[1; 32]).unwrap()),
            "PrincipalSeal(redacted)"
        );
    }
}
