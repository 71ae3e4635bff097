use mcp_auth::{guarded, requires_scope, Denied};
use rmcp::{tool, tool_router};

struct Server;

#[tool_router]
#[guarded]
impl Server {
    #[tool(name = "create-todo")]
    #[requires_scope("create:todos")]
    async fn create(&self) -> Result<String, Denied> {
        Ok("created".into())
    }

    #[tool(name = "get-todos")]
    async fn list(&self) -> String {
        "everything".into()
    }

    #[tool]
    fn whoami(&self) -> String {
        "me".into()
    }
}

fn main() {
    let _ = Server::tool_router();
}
