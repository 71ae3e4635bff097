//! Which URLs may be configured or fetched: absolute, https, and plain http only on this machine.

use url::{Host, Url};

use crate::error::ConfigError;

/// Parses a URL that is safe to fetch from, or says what is wrong with it and how it should look.
///
/// Stricter than the `url` crate, which repairs what it can: it drops spaces and line breaks, turns `\` into `/` and adds missing slashes.
/// A repaired URL is another URL than the one that clients and token issuers compare with.
pub(crate) fn parse(text: &str) -> Result<Url, &'static str> {
    let lower = text.get(..8).unwrap_or(text).to_ascii_lowercase();
    if !lower.starts_with("https://") && !lower.starts_with("http://") {
        return Err("is not an absolute URL: write it with its scheme, for example `https://mcp.example.com`");
    }
    if !text.bytes().all(is_uri_byte) {
        return Err("has a character that a URL cannot have: percent-encode it (RFC 3986 section 2)");
    }
    let Ok(url) = Url::parse(text) else {
        return Err("cannot be parsed as a URL: write scheme and host, for example `https://mcp.example.com`");
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds a user name or password: remove it");
    }
    if url.fragment().is_some() {
        return Err("has a fragment: remove the part from `#` on");
    }
    if url.scheme() == "http" && !is_loopback(&url) {
        return Err("uses plain http: use https, http is only for `localhost` and loopback addresses");
    }
    Ok(url)
}

/// Does the same for a setting of the operator, named `what` in the error.
pub(crate) fn parse_setting(what: &'static str, text: &str) -> Result<Url, ConfigError> {
    parse(text).map_err(|problem| ConfigError::InvalidUrl {
        what,
        value: without_credentials(text),
        problem,
    })
}

/// Whether a URL names this machine, by name or address.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The unreserved and reserved characters of RFC 3986 section 2, and `%`.
fn is_uri_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte)
}

/// A password typed into a URL must not end in a log.
fn without_credentials(text: &str) -> String {
    match (text.split_once("://"), text.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://…@{host}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_loopback_http_pass() {
        for good in [
            "https://as.example.com",
            "HTTPS://AS.example.com/",
            "https://as.example.com/tenant?x=1",
            "http://localhost:3001",
            "http://127.8.8.8/a",
            "http://[::1]:3001/mcp",
        ] {
            assert!(parse(good).is_ok(), "{good}");
        }
        for (bad, expected) in [
            ("", "absolute"),
            ("localhost:3001", "absolute"),
            ("https:as.example.com", "absolute"),
            ("ftp://as.example.com", "absolute"),
            (" https://as.example.com", "absolute"),
            ("https://as.example.com ", "character"),
            ("https://as.exa\nmple.com", "character"),
            ("https://as.example.com\\@evil", "character"),
            ("https://", "parsed"),
            ("https://[::1", "parsed"),
            ("https://user@as.example.com", "user name"),
            ("https://as.example.com/#", "fragment"),
            ("http://as.example.com", "plain http"),
            ("http://localhost.example.com", "plain http"),
            ("http://10.0.0.1", "plain http"),
            ("http://[::2]", "plain http"),
        ] {
            let problem = parse(bad).expect_err(bad);
            assert!(problem.contains(expected), "{bad}: {problem}");
        }
    }

    #[test]
    fn an_error_never_shows_a_password() {
        let error = parse_setting("issuer", "https://admin:hunter2@as.example.com").expect_err("credentials");
        assert_eq!(
            error.to_string(),
            "issuer `https://…@as.example.com` holds a user name or password: remove it"
        );
    }
}
