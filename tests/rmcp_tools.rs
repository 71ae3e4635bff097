//! Guarded tools in a real `rmcp` service behind axum.
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
use mcp_auth::{Access, AuthInfo, Denied, Filter, Policy, ToolFailure, audit, guarded, requires_scope, testing};
use rmcp::{
    ErrorData, Json, ServerHandler,
    handler::server::wrapper::Parameters,
    model::{CallToolResult, ContentBlock},
    tool, tool_handler, tool_router,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
    },
};
use serde_json::{Value, json};
use tower::ServiceExt;

const POLICY: &str = include_str!("../policies/todo.yaml");

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct TodoId {
    id: String,
}

#[derive(serde::Serialize, schemars::JsonSchema)]
struct TodoList {
    todos: Vec<String>,
}

#[derive(Clone)]
struct Todo;

/// Each todo is named after its owner.
const TODOS: &[&str] = &["alice", "bob"];

#[guarded(policy = "policies/todo.yaml")]
#[tool_router]
impl Todo {
    #[tool(name = "create-todo", description = "Create a todo")]
    #[requires_scope("create:todos")]
    async fn create_todo(
        &self,
        auth: AuthInfo,
        Parameters(id): Parameters<TodoId>,
    ) -> Result<CallToolResult, ErrorData> {
        Ok(CallToolResult::success(vec![ContentBlock::text(format!(
            "{} {}",
            auth.subject(),
            id.id
        ))]))
    }

    #[requires_scope("read:todos", owner_fallback)]
    #[tool(name = "get-todos", description = "List todos")]
    async fn get_todos(&self, access: Access) -> Result<Json<TodoList>, ToolFailure> {
        let todos = match access.filter() {
            Filter::All => TODOS.to_vec(),
            Filter::OwnedBy(owner) => TODOS.iter().copied().filter(|todo| *todo == owner).collect(),
        };
        Ok(Json(TodoList {
            todos: todos.into_iter().map(str::to_owned).collect(),
        }))
    }

    #[tool(name = "delete-todo", description = "Delete a todo")]
    #[requires_scope("delete:todos", owner_fallback)]
    fn delete_todo(&self, Parameters(id): Parameters<TodoId>, access: Access) -> Result<String, ToolFailure> {
        let failed = || ToolFailure::json(&json!({ "error": "Failed to delete todo" }));
        let owner = TODOS.iter().find(|todo| **todo == id.id).ok_or_else(failed)?;
        access
            .check_owner(owner)
            .map_err(|denied| denied.or_not_found(failed()))?;
        Ok("deleted".into())
    }
}

#[tool_handler]
impl ServerHandler for Todo {}

/// The other order of attributes, and denials as JSON-RPC errors and as results.
#[derive(Clone)]
struct Other;

#[tool_router(router = other_tools)]
#[guarded]
impl Other {
    #[tool(name = "create-todo")]
    #[requires_scope("create:todos")]
    fn create_todo(&self) -> CallToolResult {
        CallToolResult::success(vec![])
    }

    #[tool(name = "get-todos")]
    #[requires_scope("read:todos", owner_fallback)]
    async fn get_todos(&self, access: Access) -> CallToolResult {
        CallToolResult::success(vec![ContentBlock::text(access.subject())])
    }

    #[tool(name = "delete-todo")]
    #[requires_scope("delete:todos", owner_fallback)]
    async fn delete_todo(&self, access: Access) -> Result<String, ErrorData> {
        access.check_owner("bob")?;
        Ok("deleted".into())
    }
}

#[tool_handler(router = Self::other_tools())]
impl ServerHandler for Other {}

fn policy() -> Arc<Policy> {
    Arc::new(Policy::parse(POLICY).unwrap_or_else(|errors| panic!("{errors}")))
}

/// Stands for the bearer layer: `Authorization: subject scope scope`.
async fn identify(mut request: Request, next: Next) -> Response {
    if let Some(value) = request.headers().get(header::AUTHORIZATION) {
        let mut words = value.to_str().unwrap().split(' ').map(str::to_owned);
        let caller = testing::caller(&policy())
            .subject(words.next().unwrap())
            .scopes(words)
            .build();
        request.extensions_mut().insert(caller.auth().clone());
        request.extensions_mut().insert(caller);
    }
    next.run(request).await
}

/// Calls one tool in a stateless service and returns the JSON-RPC answer.
async fn call<S: ServerHandler + Clone>(server: S, caller: &str, tool: &str, arguments: Value) -> Value {
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true);
    let service = StreamableHttpService::new(
        move || Ok(server.clone()),
        LocalSessionManager::default().into(),
        config,
    );
    let app = Router::new().route_service("/", service).layer(from_fn(identify));
    let mut request = http::Request::post("http://localhost/")
        .header(header::HOST, "localhost")
        .header(header::ACCEPT, "application/json, text/event-stream")
        .header(header::CONTENT_TYPE, "application/json")
        .header("mcp-protocol-version", "2025-11-25");
    if !caller.is_empty() {
        request = request.header(header::AUTHORIZATION, caller);
    }
    let body = json!({
        "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": tool, "arguments": arguments },
    });
    let response = app
        .oneshot(request.body(Body::from(body.to_string())).unwrap())
        .await
        .unwrap();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{error}: {bytes:?}"))
}

#[tokio::test]
async fn a_tool_sees_the_caller_of_its_own_request() {
    let answer = call(Todo, "alice create:todos", "create-todo", json!({ "id": "x" })).await;
    assert_eq!(answer["result"]["content"][0]["text"], "alice x");
    let answer = call(Todo, "alice", "get-todos", json!({})).await;
    assert_eq!(answer["result"]["structuredContent"], json!({ "todos": ["alice"] }));
    let answer = call(Todo, "carol read:todos", "get-todos", json!({})).await;
    assert_eq!(
        answer["result"]["structuredContent"],
        json!({ "todos": ["alice", "bob"] })
    );
}

#[tokio::test]
async fn a_denied_tool_is_a_json_rpc_error_with_code_403() {
    let answer = call(Todo, "alice read:todos", "create-todo", json!({ "id": "x" })).await;
    let text = "`create-todo` needs the scope `create:todos`; ask the user to grant access, then try again";
    assert_eq!(
        answer["error"],
        json!({
            "code": 403,
            "message": text,
            "data": {
                "error": "insufficient_scope",
                "error_description": text,
                "reason": "missing_required_scopes",
                "missing_scopes": ["create:todos"],
            },
        })
    );
}

#[tokio::test]
async fn somebody_elses_todo_and_a_missing_one_answer_alike() {
    let missing = call(Todo, "alice", "delete-todo", json!({ "id": "nobody" })).await;
    let not_mine = call(Todo, "alice", "delete-todo", json!({ "id": "bob" })).await;
    assert_eq!(missing, not_mine);
    assert_eq!(missing["result"]["isError"], true);
    assert_eq!(
        missing["result"]["content"][0]["text"],
        r#"{"error":"Failed to delete todo"}"#
    );
    assert_eq!(
        call(Todo, "alice", "delete-todo", json!({ "id": "alice" })).await["result"]["isError"],
        false
    );
    assert_eq!(
        call(Todo, "x delete:todos", "delete-todo", json!({ "id": "bob" })).await["result"]["isError"],
        false
    );
}

#[tokio::test]
async fn without_an_identity_no_tool_runs() {
    for tool in ["create-todo", "get-todos", "delete-todo"] {
        let answer = call(Todo, "", tool, json!({ "id": "alice" })).await;
        assert_eq!(answer["error"]["code"], -32603, "{answer}");
        assert_eq!(answer["error"]["message"], "the request is not authenticated");
    }
}

#[tokio::test]
async fn other_orders_and_return_types_carry_denials_too() {
    let answer = call(Other, "alice", "create-todo", json!({})).await;
    assert_eq!(answer["result"]["isError"], true);
    assert!(
        answer["result"]["content"][0]["text"]
            .as_str()
            .unwrap()
            .contains("`create:todos`"),
        "{answer}"
    );
    // It returned the subject without asking what the caller may see.
    let answer = call(Other, "alice", "get-todos", json!({})).await;
    assert_eq!(answer["result"]["isError"], true);
    assert!(!answer.to_string().contains("alice"), "{answer}");
    let answer = call(Other, "alice", "delete-todo", json!({})).await;
    assert_eq!(answer["error"]["code"], 404);
    assert_eq!(answer["error"]["message"], "not found");
}

#[test]
fn schemas_are_those_of_the_tool_as_written() {
    let tools = Todo::tool_router().list_all();
    let tool = |name: &str| tools.iter().find(|tool| tool.name == name).unwrap();
    assert!(tool("get-todos").output_schema.is_some());
    assert!(tool("delete-todo").input_schema["properties"]["id"].is_object());
    assert!(
        tool("get-todos")
            .input_schema
            .get("properties")
            .is_none_or(|properties| properties == &json!({}))
    );
}

#[tokio::test]
async fn tools_are_called_directly_in_unit_tests() {
    let alice = testing::caller(&policy()).subject("alice").role("user").build();
    let todos = Todo.get_todos(alice.clone()).await.unwrap();
    assert_eq!(todos.0.todos, ["alice"]);
    let hidden = Todo
        .create_todo(
            alice.clone(),
            alice.auth().clone(),
            Parameters(TodoId { id: "x".into() }),
        )
        .await;
    assert!(hidden.is_ok());
}

#[test]
fn both_servers_pass_the_audit() {
    let tools = ["create-todo", "delete-todo", "get-todos"];
    assert_eq!(audit::<Todo>(&policy()).unwrap().tools(), tools);
    assert_eq!(audit::<Other>(&policy()).unwrap().tools(), tools);
}

#[test]
fn denied_is_an_error_of_its_own() {
    fn is_error<E: std::error::Error + Send + Sync + 'static>() {}
    is_error::<Denied>();
    is_error::<mcp_auth::AuditErrors>();
}
