//! Every way in which a token can be bad.

/// Why an access token was refused.
///
/// Three levels of detail: [`reason`](Self::reason) for programs, [`description`](Self::description) for the challenge, and `Display` for
/// the log. None of them holds anything of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidToken {
    /// Longer than 16 KiB.
    #[error("the token is longer than 16 KiB")]
    TooLong,
    /// Not three parts of base64url.
    #[error("the token is not three parts of base64url, the compact form of a signed JWT")]
    NotCompact,
    /// The header is not a JSON object, or has a duplicate member or one of the wrong type.
    #[error("the token's header is not a well-formed JOSE header")]
    BadHeader,
    /// The payload is not a JSON object, or has a duplicate member.
    #[error("the token's payload is not a well-formed claims set")]
    BadClaims,
    /// The algorithm is unknown or not allowed for the issuer.
    #[error("the token's `alg` is not allowed")]
    Algorithm,
    /// The token is signed with ES512, which the JWT library of this crate does not have.
    #[error("the token is signed with ES512, which is not supported; let its issuer sign with ES256, ES384 or EdDSA")]
    Es512,
    /// The header has a `crit` member.
    #[error("the token's header has `crit`, and no critical extension is supported")]
    CriticalExtension,
    /// The header's `typ` is not one of an access token.
    #[error("the token's `typ` is not that of an access token")]
    Type,
    /// `iss` is absent, not a string, or not a configured issuer.
    #[error("the token's `iss` is not a configured issuer")]
    Issuer,
    /// No key of the issuer fits the token.
    #[error("the token's key is not in the key set of its issuer")]
    UnknownKey,
    /// The token's key is for another algorithm.
    #[error("the token's key is not for the token's `alg`")]
    KeyForOtherAlgorithm,
    /// The token names no key and several fit.
    #[error("the token has no `kid`, and more than one key of its issuer fits")]
    AmbiguousKey,
    /// The signature is wrong.
    #[error("the token's signature is wrong")]
    Signature,
    /// The authorization server says that the token is not active: unknown, expired, revoked, or not for this server.
    #[error("the authorization server says that the token is not active")]
    Inactive,
    /// The authorization server says that it is another kind of token.
    #[error("the authorization server says that the token is not a bearer access token")]
    OtherKind,
    /// The server's own verifier refused it.
    #[error("the custom verifier refused the token")]
    Custom,
    /// A mandatory claim is absent.
    #[error("the token has no claim `{0}`")]
    MissingClaim(&'static str),
    /// A claim has the wrong type, or a value outside of its range.
    #[error("the token's claim `{0}` has the wrong type or an impossible value")]
    ClaimType(&'static str),
    /// The time of `exp` is over.
    #[error("the token has expired")]
    Expired,
    /// The time of `nbf` is still to come.
    #[error("the token is not valid yet: its `nbf` is in the future, check the clocks")]
    NotYetValid,
    /// The token says that it was issued in the future.
    #[error("the token's `iat` is in the future, check the clocks")]
    IssuedInTheFuture,
    /// `aud` is absent or does not name this resource.
    #[error("the token's `aud` does not name this resource")]
    Audience,
    /// The token is an ID token.
    #[error("the token is an ID token (it has a claim that only those have)")]
    IdToken,
    /// The token is bound to a key (RFC 7800), which a bearer token cannot prove.
    #[error("the token is bound to a key of its sender by `cnf`, which is not supported")]
    SenderConstrained,
}

impl InvalidToken {
    /// Returns the code for programs, the same as in the Node and Python libraries: `invalid_issuer`, `invalid_audience` or
    /// `invalid_token`; and `unsupported_algorithm` for ES512, which those accept.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Issuer => "invalid_issuer",
            Self::Audience => "invalid_audience",
            Self::Es512 => "unsupported_algorithm",
            _ => "invalid_token",
        }
    }

    /// Returns the `error_description` for the client (RFC 6750 section 3): fixed ASCII without `"` and `\`.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::TooLong | Self::NotCompact | Self::BadHeader | Self::BadClaims => "The access token is malformed",
            Self::Es512 => "Access tokens signed with ES512 are not supported",
            Self::Algorithm | Self::CriticalExtension | Self::Type | Self::IdToken | Self::OtherKind => {
                "The token is not an access token of a supported kind"
            }
            Self::Issuer => "The access token was issued by an authorization server that is not trusted here",
            Self::UnknownKey | Self::KeyForOtherAlgorithm | Self::AmbiguousKey | Self::Signature => {
                "The signature of the access token could not be verified"
            }
            Self::MissingClaim(_) | Self::ClaimType(_) => "A claim of the access token is missing or malformed",
            Self::Inactive | Self::Custom => "The access token is not active",
            Self::Expired => "The access token has expired",
            Self::NotYetValid | Self::IssuedInTheFuture => "The access token is not valid yet",
            Self::Audience => "The access token was not issued for this resource",
            Self::SenderConstrained => "Sender-constrained access tokens are not supported",
        }
    }
}
