//! A server whose tools all state a requirement.

use std::{collections::BTreeMap, sync::Arc};

use rmcp::{handler::server::router::tool::ToolRouter, model::JsonObject};

use crate::requirement::Requirement;

/// The input schemas of tools, by name.
pub type InputSchemas = BTreeMap<String, Arc<JsonObject>>;

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

    /// Returns the schemas of what these tools take, by name. A tool without one cannot have a forbid on arguments.
    fn input_schemas() -> InputSchemas {
        BTreeMap::new()
    }
}

/// Called by generated code: reads the names out of a router.
pub fn served_names<S: Send + Sync + 'static>(router: &ToolRouter<S>) -> Vec<String> {
    router
        .list_all()
        .into_iter()
        .map(|tool| tool.name.into_owned())
        .collect()
}

/// Called by generated code: reads the schemas out of a router.
pub fn input_schemas<S: Send + Sync + 'static>(router: &ToolRouter<S>) -> InputSchemas {
    let tools = router.list_all().into_iter();
    tools.map(|tool| (tool.name.into_owned(), tool.input_schema)).collect()
}
