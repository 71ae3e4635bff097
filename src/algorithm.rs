//! The signature algorithms that tokens may use.

use std::fmt;

/// A signature algorithm for access tokens (RFC 7518 section 3.1, RFC 8037 section 3.1).
///
/// Only asymmetric ones: with HMAC every resource server could issue tokens, and a public key could be taken for a shared secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256. RSA keys of every algorithm have 2048 to 8192 bits.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA with curve P-256 and SHA-256.
    Es256,
    /// ECDSA with curve P-384 and SHA-384.
    Es384,
    /// EdDSA with curve Ed25519, under either of its names: `EdDSA` and `Ed25519` (RFC 9864 section 2.2).
    EdDsa,
}

impl Algorithm {
    /// Every algorithm of this crate, which is also what an issuer may use by default.
    pub const ALL: [Self; 9] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::EdDsa,
    ];

    /// Returns the value of the `alg` header, for example `RS256`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
        }
    }

    /// Finds the algorithm of an `alg` value. Names are case-sensitive (RFC 7515 section 4.1.1).
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let name = if name == "Ed25519" { Self::EdDsa.name() } else { name };
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// The same in the words of the JWT library.
    pub(crate) fn for_signature(self) -> jsonwebtoken::Algorithm {
        use jsonwebtoken::Algorithm as Jwt;
        match self {
            Self::Rs256 => Jwt::RS256,
            Self::Rs384 => Jwt::RS384,
            Self::Rs512 => Jwt::RS512,
            Self::Ps256 => Jwt::PS256,
            Self::Ps384 => Jwt::PS384,
            Self::Ps512 => Jwt::PS512,
            Self::Es256 => Jwt::ES256,
            Self::Es384 => Jwt::ES384,
            Self::EdDsa => Jwt::EdDSA,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
