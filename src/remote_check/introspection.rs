//! Token introspection (RFC 7662).

use std::time::Duration;

use http::StatusCode;
use serde_json::Value;
use tokio::time::Instant;
use url::{Url, form_urlencoded};

use super::{Answer, ClientAuthentication};
use crate::{
    bearer_token::BearerToken,
    error::{AuthorizationServerError, ConfigError},
    http_client::{HttpClient, MAX_TOKEN_ANSWER_BYTES, Request},
    strict_json,
};

/// Settings of introspection, for [`introspection`](crate::AuthorizationServerBuilder::introspection).
///
/// By default only tokens that are no JWTs are asked about, no answer is kept, and an answer has to name this resource in `aud`.
///
/// ```
/// use mcp_auth::{AuthorizationServer, ClientAuthentication, Introspection};
///
/// # fn main() -> Result<(), mcp_auth::ConfigError> {
/// # let secret = "from a file or the environment";
/// let client = ClientAuthentication::client_secret_basic("todo-server", secret);
/// let server = AuthorizationServer::builder("https://auth.example.com").introspection(Introspection::new(client)).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct Introspection {
    client: ClientAuthentication,
    pub(super) every_token: bool,
    pub(super) keep: Duration,
    pub(crate) without_audience: bool,
}

impl Introspection {
    /// Begins with the defaults: this server asks as the client with these credentials.
    pub fn new(client: ClientAuthentication) -> Self {
        Self {
            client,
            every_token: false,
            keep: Duration::ZERO,
            without_audience: false,
        }
    }

    /// Asks about JWTs too, instead of verifying them here: a revoked token is refused at once, and every request waits for the answer.
    pub fn every_token(mut self) -> Self {
        self.every_token = true;
        self
    }

    /// Keeps good answers for a time, at most 5 minutes, and never past the token's `exp`. A token that is revoked meanwhile still passes.
    /// Default 0 s: every request asks.
    pub fn cache_for(mut self, time: Duration) -> Self {
        self.keep = time;
        self
    }

    /// Accepts answers without `aud`. One that is there must still name this resource.
    ///
    /// # Security
    /// A token that the same issuer gave out for another resource server passes here. MCP demands the check; use this only if that issuer
    /// serves nobody else.
    pub fn insecure_accept_without_audience(mut self) -> Self {
        self.without_audience = true;
        self
    }

    /// What is wrong with the settings, if anything.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        self.client.check()
    }

    pub(super) async fn ask(
        &self,
        token: &BearerToken,
        issuer: &str,
        url: &Url,
        client: &HttpClient,
        deadline: Instant,
    ) -> Result<Answer, AuthorizationServerError> {
        let request = self.request(token, issuer)?;
        let body = match client.send(request, url, MAX_TOKEN_ANSWER_BYTES, deadline).await {
            // RFC 7662 section 2.3: about this server, not about the token.
            Err(AuthorizationServerError::BadStatus {
                url,
                status: status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN),
            }) => return Err(AuthorizationServerError::ClientRefused { url, status }),
            answer => answer?,
        };
        let malformed = |problem: String| AuthorizationServerError::Malformed {
            url: url.to_string(),
            problem,
        };
        let answer = strict_json::parse_object(&body).map_err(|problem| malformed(problem.to_string()))?;
        match answer.get("active") {
            Some(Value::Bool(true)) => Ok(Answer::Active(answer.into())),
            Some(Value::Bool(false)) => Ok(Answer::Inactive),
            _ => Err(malformed(
                "it has no `active` that is true or false (RFC 7662 section 2.2)".to_owned(),
            )),
        }
    }

    /// RFC 7662 section 2.1.
    fn request(&self, token: &BearerToken, issuer: &str) -> Result<Request, AuthorizationServerError> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("token", token.dangerous_raw_token());
        form.append_pair("token_type_hint", "access_token");
        let authorization = self.client.authenticate(issuer, &mut form)?;
        Ok(Request::Post {
            form: form.finish(),
            authorization,
        })
    }
}
