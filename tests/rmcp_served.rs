//! The audit of what a server really serves, which may be more than its guarded blocks know.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;

use mcp_auth::{Denied, Policy, PolicyHandle, audit, audit_server, guarded, requires_scope};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    handler::server::{
        router::{
            prompt::PromptRouter,
            tool::{ToolRoute, ToolRouter},
        },
        tool::ToolCallContext,
        wrapper::Parameters,
    },
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, GetPromptResult, ListPromptsResult, ListToolsResult,
        PaginatedRequestParams, Tool,
    },
    prompt, prompt_router,
    service::RequestContext,
    tool, tool_router,
};

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Book {
    #[allow(dead_code, reason = "only its schema is read")]
    title: String,
}

/// Serves whatever routers it is given, a few entries a page.
struct Library {
    tools: ToolRouter<Self>,
    prompts: PromptRouter<Self>,
    pages: Pages,
}

#[derive(Clone, Copy, PartialEq)]
enum Pages {
    Right,
    Endless,
    Refused,
}

#[guarded]
#[tool_router]
#[prompt_router]
impl Library {
    #[tool(name = "search")]
    #[requires_scope(none)]
    fn search(&self, _book: Parameters<Book>) -> Result<String, Denied> {
        Ok("found".into())
    }

    #[tool(name = "lend")]
    #[requires_scope("lend")]
    fn lend(&self, _book: Parameters<Book>) -> Result<String, Denied> {
        Ok("lent".into())
    }

    #[prompt(name = "summary")]
    #[requires_scope("lend")]
    fn summary(&self) -> Result<GetPromptResult, ErrorData> {
        Ok(GetPromptResult::new(Vec::new()))
    }
}

impl ServerHandler for Library {
    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        self.tools.call(ToolCallContext::new(self, request, context)).await
    }

    async fn list_tools(
        &self,
        page: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        if self.pages == Pages::Refused {
            return Err(ErrorData::internal_error("the request is not authenticated", None));
        }
        let index: usize = page
            .and_then(|page| page.cursor)
            .map_or(0, |cursor| cursor.parse().unwrap());
        let tools = self.tools.list_all();
        let mut result = ListToolsResult::with_all_items(tools[index..=index].to_vec());
        let next = (index + 1) % tools.len();
        result.next_cursor = (self.pages == Pages::Endless || next > 0).then(|| next.to_string());
        Ok(result)
    }

    async fn list_prompts(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        Ok(ListPromptsResult::with_all_items(self.prompts.list_all()))
    }
}

impl Library {
    fn new() -> Self {
        Self {
            tools: Self::tool_router(),
            prompts: Self::prompt_router(),
            pages: Pages::Right,
        }
    }

    /// Adds a tool that nothing guards.
    fn with_tool(mut self, name: &'static str) -> Self {
        let tool = Tool::new(name, "", Arc::default());
        let route = ToolRoute::new_dyn(tool, |_| Box::pin(async { Ok(CallToolResult::success(vec![]).into()) }));
        self.tools = self.tools.with_route(route);
        self
    }
}

const POLICY: &str = "
version: 1
policy: library
scopes: { lend: Lend }
roles: { librarian: { scopes: [lend] } }
tools:
  search: { requires: [] }
  lend: { requires: lend }
prompts:
  summary: { requires: lend }
";

fn policy(text: &str) -> Arc<Policy> {
    let parsed = Policy::loader().file_name("library.yaml").parse(text);
    Arc::new(parsed.unwrap_or_else(|errors| panic!("{errors}")))
}

#[tokio::test]
async fn a_server_that_serves_its_guarded_blocks_passes() {
    let report = audit_server(&Library::new(), &policy(POLICY)).await.unwrap();
    assert_eq!((report.tools().len(), report.prompts().len()), (2, 1));
    assert_eq!(report, audit::<Library>(&policy(POLICY)).unwrap());
}

/// The audit of the blocks passes each of these servers.
#[tokio::test]
async fn what_the_blocks_do_not_know_is_found() {
    let with_shred = POLICY.replace("prompts:", "  shred: { requires: lend }\nprompts:");
    let mut without_prompts = Library::new();
    without_prompts.prompts = PromptRouter::new();
    let mut endless = Library::new();
    endless.pages = Pages::Endless;
    let mut refused = Library::new();
    refused.pages = Pages::Refused;
    for (server, text, expected) in [
        (
            Library::new().with_tool("shred"),
            POLICY,
            vec!["tool `shred` is served but states no", "`shred` is not under `tools:`"],
        ),
        (
            Library::new().with_tool("shred"),
            &with_shred,
            vec!["tool `shred` is served but states no requirement"],
        ),
        (
            Library::new().with_tool("lend"),
            POLICY,
            vec!["tool `lend` is served, but not by its guarded function"],
        ),
        (
            without_prompts,
            POLICY,
            vec!["prompt `summary` is declared at library.yaml:10 but not served"],
        ),
        (
            endless,
            POLICY,
            vec!["`tools/list` without a caller (its pages do not end)"],
        ),
        (
            refused,
            POLICY,
            vec!["`tools/list` without a caller (the request is not authenticated)"],
        ),
    ] {
        let errors = audit_server(&server, &policy(text)).await.unwrap_err();
        assert_eq!(errors.findings().len(), expected.len(), "{errors}");
        for expected in expected {
            assert!(errors.to_string().contains(expected), "{errors}");
        }
        let handle = PolicyHandle::from(policy(text));
        assert_eq!(handle.require_audit_of(&server).await.unwrap_err(), errors);
    }
}

#[tokio::test]
async fn a_replacement_is_compared_with_what_the_server_said() {
    let handle = PolicyHandle::from(policy(POLICY));
    handle.require_audit_of(&Library::new()).await.unwrap();
    let refused = handle.replace(policy(
        &POLICY.replace("lend: { requires: lend }", "lend: { requires: [] }"),
    ));
    assert!(refused.unwrap_err().to_string().contains("`lend`"));
}
