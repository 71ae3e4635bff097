//! What works with an authorization server, judged by its metadata.

use std::fmt;

use serde_json::Value;

use self::ServerConfigSeverity::{Error, Information, Success, Warning};
use super::AuthorizationServerMetadata;

/// Members that are URLs where they are present.
const URLS: [&str; 7] = [
    "jwks_uri",
    "authorization_endpoint",
    "token_endpoint",
    "registration_endpoint",
    "introspection_endpoint",
    "revocation_endpoint",
    "userinfo_endpoint",
];

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ServerConfigSeverity {
    /// It works.
    Success,
    /// Good to know.
    Information,
    /// Some or all MCP clients cannot get a token without further work. This server can verify tokens all the same.
    Warning,
    /// This server cannot verify tokens, or clients refuse the document.
    Error,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerConfigFinding {
    severity: ServerConfigSeverity,
    code: &'static str,
    message: String,
}

impl ServerConfigFinding {
    /// Returns how much it matters.
    #[must_use]
    pub fn severity(&self) -> ServerConfigSeverity {
        self.severity
    }

    /// Returns the code for programs, for example `pkce_not_supported`: the same as in the Node and Python libraries where they have one.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }
}

/// Says what it means, and for what is wrong, what to change at the authorization server.
impl fmt::Display for ServerConfigFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Everything that [`validate_server_config`] found, the gravest first.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct ServerConfigReport {
    findings: Vec<ServerConfigFinding>,
}

impl ServerConfigReport {
    /// Whether there is no error.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.of(ServerConfigSeverity::Error).next().is_none()
    }

    /// Returns every finding, the gravest first.
    #[must_use]
    pub fn findings(&self) -> &[ServerConfigFinding] {
        &self.findings
    }

    /// Returns the findings of one severity.
    pub fn of(&self, severity: ServerConfigSeverity) -> impl Iterator<Item = &ServerConfigFinding> {
        self.findings.iter().filter(move |finding| finding.severity == severity)
    }
}

/// Judges an authorization server by its metadata: whether this server can verify its tokens, and whether MCP clients can get any.
///
/// ```
/// use mcp_auth::{AuthorizationServerMetadata, ServerConfigSeverity, validate_server_config};
///
/// # fn main() -> Result<(), mcp_auth::ConfigError> {
/// let metadata = AuthorizationServerMetadata::from_value(serde_json::json!({
///     "issuer": "https://auth.example.com",
///     "jwks_uri": "https://auth.example.com/jwks",
///     "authorization_endpoint": "https://auth.example.com/authorize",
///     "token_endpoint": "https://auth.example.com/token",
///     "response_types_supported": ["code"],
/// }))?;
/// let report = validate_server_config(&metadata);
/// assert!(report.is_valid());
/// let warnings: Vec<_> = report.of(ServerConfigSeverity::Warning).map(|finding| finding.code()).collect();
/// assert_eq!(warnings, ["pkce_not_supported", "client_registration_not_supported"]);
/// # Ok(())
/// # }
/// ```
///
/// A resource server needs little: the Node and Python libraries refuse authorization servers without PKCE or the code grant in their metadata,
/// such as Microsoft Entra; here those are warnings. Nothing is fetched.
pub fn validate_server_config(metadata: &AuthorizationServerMetadata) -> ServerConfigReport {
    let mut findings = Vec::new();
    check_document(metadata, &mut findings);
    check_keys(metadata, &mut findings);
    check_code_flow(metadata, &mut findings);
    check_registration(metadata, &mut findings);
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    ServerConfigReport { findings }
}

fn finding(severity: ServerConfigSeverity, code: &'static str, message: impl Into<String>) -> ServerConfigFinding {
    ServerConfigFinding {
        severity,
        code,
        message: message.into(),
    }
}

/// RFC 8414 section 2: members that must be there, and URLs that can be used. The SDKs' clients refuse a document without them.
fn check_document(metadata: &AuthorizationServerMetadata, findings: &mut Vec<ServerConfigFinding>) {
    let before = findings.len();
    let mut invalid = |problem: String| findings.push(finding(Error, "invalid_server_metadata", problem));
    let required = ["authorization_endpoint", "token_endpoint", "response_types_supported"];
    let uses_code = grants_code(metadata);
    for name in required
        .into_iter()
        .filter(|name| *name != "authorization_endpoint" || uses_code)
    {
        if !metadata.members().contains_key(name) {
            invalid(format!(
                "the metadata has no `{name}`, which RFC 8414 section 2 requires: publish it"
            ));
        }
    }
    for name in URLS.into_iter().filter(|name| metadata.members().contains_key(*name)) {
        if let Err(problem) = metadata.url(name) {
            invalid(format!("the metadata cannot be used: {problem}"));
        }
    }
    if findings.len() == before {
        findings.push(finding(Success, "server_metadata_valid", "the metadata is well-formed"));
    }
}

/// What this server verifies tokens with.
fn check_keys(metadata: &AuthorizationServerMetadata, findings: &mut Vec<ServerConfigFinding>) {
    if metadata.jwks_uri().is_some() {
        return;
    }
    let endpoints = [metadata.introspection_endpoint(), metadata.userinfo_endpoint()];
    findings.push(if endpoints.iter().any(Option::is_some) {
        let message = "the metadata has no `jwks_uri`: JWTs cannot be verified, configure introspection or userinfo";
        finding(Warning, "missing_jwks_uri", message)
    } else {
        let message =
            "the metadata has no `jwks_uri`, and no endpoint that could be asked about tokens: publish the key set";
        finding(Error, "missing_jwks_uri", message)
    });
}

/// The only flow in which an MCP client acts for a user.
fn check_code_flow(metadata: &AuthorizationServerMetadata, findings: &mut Vec<ServerConfigFinding>) {
    findings.push(if lists(metadata, "response_types_supported", "code") {
        finding(Success, "code_response_type_supported", "the response type `code` is supported")
    } else {
        let message = "the response type `code` is not in `response_types_supported`: MCP clients cannot sign users in, turn it on";
        finding(Warning, "code_response_type_not_supported", message)
    });
    findings.push(if grants_code(metadata) {
        finding(Success, "authorization_code_grant_supported", "the grant type `authorization_code` is supported")
    } else {
        let message = "the grant type `authorization_code` is not in `grant_types_supported`: MCP clients cannot sign users in, turn it on";
        finding(Warning, "authorization_code_grant_not_supported", message)
    });
    let methods = metadata
        .members()
        .get("code_challenge_methods_supported")
        .and_then(Value::as_array);
    if methods.is_none_or(Vec::is_empty) {
        let message = "the metadata has no `code_challenge_methods_supported`: MCP clients must refuse to sign in where PKCE is not announced, publish `S256`";
        findings.push(finding(Warning, "pkce_not_supported", message));
        return;
    }
    findings.push(finding(Success, "pkce_supported", "PKCE is supported (RFC 7636)"));
    findings.push(if lists(metadata, "code_challenge_methods_supported", "S256") {
        finding(Success, "s256_code_challenge_method_supported", "the code challenge method `S256` is supported")
    } else {
        let message = "the code challenge method `S256` is not in `code_challenge_methods_supported`: MCP clients must use it, turn it on";
        finding(Warning, "s256_code_challenge_method_not_supported", message)
    });
}

/// How a client that nobody has configured gets a client id.
fn check_registration(metadata: &AuthorizationServerMetadata, findings: &mut Vec<ServerConfigFinding>) {
    let documents = metadata.members().get("client_id_metadata_document_supported") == Some(&Value::Bool(true));
    let dynamic = metadata.members().contains_key("registration_endpoint");
    findings.push(if documents {
        finding(
            Success,
            "client_id_metadata_document_supported",
            "client ID metadata documents are supported",
        )
    } else {
        let message = "client ID metadata documents are not announced; MCP clients since 2025-11-25 prefer them";
        finding(Information, "client_id_metadata_document_not_supported", message)
    });
    findings.push(if dynamic {
        finding(
            Success,
            "dynamic_registration_supported",
            "dynamic client registration is supported (RFC 7591)",
        )
    } else {
        let message = "dynamic client registration is not supported; MCP 2026-07-28 deprecates it";
        finding(Information, "dynamic_registration_not_supported", message)
    });
    if !documents && !dynamic {
        let message =
            "clients cannot register themselves: register each MCP client by hand and give its users the client id";
        findings.push(finding(Warning, "client_registration_not_supported", message));
    }
}

/// Without the member a server has the grants `authorization_code` and `implicit` (RFC 8414 section 2).
fn grants_code(metadata: &AuthorizationServerMetadata) -> bool {
    !metadata.members().contains_key("grant_types_supported")
        || lists(metadata, "grant_types_supported", "authorization_code")
}

fn lists(metadata: &AuthorizationServerMetadata, member: &str, value: &str) -> bool {
    let listed = metadata.members().get(member).and_then(Value::as_array);
    listed.is_some_and(|listed| listed.iter().any(|one| one == value))
}

#[cfg(test)]
mod tests;
