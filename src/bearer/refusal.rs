//! One request that the bearer layer refuses: status, challenge and body (RFC 6750 section 3.1).

use std::{borrow::Cow, time::Duration};

use axum::response::Response;
use http::{HeaderValue, StatusCode, header};

use super::{challenge::Challenge, token::NoToken};
use crate::{
    error::AuthorizationServerError,
    origin::Foreign,
    refusal_body::{RefusalBody, retry_after},
    verify::InvalidToken,
};

/// Why and how a request is refused. Nothing in it repeats what the client sent. Boxed, because it is large and rare.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    status: StatusCode,
    challenge: Answer,
    reason: &'static str,
    description: Cow<'static, str>,
    missing_scopes: Vec<String>,
    retry_after: Option<Duration>,
}

/// What the `WWW-Authenticate` header says.
#[derive(Debug, Clone)]
enum Answer {
    /// No header: no authorization that the client could obtain would help.
    Nothing,
    /// A challenge without an error, for a request without credentials.
    Authenticate(Vec<String>),
    /// A challenge with a code of RFC 6750 section 3.1.
    Error(&'static str, Vec<String>),
}

impl Refusal {
    /// The `Host` or `Origin` may not use this server.
    pub(crate) fn foreign(foreign: Foreign) -> Box<Self> {
        let (reason, description) = match foreign {
            Foreign::Host => (
                "forbidden_host",
                "The Host header names a host that this server does not serve",
            ),
            Foreign::Origin => ("forbidden_origin", "The Origin of this request may not use this server"),
        };
        Self::new(StatusCode::FORBIDDEN, Answer::Nothing, reason, description)
    }

    /// No usable credentials. `scopes` are what a client should ask for.
    pub(crate) fn no_token(no_token: NoToken, scopes: &[String], malformed_as_401: bool) -> Box<Self> {
        let (reason, description) = match no_token {
            NoToken::Absent => ("missing_auth_header", "The request has no access token"),
            NoToken::OtherScheme => (
                "invalid_auth_header_format",
                "The Authorization header has no bearer token",
            ),
            NoToken::Missing => (
                "missing_bearer_token",
                "The Authorization header has no token after Bearer",
            ),
            NoToken::Malformed(description) => ("invalid_auth_header_format", description),
        };
        let (status, answer) = match no_token {
            NoToken::Absent | NoToken::OtherScheme => (StatusCode::UNAUTHORIZED, Answer::Authenticate(scopes.to_vec())),
            NoToken::Missing | NoToken::Malformed(_) => {
                let status = if malformed_as_401 {
                    StatusCode::UNAUTHORIZED
                } else {
                    StatusCode::BAD_REQUEST
                };
                (status, Answer::Error("invalid_request", Vec::new()))
            }
        };
        Self::new(status, answer, reason, description)
    }

    /// A token that did not verify.
    pub(crate) fn invalid_token(invalid: &InvalidToken, scopes: &[String]) -> Box<Self> {
        let answer = Answer::Error("invalid_token", scopes.to_vec());
        Self::new(
            StatusCode::UNAUTHORIZED,
            answer,
            invalid.reason(),
            invalid.description(),
        )
    }

    /// Nobody can say whether the client's token is good, so there is no challenge that would make it drop the token.
    pub(crate) fn unavailable(error: &AuthorizationServerError, retry_after: Duration) -> Box<Self> {
        let (reason, description) = match error {
            AuthorizationServerError::CustomVerifier { .. } => (
                "token_verification_failed",
                "This server could not verify the access token because of a failure of its own; try the same token again later",
            ),
            AuthorizationServerError::FetchedTooRecently { .. } => (
                "authorization_server_unavailable",
                "The keys of the authorization server cannot be fetched again yet; try the same token again later",
            ),
            _ => (
                "authorization_server_unavailable",
                "The authorization server cannot be reached; try the same token again later",
            ),
        };
        let mut refusal = Self::new(StatusCode::SERVICE_UNAVAILABLE, Answer::Nothing, reason, description);
        refusal.retry_after = Some(retry_after);
        refusal
    }

    /// The token lacks scopes that every request to the resource needs.
    pub(crate) fn missing_required_scopes(required: &[String], missing: Vec<String>) -> Box<Self> {
        let description = format!("The request needs more scopes: {}", missing.join(" "));
        let answer = Answer::Error("insufficient_scope", required.to_vec());
        let mut refusal = Self::new(StatusCode::FORBIDDEN, answer, "missing_required_scopes", description);
        refusal.missing_scopes = missing;
        refusal
    }

    fn new(
        status: StatusCode,
        challenge: Answer,
        reason: &'static str,
        description: impl Into<Cow<'static, str>>,
    ) -> Box<Self> {
        let description = description.into();
        Box::new(Self {
            status,
            challenge,
            reason,
            description,
            missing_scopes: Vec::new(),
            retry_after: None,
        })
    }

    /// The finer code, for the log.
    pub(crate) fn reason(&self) -> &'static str {
        self.reason
    }

    /// The `WWW-Authenticate` value, if there is one.
    pub(crate) fn challenge(&self, resource_metadata: &str) -> Option<HeaderValue> {
        let (error, scopes) = match &self.challenge {
            Answer::Nothing => return None,
            Answer::Authenticate(scopes) => (None, scopes),
            Answer::Error(error, scopes) => (Some(*error), scopes),
        };
        // RFC 6750 section 3.1: no error information for a request that had no credentials.
        let error_description = error.map(|_| &*self.description);
        Some(
            Challenge {
                error,
                scopes,
                resource_metadata,
                error_description,
            }
            .to_header_value(),
        )
    }

    /// The response, without its challenge.
    pub(crate) fn to_response(&self, request_id: &str) -> Response {
        let error = match self.challenge {
            Answer::Error(error, _) => Some(error),
            Answer::Nothing | Answer::Authenticate(_) => None,
        };
        let body = RefusalBody {
            error,
            error_description: &self.description,
            reason: self.reason,
            missing_scopes: &self.missing_scopes,
            request_id: Some(request_id),
        };
        let mut response = body.to_response(self.status);
        if let Some(after) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, retry_after(after));
        }
        response
    }
}
