//! Identity as an argument of tools and prompts.
//!
//! Over HTTP, the streamable HTTP transport of `rmcp` puts the parts of the HTTP request into the extensions of each message, and the bearer layer put the
//! identity into the extensions of that request: it is the one of this very POST, also within a session. Without HTTP, [`LocalServer`](super::LocalServer) puts it into the extensions of the message itself.

use http::request::Parts;
use rmcp::{
    ErrorData, RoleServer,
    handler::server::common::{AsRequestContext, FromContextPart},
    service::RequestContext,
};

use crate::{
    auth_info::AuthInfo,
    caller::Caller,
    denied::{Denied, DeniedReason},
    extract::MissingIdentity,
    requirement::Requirement,
};

impl<C: AsRequestContext> FromContextPart<C> for Caller {
    fn from_context_part(context: &mut C) -> Result<Self, ErrorData> {
        Self::try_from(context.as_request_context())
    }
}

impl<C: AsRequestContext> FromContextPart<C> for AuthInfo {
    fn from_context_part(context: &mut C) -> Result<Self, ErrorData> {
        identity(context.as_request_context()).map_err(internal_error)
    }
}

/// For hand-written methods of `ServerHandler`, which hand the caller on to annotated functions:
///
/// ```
/// use mcp_auth::{Access, Caller, requires_scope};
/// use rmcp::{
///     ErrorData, RoleServer, ServerHandler,
///     model::{ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult},
///     service::RequestContext,
/// };
///
/// struct Library;
///
/// impl ServerHandler for Library {
///     async fn read_resource(
///         &self,
///         request: ReadResourceRequestParams,
///         context: RequestContext<RoleServer>,
///     ) -> Result<ReadResourceResponse, ErrorData> {
///         let caller = Caller::try_from(&context)?;
///         match request.uri.strip_prefix("library://books/") {
///             Some(title) => self.book(caller, title).await,
///             None => Err(ErrorData::resource_not_found("Resource not found", None)),
///         }
///     }
/// }
///
/// impl Library {
///     #[requires_scope("read:books", resource = "library://books/{title}")]
///     async fn book(&self, access: Access, title: &str) -> Result<ReadResourceResponse, ErrorData> {
///         Ok(ReadResourceResult::new(Vec::new()).into())
///     }
/// }
/// ```
impl TryFrom<&RequestContext<RoleServer>> for Caller {
    type Error = ErrorData;

    fn try_from(context: &RequestContext<RoleServer>) -> Result<Self, ErrorData> {
        identity(context).map_err(internal_error)
    }
}

/// Called by generated code: takes the caller out of the context of a request.
///
/// # Errors
/// [`DeniedReason::MissingIdentity`].
pub fn caller_of(context: &RequestContext<RoleServer>, requirement: &'static Requirement) -> Result<Caller, Denied> {
    identity(context).map_err(|_logged| Denied::new(requirement.name(), DeniedReason::MissingIdentity))
}

/// Fails closed: a message without an HTTP request, or a request without a bearer layer, has no caller.
fn identity<T: Clone + Send + Sync + 'static>(context: &RequestContext<RoleServer>) -> Result<T, MissingIdentity> {
    let none = http::Extensions::new();
    let parts = context.extensions.get::<Parts>();
    let extensions = parts.map_or(&none, |parts| &parts.extensions);
    let found = match parts {
        Some(_) => extensions.get::<T>(),
        None => context.extensions.get::<T>(),
    };
    found.cloned().ok_or_else(|| MissingIdentity::new(extensions))
}

fn internal_error(missing: MissingIdentity) -> ErrorData {
    ErrorData::internal_error(missing.to_string(), None)
}
