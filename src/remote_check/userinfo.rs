//! Userinfo (OpenID Connect Core section 5.3): the token is good if its issuer gives the user's claims for it.

use std::time::Duration;

use http::{HeaderValue, StatusCode};
use tokio::time::Instant;
use url::Url;

use super::Answer;
use crate::{
    bearer_token::BearerToken,
    error::AuthorizationServerError,
    http_client::{HttpClient, MAX_TOKEN_ANSWER_BYTES, Request},
    strict_json,
};

/// Settings of verification by the userinfo endpoint, for
/// [`insecure_userinfo_without_audience`](crate::AuthorizationServerBuilder::insecure_userinfo_without_audience).
///
/// By default only tokens that are no JWTs are asked about, and no answer is kept.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Userinfo {
    pub(super) every_token: bool,
    pub(super) keep: Duration,
}

impl Userinfo {
    /// Begins with the defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks about JWTs too, instead of verifying them here.
    ///
    /// # Security
    /// A JWT for another resource server, which would be refused here, passes this way.
    pub fn every_token(mut self) -> Self {
        self.every_token = true;
        self
    }

    /// Keeps good answers for a time, at most 5 minutes. A token that is revoked meanwhile still passes. Default 0 s: every request asks.
    pub fn cache_for(mut self, time: Duration) -> Self {
        self.keep = time;
        self
    }
}

pub(super) async fn ask(
    token: &BearerToken,
    url: &Url,
    client: &HttpClient,
    deadline: Instant,
) -> Result<Answer, AuthorizationServerError> {
    let Ok(mut authorization) = HeaderValue::from_str(&format!("Bearer {}", token.dangerous_raw_token())) else {
        return Ok(Answer::Inactive);
    };
    authorization.set_sensitive(true);
    let request = Request::GetAs(authorization);
    let body = match client.send(request, url, MAX_TOKEN_ANSWER_BYTES, deadline).await {
        // RFC 6750 section 3.1: a bad token, or one without the scope `openid`.
        Err(AuthorizationServerError::BadStatus {
            status: StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN,
            ..
        }) => return Ok(Answer::Inactive),
        answer => answer?,
    };
    match strict_json::parse_object(&body) {
        Ok(claims) => Ok(Answer::Active(claims.into())),
        Err(problem) => Err(AuthorizationServerError::Malformed {
            url: url.to_string(),
            problem: problem.to_string(),
        }),
    }
}
