//! Identity as an axum extractor.

use std::{convert::Infallible, fmt};

use axum::{
    extract::{FromRequestParts, OptionalFromRequestParts},
    response::{IntoResponse, Response},
};
use http::{StatusCode, request::Parts};

use crate::{auth_info::AuthInfo, caller::Caller, denied::DeniedReason, refusal_body::RefusalBody};

/// A handler asked for the caller, and the request has none: the route is not behind the bearer layer, or that layer has no policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MissingIdentity {
    authenticated: bool,
}

impl MissingIdentity {
    /// Tells the operator, who alone can mend it; the client learns only that it was refused.
    pub(crate) fn new(extensions: &http::Extensions) -> Self {
        let authenticated = extensions.get::<AuthInfo>().is_some();
        if authenticated {
            tracing::error!(
                "refused: the request is authenticated but was not resolved against a policy; give the bearer layer a policy"
            );
        } else {
            tracing::error!("refused: the request carries no identity; put the bearer layer in front of this route");
        }
        Self { authenticated }
    }
}

impl fmt::Display for MissingIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.authenticated {
            "this server has no policy for the request"
        } else {
            "the request is not authenticated"
        })
    }
}

impl std::error::Error for MissingIdentity {}

/// 500, as for every mistake in the server: behind the bearer layer there is always an identity, so no token would help. A 401 would send the
/// client for one, and would need a challenge with the address of the metadata, which only the layer knows.
impl IntoResponse for MissingIdentity {
    fn into_response(self) -> Response {
        let reason = if self.authenticated {
            "missing_policy"
        } else {
            DeniedReason::MissingIdentity.code()
        };
        let description = self.to_string();
        let body = RefusalBody {
            error: None,
            error_description: &description,
            reason,
            missing_scopes: &[],
            request_id: None,
        };
        body.to_response(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = MissingIdentity;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| MissingIdentity::new(&parts.extensions))
    }
}

impl<S: Sync> FromRequestParts<S> for AuthInfo {
    type Rejection = MissingIdentity;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| MissingIdentity::new(&parts.extensions))
    }
}

/// As for [`AuthInfo`]. `None` also if the layer has no policy.
impl<S: Sync> OptionalFromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().cloned())
    }
}

/// For routes that answer anonymous requests too. Never a reason to skip a check: `None` only says that no bearer layer verified a token.
impl<S: Sync> OptionalFromRequestParts<S> for AuthInfo {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().cloned())
    }
}
