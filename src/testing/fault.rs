//! What can be wrong with an authorization server.

/// A fault of an [`Issuer`](super::Issuer), switched on by [`Issuer::set_fault`](super::Issuer::set_fault).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Everything answers 503.
    Down,
    /// Metadata is fine, the key set answers 503.
    KeySetDown,
    /// Introspection answers 503, the rest is fine.
    IntrospectionDown,
    /// Userinfo answers 503, the rest is fine.
    UserinfoDown,
    /// Nothing ever answers.
    Slow,
    /// The metadata is never answered, the rest is fine.
    MetadataSlow,
    /// The metadata names another issuer.
    WrongIssuer,
    /// The metadata has no `jwks_uri`.
    NoKeySet,
    /// The metadata is well-formed and has more than 1 MiB.
    HugeMetadata,
    /// The key set is well-formed and has more than 2 MiB.
    HugeKeySet,
    /// The metadata is behind a redirect.
    MetadataRedirect,
    /// The key set is behind a redirect.
    KeySetRedirect,
    /// Every answer is a web page.
    NotJson,
    /// The good keys stand between entries that are broken, private, symmetric or of unknown kinds.
    MalformedKeys,
}
