//! What an authorization server says about itself (RFC 8414 section 2, OpenID Connect Discovery section 3).

use serde_json::{Map, Value};
use url::Url;

use crate::{
    error::{AuthorizationServerError, ConfigError},
    secure_url,
};

/// The metadata of an authorization server.
///
/// Members that a resource server needs have a getter and were checked for their type; the document is kept whole, so that members this
/// crate does not know are still there for those who do.
#[derive(Debug, Clone, PartialEq)]
pub struct AuthorizationServerMetadata {
    issuer: String,
    members: Map<String, Value>,
}

/// Members that are strings where they are present.
const STRINGS: [&str; 8] = [
    "issuer",
    "jwks_uri",
    "authorization_endpoint",
    "token_endpoint",
    "registration_endpoint",
    "introspection_endpoint",
    "revocation_endpoint",
    "userinfo_endpoint",
];

/// Members that are arrays of strings where they are present.
const STRING_ARRAYS: [&str; 5] = [
    "scopes_supported",
    "response_types_supported",
    "grant_types_supported",
    "code_challenge_methods_supported",
    "token_endpoint_auth_methods_supported",
];

impl AuthorizationServerMetadata {
    /// Takes metadata from the configuration, for an authorization server that publishes none.
    ///
    /// ```
    /// use mcp_auth::{AuthorizationServer, AuthorizationServerMetadata};
    ///
    /// # fn main() -> Result<(), mcp_auth::ConfigError> {
    /// let metadata = AuthorizationServerMetadata::from_value(serde_json::json!({
    ///     "issuer": "https://auth.example.com",
    ///     "jwks_uri": "https://auth.example.com/jwks",
    /// }))?;
    /// let server = AuthorizationServer::builder("https://auth.example.com").metadata(metadata).build()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// When it is no object, has no `issuer`, or a known member has the wrong type.
    pub fn from_value(document: Value) -> Result<Self, ConfigError> {
        let members = match document {
            Value::Object(members) => Ok(members),
            _ => Err("it is not a JSON object".to_owned()),
        };
        let metadata = members.and_then(Self::from_members);
        metadata.map_err(|problem| ConfigError::InvalidMetadata { problem })
    }

    /// Checks the members of a document. The error says what is wrong and quotes nothing of it.
    pub(crate) fn from_members(members: Map<String, Value>) -> Result<Self, String> {
        for name in STRINGS {
            if members.get(name).is_some_and(|value| !value.is_string()) {
                return Err(format!("its member `{name}` is not a string"));
            }
        }
        for name in STRING_ARRAYS {
            let is_strings = |value: &Value| value.as_array().is_some_and(|array| array.iter().all(Value::is_string));
            if members.get(name).is_some_and(|value| !is_strings(value)) {
                return Err(format!("its member `{name}` is not an array of strings"));
            }
        }
        match members.get("issuer").and_then(Value::as_str).map(str::to_owned) {
            Some(issuer) => Ok(Self { issuer, members }),
            None => Err("it has no `issuer`".to_owned()),
        }
    }

    /// Returns the issuer, equal to the configured one (RFC 8414 section 3.3).
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Returns where the key set is.
    #[must_use]
    pub fn jwks_uri(&self) -> Option<&str> {
        self.string("jwks_uri")
    }

    /// Returns the authorization endpoint (RFC 6749 section 3.1).
    #[must_use]
    pub fn authorization_endpoint(&self) -> Option<&str> {
        self.string("authorization_endpoint")
    }

    /// Returns the token endpoint (RFC 6749 section 3.2).
    #[must_use]
    pub fn token_endpoint(&self) -> Option<&str> {
        self.string("token_endpoint")
    }

    /// Returns the introspection endpoint (RFC 7662 section 2).
    #[must_use]
    pub fn introspection_endpoint(&self) -> Option<&str> {
        self.string("introspection_endpoint")
    }

    /// Returns the userinfo endpoint (OpenID Connect Core section 5.3).
    #[must_use]
    pub fn userinfo_endpoint(&self) -> Option<&str> {
        self.string("userinfo_endpoint")
    }

    /// Returns every member of the document, known or not.
    #[must_use]
    pub fn members(&self) -> &Map<String, Value> {
        &self.members
    }

    /// The URL in a member, if this server may send requests there.
    pub(crate) fn endpoint(&self, name: &'static str) -> Result<Url, AuthorizationServerError> {
        self.url(name).map_err(|problem| AuthorizationServerError::Malformed {
            url: self.issuer.clone(),
            problem,
        })
    }

    /// The same, saying only what is wrong.
    ///
    /// Another host than the issuer's is fine (large issuers do that); a step down from https is not.
    pub(super) fn url(&self, name: &'static str) -> Result<Url, String> {
        let text = self
            .string(name)
            .ok_or_else(|| format!("its metadata has no `{name}`"))?;
        let url = secure_url::parse(text).map_err(|problem| format!("its `{name}` {problem}"))?;
        let issuer_is_http = self
            .issuer
            .get(..5)
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case("http:"));
        match url.scheme() == "http" && !issuer_is_http {
            true => Err(format!("its `{name}` uses plain http although the issuer uses https")),
            false => Ok(url),
        }
    }

    fn string(&self, name: &str) -> Option<&str> {
        self.members.get(name).and_then(Value::as_str)
    }
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::strict_json;

    fn parse(body: &[u8]) -> Result<AuthorizationServerMetadata, String> {
        let members = strict_json::parse_object(body).map_err(|error| error.to_string())?;
        AuthorizationServerMetadata::from_members(members)
    }

    #[test]
    fn an_https_issuer_is_never_asked_over_http() {
        for (issuer, uri, allowed) in [
            ("https://as.example.com", "https://keys.example.net/jwks", true),
            ("https://as.example.com", "http://localhost:8080/jwks", false),
            ("HTTPS://as.example.com", "http://localhost:8080/jwks", false),
            ("http://localhost:8080", "http://localhost:8080/jwks", true),
            ("http://localhost:8080", "https://keys.example.net/jwks", true),
            ("http://localhost:8080", "http://keys.example.net/jwks", false),
        ] {
            let document = format!(r#"{{"issuer":"{issuer}","jwks_uri":"{uri}"}}"#);
            let metadata = parse(document.as_bytes()).expect("metadata");
            assert_eq!(metadata.endpoint("jwks_uri").is_ok(), allowed, "{issuer} {uri}");
        }
    }

    #[test]
    fn unknown_members_stay_and_wrong_types_are_refused() {
        let document =
            br#"{"issuer":"https://as","jwks_uri":"https://as/keys","scopes_supported":["a"],"x_new":{"y":1}}"#;
        let metadata = parse(document).expect("good document");
        assert_eq!(
            (metadata.issuer(), metadata.jwks_uri()),
            ("https://as", Some("https://as/keys"))
        );
        assert_eq!(metadata.members().get("x_new"), Some(&serde_json::json!({"y": 1})));

        for (document, problem) in [
            ("<html>", "it is not a JSON object"),
            ("[]", "it is not a JSON object"),
            ("{}", "it has no `issuer`"),
            (r#"{"issuer":1}"#, "its member `issuer` is not a string"),
            (
                r#"{"issuer":"a","issuer":"b"}"#,
                "a member of a JSON object appears twice",
            ),
            (
                r#"{"issuer":"a","jwks_uri":null}"#,
                "its member `jwks_uri` is not a string",
            ),
            (
                r#"{"issuer":"a","scopes_supported":"a b"}"#,
                "its member `scopes_supported` is not an array of strings",
            ),
            (
                r#"{"issuer":"a","scopes_supported":[1]}"#,
                "its member `scopes_supported` is not an array of strings",
            ),
        ] {
            assert_eq!(parse(document.as_bytes()), Err(problem.to_owned()));
        }
    }
}
