//! A server whose tools all state a requirement.

use rmcp::handler::server::router::tool::ToolRouter;

use crate::requirement::Requirement;

/// A server with `#[guarded]` on the impl block of its tools. Implemented by that attribute only.
#[diagnostic::on_unimplemented(
    message = "the tools of `{Self}` are not guarded",
    label = "not guarded",
    note = "put `#[mcp_auth::guarded]` on the impl block with `#[tool_router]`"
)]
pub trait Guarded {
    /// Every `#[requires_scope]` of the block.
    const REQUIREMENTS: &'static [Requirement];

    /// Returns the names of the tools that the router really serves.
    fn served() -> Vec<String>;
}

/// Called by generated code: reads the names out of a router.
pub fn served_names<S: Send + Sync + 'static>(router: &ToolRouter<S>) -> Vec<String> {
    router
        .list_all()
        .into_iter()
        .map(|tool| tool.name.into_owned())
        .collect()
}
