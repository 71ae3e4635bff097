use mcp_auth::{guarded, requires_scope, Denied};
use rmcp::{tool, tool_router};

struct Server;

#[guarded(parts(admn), part = tools)]
#[tool_router]
impl Server {
    #[tool(name = "create-todo")]
    #[requires_scope("create:todos")]
    fn create(&self) -> Result<String, Denied> {
        Ok("created".into())
    }
}

struct Other;

#[guarded(parts(admn))]
#[tool_router]
impl Other {
    #[tool(name = "create-todo")]
    #[requires_scope("create:todos")]
    fn create(&self) -> Result<String, Denied> {
        Ok("created".into())
    }
}

#[guarded(part = admin)]
#[tool_router(router = admin)]
impl Other {
    #[tool(name = "ping")]
    #[requires_scope(none)]
    fn ping(&self) -> Result<String, Denied> {
        Ok("pong".into())
    }
}

fn main() {
    let _ = (Server::tool_router(), Other::tool_router(), Other::admin());
}
