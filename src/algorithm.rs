//! The signature algorithms that tokens may use.

use std::fmt;

/// A signature algorithm for access tokens (RFC 7518 section 3.1).
///
/// Only asymmetric ones: with HMAC every resource server could issue tokens, and a public key could be taken for a shared secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256. Keys of 2048 to 8192 bits.
    Rs256,
    /// ECDSA with curve P-256 and SHA-256.
    Es256,
}

impl Algorithm {
    /// Every algorithm of this crate, which is also what an issuer may use by default.
    pub const ALL: [Self; 2] = [Self::Rs256, Self::Es256];

    /// Returns the value of the `alg` header, for example `RS256`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }

    /// Finds the algorithm of an `alg` value. Names are case-sensitive (RFC 7515 section 4.1.1).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
