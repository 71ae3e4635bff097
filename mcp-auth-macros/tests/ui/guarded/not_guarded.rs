use rmcp::{tool, tool_router};

struct Server;

#[tool_router]
impl Server {
    #[tool(name = "get-todos")]
    async fn list(&self) -> String {
        "everything".into()
    }
}

fn main() {
    let _ = Server::tool_router();
    let policy = mcp_auth::Policy::parse("").unwrap();
    let _ = mcp_auth::audit::<Server>(&policy);
}
