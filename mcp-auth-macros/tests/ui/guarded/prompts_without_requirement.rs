use mcp_auth::{guarded, requires_scope};
use rmcp::{ErrorData, model::GetPromptResult, prompt, prompt_router};

struct Server;

#[prompt_router]
#[guarded]
impl Server {
    #[prompt(name = "summary")]
    #[requires_scope("read:todos")]
    async fn summary(&self) -> Result<GetPromptResult, ErrorData> {
        Ok(GetPromptResult::new(Vec::new()))
    }

    #[prompt]
    async fn plan(&self) -> Result<GetPromptResult, ErrorData> {
        Ok(GetPromptResult::new(Vec::new()))
    }
}

fn main() {
    let _ = Server::prompt_router();
}
