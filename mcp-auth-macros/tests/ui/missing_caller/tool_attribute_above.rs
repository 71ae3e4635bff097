use mcp_auth::{Denied, requires_scope};
use rmcp::{tool, tool_router};

struct Server;

#[tool_router]
impl Server {
    #[tool(name = "create-todo")]
    #[requires_scope("create:todos")]
    async fn create(&self) -> Result<String, Denied> {
        Ok("created".into())
    }
}

fn main() {
    let _ = Server::tool_router();
}
