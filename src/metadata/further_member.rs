//! Members of the protected resource metadata that the configuration adds (RFC 9728 section 2).

use serde_json::Value;

use crate::{error::ConfigError, secure_url};

/// Members with a setting of their own.
const OWN_SETTING: [&str; 6] = [
    "resource",
    "authorization_servers",
    "scopes_supported",
    "bearer_methods_supported",
    "resource_name",
    "resource_documentation",
];

/// Members that tell clients of a proof of possession, which nothing here checks.
const PROOF_OF_POSSESSION: [&str; 3] = [
    "dpop_signing_alg_values_supported",
    "dpop_bound_access_tokens_required",
    "tls_client_certificate_bound_access_tokens",
];

/// Members that are URLs, in any language.
const URLS: [&str; 4] = [
    "jwks_uri",
    "resource_documentation",
    "resource_policy_uri",
    "resource_tos_uri",
];

/// Tells whether a member may be published, or what to do about it.
pub(super) fn check(name: &str, value: &Value) -> Result<(), ConfigError> {
    problem(name, value).map_or(Ok(()), |problem| {
        let name = name.to_owned();
        Err(ConfigError::InvalidMetadataMember { name, problem })
    })
}

fn problem(name: &str, value: &Value) -> Option<&'static str> {
    if OWN_SETTING.contains(&name) {
        return Some("has a setting of its own: use that");
    }
    if PROOF_OF_POSSESSION.contains(&name) {
        return Some("is about a proof of possession, which this server does not check: remove it");
    }
    if is_empty(value) {
        return Some("is empty: remove it, a member without a value is left out (RFC 9728 section 3.2)");
    }
    let is_none = |algorithm: &Value| algorithm == "none";
    if name == "resource_signing_alg_values_supported"
        && value
            .as_array()
            .is_some_and(|algorithms| algorithms.iter().any(is_none))
    {
        return Some("lists `none`: remove that (RFC 9728 section 2)");
    }
    let (member, _language) = name.split_once('#').unwrap_or((name, ""));
    if URLS.contains(&member) {
        return value
            .as_str()
            .map_or(Some("is not a URL: write a string"), |url| secure_url::parse(url).err());
    }
    None
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}
