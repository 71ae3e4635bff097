//! Which `Host` and `Origin` a request may name: the defence against DNS rebinding.
//!
//! A page of an attacker can make a browser send requests to a server on the reader's own machine or network. Two headers give it away: `Host`
//! names the attacker's domain although the address is ours, and `Origin` names the page. MCP (Streamable HTTP, Security) requires the check of
//! `Origin`; a request without `Origin` does not come from a page and passes.

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header, uri::Authority};
use url::Url;

use crate::{
    error::ConfigError,
    secure_url::{self, is_loopback},
};

/// The hosts and origins that may use one protected resource.
#[derive(Debug, Clone)]
pub(crate) struct AllowedOrigins {
    hosts: Vec<String>,
    origins: Vec<String>,
    loopback: bool,
}

/// What of a request names somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Foreign {
    Host,
    Origin,
}

/// Headers that browsers may send to the MCP endpoint, beside those that [`ARGUMENT_HEADERS`] begins.
const ALLOW_HEADERS: &str =
    "Authorization, Content-Type, Accept, MCP-Protocol-Version, Mcp-Method, Mcp-Name, Mcp-Session-Id, Last-Event-ID";
/// Headers that repeat an argument of the call (MCP 2026-07-28); the tool chooses the rest of the name.
const ARGUMENT_HEADERS: &str = "mcp-param-";
const ALLOW_METHODS: HeaderValue = HeaderValue::from_static("GET, POST, DELETE, OPTIONS");
/// Headers that a page may read: without the first one, a browser client never sees the challenge.
const EXPOSE_HEADERS: HeaderValue = HeaderValue::from_static("WWW-Authenticate, Mcp-Session-Id");

impl AllowedOrigins {
    /// Allows the resource's own host and origin, and every loopback host and origin if the resource is on loopback.
    pub(crate) fn of_resource(resource: &Url) -> Self {
        let mut hosts = vec![authority(resource)];
        if is_loopback(resource) {
            hosts.extend(["localhost", "127.0.0.1", "[::1]"].map(str::to_owned));
        }
        Self {
            hosts,
            origins: vec![resource.origin().ascii_serialization()],
            loopback: is_loopback(resource),
        }
    }

    /// Allows a host, `host` or `host:port`.
    pub(crate) fn allow_host(&mut self, host: String) -> Result<(), ConfigError> {
        match host.parse::<Authority>() {
            Ok(authority) if !authority.as_str().contains('@') => {
                self.hosts.push(host);
                Ok(())
            }
            _ => Err(ConfigError::InvalidHost { host }),
        }
    }

    /// Allows an origin, written as browsers send it.
    pub(crate) fn allow_origin(&mut self, origin: &str) -> Result<(), ConfigError> {
        let url = secure_url::parse_setting("allowed origin", origin)?;
        let serialized = url.origin().ascii_serialization();
        if !serialized.eq_ignore_ascii_case(origin) {
            return Err(ConfigError::InvalidUrl {
                what: "allowed origin",
                value: origin.to_owned(),
                problem: "is more than an origin: write scheme, host and port only, for example `https://app.example.com`",
            });
        }
        self.origins.push(serialized);
        Ok(())
    }

    /// The hosts, for transports that check them a second time.
    pub(crate) fn hosts(&self) -> &[String] {
        &self.hosts
    }

    /// Whether the request may go on.
    pub(crate) fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Foreign> {
        if !self.host_is_allowed(uri, headers) {
            return Err(Foreign::Host);
        }
        let mut origins = headers.get_all(header::ORIGIN).iter();
        match (origins.next(), origins.next()) {
            (None, _) => Ok(()),
            (Some(origin), None) if self.origin_is_allowed(origin) => Ok(()),
            _ => Err(Foreign::Origin),
        }
    }

    fn host_is_allowed(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        // HTTP/2 puts the host into the target; RFC 9112 section 3.2.2 makes an absolute target win over the header, so both must pass.
        let mut named = headers
            .get_all(header::HOST)
            .iter()
            .map(|v| v.to_str().unwrap_or(""))
            .collect::<Vec<_>>();
        if named.len() > 1 {
            return false;
        }
        named.extend(uri.authority().map(http::uri::Authority::as_str));
        !named.is_empty() && named.iter().all(|host| self.allows_authority(host))
    }

    /// An allowed entry without a port allows every port.
    fn allows_authority(&self, authority: &str) -> bool {
        let host = without_port(authority);
        self.hosts
            .iter()
            .any(|allowed| allowed.eq_ignore_ascii_case(authority) || allowed.eq_ignore_ascii_case(host))
    }

    fn origin_is_allowed(&self, origin: &HeaderValue) -> bool {
        let Ok(text) = origin.to_str() else { return false };
        let Ok(url) = Url::parse(text) else { return false };
        let serialized = url.origin().ascii_serialization();
        // An Origin header is exactly a serialized origin (RFC 6454 section 6.1): no path, no user, no default port.
        serialized.eq_ignore_ascii_case(text)
            && (self.origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(text))
                || (self.loopback && is_loopback(&url)))
    }

    /// Answers a CORS preflight from an allowed origin: the headers of the 204.
    pub(crate) fn preflight(&self, method: &Method, headers: &HeaderMap) -> Option<HeaderMap> {
        if method != Method::OPTIONS || !headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD) {
            return None;
        }
        let mut answer = HeaderMap::new();
        answer.insert(
            header::ACCESS_CONTROL_ALLOW_ORIGIN,
            headers.get(header::ORIGIN)?.clone(),
        );
        answer.insert(header::ACCESS_CONTROL_ALLOW_METHODS, ALLOW_METHODS);
        answer.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allow_headers(headers));
        answer.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        let vary = HeaderValue::from_static("Origin, Access-Control-Request-Headers");
        answer.insert(header::VARY, vary);
        Some(answer)
    }
}

/// What every page may send, and the headers for arguments among what this one asks for.
fn allow_headers(request: &HeaderMap) -> HeaderValue {
    let asked = request.get_all(header::ACCESS_CONTROL_REQUEST_HEADERS).iter();
    let names = asked.flat_map(|list| list.as_bytes().split(|byte| *byte == b','));
    let names = names.filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok());
    let mut allowed = ALLOW_HEADERS.to_owned();
    for name in names.filter(|name| name.as_str().starts_with(ARGUMENT_HEADERS)) {
        allowed.push_str(", ");
        allowed.push_str(name.as_str());
    }
    HeaderValue::try_from(allowed).unwrap_or(HeaderValue::from_static(ALLOW_HEADERS))
}

/// Lets a page of an allowed origin read the response. The origin has passed [`AllowedOrigins::check`].
pub(crate) fn expose_to(origin: Option<HeaderValue>, headers: &mut HeaderMap) {
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSE_HEADERS);
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
    }
}

fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(resource: &str, host: &str, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_str(host).unwrap());
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, HeaderValue::from_str(origin).unwrap());
        }
        let mut allowed = AllowedOrigins::of_resource(&Url::parse(resource).unwrap());
        allowed.allow_host("proxy.internal:8080".to_owned()).unwrap();
        allowed.allow_origin("https://app.example.com").unwrap();
        allowed.check(&Uri::from_static("/"), &headers).is_ok()
    }

    #[test]
    fn hosts_of_a_loopback_resource() {
        for host in [
            "localhost:3001",
            "LOCALHOST:3001",
            "localhost",
            "127.0.0.1:3001",
            "[::1]:3001",
            "proxy.internal:8080",
        ] {
            assert!(check("http://localhost:3001", host, None), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:3001",
            "127.1",
            "",
            ":3001",
            "localhost:x",
            "proxy.internal",
            "a@localhost",
        ] {
            assert!(!check("http://localhost:3001", host, None), "{host}");
        }
    }

    #[test]
    fn hosts_of_a_public_resource() {
        for (host, expected) in [
            ("api.example.com", true),
            ("API.example.com:443", true),
            ("localhost", false),
            ("127.0.0.1:3001", false),
            ("example.com", false),
            ("api.example.com.evil.example", false),
        ] {
            assert_eq!(check("https://api.example.com/mcp", host, None), expected, "{host}");
        }
    }

    #[test]
    fn origins() {
        for (origin, loopback, public) in [
            ("http://localhost:6274", true, false),
            ("http://127.0.0.1:3001", true, false),
            ("http://[::1]:1", true, false),
            ("https://api.example.com", false, true),
            ("https://app.example.com", true, true),
            ("http://app.example.com", false, false),
            ("https://app.example.com:444", false, false),
            ("https://app.example.com/", false, false),
            ("https://app.example.com:443", false, false),
            ("https://user@app.example.com", false, false),
            ("http://localhost.evil.example", false, false),
            ("null", false, false),
            ("file://", false, false),
            ("", false, false),
        ] {
            assert_eq!(
                check("http://localhost:3001", "localhost:3001", Some(origin)),
                loopback,
                "{origin}"
            );
            assert_eq!(
                check("https://api.example.com/mcp", "api.example.com", Some(origin)),
                public,
                "{origin}"
            );
        }
    }

    #[test]
    fn more_than_one_host_or_origin_is_refused() {
        let allowed = AllowedOrigins::of_resource(&Url::parse("http://localhost:3001").unwrap());
        for name in [header::HOST, header::ORIGIN] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static("localhost:3001"));
            headers.insert(header::ORIGIN, HeaderValue::from_static("http://localhost:3001"));
            assert!(allowed.check(&Uri::from_static("/"), &headers).is_ok());
            let twice = headers[&name].clone();
            headers.append(&name, twice);
            assert!(allowed.check(&Uri::from_static("/"), &headers).is_err(), "{name}");
        }
    }

    #[test]
    fn what_could_never_match_cannot_be_allowed() {
        let mut allowed = AllowedOrigins::of_resource(&Url::parse("http://localhost:3001").unwrap());
        for host in ["https://a.example/", "a@b.example", "a b", ""] {
            assert!(allowed.allow_host(host.to_owned()).is_err(), "{host}");
        }
        for origin in [
            "https://a.example/",
            "https://a.example/path",
            "a.example",
            "https://a.example:443",
            "null",
            "",
        ] {
            assert!(allowed.allow_origin(origin).is_err(), "{origin}");
        }
    }

    #[test]
    fn the_host_of_an_absolute_target_is_checked_too() {
        let allowed = AllowedOrigins::of_resource(&Url::parse("http://localhost:3001").unwrap());
        let mut headers = HeaderMap::new();
        assert!(
            allowed.check(&Uri::from_static("/"), &headers).is_err(),
            "no host at all"
        );
        assert!(
            allowed
                .check(&Uri::from_static("http://localhost:3001/"), &headers)
                .is_ok()
        );
        headers.insert(header::HOST, HeaderValue::from_static("localhost:3001"));
        assert!(
            allowed
                .check(&Uri::from_static("http://evil.example/"), &headers)
                .is_err()
        );
    }
}
