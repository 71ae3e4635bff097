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
    let parts = context.extensions.get::<Parts>();
    let extensions = parts.map_or(&none, |parts| &parts.extensions);
    let found = match parts {
        Some(_) => extensions.get::<T>(),
        None => context.extensions.get::<T>(),
    };
    found
        .cloned()
        .ok_or_else(|| ErrorData::internal_error(MissingIdentity::new(extensions).to_string(), None))
}
