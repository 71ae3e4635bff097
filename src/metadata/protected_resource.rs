//! What this resource server says about itself (RFC 9728).

use serde_json::{Map, Value};

use super::{ResourceIdentifier, further_member};
use crate::{error::ConfigError, scope_token::is_scope_token, secure_url};

/// The scope of a refresh token (OpenID Connect Core section 11).
pub(crate) const OFFLINE_ACCESS: &str = "offline_access";

/// The protected resource metadata of one MCP endpoint: who it is and which authorization servers it trusts.
///
/// ```
/// use mcp_auth::ProtectedResourceMetadata;
///
/// let metadata = ProtectedResourceMetadata::builder("https://mcp.example.com/todo")
///     .authorization_server("https://auth.example.com")
///     .scopes_supported(["create:todos", "read:todos"])
///     .build()?;
/// assert_eq!(metadata.metadata_url(), "https://mcp.example.com/.well-known/oauth-protected-resource/todo");
/// # Ok::<(), mcp_auth::ConfigError>(())
/// ```
///
/// Everything in it comes from the configuration, never from a request: a `Host` header must not decide where clients send their users.
#[derive(Debug, Clone, PartialEq)]
pub struct ProtectedResourceMetadata {
    pub(super) resource: ResourceIdentifier,
    authorization_servers: Vec<String>,
    scopes_supported: Vec<String>,
    resource_name: Option<String>,
    resource_documentation: Option<String>,
    further_members: Map<String, Value>,
}

impl ProtectedResourceMetadata {
    /// Begins the metadata of a resource, an absolute URL without fragment: the URL that clients use for the MCP endpoint.
    pub fn builder(resource: impl Into<String>) -> ProtectedResourceMetadataBuilder {
        ProtectedResourceMetadataBuilder {
            resource: resource.into(),
            authorization_servers: Vec::new(),
            scopes_supported: Vec::new(),
            resource_name: None,
            resource_documentation: None,
            further_members: Map::new(),
        }
    }

    /// Returns the resource identifier exactly as configured.
    #[must_use]
    pub fn resource(&self) -> &str {
        self.resource.as_str()
    }

    /// Returns the issuers of the trusted authorization servers, as configured.
    #[must_use]
    pub fn authorization_servers(&self) -> &[String] {
        &self.authorization_servers
    }

    /// Returns the advertised scopes.
    #[must_use]
    pub fn scopes_supported(&self) -> &[String] {
        &self.scopes_supported
    }

    /// Returns the absolute URL of the document, the `resource_metadata` of a challenge (RFC 9728 section 5.1).
    #[must_use]
    pub fn metadata_url(&self) -> String {
        self.resource.metadata_url()
    }

    /// Returns the path of the document, percent-encoded (RFC 9728 section 3.1).
    #[must_use]
    pub fn metadata_path(&self) -> String {
        self.resource.metadata_path()
    }

    /// Returns the document. Members without a value are left out (RFC 9728 section 3.2).
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut document = Map::new();
        document.insert("resource".to_owned(), self.resource().into());
        document.insert(
            "authorization_servers".to_owned(),
            self.authorization_servers.clone().into(),
        );
        if !self.scopes_supported.is_empty() {
            document.insert("scopes_supported".to_owned(), self.scopes_supported.clone().into());
        }
        // MCP allows tokens in the `Authorization` header only.
        document.insert("bearer_methods_supported".to_owned(), vec!["header"].into());
        for (name, value) in [
            ("resource_name", &self.resource_name),
            ("resource_documentation", &self.resource_documentation),
        ] {
            if let Some(value) = value {
                document.insert(name.to_owned(), value.clone().into());
            }
        }
        document.extend(self.further_members.clone());
        Value::Object(document)
    }
}

/// Collects the members of a [`ProtectedResourceMetadata`].
#[derive(Debug, Clone)]
#[must_use]
pub struct ProtectedResourceMetadataBuilder {
    resource: String,
    authorization_servers: Vec<String>,
    scopes_supported: Vec<String>,
    resource_name: Option<String>,
    resource_documentation: Option<String>,
    further_members: Map<String, Value>,
}

impl ProtectedResourceMetadataBuilder {
    /// Adds the issuer of a trusted authorization server. At least one is needed.
    pub fn authorization_server(mut self, issuer: impl Into<String>) -> Self {
        self.authorization_servers.push(issuer.into());
        self
    }

    /// Adds scopes that clients may ask for. A repeated scope counts once; `offline_access` is left out, since it is not for a resource
    /// server to ask for refresh tokens (MCP 2026-07-28, refresh tokens).
    pub fn scopes_supported<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        for scope in scopes.into_iter().map(Into::into) {
            if scope != OFFLINE_ACCESS && !self.scopes_supported.contains(&scope) {
                self.scopes_supported.push(scope);
            }
        }
        self
    }

    /// Sets the name that clients may show to users.
    pub fn resource_name(mut self, name: impl Into<String>) -> Self {
        self.resource_name = Some(name.into()).filter(|name| !name.is_empty());
        self
    }

    /// Sets the URL of a page for developers.
    pub fn resource_documentation(mut self, url: impl Into<String>) -> Self {
        self.resource_documentation = Some(url.into()).filter(|url| !url.is_empty());
        self
    }

    /// Publishes a further member: one of RFC 9728 section 2 that has no setting of its own here (`resource_policy_uri`, `resource_tos_uri`,
    /// `jwks_uri`, `signed_metadata`, …), one in another language (`resource_name#de`), or one that only your clients know.
    pub fn member(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.further_members.insert(name.into(), value.into());
        self
    }

    /// Checks the members and builds the metadata.
    ///
    /// # Errors
    /// When the resource or an issuer is no absolute https URL (http on this machine), holds credentials or a fragment; when there is no
    /// authorization server, or one twice; when a scope is no scope token; when a further member is empty, no usable URL where it has to be one, has
    /// a setting of its own, or promises what this server does not check.
    pub fn build(self) -> Result<ProtectedResourceMetadata, ConfigError> {
        let resource = ResourceIdentifier::new(self.resource)?;
        if self.authorization_servers.is_empty() {
            return Err(ConfigError::NoAuthorizationServer {
                resource: resource.as_str().to_owned(),
            });
        }
        for (index, issuer) in self.authorization_servers.iter().enumerate() {
            secure_url::parse_setting("issuer", issuer)?;
            if self
                .authorization_servers
                .iter()
                .take(index)
                .any(|earlier| earlier == issuer)
            {
                return Err(ConfigError::DuplicateIssuer { issuer: issuer.clone() });
            }
        }
        if let Some(scope) = self.scopes_supported.iter().find(|scope| !is_scope_token(scope)) {
            return Err(ConfigError::InvalidScope { scope: scope.clone() });
        }
        if let Some(url) = &self.resource_documentation {
            secure_url::parse_setting("resource documentation", url)?;
        }
        for (name, value) in &self.further_members {
            further_member::check(name, value)?;
        }
        Ok(ProtectedResourceMetadata {
            resource,
            authorization_servers: self.authorization_servers,
            scopes_supported: self.scopes_supported,
            resource_name: self.resource_name,
            resource_documentation: self.resource_documentation,
            further_members: self.further_members,
        })
    }
}
