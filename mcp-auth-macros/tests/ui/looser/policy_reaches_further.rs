use mcp_auth::{guarded, requires_scope, Access, Denied};
use rmcp::{tool, tool_router};

struct Server;

#[guarded]
#[tool_router]
impl Server {
    #[tool(name = "create-todo")]
    #[requires_scope("create:todos", "read:todos")]
    async fn create(&self) -> Result<String, Denied> {
        Ok("created".into())
    }

    #[tool(name = "get-todos")]
    #[requires_scope("read:todos")]
    async fn list(&self, access: Access) -> Result<String, Denied> {
        Ok(format!("{:?}", access.filter()))
    }
}

fn main() {
    let _ = Server::tool_router();
}
