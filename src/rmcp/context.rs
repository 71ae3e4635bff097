//! Identity as an argument of tools and prompts.
//!
//! The streamable HTTP transport of `rmcp` puts the parts of the HTTP request into the extensions of each message, and the bearer layer put the
//! identity into the extensions of that request: it is the one of this very POST, also within a session. Other transports have no identity.

use http::request::Parts;
use rmcp::{
    ErrorData, RoleServer,
    handler::server::common::{AsRequestContext, FromContextPart},
    service::RequestContext,
};

use crate::{auth_info::AuthInfo, caller::Caller, extract::MissingIdentity};

impl<C: AsRequestContext> FromContextPart<C> for Caller {
    fn from_context_part(context: &mut C) -> Result<Self, ErrorData> {
        identity(context.as_request_context())
    }
}

impl<C: AsRequestContext> FromContextPart<C> for AuthInfo {
    fn from_context_part(context: &mut C) -> Result<Self, ErrorData> {
        identity(context.as_request_context())
    }
}

/// Fails closed: a message without an HTTP request, or a request without a bearer layer, has no caller.
fn identity<T: Clone + Send + Sync + 'static>(context: &RequestContext<RoleServer>) -> Result<T, ErrorData> {
    let none = http::Extensions::new();
    let extensions = context
        .extensions
        .get::<Parts>()
        .map_or(&none, |parts| &parts.extensions);
    extensions
        .get::<T>()
        .cloned()
        .ok_or_else(|| ErrorData::internal_error(MissingIdentity::new(extensions).to_string(), None))
}
