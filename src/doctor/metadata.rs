//! What the metadata says about MCP clients, and about the ways in which this library can verify tokens.

use serde_json::Value;

use super::{
    Location,
    report::{Findings, Severity},
};
use crate::{
    discovery::ServerType,
    metadata::{AuthorizationServerMetadata, ServerConfigSeverity, validate_server_config},
};

/// Warnings of [`validate_server_config`] with which no MCP client signs anybody in. To a resource server they do not matter.
const STOP_CLIENTS: [&str; 4] = [
    "code_response_type_not_supported",
    "authorization_code_grant_not_supported",
    "pkce_not_supported",
    "s256_code_challenge_method_not_supported",
];

/// Judges everything but keys and modes.
pub(super) fn judge(metadata: &AuthorizationServerMetadata, resource: Option<&str>, findings: &mut Findings) {
    for finding in validate_server_config(metadata).findings() {
        let (code, message) = (finding.code(), finding.to_string());
        let severity = match finding.severity() {
            ServerConfigSeverity::Success => {
                findings.works(code, message);
                continue;
            }
            ServerConfigSeverity::Error => Severity::Error,
            ServerConfigSeverity::Warning if STOP_CLIENTS.contains(&code) => Severity::Error,
            ServerConfigSeverity::Warning => Severity::Warning,
            ServerConfigSeverity::Information => Severity::Note,
        };
        match remedy(code) {
            Some(action) => findings.change(severity, code, message, action),
            None => findings.problem(severity, code, message),
        }
    }
    judge_sign_in(metadata, findings);
    judge_resource_indicators(metadata, resource, findings);
}

/// What to do about a finding of [`validate_server_config`].
fn remedy(code: &str) -> Option<&'static str> {
    Some(match code {
        "invalid_server_metadata" => {
            "correct the member that the finding names; until then, this server can do so with `correct_metadata`"
        }
        "missing_jwks_uri" => {
            "publish the key set and name it in `jwks_uri`, or let this server ask about tokens (introspection)"
        }
        "code_response_type_not_supported" => {
            "turn the response type `code` on and list it in `response_types_supported`"
        }
        "authorization_code_grant_not_supported" => {
            "allow the grant type `authorization_code` and list it in `grant_types_supported`"
        }
        "pkce_not_supported" => {
            "require PKCE and publish `\"code_challenge_methods_supported\": [\"S256\"]`; some providers, such as Microsoft Entra ID, support \
             PKCE without saying so, and only clients that do not insist can sign in there"
        }
        "s256_code_challenge_method_not_supported" => {
            "turn the code challenge method `S256` on and list it in `code_challenge_methods_supported`"
        }
        "client_registration_not_supported" => "register each MCP client by hand, and give its users the client id",
        "client_id_metadata_document_not_supported" => {
            "turn client ID metadata documents on and publish `\"client_id_metadata_document_supported\": true`"
        }
        _ => return None,
    })
}

/// What helps or hinders clients in the code flow, beyond what the Node and Python libraries look at.
fn judge_sign_in(metadata: &AuthorizationServerMetadata, findings: &mut Findings) {
    if metadata.members().get("authorization_response_iss_parameter_supported") == Some(&Value::Bool(true)) {
        findings.works(
            "authorization_response_iss_supported",
            "authorization responses name their issuer (RFC 9207)",
        );
    } else {
        findings.change(
            Severity::Note,
            "authorization_response_iss_not_supported",
            "authorization responses do not name their issuer: clients of several issuers cannot tell a response from a mixed-up one (RFC 9207)",
            "send `iss` in authorization responses and publish `\"authorization_response_iss_parameter_supported\": true`",
        );
    }
    // Without the member a token endpoint takes a secret (RFC 8414 section 2), which most MCP clients cannot keep.
    if lists(metadata, "token_endpoint_auth_methods_supported", "none") {
        findings.works("public_clients_supported", "clients without a secret are supported");
    } else {
        findings.change(
            Severity::Note,
            "public_clients_not_announced",
            "`none` is not in `token_endpoint_auth_methods_supported`: clients that cannot keep a secret, such as desktop programs, may not try",
            "allow public clients with PKCE, and list `none` in `token_endpoint_auth_methods_supported`",
        );
    }
    if lists(metadata, "scopes_supported", "offline_access") {
        findings.works(
            "refresh_tokens_supported",
            "clients can ask for refresh tokens by the scope `offline_access`",
        );
    } else if lists(metadata, "grant_types_supported", "refresh_token") {
        findings.works(
            "refresh_tokens_supported",
            "the grant type `refresh_token` is supported",
        );
    } else {
        findings.change(
            Severity::Note,
            "refresh_tokens_not_announced",
            "neither the grant type `refresh_token` nor the scope `offline_access` is announced: users sign in again whenever a token expires",
            "allow the grant type `refresh_token` and list it in `grant_types_supported`",
        );
    }
}

/// No metadata says whether the parameter is honoured; a list of resources (RFC 9728 section 4) is the nearest to it.
fn judge_resource_indicators(metadata: &AuthorizationServerMetadata, resource: Option<&str>, findings: &mut Findings) {
    match metadata.members().get("protected_resources").and_then(Value::as_array) {
        Some(resources) => match resource {
            Some(resource) if !resources.iter().any(|listed| listed == resource) => findings.change(
                Severity::Warning,
                "protected_resource_not_listed",
                "the issuer lists its protected resources (RFC 9728 section 4), and this server's is not one of them",
                format!("register `{resource}` there, letter by letter as in this server's settings"),
            ),
            Some(_) => findings.works(
                "protected_resources_listed",
                "the issuer lists this server's resource (RFC 9728 section 4)",
            ),
            None => {
                let message = format!(
                    "the issuer lists {} protected resources (RFC 9728 section 4); this server's must be one of them",
                    resources.len()
                );
                findings.works("protected_resources_listed", message);
            }
        },
        None => findings.change(
            Severity::Note,
            "resource_indicators_unknown",
            "metadata cannot say whether the `resource` parameter of MCP clients ends up in `aud` (RFC 8707); this server refuses tokens for anybody else",
            "register this server's URL as a resource or API there, get a token and look at its `aud`; if it is another name, accept that as an additional audience",
        ),
    }
}

/// Clients up to 2025-06-18 know the first location only.
pub(super) fn judge_locations(locations: &[Location], server_type: ServerType, findings: &mut Findings) {
    let Some(oauth) = locations.first().filter(|_| server_type != ServerType::Oidc) else {
        return;
    };
    if oauth.found {
        findings.works(
            "oauth_metadata_location_supported",
            "the metadata is where MCP clients of every version look (RFC 8414 section 3.1)",
        );
    } else {
        findings.change(
            Severity::Note,
            "oauth_metadata_location_missing",
            "there is no metadata at the location of RFC 8414: MCP clients before 2025-11-25 look nowhere else",
            format!("serve the same document at `{}` too", oauth.url),
        );
    }
}

/// How this library can verify tokens, beside their signatures.
pub(super) fn judge_modes(
    metadata: &AuthorizationServerMetadata,
    jwt: bool,
    findings: &mut Findings,
) -> Vec<&'static str> {
    let mut modes = Vec::new();
    if jwt {
        modes.push("jwt");
    }
    if metadata.endpoint("introspection_endpoint").is_ok() {
        modes.push("introspection");
        findings.works(
            "introspection_supported",
            "tokens can be introspected (RFC 7662): `--mode introspection`, with credentials of this server",
        );
    }
    if metadata.endpoint("userinfo_endpoint").is_ok() {
        modes.push("userinfo");
        findings.works(
            "userinfo_supported",
            "there is a userinfo endpoint: `--mode userinfo`, which proves no audience and gives no scopes",
        );
    }
    modes
}

fn lists(metadata: &AuthorizationServerMetadata, member: &str, value: &str) -> bool {
    let listed = metadata.members().get(member).and_then(Value::as_array);
    listed.is_some_and(|listed| listed.iter().any(|one| one == value))
}
