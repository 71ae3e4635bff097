//! The identifier of a protected resource (RFC 9728 section 1.2, RFC 8707 section 2) and what follows from its text.

use url::Url;

use crate::{error::ConfigError, secure_url};

/// Where the metadata of a resource is, inserted between host and path (RFC 9728 section 3.1).
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// A resource identifier, kept letter by letter as configured: clients and authorization servers compare it as a string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ResourceIdentifier {
    text: String,
    url: Url,
}

impl ResourceIdentifier {
    pub(crate) fn new(text: String) -> Result<Self, ConfigError> {
        let url = secure_url::parse_setting("resource", &text)?;
        Ok(Self { text, url })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The path of the metadata document, percent-encoded.
    pub(crate) fn metadata_path(&self) -> String {
        // Only a slash that ends the host goes; `/mcp` and `/mcp/` are two resources.
        let path = if self.url.path() == "/" { "" } else { self.url.path() };
        format!("{WELL_KNOWN}{path}")
    }

    pub(crate) fn query(&self) -> Option<&str> {
        self.url.query()
    }

    /// The absolute URL of the metadata document, with the origin of the resource.
    pub(crate) fn metadata_url(&self) -> String {
        let origin = self.url.origin().ascii_serialization();
        let query = self.query().map(|query| format!("?{query}")).unwrap_or_default();
        format!("{origin}{}{query}", self.metadata_path())
    }

    /// The `aud` values that name this resource: its text and, when it has no path, its text with one slash at the end or without.
    /// The URL types of several languages add that slash, and for a URL without a path it means nothing (RFC 3986 section 6.2.3).
    pub(crate) fn audiences(&self) -> Vec<String> {
        let mut audiences = vec![self.text.clone()];
        if self.url.path() == "/" && self.url.query().is_none() {
            audiences.push(match self.text.strip_suffix('/') {
                Some(without) => without.to_owned(),
                None => format!("{}/", self.text),
            });
        }
        audiences
    }
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn metadata_url_and_audiences_follow_from_the_text() {
        let well_known = "/.well-known/oauth-protected-resource";
        for (resource, origin, rest, audiences) in [
            (
                "https://h.example",
                "https://h.example",
                "",
                vec!["https://h.example", "https://h.example/"],
            ),
            (
                "https://h.example/",
                "https://h.example",
                "",
                vec!["https://h.example/", "https://h.example"],
            ),
            (
                "https://h.example/mcp",
                "https://h.example",
                "/mcp",
                vec!["https://h.example/mcp"],
            ),
            (
                "https://h.example/mcp/",
                "https://h.example",
                "/mcp/",
                vec!["https://h.example/mcp/"],
            ),
            (
                "https://h.example/a/b?c=d",
                "https://h.example",
                "/a/b?c=d",
                vec!["https://h.example/a/b?c=d"],
            ),
            (
                "https://h.example/?c=d",
                "https://h.example",
                "?c=d",
                vec!["https://h.example/?c=d"],
            ),
            (
                "HTTPS://H.example:443/mcp",
                "https://h.example",
                "/mcp",
                vec!["HTTPS://H.example:443/mcp"],
            ),
            (
                "http://localhost:3001",
                "http://localhost:3001",
                "",
                vec!["http://localhost:3001", "http://localhost:3001/"],
            ),
        ] {
            let identifier = ResourceIdentifier::new(resource.to_owned()).expect(resource);
            assert_eq!(identifier.as_str(), resource);
            assert_eq!(identifier.metadata_url(), format!("{origin}{well_known}{rest}"));
            assert_eq!(identifier.audiences(), audiences, "{resource}");
        }
    }
}
