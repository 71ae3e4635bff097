use mcp_auth::{guarded, requires_scope, Denied};
use rmcp::{tool, tool_router};

struct Server;

#[guarded]
#[tool_router]
impl Server {
    #[tool(name = "create-tod", description = "Create")]
    #[requires_scope("create:todos")]
    async fn create(&self) -> Result<String, Denied> {
        Ok("created".into())
    }
}

fn main() {}
