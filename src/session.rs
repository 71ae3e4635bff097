//! Binds a legacy MCP session to the principal that opened it.
//!
//! A session id is not a credential, and `rmcp` serves whoever presents one. So the id that leaves the server carries an authentication code
//! over the id **and** the caller (issuer, subject, client id); on the way in, the code has to fit the caller of that request, and is removed
//! again. Nothing is stored.
//!
//! A session id of somebody else, or one without a code, is answered like an unknown session: 404.

use std::fmt;

use aws_lc_rs::{hmac, rand};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::AuthInfo;

/// `Mcp-Session-Id`, the session header of MCP before 2026-07-28.
pub(crate) const SESSION_ID: http::HeaderName = http::HeaderName::from_static("mcp-session-id");

/// Makes and checks the codes. Clones share the key.
#[derive(Clone)]
pub(crate) struct SessionBinding(hmac::Key);

impl SessionBinding {
    /// A binding under a key that only this process knows: sessions end with it.
    pub(crate) fn random() -> Result<Self, aws_lc_rs::error::Unspecified> {
        let mut key = [0; 32];
        rand::fill(&mut key)?;
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &key)))
    }

    /// The id given out for a session that the caller opened.
    pub(crate) fn bind(&self, session_id: &str, caller: &AuthInfo) -> String {
        let code = hmac::sign(&self.0, &statement(session_id, caller));
        format!("{session_id}.{}", URL_SAFE_NO_PAD.encode(code))
    }

    /// The id the transport knows, if this caller opened the session.
    pub(crate) fn unbind<'a>(&self, presented: &'a str, caller: &AuthInfo) -> Option<&'a str> {
        let (session_id, code) = presented.rsplit_once('.')?;
        let code = URL_SAFE_NO_PAD.decode(code).ok()?;
        // Constant time, as `verify` promises.
        hmac::verify(&self.0, &statement(session_id, caller), &code).ok()?;
        Some(session_id)
    }
}

impl fmt::Debug for SessionBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionBinding(redacted)")
    }
}

/// What the code vouches for. Every part is preceded by its length, so that no two callers give the same bytes.
fn statement(session_id: &str, caller: &AuthInfo) -> Vec<u8> {
    let mut bytes = Vec::new();
    let parts = [
        Some("mcp-auth session v1"),
        Some(session_id),
        Some(caller.issuer()),
        Some(caller.subject()),
        caller.client_id(),
    ];
    for part in parts {
        match part {
            Some(text) => {
                bytes.push(1);
                bytes.extend((text.len() as u64).to_be_bytes());
                bytes.extend(text.as_bytes());
            }
            None => bytes.push(0),
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth_info::Facts;

    fn caller(issuer: &str, subject: &str, client_id: Option<&str>) -> AuthInfo {
        AuthInfo::new(Facts {
            issuer: issuer.into(),
            subject: subject.into(),
            client_id: client_id.map(Into::into),
            scopes: vec![],
            audience: vec![],
            expires_at: None,
            claims: serde_json::Map::new(),
        })
    }

    #[test]
    fn only_the_caller_that_opened_a_session_may_use_it() {
        let binding = SessionBinding::random().unwrap();
        let alice = caller("https://a", "alice", Some("app"));
        let bound = binding.bind("one", &alice);
        assert_eq!(binding.unbind(&bound, &alice), Some("one"));
        for other in [
            caller("https://a", "bob", Some("app")),
            caller("https://b", "alice", Some("app")),
            caller("https://a", "alice", Some("ap")),
            caller("https://a", "alice", None),
            caller("https://aa", "lice", Some("app")),
        ] {
            assert_eq!(binding.unbind(&bound, &other), None, "{other:?}");
        }
    }

    #[test]
    fn a_code_fits_one_session_id_and_one_key_only() {
        let binding = SessionBinding::random().unwrap();
        let mallory = caller("https://a", "mallory", None);
        let own = binding.bind("mine", &mallory);
        let code = own.rsplit_once('.').unwrap().1;
        // A foreign id under one's own code is what a code over the caller alone would let through.
        for forged in [
            format!("yours.{code}"),
            "mine".into(),
            "mine.".into(),
            format!("mine.{code}A"),
            format!(".{code}"),
            String::new(),
        ] {
            assert_eq!(binding.unbind(&forged, &mallory), None, "{forged}");
        }
        assert_eq!(SessionBinding::random().unwrap().unbind(&own, &mallory), None);
    }
}
