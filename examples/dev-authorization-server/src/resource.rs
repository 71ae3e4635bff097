//! The resource servers that tokens can be issued for.

use url::Url;

/// A resource indicator (RFC 8707 section 2). Its text becomes the audience of the tokens.
#[derive(Debug, Clone)]
pub(crate) struct Resource {
    text: String,
    has_path: bool,
}

impl Resource {
    pub(crate) fn new(text: String, url: &Url) -> Self {
        let has_path = url.path() != "/" || url.query().is_some();
        Self { text, has_path }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Tells whether a request means this resource: the same text, or for a resource without path the same text but for the final slash,
    /// which clients add when they pass the URL through a parser.
    pub(crate) fn is_meant_by(&self, requested: &str) -> bool {
        let without_slash = |text: &str| text.strip_suffix('/').unwrap_or(text).to_owned();
        requested == self.text || (!self.has_path && without_slash(requested) == without_slash(&self.text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_resource_without_path_forgives_a_final_slash() {
        for (resource, requested, meant) in [
            ("http://localhost:3001", "http://localhost:3001", true),
            ("http://localhost:3001", "http://localhost:3001/", true),
            ("http://localhost:3001/", "http://localhost:3001", true),
            ("http://localhost:3001", "http://localhost:3001//", false),
            ("http://localhost:3001", "http://localhost:30011", false),
            ("http://localhost:3001", "http://localhost:3001/mcp", false),
            ("http://localhost:3001/mcp", "http://localhost:3001/mcp", true),
            ("http://localhost:3001/mcp", "http://localhost:3001/mcp/", false),
        ] {
            let url = Url::parse(resource).unwrap();
            assert_eq!(
                Resource::new(resource.to_owned(), &url).is_meant_by(requested),
                meant,
                "{resource} {requested}"
            );
        }
    }
}
