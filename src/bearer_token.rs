//! The one type that holds a raw access token.

use std::fmt;

/// A bearer token as the client sent it (RFC 6750 section 2.1).
///
/// It never shows its text: `Debug` prints a placeholder, there is no `Display`, and it cannot be serialized. MCP forbids forwarding it to
/// another server; the one legitimate use outside this crate is a token exchange (RFC 8693).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct BearerToken(String);

impl BearerToken {
    /// Wraps the text of a token.
    #[must_use]
    pub fn new(token: impl Into<String>) -> Self {
        Self(token.into())
    }

    /// Returns the token itself.
    ///
    /// # Security
    /// Whoever has this text can act as the caller until the token expires. Never log it and never forward it to another resource server.
    #[must_use]
    pub fn dangerous_raw_token(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerToken(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_never_contains_the_token() {
        assert_eq!(
            format!("{:?}", BearerToken::new("secret.token.text")),
            "BearerToken(redacted)"
        );
    }
}
