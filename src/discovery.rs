//! From an issuer URL to its metadata: where to look, and whether the answer is about that issuer.

mod correction;

use std::{sync::Arc, time::Duration};

use http::StatusCode;
use serde_json::{Map, Value};
use tokio::time::Instant;
use url::Url;

pub(crate) use self::correction::Correction;
use crate::{
    error::AuthorizationServerError,
    http_client::{HttpClient, MAX_METADATA_BYTES},
    metadata::AuthorizationServerMetadata,
    remote::{Outcome, Remote},
    strict_json,
};

/// How long metadata is used before it is fetched again. Older metadata stays in use while that fails.
const MAX_AGE: Duration = Duration::from_secs(60 * 60);

/// Which well-known documents an authorization server has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ServerType {
    /// Either kind, in the order that MCP prescribes for clients. The default.
    #[default]
    Auto,
    /// OpenID Connect: `openid-configuration` only.
    Oidc,
    /// OAuth 2.0: `oauth-authorization-server` only (RFC 8414).
    OAuth,
}

/// Where the metadata of an issuer comes from.
#[derive(Debug, Clone)]
pub(crate) enum MetadataSource {
    /// The well-known locations of the issuer.
    WellKnown(ServerType),
    /// One URL.
    Url(Url),
    /// The configuration.
    Given(Box<AuthorizationServerMetadata>),
}

/// The metadata of one issuer, fetched on first use and shared.
#[derive(Debug, Clone)]
pub(crate) struct Discovery(Remote<AuthorizationServerMetadata>);

/// What one fetch needs.
struct Plan {
    issuer: String,
    /// Tried in order; none where the metadata is given.
    locations: Vec<Url>,
    given: Option<Box<AuthorizationServerMetadata>>,
    correction: Option<Correction>,
    client: HttpClient,
}

impl Discovery {
    /// Prepares discovery for an issuer: its text as configured, and the same parsed.
    pub(crate) fn new(
        issuer: &str,
        url: &Url,
        source: MetadataSource,
        correction: Option<Correction>,
        client: HttpClient,
    ) -> Self {
        let (locations, given) = match source {
            MetadataSource::WellKnown(server_type) => (locations(url, server_type), None),
            MetadataSource::Url(url) => (vec![url], None),
            MetadataSource::Given(metadata) => (Vec::new(), Some(metadata)),
        };
        let plan = Arc::new(Plan {
            issuer: issuer.to_owned(),
            locations,
            given,
            correction,
            client,
        });
        Self(Remote::new(issuer, move || {
            let plan = Arc::clone(&plan);
            async move { plan.discover().await }
        }))
    }

    /// Returns the metadata, fetching it when there is none yet. Older than an hour, it is fetched again in the background: an issuer that hangs must
    /// not use up the time of a request that only wants to know where to ask.
    pub(crate) async fn metadata(&self) -> Outcome<AuthorizationServerMetadata> {
        let Some(metadata) = self.0.current() else {
            return self.0.fetch(None).await;
        };
        if metadata.asked_at.elapsed() >= MAX_AGE {
            self.0.fetch_in_background(&metadata);
        }
        Ok(metadata)
    }
}

impl Plan {
    async fn discover(&self) -> Result<AuthorizationServerMetadata, AuthorizationServerError> {
        let deadline = self.client.deadline();
        if let Some(given) = &self.given {
            return self.check(given.members().clone(), &self.issuer, deadline).await;
        }
        // Each location is asked until one has a document.
        for url in &self.locations {
            match self.fetch_one(url, deadline).await {
                Err(AuthorizationServerError::BadStatus { status, .. }) if means_no_document(status) => {}
                found_or_outage => return found_or_outage,
            }
        }
        Err(AuthorizationServerError::NoMetadata {
            issuer: self.issuer.clone(),
            tried: self.locations.iter().map(Url::to_string).collect(),
        })
    }

    async fn fetch_one(
        &self,
        url: &Url,
        deadline: Instant,
    ) -> Result<AuthorizationServerMetadata, AuthorizationServerError> {
        let body = self.client.get(url, MAX_METADATA_BYTES, deadline).await?;
        let members =
            strict_json::parse_object(&body).map_err(|problem| malformed(url.as_str(), problem.to_string()))?;
        self.check(members, url.as_str(), deadline).await
    }

    /// Corrects a document from somewhere, and decides whether it is about the issuer.
    async fn check(
        &self,
        mut members: Map<String, Value>,
        from: &str,
        deadline: Instant,
    ) -> Result<AuthorizationServerMetadata, AuthorizationServerError> {
        let malformed = |problem| malformed(from, problem);
        if let Some(correction) = &self.correction {
            members = correction.apply(members, deadline).await.map_err(malformed)?;
        }
        let metadata = AuthorizationServerMetadata::from_members(members).map_err(malformed)?;
        // Exact, as RFC 8414 section 3.3 demands: whoever serves metadata for another issuer could make us accept that issuer's tokens with
        // their own keys (mix-up), and "nearly equal" strings are how that begins.
        if metadata.issuer() != self.issuer {
            return Err(AuthorizationServerError::IssuerMismatch {
                url: from.to_owned(),
                expected: self.issuer.clone(),
                found: metadata.issuer().chars().take(200).collect(),
            });
        }
        Ok(metadata)
    }
}

fn malformed(url: &str, problem: String) -> AuthorizationServerError {
    AuthorizationServerError::Malformed {
        url: url.to_owned(),
        problem,
    }
}

/// Whether a status says that there is no such document. Many servers answer unknown paths with 400, 401 or 403 instead of 404; too many
/// requests and timeouts are outages, as is every 5xx.
fn means_no_document(status: StatusCode) -> bool {
    status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS && status != StatusCode::REQUEST_TIMEOUT
}

/// The well-known locations of an issuer in MCP's order: RFC 8414 section 3.1 inserts the suffix before the path, for both suffixes;
/// OpenID Connect Discovery section 4 appends it.
pub(crate) fn locations(issuer: &Url, server_type: ServerType) -> Vec<Url> {
    let path = issuer.path().trim_end_matches('/');
    let forms: &[String] = &[
        format!("/.well-known/oauth-authorization-server{path}"),
        format!("/.well-known/openid-configuration{path}"),
        format!("{path}/.well-known/openid-configuration"),
    ];
    let wanted = match (server_type, path.is_empty()) {
        // Without a path the two OpenID Connect forms are the same.
        (ServerType::Auto, true) => forms.get(..2),
        (ServerType::Auto, false) => forms.get(..),
        (ServerType::OAuth, _) => forms.get(..1),
        (ServerType::Oidc, true) => forms.get(1..2),
        (ServerType::Oidc, false) => forms.get(1..),
    };
    let at = |path: &String| {
        let mut url = issuer.clone();
        url.set_path(path);
        url
    };
    wanted.unwrap_or_default().iter().map(at).collect()
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn locations_follow_the_order_of_mcp() {
        let (oauth, oidc) = (
            "/.well-known/oauth-authorization-server",
            "/.well-known/openid-configuration",
        );
        for (issuer, server_type, expected) in [
            (
                "https://as.example",
                ServerType::Auto,
                vec![oauth.to_owned(), oidc.to_owned()],
            ),
            (
                "https://as.example/",
                ServerType::Auto,
                vec![oauth.to_owned(), oidc.to_owned()],
            ),
            (
                "https://as.example/t/1",
                ServerType::Auto,
                vec![format!("{oauth}/t/1"), format!("{oidc}/t/1"), format!("/t/1{oidc}")],
            ),
            (
                "https://as.example/t/",
                ServerType::Auto,
                vec![format!("{oauth}/t"), format!("{oidc}/t"), format!("/t{oidc}")],
            ),
            ("https://as.example/t", ServerType::OAuth, vec![format!("{oauth}/t")]),
            (
                "https://as.example/t",
                ServerType::Oidc,
                vec![format!("{oidc}/t"), format!("/t{oidc}")],
            ),
            ("https://as.example", ServerType::Oidc, vec![oidc.to_owned()]),
        ] {
            let issuer = Url::parse(issuer).expect("issuer");
            let found: Vec<_> = locations(&issuer, server_type)
                .iter()
                .map(|url| url.path().to_owned())
                .collect();
            assert_eq!(found, expected, "{issuer} {server_type:?}");
        }
    }
}
