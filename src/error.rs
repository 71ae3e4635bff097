//! What goes wrong outside of a single request: the operator's configuration, and the authorization server.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use http::StatusCode;

/// A mistake in the configuration, found while the server starts.
///
/// Written for the operator: each message names the value and says what to do. It never reaches a client. `Debug` shows the same text, and the
/// causes behind it, since that is what a `main` that returns an error prints.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A URL that cannot be used.
    #[error("{what} `{value}` {problem}")]
    InvalidUrl {
        /// Which setting, for example `resource`.
        what: &'static str,
        /// The URL as configured, without user name and password.
        value: String,
        /// What is wrong with it, and how it should look.
        problem: &'static str,
    },
    /// A protected resource that trusts no authorization server.
    #[error("resource `{resource}` names no authorization server: add the issuer URL of at least one")]
    NoAuthorizationServer {
        /// The resource as configured.
        resource: String,
    },
    /// Two resources whose metadata would be at one URL.
    #[error(
        "resource `{resource}` has the metadata URL of another one: configure each resource once, and no two that differ by a final slash of the host only"
    )]
    DuplicateResource {
        /// The resource as configured.
        resource: String,
    },
    /// One issuer configured twice.
    #[error("issuer `{issuer}` is configured twice: remove one of them")]
    DuplicateIssuer {
        /// The issuer as configured.
        issuer: String,
    },
    /// Metadata in the configuration that cannot be used.
    #[error("the metadata of an authorization server cannot be used: {problem}")]
    InvalidMetadata {
        /// What is wrong with it.
        problem: String,
    },
    /// A member of the protected resource metadata that cannot be published.
    #[error("the protected resource metadata member `{name}` {problem}")]
    InvalidMetadataMember {
        /// Its name.
        name: String,
        /// What is wrong with it, and what to do.
        problem: &'static str,
    },
    /// Metadata in the configuration that belongs to another issuer.
    #[error("issuer `{issuer}` is configured with the metadata of issuer {found:?}: write both exactly alike")]
    MetadataOfAnotherIssuer {
        /// The issuer as configured.
        issuer: String,
        /// The issuer in the metadata.
        found: String,
    },
    /// An issuer whose allow-list of algorithms is empty.
    #[error("issuer `{issuer}` has an empty list of algorithms: name at least one, for example `ES256`")]
    NoAlgorithm {
        /// The issuer as configured.
        issuer: String,
    },
    /// An issuer whose tokens may not have scopes anywhere.
    #[error("issuer `{issuer}` has an empty list of scope claims: name at least one, for example `scope`")]
    NoScopeClaim {
        /// The issuer as configured.
        issuer: String,
    },
    /// A leeway that accepts tokens long after their end.
    #[error("issuer `{issuer}` has a leeway of more than 60 s: set the clocks right and write at most 60 s")]
    LeewayTooLong {
        /// The issuer as configured.
        issuer: String,
    },
    /// An issuer that is to be asked about tokens in two ways.
    #[error("issuer `{issuer}` has both introspection and userinfo: remove userinfo, it says less")]
    IntrospectionAndUserinfo {
        /// The issuer as configured.
        issuer: String,
    },
    /// Answers about tokens that are kept too long.
    #[error("issuer `{issuer}` keeps answers about tokens for more than 5 minutes: a revoked token would pass so long")]
    CacheTooLong {
        /// The issuer as configured.
        issuer: String,
    },
    /// Several issuers that could be asked about a token that does not say who issued it.
    #[error(
        "resource `{resource}` has several authorization servers with introspection or userinfo: keep one, a token that does not name its issuer would be shown to all of them"
    )]
    SeveralForOpaqueTokens {
        /// The resource as configured.
        resource: String,
    },
    /// A custom verifier, which sees every token, beside a setting that would never be used.
    #[error(
        "resource `{resource}` has a custom verifier, and an authorization server with introspection or userinfo: remove one of them, the custom verifier gets every token"
    )]
    CustomVerifierAndRemoteCheck {
        /// The resource as configured.
        resource: String,
    },
    /// Credentials of this server that cannot be used.
    #[error("the credentials of client `{client_id}` {problem}")]
    InvalidClientCredentials {
        /// The client id as configured.
        client_id: String,
        /// What is wrong with them, and how they should look.
        problem: &'static str,
    },
    /// An audience that is the empty string.
    #[error(
        "an additional audience of resource `{resource}` is empty: write the `aud` value that tokens carry, or remove it"
    )]
    EmptyAudience {
        /// The resource as configured.
        resource: String,
    },
    /// An allowed host that is not `host` or `host:port`.
    #[error("allowed host `{host}` is not a host: write `mcp.example.com` or `mcp.example.com:8443`")]
    InvalidHost {
        /// The host as configured.
        host: String,
    },
    /// A scope with characters that RFC 6749 section 3.3 does not allow.
    #[error(
        "scope `{scope}` is not a scope token: use printable ASCII without space, `\"` and `\\` (RFC 6749 section 3.3)"
    )]
    InvalidScope {
        /// The scope as configured.
        scope: String,
    },
    /// A refresh token demanded of clients, which is between them and the authorization server (MCP 2026-07-28, refresh tokens).
    #[error(
        "resource `{resource}` requires the scope `offline_access`: remove it, a resource server has no use for refresh tokens"
    )]
    OfflineAccess {
        /// The resource as configured.
        resource: String,
    },
    /// A policy whose `callers:` does not cover the trusted issuers.
    #[error("policy `{policy}` does not fit the trusted issuers: {problem}")]
    IssuersAndPolicy {
        /// The policy's file.
        policy: String,
        /// Which issuer, or which setting, and what to write.
        problem: String,
    },
    /// The user that a local server works for is not known.
    #[error("the local user is not known: {problem}")]
    LocalIdentity {
        /// What is wrong, and what to set.
        problem: String,
    },
    /// A session key that could be guessed.
    #[error("the session key has {bytes} bytes: give it at least 32 random ones, such as `openssl rand 32` makes")]
    SessionKeyTooShort {
        /// Its length.
        bytes: usize,
    },
    /// The operating system gives no random numbers, so nothing can be kept secret.
    #[error("cannot make a random key: the operating system gives no random numbers")]
    NoRandomness,
    /// The client for outgoing requests could not be built.
    #[error("cannot set up the HTTPS client for issuer `{issuer}`: check the certificate store of this machine")]
    HttpClient {
        /// The issuer that it was meant for.
        issuer: String,
        /// The cause.
        source: Box<dyn Error + Send + Sync>,
    },
}

/// An authorization server that cannot be used at the moment.
///
/// Written for the operator's log. Clients get a 503 without any of it: an outage must not look like a bad token, and what another server
/// answered is no business of the caller. Cheap to clone, since one failed fetch answers every request that waited for it. `Debug` is as that of
/// [`ConfigError`].
#[derive(Clone, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorizationServerError {
    /// No connection, or one that broke.
    #[error("cannot reach `{url}`: check that the authorization server runs and that this machine may connect to it")]
    Unreachable {
        /// What was fetched.
        url: String,
        /// The cause.
        source: Arc<dyn Error + Send + Sync>,
    },
    /// No complete answer before the deadline.
    #[error("`{url}` did not answer completely within {after:?}: check the load of the authorization server")]
    TimedOut {
        /// What was fetched.
        url: String,
        /// The deadline.
        after: Duration,
    },
    /// The fetch ended without an answer, for example because the runtime shuts down.
    #[error("fetching from issuer `{issuer}` was interrupted: try again")]
    Interrupted {
        /// The configured issuer.
        issuer: String,
    },
    /// A token names a key that is not known, and the keys were fetched for such a token a moment ago.
    #[error(
        "the keys of issuer `{issuer}` were fetched a moment ago for another token with an unknown key id, and are not fetched again yet"
    )]
    FetchedTooRecently {
        /// The configured issuer.
        issuer: String,
    },
    /// An answer other than 200. Redirects are not followed.
    #[error("`{url}` answered with status {status} instead of 200: check the URL, redirects are not followed")]
    BadStatus {
        /// What was fetched.
        url: String,
        /// The status of the answer.
        status: StatusCode,
    },
    /// An answer that says that this server itself may not ask.
    #[error("`{url}` refuses to answer this server (status {status}): check its client id and credentials there")]
    ClientRefused {
        /// What was asked.
        url: String,
        /// The status of the answer.
        status: StatusCode,
    },
    /// The server's own [`CustomVerifier`](crate::CustomVerifier), which stands in its place, failed.
    #[error("the custom verifier failed: {source}")]
    CustomVerifier {
        /// The cause.
        source: Arc<dyn Error + Send + Sync>,
    },
    /// None of the well-known locations has a document.
    #[error("issuer `{issuer}` has no metadata at {}: check the issuer URL and the server type", tried.join(" or "))]
    NoMetadata {
        /// The configured issuer.
        issuer: String,
        /// The locations that were tried, in order.
        tried: Vec<String>,
    },
    /// A body over the size limit. It is refused, not cut.
    #[error("`{url}` answered with more than {limit} bytes: check that it is the right URL")]
    TooLarge {
        /// What was fetched.
        url: String,
        /// The limit, in bytes.
        limit: usize,
    },
    /// A document that is not what the specification says.
    #[error("`{url}` answered with a document that cannot be used: {problem}")]
    Malformed {
        /// What was fetched.
        url: String,
        /// What is wrong. Never a part of the document.
        problem: String,
    },
    /// Metadata that names another issuer than the one it was fetched for (RFC 8414 section 3.3).
    #[error(
        "`{url}` says that its issuer is {found:?}, not `{expected}`: configure the issuer exactly as the server writes it"
    )]
    IssuerMismatch {
        /// What was fetched.
        url: String,
        /// The configured issuer.
        expected: String,
        /// The issuer in the document, cut after 200 characters.
        found: String,
    },
}

impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_with_causes(self, f)
    }
}

impl fmt::Debug for AuthorizationServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_with_causes(self, f)
    }
}

/// Writes an error and its causes, each on its line, as the text for `Debug`. A cause that the line before ends with is not repeated.
pub(crate) fn write_with_causes(error: &dyn Error, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut before = error.to_string();
    f.write_str(&before)?;
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !before.ends_with(&text) {
            write!(f, "\nbecause: {text}")?;
        }
        before = text;
        next = cause.source();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    /// What `fn main() -> Result<(), Box<dyn Error>>` prints after `Error: `.
    #[test]
    fn debug_shows_what_display_shows_and_the_causes() {
        let config = ConfigError::InvalidUrl {
            what: "resource",
            value: "ftp://mcp.example.com".to_owned(),
            problem: "is not an https URL",
        };
        assert_eq!(
            format!("{config:?}"),
            "resource `ftp://mcp.example.com` is not an https URL"
        );
        let source: Arc<dyn Error + Send + Sync> = Arc::new(io::Error::other("connection refused"));
        let unreachable = AuthorizationServerError::Unreachable {
            url: "https://auth.example.com".to_owned(),
            source: Arc::clone(&source),
        };
        assert_eq!(
            format!("{unreachable:?}"),
            format!("{unreachable}\nbecause: connection refused")
        );
        let custom = AuthorizationServerError::CustomVerifier { source };
        assert_eq!(format!("{custom:#?}"), "the custom verifier failed: connection refused");
    }
}
