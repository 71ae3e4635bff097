use mcp_auth::{guarded, requires_scope};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{GetPromptRequestParams, GetPromptResponse, GetPromptResult, ReadResourceRequestParams, ReadResourceResponse},
    service::RequestContext,
};

struct Server;

#[guarded]
impl ServerHandler for Server {
    #[requires_scope("read:todos", prompt = "sumary")]
    async fn get_prompt(
        &self,
        _request: GetPromptRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        Ok(GetPromptResult::new(Vec::new()).into())
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        self.item(&request.uri)
    }
}

impl Server {
    #[requires_scope("read:todos", resource = "todo://list")]
    fn item(&self, _uri: &str) -> Result<ReadResourceResponse, ErrorData> {
        Err(ErrorData::resource_not_found("Resource not found", None))
    }

    #[requires_scope("read:todos", resource = "todo://list", prompt = "summary")]
    fn both(&self, _context: &RequestContext<RoleServer>) -> Result<ReadResourceResponse, ErrorData> {
        Err(ErrorData::resource_not_found("Resource not found", None))
    }
}

fn main() {}
