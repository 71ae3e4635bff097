//! Random secrets, and the one hash they are kept and compared by.

use aws_lc_rs::{constant_time, digest, error::Unspecified, rand};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// Makes a secret of 256 random bits as 43 base64url characters.
///
/// # Errors
/// When the operating system gives no random bytes.
pub(crate) fn random() -> Result<String, Unspecified> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Returns the base64url SHA-256 of a text: what PKCE calls `S256` (RFC 7636 section 4.2).
///
/// The server also keeps its secrets in this form, so the time of a lookup says nothing about the secret itself.
pub(crate) fn s256(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, text.as_bytes()))
}

/// Compares two texts in a time that depends only on their lengths.
pub(crate) fn equal(a: &str, b: &str) -> bool {
    constant_time::verify_slices_are_equal(a.as_bytes(), b.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s256_gives_the_value_of_rfc_7636_appendix_b() {
        assert_eq!(
            s256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }

    #[test]
    fn secrets_differ() {
        assert_ne!(random().unwrap(), random().unwrap());
    }
}
