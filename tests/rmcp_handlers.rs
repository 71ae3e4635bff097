//! Hand-written methods of `ServerHandler`: the caller comes from the context of the request.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::Request,
    middleware::{Next, from_fn},
    response::Response,
};
use http::header;
use http_body_util::BodyExt;
use mcp_auth::{Access, Caller, Policy, audit, guarded, requires_scope, testing};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, CompleteRequestParams, CompleteResult, ContentBlock,
        GetPromptRequestParams, GetPromptResponse, GetPromptResult, ListResourcesResult, PaginatedRequestParams,
        PromptMessage, ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult, ResourceContents, Role,
        ServerCapabilities, ServerConfig,
    },
    service::RequestContext,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
    },
};
use serde_json::{Value, json};
use tower::ServiceExt;

const POLICY: &str = "
version: 1
policy: library
scopes: { read: Read, lend: Lend, write: Write }
roles: { librarian: { scopes: [read, lend, write] } }
objects: { note: { owner: owner_id } }
tools:
  lend: { requires: lend }
prompts:
  notes: { requires: read, object: note, owner_fallback: true }
resources:
  library://catalogue: { requires: [] }
  library://books/{title}: { requires: read }
operations:
  list-resources: { requires: read }
  complete: { requires: write }
";

fn policy(text: &str) -> Arc<Policy> {
    let parsed = Policy::loader().file_name("library.yaml").parse(text);
    Arc::new(parsed.unwrap_or_else(|errors| panic!("{errors}")))
}

#[derive(Clone)]
struct Library;

#[guarded(parts(resources))]
impl ServerHandler for Library {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder();
        let capabilities = capabilities
            .enable_tools()
            .enable_prompts()
            .enable_resources()
            .enable_completions();
        ServerConfig::new(capabilities.build())
    }

    #[requires_scope("lend", tool = "lend")]
    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        Ok(CallToolResult::success(vec![ContentBlock::text(request.name)]).into())
    }

    #[requires_scope("read", owner_fallback, prompt = "notes", access = access)]
    async fn get_prompt(
        &self,
        _request: GetPromptRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let owner = if access.permits("somebody") {
            "everybody"
        } else {
            access.owner_key()
        };
        let text = format!("{owner} {}", context.extensions.get::<http::request::Parts>().is_some());
        Ok(GetPromptResult::new(vec![PromptMessage::new_text(Role::User, text)]).into())
    }

    #[requires_scope("read", name = "list-resources")]
    async fn list_resources(
        &self,
        _request: Option<PaginatedRequestParams>,
        mut context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        context.extensions.clear();
        Ok(ListResourcesResult::default())
    }

    #[requires_scope("write", name = "complete", owner_fallback, owner = "nobody")]
    async fn complete(
        &self,
        _request: CompleteRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        Ok(CompleteResult::default())
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        match request.uri.strip_prefix("library://") {
            Some("catalogue") => self.catalogue(&context),
            Some(path) => self.book(Caller::try_from(&context)?, path).await,
            None => Err(ErrorData::resource_not_found("Resource not found", None)),
        }
    }
}

fn read(text: &str) -> ReadResourceResponse {
    ReadResourceResult::new(vec![ResourceContents::text(text, "library://x")]).into()
}

#[guarded(part = resources)]
impl Library {
    #[requires_scope(none, resource = "library://catalogue")]
    fn catalogue(&self, _context: &RequestContext<RoleServer>) -> Result<ReadResourceResponse, ErrorData> {
        Ok(read("catalogue"))
    }

    #[requires_scope("read", resource = "library://books/{title}")]
    async fn book(&self, access: Access, path: &str) -> Result<ReadResourceResponse, ErrorData> {
        Ok(read(&format!("{path} for {}", access.subject())))
    }
}

/// Stands for the bearer layer: `Authorization: subject scope scope`. There is no gate: only the annotations stand in the way.
async fn identify(mut request: Request, next: Next) -> Response {
    if let Some(value) = request.headers().get(header::AUTHORIZATION) {
        let mut words = value.to_str().unwrap().split(' ').map(str::to_owned);
        let caller = testing::caller(&policy(POLICY)).subject(words.next().unwrap());
        let caller = caller.scopes(words).build();
        request.extensions_mut().insert(caller.auth().clone());
        request.extensions_mut().insert(caller);
    }
    next.run(request).await
}

async fn ask(caller: &str, method: &str, params: Value) -> Value {
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true);
    let service = StreamableHttpService::new(|| Ok(Library), LocalSessionManager::default().into(), config);
    let app = Router::new().route_service("/", service).layer(from_fn(identify));
    let mut request = http::Request::post("http://localhost/")
        .header(header::HOST, "localhost")
        .header(header::ACCEPT, "application/json, text/event-stream")
        .header(header::CONTENT_TYPE, "application/json")
        .header("mcp-protocol-version", "2025-11-25");
    if !caller.is_empty() {
        request = request.header(header::AUTHORIZATION, caller);
    }
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
    let request = request.body(Body::from(body.to_string())).unwrap();
    let bytes = app
        .oneshot(request)
        .await
        .unwrap()
        .into_body()
        .collect()
        .await
        .unwrap()
        .to_bytes();
    serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{error}: {bytes:?}"))
}

#[tokio::test]
async fn hand_written_handlers_are_guarded() {
    let complete = json!({ "ref": { "type": "ref/prompt", "name": "x" }, "argument": { "name": "a", "value": "" } });
    let uri = |uri: &str| json!({ "uri": uri });
    let named = |name: &str| json!({ "name": name });
    for (method, params, caller, expected) in [
        ("tools/call", named("lend"), "alice lend", Ok("lend")),
        ("tools/call", named("lend"), "alice read", Err(403)),
        ("tools/call", named("lend"), "", Err(-32603)),
        ("prompts/get", named("notes"), "alice read", Ok("everybody true")),
        ("prompts/get", named("notes"), "alice", Ok("alice true")),
        ("prompts/get", named("notes"), "", Err(-32603)),
        ("resources/list", json!({}), "alice read", Ok("resources")),
        ("resources/list", json!({}), "alice", Err(403)),
        ("completion/complete", complete.clone(), "alice write", Ok("values")),
        ("completion/complete", complete, "alice", Err(403)),
        ("resources/read", uri("library://catalogue"), "alice", Ok("catalogue")),
        ("resources/read", uri("library://catalogue"), "", Err(-32603)),
        (
            "resources/read",
            uri("library://books/dune"),
            "alice read",
            Ok("books/dune for alice"),
        ),
        ("resources/read", uri("library://books/dune"), "alice lend", Err(403)),
        ("resources/read", uri("library://books/dune"), "", Err(-32603)),
    ] {
        let answer = ask(caller, method, params.clone()).await;
        match expected {
            Ok(text) => assert!(
                answer["result"].to_string().contains(text),
                "{method} {params} {caller}: {answer}"
            ),
            Err(code) => assert_eq!(answer["error"]["code"], code, "{method} {params} {caller}: {answer}"),
        }
    }
}

#[test]
fn the_audit_covers_what_hand_written_functions_say_they_serve() {
    let report = audit::<Library>(&policy(POLICY)).unwrap();
    assert_eq!(report.tools(), ["lend"]);
    assert_eq!(report.prompts(), ["notes"]);
    assert_eq!(report.resources(), ["library://books/{title}", "library://catalogue"]);
    for (from, to, expected) in [
        (
            "  lend: { requires: lend }",
            "  land: { requires: lend }",
            "`lend` (tests/rmcp_handlers.rs:",
        ),
        (
            "  lend: { requires: lend }",
            "  land: { requires: lend }",
            "tool `land` is declared at library.yaml:8 but not served",
        ),
        (
            "books/{title}: { requires: read }",
            "books/{title}: { requires: [] }",
            "`library://books/{title}`: the policy at library.yaml:13",
        ),
        (
            "books/{title}",
            "books/{name}",
            "`library://books/{title}` (tests/rmcp_handlers.rs:",
        ),
        (
            "books/{title}",
            "books/{name}",
            "resource `library://books/{name}` is declared at library.yaml:13 but not served; remove it there, or put \
             `resource = \"library://books/{name}\"`",
        ),
        (
            "  notes: {",
            "  haiku: { requires: [] }\n  notes: {",
            "prompt `haiku` is declared at library.yaml:10 but not served",
        ),
    ] {
        let text = POLICY.replace(from, to);
        let found = audit::<Library>(&policy(&text)).unwrap_err().to_string();
        assert!(found.contains(expected), "{expected}\n{found}");
    }
}
