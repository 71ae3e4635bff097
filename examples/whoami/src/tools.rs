//! The one tool. Who may call it stands in `policies/whoami.yaml`.

use mcp_auth::{AuthInfo, ToolFailure, guarded, requires_scope};
use rmcp::{
    Json, ServerHandler,
    model::{Implementation, ServerCapabilities, ServerConfig},
    tool, tool_handler, tool_router,
};
use serde_json::{Map, Value};

/// The MCP server that knows nothing but its caller.
#[derive(Debug, Clone, Copy, Default)]
pub struct WhoAmI;

#[guarded(policy = "../../policies/whoami.yaml")]
#[tool_router(vis = "pub(crate)")]
impl WhoAmI {
    #[tool(
        name = "whoami",
        description = "Tell who you are: the claims about the signed-in user",
        annotations(read_only_hint = true)
    )]
    #[requires_scope(none)]
    async fn whoami(&self, auth: AuthInfo) -> Result<Json<Map<String, Value>>, ToolFailure> {
        Ok(Json(auth.claims().clone()))
    }
}

#[tool_handler]
impl ServerHandler for WhoAmI {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("whoami", env!("CARGO_PKG_VERSION")))
            .with_instructions("Tells you who you are signed in as.")
    }
}
