//! The three tools. Who may call which, and whose items it reaches, stands in `policies/todo.yaml`.

use mcp_auth::{Access, ToolFailure, guarded, requires_scope};
use rmcp::{
    Json, ServerHandler,
    handler::server::wrapper::Parameters,
    model::{Implementation, ServerCapabilities, ServerConfig},
    tool, tool_handler, tool_router,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::store::{Todo, TodoStore};

/// The MCP server of the to-do items.
#[derive(Debug, Clone)]
pub struct TodoManager {
    store: TodoStore,
}

/// What `create-todo` is given.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct NewTodo {
    /// What there is to do.
    pub content: String,
}

/// What `delete-todo` is given.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct TodoId {
    /// The `id` of an item, as `get-todos` lists it.
    pub id: String,
}

/// What `get-todos` answers.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TodoList {
    /// The items that the caller may see.
    pub todos: Vec<Todo>,
}

/// What `delete-todo` answers.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Deleted {
    /// A sentence for the user.
    pub message: String,
    /// The item as it was.
    pub details: Todo,
}

impl TodoManager {
    /// Serves the items of a store.
    #[must_use]
    pub fn new(store: TodoStore) -> Self {
        Self { store }
    }
}

#[guarded(policy = "../../policies/todo.yaml")]
#[tool_router(vis = "pub(crate)")]
impl TodoManager {
    #[tool(name = "create-todo", description = "Create a new todo")]
    #[requires_scope("create:todos")]
    async fn create_todo(
        &self,
        access: Access,
        Parameters(new): Parameters<NewTodo>,
    ) -> Result<Json<Todo>, ToolFailure> {
        self.store
            .create(&access, &new.content)
            .await
            .map(Json)
            .map_err(|error| failed("create todo", &error))
    }

    #[tool(
        name = "get-todos",
        description = "List the todos that you may see",
        annotations(read_only_hint = true)
    )]
    #[requires_scope("read:todos", owner_fallback)]
    async fn get_todos(&self, access: Access) -> Result<Json<TodoList>, ToolFailure> {
        let todos = self
            .store
            .list(&access)
            .await
            .map_err(|error| failed("list todos", &error))?;
        Ok(Json(TodoList { todos }))
    }

    #[tool(
        name = "delete-todo",
        description = "Delete a todo by id",
        annotations(destructive_hint = true)
    )]
    #[requires_scope("delete:todos", owner_fallback)]
    async fn delete_todo(
        &self,
        access: Access,
        Parameters(TodoId { id }): Parameters<TodoId>,
    ) -> Result<Json<Deleted>, ToolFailure> {
        match self.store.delete(&access, &id).await {
            Ok(Some(details)) => Ok(Json(Deleted {
                message: format!("Todo {id} deleted"),
                details,
            })),
            // Somebody else's item is answered like one that does not exist.
            Ok(None) => Err(ToolFailure::json(&json!({ "error": "Failed to delete todo" }))),
            Err(error) => Err(failed("delete todo", &error)),
        }
    }
}

#[tool_handler]
impl ServerHandler for TodoManager {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("todo-manager", env!("CARGO_PKG_VERSION")))
            .with_instructions("Keeps to-do items. You see and delete your own; more needs more scopes.")
    }
}

/// The database failed: the caller learns that, the log learns why.
fn failed(what: &str, error: &sqlx::Error) -> ToolFailure {
    tracing::error!(%error, "cannot {what}");
    ToolFailure::json(&json!({ "error": format!("Failed to {what}") }))
}
