//! How a denial leaves a guarded function.

use std::{future::Future, pin::Pin};

use axum::response::{IntoResponse, Response};

use crate::{denied::Denied, guard::Watch};

/// A return type that can carry a denial.
///
/// Implemented for `Result<_, E>` where `E: From<Denied>`, for axum's `Response`, for boxed futures of these, and with the feature `rmcp` for
/// `CallToolResult`. Implement it for an own return type that is no `Result`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot return the denial of `#[requires_scope]`",
    label = "this return type cannot carry a denial",
    note = "return `Result<_, E>` where `E: From<mcp_auth::Denied>`: for example `Denied`, `ToolFailure`, `rmcp::ErrorData` or \
            `axum::response::Response`"
)]
pub trait FromDenied: Sized {
    /// Makes the value that a refused caller gets.
    fn from_denied(denied: Denied) -> Self;

    /// Replaces a success by a refusal if the function did not keep to the caller's limit.
    #[doc(hidden)]
    fn settle(self, watch: Watch) -> Self {
        match watch.verdict() {
            Ok(()) => self,
            Err(denied) => Self::from_denied(denied),
        }
    }
}

// Otherwise the compiler lists the implementations of `From` for the error type, instead of the note above.
#[diagnostic::do_not_recommend]
impl<T, E: From<Denied>> FromDenied for Result<T, E> {
    fn from_denied(denied: Denied) -> Self {
        Err(denied.into())
    }

    /// A failure stays what it is: "no such object" comes before there is an owner to check.
    fn settle(self, watch: Watch) -> Self {
        match self {
            Ok(value) => watch.verdict().map(|()| value).map_err(E::from),
            Err(error) => {
                watch.failed();
                Err(error)
            }
        }
    }
}

impl FromDenied for Response {
    fn from_denied(denied: Denied) -> Self {
        denied.into_response()
    }

    /// As for `Result`: an error status stays what it is.
    fn settle(self, watch: Watch) -> Self {
        if self.status().is_client_error() || self.status().is_server_error() {
            watch.failed();
            return self;
        }
        watch.verdict().map_or_else(Self::from_denied, |()| self)
    }
}

/// What `#[tool]` makes of an `async fn`. It ends when the future does.
impl<'a, R: FromDenied + Send + 'a> FromDenied for Pin<Box<dyn Future<Output = R> + Send + 'a>> {
    fn from_denied(denied: Denied) -> Self {
        Box::pin(std::future::ready(R::from_denied(denied)))
    }

    fn settle(self, watch: Watch) -> Self {
        Box::pin(async move { self.await.settle(watch) })
    }
}

impl<'a, R: FromDenied + 'a> FromDenied for Pin<Box<dyn Future<Output = R> + 'a>> {
    fn from_denied(denied: Denied) -> Self {
        Box::pin(std::future::ready(R::from_denied(denied)))
    }

    fn settle(self, watch: Watch) -> Self {
        Box::pin(async move { self.await.settle(watch) })
    }
}
