use mcp_auth::{guarded, requires_scope, Access, Denied};
use rmcp::{tool, tool_router};

struct Server;

#[guarded]
#[tool_router]
impl Server {
    #[tool(name = "get-todos")]
    #[requires_scope("read:todos", owner_fallback)]
    async fn list(&self, _: Access) -> Result<String, Denied> {
        Ok("everything".into())
    }

    #[tool(name = "delete-todo")]
    #[requires_scope("delete:todos", owner_fallback)]
    async fn delete(&self, _access: Access) -> Result<String, Denied> {
        Ok("deleted".into())
    }
}

fn main() {
    let _ = Server::tool_router();
}
