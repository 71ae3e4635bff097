use mcp_auth::guarded;

struct Server;

#[guarded]
impl Server {}

#[guarded]
impl Clone for Server {
    fn clone(&self) -> Self {
        Server
    }
}

#[guarded]
fn server() {}

#[guarded(polcy = "todo.yaml")]
impl Server {
    fn tool_router() -> rmcp::handler::server::router::tool::ToolRouter<Self> {
        Default::default()
    }
}

fn main() {
    server();
}
