use mcp_auth::{guarded, requires_scope, Caller, Denied};
use rmcp::{tool, tool_router};

struct Server;

#[guarded]
#[tool_router]
impl Server {
    #[tool(name = "get-todos")]
    #[requires_scope("read:todos", owner_fallback)]
    async fn list(&self) -> Result<String, Denied> {
        Ok("everything".into())
    }

    #[tool(name = "delete-todo")]
    #[requires_scope("delete:todos", owner_fallback)]
    async fn delete(&self, caller: Caller) -> Result<String, Denied> {
        Ok(caller.subject().into())
    }
}

fn main() {
    let _ = Server::tool_router();
}
