//! Which keys this library takes, and why not the others.

use std::time::Duration;

use serde_json::Value;

use super::{
    Key, explain,
    report::{Findings, Severity},
};
use crate::{
    algorithm::Algorithm,
    error::{AuthorizationServerError, ConfigError},
    http_client::{HttpClient, MAX_KEY_SET_BYTES},
    key_set::{VerificationKey, entries},
    metadata::AuthorizationServerMetadata,
    strict_json,
};

/// Most keys that are named one by one.
const MOST_NAMED: usize = 20;

/// Fetches the key set and judges every entry. Also tells whether there is a key that can be used.
pub(super) async fn judge(
    metadata: &AuthorizationServerMetadata,
    deadline: Duration,
    findings: &mut Findings,
) -> Result<(Vec<Key>, bool), ConfigError> {
    if metadata.jwks_uri().is_none() {
        // A finding of the metadata.
        return Ok((Vec::new(), false));
    }
    let client = HttpClient::new(metadata.issuer(), deadline)?;
    // Where the issuer can be asked about tokens, a deployment may do without keys.
    let asked = [metadata.introspection_endpoint(), metadata.userinfo_endpoint()];
    let severity = match asked.iter().any(Option::is_some) {
        true => Severity::Warning,
        false => Severity::Error,
    };
    let keys = match fetch(metadata, &client).await {
        Ok(keys) => keys,
        Err(error) => {
            findings.change(
                severity,
                "key_set_not_usable",
                format!("the key set cannot be used: {}", explain(&error)),
                "serve the key set at `jwks_uri` to everybody, as JSON, with status 200 and without a redirect",
            );
            return Ok((Vec::new(), false));
        }
    };
    let usable = keys.iter().filter(|key| key.problem.is_none()).count();
    name_refused(&keys, findings);
    if usable == 0 {
        findings.change(
            severity,
            "no_usable_key",
            format!(
                "of {} keys in the key set this server can use none: it can verify no JWT",
                keys.len()
            ),
            "publish a signing key of one of these kinds: RSA of at least 2048 bits, EC on P-256 or P-384, Ed25519",
        );
    } else {
        let algorithms = Algorithm::ALL.into_iter().map(Algorithm::name);
        let algorithms: Vec<_> = algorithms
            .filter(|name| keys.iter().any(|key| key.algorithms.contains(name)))
            .collect();
        findings.works(
            "key_set_usable",
            format!(
                "{usable} of {} keys can be used, for {}",
                keys.len(),
                algorithms.join(", ")
            ),
        );
    }
    if usable > 1 && keys.iter().any(|key| key.problem.is_none() && key.kid.is_none()) {
        findings.change(
            Severity::Warning,
            "key_id_missing",
            "there are several keys, and one has no `kid`: tokens without a `kid` are refused where more than one key fits",
            "give every key a `kid`, and write it in the header of tokens",
        );
    }
    Ok((keys, usable > 0))
}

async fn fetch(
    metadata: &AuthorizationServerMetadata,
    client: &HttpClient,
) -> Result<Vec<Key>, AuthorizationServerError> {
    let url = metadata.endpoint("jwks_uri")?;
    let body = client.get(&url, MAX_KEY_SET_BYTES, client.deadline()).await?;
    match entries(&body) {
        Ok(entries) => Ok(entries.iter().map(|entry| key(entry.get().as_bytes())).collect()),
        Err(problem) => Err(AuthorizationServerError::Malformed {
            url: url.to_string(),
            problem,
        }),
    }
}

fn key(json: &[u8]) -> Key {
    let members = strict_json::parse_object(json).unwrap_or_default();
    let kid = members.get("kid").and_then(Value::as_str);
    let kid = kid.map(|kid| kid.chars().take(100).collect());
    match VerificationKey::parse(json) {
        Ok(key) => Key {
            kid,
            algorithms: Algorithm::ALL
                .into_iter()
                .filter(|algorithm| key.is_for(*algorithm))
                .map(Algorithm::name)
                .collect(),
            problem: None,
        },
        // The one curve that tokens are really signed with and this library lacks.
        Err(_) if members.get("crv").is_some_and(|crv| crv == "P-521") => Key {
            kid,
            algorithms: Vec::new(),
            problem: Some("ES512 is not supported"),
        },
        Err(problem) => Key {
            kid,
            algorithms: Vec::new(),
            problem: Some(problem),
        },
    }
}

fn name_refused(keys: &[Key], findings: &mut Findings) {
    let refused = keys
        .iter()
        .enumerate()
        .filter_map(|(index, key)| Some((index, key, key.problem?)));
    for (index, key, problem) in refused.clone().take(MOST_NAMED) {
        let name = match &key.kid {
            Some(kid) => format!("key {} (`kid` {kid:?})", index + 1),
            None => format!("key {}", index + 1),
        };
        let message = format!("{name} is left out: {problem}");
        match problem {
            "private or symmetric key" => findings.change(
                Severity::Error,
                "private_key_published",
                format!("{message}; everybody can read it and sign tokens with it"),
                format!("remove {name} now, and sign with a new key whose private part is not published"),
            ),
            // Not meant for tokens, or of a kind that is yet to come.
            "`use` is not `sig`" | "`key_ops` does not allow `verify`" | "unsupported `kty` or `crv`" => {
                findings.problem(Severity::Note, "key_not_usable", message);
            }
            "ES512 is not supported" => findings.change(
                Severity::Warning,
                "key_not_usable",
                message,
                "sign access tokens with ES256, ES384 or EdDSA",
            ),
            _ => findings.change(
                Severity::Warning,
                "key_not_usable",
                message,
                format!("publish {name} again as RFC 7517 and RFC 7518 say, or remove it"),
            ),
        }
    }
    let unnamed = refused.count().saturating_sub(MOST_NAMED);
    if unnamed > 0 {
        findings.problem(
            Severity::Note,
            "key_not_usable",
            format!("{unnamed} more keys are left out"),
        );
    }
}
