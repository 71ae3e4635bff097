//! The one way out: every request to an authorization server is sent here.
//!
//! - The deadline covers the whole fetch, from the connection to the last byte, so that a server that drips bytes cannot hold a request.
//! - A body over its limit is refused while it streams in; it is neither kept nor cut.
//! - Redirects are not followed: the keys that decide who may enter come from the configured host or not at all.
//! - URLs are https, or http on this machine. Nothing from an unverified token ever becomes part of one.
//! - Proxy variables of the environment (`HTTPS_PROXY` and the like) are ignored: a variable set for another program must not decide where
//!   keys come from. A deployment that reaches its issuer only through a proxy needs a route for this process.

use std::{sync::Arc, time::Duration};

use http::{
    StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue},
};
use reqwest::redirect::Policy;
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::{
    error::{AuthorizationServerError, ConfigError},
    secure_url,
};

/// Largest authorization server metadata document, in bytes.
pub(crate) const MAX_METADATA_BYTES: usize = 1024 * 1024;

/// Largest key set, in bytes. 10,000 EC keys are 1.5 MB.
pub(crate) const MAX_KEY_SET_BYTES: usize = 2 * 1024 * 1024;

/// Default deadline of a fetch.
pub(crate) const DEFAULT_DEADLINE: Duration = Duration::from_secs(5);

/// Largest answer about one token, in bytes.
pub(crate) const MAX_TOKEN_ANSWER_BYTES: usize = 64 * 1024;

/// A request and what it carries.
#[derive(Debug)]
pub(crate) enum Request {
    /// A public document.
    Get,
    /// A document for whoever has the token in this `Authorization` value.
    GetAs(HeaderValue),
    /// A form (`application/x-www-form-urlencoded`).
    Post {
        form: String,
        authorization: Option<HeaderValue>,
    },
}

/// Fetches JSON documents of one authorization server.
#[derive(Debug, Clone)]
pub(crate) struct HttpClient {
    client: reqwest::Client,
    deadline: Duration,
}

impl HttpClient {
    /// Builds the client for one issuer. Each issuer has its own, so that a slow one cannot use up the connections of another.
    pub(crate) fn new(issuer: &str, deadline: Duration) -> Result<Self, ConfigError> {
        let client = reqwest::Client::builder()
            .user_agent(concat!("mcp-auth/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            // Whatever features other crates turn on: a small body that unfolds into a large one is not even asked for.
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .no_proxy()
            .build()
            .map_err(|error| ConfigError::HttpClient {
                issuer: issuer.to_owned(),
                source: error.into(),
            })?;
        Ok(Self { client, deadline })
    }

    /// Returns the time by which a fetch that begins now has to end. One fetch may be several requests.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.deadline
    }

    /// Fetches the body of a 200 answer, at most `limit` bytes.
    pub(crate) async fn get(
        &self,
        url: &Url,
        limit: usize,
        deadline: Instant,
    ) -> Result<Vec<u8>, AuthorizationServerError> {
        self.send(Request::Get, url, limit, deadline).await
    }

    /// Sends a request, and returns the body of a 200 answer, at most `limit` bytes.
    pub(crate) async fn send(
        &self,
        request: Request,
        url: &Url,
        limit: usize,
        deadline: Instant,
    ) -> Result<Vec<u8>, AuthorizationServerError> {
        match timeout_at(deadline, self.send_without_deadline(request, url, limit)).await {
            Ok(answer) => answer,
            Err(_) => Err(self.timed_out(url)),
        }
    }

    /// What a fetch that missed its deadline ends with.
    pub(crate) fn timed_out(&self, url: &Url) -> AuthorizationServerError {
        AuthorizationServerError::TimedOut {
            url: url.to_string(),
            after: self.deadline,
        }
    }

    async fn send_without_deadline(
        &self,
        request: Request,
        url: &Url,
        limit: usize,
    ) -> Result<Vec<u8>, AuthorizationServerError> {
        // The callers have checked their URLs; this keeps the promise for the ones that are written later.
        if let Err(problem) = secure_url::parse(url.as_str()) {
            return Err(AuthorizationServerError::Malformed {
                url: url.to_string(),
                problem: format!("its URL {problem}"),
            });
        }
        let unreachable = |error: reqwest::Error| AuthorizationServerError::Unreachable {
            url: url.to_string(),
            source: Arc::new(error.without_url()),
        };
        let too_large = || AuthorizationServerError::TooLarge {
            url: url.to_string(),
            limit,
        };

        let request = match request {
            Request::Get => self.client.get(url.clone()),
            Request::GetAs(authorization) => self.client.get(url.clone()).header(AUTHORIZATION, authorization),
            Request::Post { form, authorization } => {
                let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
                let request = self.client.post(url.clone()).header(CONTENT_TYPE, form_type).body(form);
                match authorization {
                    Some(authorization) => request.header(AUTHORIZATION, authorization),
                    None => request,
                }
            }
        };
        let request = request.header(ACCEPT, HeaderValue::from_static("application/json"));
        let mut response = request.send().await.map_err(unreachable)?;
        if response.status() != StatusCode::OK {
            return Err(AuthorizationServerError::BadStatus {
                url: url.to_string(),
                status: response.status(),
            });
        }
        if response.content_length().is_some_and(|length| length > limit as u64) {
            return Err(too_large());
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if chunk.len() > limit - body.len() {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}
