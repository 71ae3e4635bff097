use mcp_auth::{Denied, guarded};
use rmcp::{tool, tool_router};

/// Attributes of the same name that guard nothing.
mod other {
    pub use rmcp::tool as requires_scope;
}

struct Server;

#[guarded]
#[tool_router]
impl Server {
    #[tool(name = "create-todo")]
    #[clippy::requires_scope("create:todos")]
    fn create(&self) -> Result<String, Denied> {
        Ok("created".into())
    }

    #[other::requires_scope(name = "delete-todo")]
    fn delete(&self) -> Result<String, Denied> {
        Ok("deleted".into())
    }
}

fn main() {
    let _ = Server::tool_router();
}
