//! The `WWW-Authenticate` value: the only place that builds and quotes a challenge.

use http::HeaderValue;

/// A `Bearer` challenge (RFC 6750 section 3).
///
/// The order of the parameters is fixed (`error`, `scope`, `resource_metadata`, `error_description`) and nothing in it changes from one
/// request to the next: clients compare whole challenges to notice that a second authorization did not help. Free text is last because real
/// clients search the header for `scope=` and `error=` as plain text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Challenge<'a> {
    /// A code of RFC 6750 section 3.1; absent when the request had no credentials.
    pub(crate) error: Option<&'static str>,
    /// The scope tokens to ask for, in the order of the policy file. The parameter is left out when there are none.
    pub(crate) scopes: &'a [String],
    /// The absolute URL of the protected resource metadata (RFC 9728 section 5.1).
    pub(crate) resource_metadata: &'a str,
    /// One fixed English sentence.
    pub(crate) error_description: Option<&'a str>,
}

impl Challenge<'_> {
    /// Builds the header value.
    pub(crate) fn to_header_value(self) -> HeaderValue {
        let mut value = String::from("Bearer ");
        let mut separator = "";
        let mut parameter = |name: &str, text: &str| {
            value.push_str(separator);
            separator = ", ";
            value.push_str(name);
            value.push_str("=\"");
            value.extend(text.chars().filter(|&c| is_allowed(c)));
            value.push('"');
        };
        if let Some(error) = self.error {
            parameter("error", error);
        }
        if !self.scopes.is_empty() {
            parameter("scope", &self.scopes.join(" "));
        }
        parameter("resource_metadata", self.resource_metadata);
        if let Some(description) = self.error_description {
            // Some clients find parameters by searching for `scope=` and the like, in a scope or URI that the text names as well.
            parameter("error_description", &description.replace('=', ""));
        }
        // Every character is printable ASCII by now, so this cannot fail. A challenge has at least one parameter (RFC 9110 section 11.6.1 and
        // RFC 6750 section 3), also here.
        HeaderValue::from_str(&value).unwrap_or_else(|_| HeaderValue::from_static("Bearer realm=\"mcp\""))
    }
}

/// The characters of `error_description`, `%x20-21 / %x23-5B / %x5D-7E` (RFC 6750 section 3), which contain those of every other
/// parameter. A quote or backslash would need an escape that several clients do not read, so neither is ever sent.
fn is_allowed(c: char) -> bool {
    matches!(c, ' '..='~') && c != '"' && c != '\\'
}

#[cfg(test)]
mod tests {
    use super::*;

    const METADATA: &str = "http://localhost:3001/.well-known/oauth-protected-resource";

    fn build(error: Option<&'static str>, scopes: &[&str], description: Option<&str>) -> String {
        let scopes: Vec<String> = scopes.iter().map(|&s| s.to_owned()).collect();
        let challenge = Challenge {
            error,
            scopes: &scopes,
            resource_metadata: METADATA,
            error_description: description,
        };
        challenge.to_header_value().to_str().unwrap().to_owned()
    }

    #[test]
    fn golden_challenges() {
        assert_eq!(
            build(None, &["create:todos"], None),
            format!(r#"Bearer scope="create:todos", resource_metadata="{METADATA}""#)
        );
        assert_eq!(
            build(None, &[], None),
            format!(r#"Bearer resource_metadata="{METADATA}""#)
        );
        assert_eq!(
            build(Some("insufficient_scope"), &["a", "b"], Some("Ask for more")),
            format!(
                r#"Bearer error="insufficient_scope", scope="a b", resource_metadata="{METADATA}", error_description="Ask for more""#
            )
        );
    }

    #[test]
    fn characters_outside_the_grammar_are_never_sent() {
        for c in (0..=0x10FFFF).filter_map(char::from_u32) {
            let value = build(None, &[], Some(&format!("a{c}b")));
            let inside = value
                .split("error_description=\"")
                .nth(1)
                .unwrap()
                .strip_suffix('"')
                .unwrap();
            let expected = if (' '..='~').contains(&c) && !['"', '\\', '='].contains(&c) {
                format!("a{c}b")
            } else {
                "ab".into()
            };
            assert_eq!(inside, expected);
        }
    }
}
