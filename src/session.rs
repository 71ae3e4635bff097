//! Binds a legacy MCP session to the principal that opened it.
//!
//! A session id is not a credential, and `rmcp` serves whoever presents one. So the id that leaves the server carries a code for its caller
//! ([`PrincipalSeal`]); on the way in, the code has to fit the caller of that request, and is removed again.
//!
//! A session id of somebody else, or one without a code, is answered like an unknown session: 404.

use crate::{AuthInfo, PrincipalSeal};

/// `Mcp-Session-Id`, the session header of MCP before 2026-07-28.
pub(crate) const SESSION_ID: http::HeaderName = http::HeaderName::from_static("mcp-session-id");

const LABEL: &[u8] = b"mcp-auth session v1";

/// The id given out for a session that the caller opened.
pub(crate) fn bind(seal: &PrincipalSeal, session_id: &str, caller: &AuthInfo) -> String {
    let code = seal.sign(&[LABEL, session_id.as_bytes()], caller);
    format!("{session_id}.{code}")
}

/// The id the transport knows, if this caller opened the session.
pub(crate) fn unbind<'a>(seal: &PrincipalSeal, presented: &'a str, caller: &AuthInfo) -> Option<&'a str> {
    let (session_id, code) = presented.rsplit_once('.')?;
    seal.verify(&[LABEL, session_id.as_bytes()], caller, code)?;
    Some(session_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::principal_seal::tests::{caller, others};

    #[test]
    fn only_the_caller_that_opened_a_session_may_use_it() {
        let seal = PrincipalSeal::random().unwrap();
        let alice = caller("https://a", "alice", Some("app"));
        let bound = bind(&seal, "one", &alice);
        assert_eq!(unbind(&seal, &bound, &alice), Some("one"));
        for other in others() {
            assert_eq!(unbind(&seal, &bound, &other), None, "{other:?}");
        }
    }

    #[test]
    fn a_code_fits_one_session_id_and_one_key_only() {
        let seal = PrincipalSeal::random().unwrap();
        let mallory = caller("https://a", "mallory", None);
        let own = bind(&seal, "mine", &mallory);
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
            assert_eq!(unbind(&seal, &forged, &mallory), None, "{forged}");
        }
        assert_eq!(unbind(&PrincipalSeal::random().unwrap(), &own, &mallory), None);
    }
}
