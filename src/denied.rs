//! The refusal of one call.

use std::{borrow::Cow, fmt, sync::Arc};

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use mcp_auth_policy::{Because, Challenge, Policy};
use serde_json::Value;

use crate::refusal_body::RefusalBody;

/// A caller was refused: which operation, why, and which scopes would help.
///
/// Its text is meant for the client, and for the model behind it: it names the operation and scopes, never a token, a claim or another user's
/// data. Somebody else's object reads exactly like one that does not exist. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied(Arc<Facts>);

#[derive(Debug, PartialEq, Eq)]
struct Facts {
    operation: Cow<'static, str>,
    reason: DeniedReason,
    scopes: Vec<String>,
    missing: Vec<String>,
    /// The words of the hook, or of a forbid.
    message: Option<String>,
}

/// Why a caller was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeniedReason {
    /// The policy does not list the operation.
    UnknownOperation,
    /// The caller lacks a scope.
    MissingScope,
    /// A forbid of the policy matches, whatever the caller was granted.
    Forbidden,
    /// The object belongs to somebody else.
    NotOwner,
    /// The caller is limited to its own objects, but has no subject to own any.
    OwnerUnknown,
    /// The caller is limited to its own objects, and the function did not check that limit: a mistake in the server.
    OwnershipUnchecked,
    /// The request has no caller: it did not come through the bearer layer, or that layer has no policy. A mistake in the server.
    MissingIdentity,
    /// The server's own `after_decision` hook refused what the policy allows.
    Hook,
}

impl DeniedReason {
    /// Returns the code in the JSON body. Where the Node and Python libraries have one, it is theirs.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::UnknownOperation => "unknown_operation",
            Self::MissingScope => "missing_required_scopes",
            Self::Forbidden => "forbidden",
            Self::NotOwner => "not_found",
            Self::OwnerUnknown => "owner_unknown",
            Self::OwnershipUnchecked => "ownership_unchecked",
            Self::MissingIdentity => "missing_identity",
            Self::Hook => "refused_by_server",
        }
    }
}

/// Why a decision that is no permission was made.
impl From<Because> for DeniedReason {
    fn from(because: Because) -> Self {
        match because {
            Because::UnknownOperation => Self::UnknownOperation,
            Because::NotOwner => Self::NotOwner,
            Because::OwnerUnknown => Self::OwnerUnknown,
            Because::Forbidden(_) => Self::Forbidden,
            _ => Self::MissingScope,
        }
    }
}

impl Denied {
    /// A denial that no scope changes.
    pub(crate) fn new(operation: impl Into<Cow<'static, str>>, reason: DeniedReason) -> Self {
        Self::with_challenge(operation.into(), reason, no_challenge(), None)
    }

    /// A denial by the policy that no scope changes, with the message that the policy has for it.
    pub(crate) fn because(operation: impl Into<Cow<'static, str>>, because: Because, policy: &Policy) -> Self {
        let message = match because {
            Because::Forbidden(forbid) => policy
                .forbid(forbid)
                .and_then(|forbid| forbid.message())
                .map(str::to_owned),
            _ => None,
        };
        Self::with_challenge(operation.into(), because.into(), no_challenge(), message)
    }

    /// A denial that the scopes of the challenge would change.
    pub(crate) fn missing_scopes_of(operation: impl Into<Cow<'static, str>>, challenge: Challenge) -> Self {
        Self::with_challenge(operation.into(), DeniedReason::MissingScope, challenge, None)
    }

    /// A denial of somebody else's object, with the scopes that would let the caller act on it if it is to hear of them.
    pub(crate) fn not_owner(operation: &'static str, challenge: Option<Challenge>) -> Self {
        let challenge = challenge.unwrap_or_else(no_challenge);
        Self::with_challenge(operation.into(), DeniedReason::NotOwner, challenge, None)
    }

    /// A denial in the words of the hook.
    pub(crate) fn by_hook(operation: String, message: String) -> Self {
        Self::with_challenge(operation.into(), DeniedReason::Hook, no_challenge(), Some(message))
    }

    fn with_challenge(
        operation: Cow<'static, str>,
        reason: DeniedReason,
        challenge: Challenge,
        message: Option<String>,
    ) -> Self {
        let Challenge { scopes, missing } = challenge;
        Self(Arc::new(Facts {
            operation,
            reason,
            scopes,
            missing,
            message,
        }))
    }

    /// Returns the name of the refused operation.
    #[must_use]
    pub fn operation(&self) -> &str {
        &self.0.operation
    }

    /// Returns why the caller was refused.
    #[must_use]
    pub fn reason(&self) -> DeniedReason {
        self.0.reason
    }

    /// Returns every scope of the set that would allow the call, for the challenge. Empty if no scope helps.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        &self.0.scopes
    }

    /// Returns those of [`scopes`](Self::scopes) that the caller lacks.
    #[must_use]
    pub fn missing_scopes(&self) -> &[String] {
        &self.0.missing
    }

    /// Returns `not_found` if the object belongs to somebody else, and otherwise the denial as `E`.
    ///
    /// With the answer that the function gives for a missing object, a client cannot tell the two apart. Where the policy says
    /// `on_not_owner: step_up`, and scopes would help, it is to be told: then this is the denial too.
    pub fn or_not_found<E: From<Self>>(self, not_found: E) -> E {
        if self.status() == StatusCode::NOT_FOUND {
            not_found
        } else {
            self.into()
        }
    }

    /// Returns whether the policy or the hook has words for the caller.
    pub(crate) fn has_message(&self) -> bool {
        self.0.message.is_some()
    }

    /// Returns the status of an HTTP answer: 403, 404 for somebody else's object that stays hidden, or 500 if there was nobody to refuse.
    pub(crate) fn status(&self) -> StatusCode {
        match self.reason() {
            DeniedReason::NotOwner if self.scopes().is_empty() => StatusCode::NOT_FOUND,
            DeniedReason::MissingIdentity => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::FORBIDDEN,
        }
    }

    /// Calls `with` with the members of the body. `error` is there only if the answer carries a challenge.
    pub(crate) fn with_body<R>(&self, request_id: Option<&str>, with: impl FnOnce(&RefusalBody<'_>) -> R) -> R {
        with(&RefusalBody {
            error: (!self.scopes().is_empty()).then_some("insufficient_scope"),
            error_description: &self.to_string(),
            reason: self.reason().code(),
            missing_scopes: self.missing_scopes(),
            request_id,
        })
    }

    fn write_missing(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.missing_scopes() != self.scopes() {
            let missing = Scopes(self.missing_scopes());
            write!(f, ", of which this access token lacks {missing}")?;
        }
        f.write_str("; ask the user to grant access, then try again")
    }

    /// The response to a request that was JSON-RPC.
    pub(crate) fn to_json_rpc_response(&self, id: Option<&Value>, request_id: Option<&str>) -> Response {
        let status = self.status();
        let mut response = self.with_body(request_id, |body| body.to_json_rpc_response(status, id));
        response.extensions_mut().insert(self.clone());
        response
    }
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operation = self.operation();
        match self.reason() {
            DeniedReason::NotOwner if self.scopes().is_empty() => f.write_str("not found"),
            DeniedReason::NotOwner => {
                write!(
                    f,
                    "`{operation}` on an object of somebody else needs {}",
                    Scopes(self.scopes())
                )?;
                self.write_missing(f)
            }
            DeniedReason::Forbidden => match &self.0.message {
                Some(message) => f.write_str(message),
                None => write!(
                    f,
                    "`{operation}` is forbidden for this call, and no further scope would change that"
                ),
            },
            DeniedReason::MissingIdentity => f.write_str("the request is not authenticated"),
            DeniedReason::UnknownOperation => write!(f, "`{operation}` is not available on this server"),
            DeniedReason::MissingScope if self.scopes().is_empty() => {
                write!(
                    f,
                    "`{operation}` is not allowed for this user, and no further scope would change that"
                )
            }
            DeniedReason::MissingScope => {
                write!(f, "`{operation}` needs {}", Scopes(self.scopes()))?;
                self.write_missing(f)
            }
            DeniedReason::OwnerUnknown => write!(
                f,
                "`{operation}` is limited to your own objects, and this access token names no user"
            ),
            DeniedReason::Hook => f.write_str(self.0.message.as_deref().unwrap_or_default()),
            DeniedReason::OwnershipUnchecked => {
                write!(
                    f,
                    "`{operation}` was refused because of a mistake in the server; trying again does not help"
                )
            }
        }
    }
}

fn no_challenge() -> Challenge {
    Challenge {
        scopes: Vec::new(),
        missing: Vec::new(),
    }
}

struct Scopes<'a>(&'a [String]);

impl fmt::Display for Scopes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.len() == 1 { "the scope " } else { "the scopes " })?;
        for (index, scope) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}`{scope}`")?;
        }
        Ok(())
    }
}

impl std::error::Error for Denied {}

/// The denial is also put into the response extensions: only the bearer layer knows the address that a challenge has to name, so it adds the
/// `WWW-Authenticate` header.
impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        let mut response = self.with_body(None, |body| body.to_response(self.status()));
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Denied> for Response {
    fn from(denied: Denied) -> Self {
        denied.into_response()
    }
}

impl From<Denied> for (StatusCode, String) {
    fn from(denied: Denied) -> Self {
        (denied.status(), denied.to_string())
    }
}
