//! Where a token says which scopes it has.

/// A claim that may hold the scopes of a token, as one text with spaces or as an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScopeClaim {
    /// `scope` (RFC 9068 section 2.2.3). The default.
    Scope,
    /// `scopes`, as some servers spell it.
    Scopes,
    /// `scp`, of Microsoft Entra and Okta.
    Scp,
    /// `permissions`, of Auth0: what the user may do, whatever the client asked for.
    Permissions,
}

impl ScopeClaim {
    /// Returns the name of the claim.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Scope => "scope",
            Self::Scopes => "scopes",
            Self::Scp => "scp",
            Self::Permissions => "permissions",
        }
    }
}
