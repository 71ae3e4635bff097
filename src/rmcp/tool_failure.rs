//! The error type of a tool whose failures the model should read.

use rmcp::{
    ErrorData,
    handler::server::tool::IntoCallToolResult,
    model::{CallToolResponse, CallToolResult, ContentBlock},
};
use serde_json::Value;

use crate::denied::Denied;

/// A failed tool call: becomes a result with `isError: true`, where an `ErrorData` would become a JSON-RPC error that most clients hide from
/// the model.
///
/// A [`Denied`] turns into one with its own text, so `#[requires_scope]` and `?` work on a tool that returns
/// `Result<Json<T>, ToolFailure>`. Nothing else turns into one by itself: the text of a database error is not for the client.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolFailure {
    text: String,
    structured: Option<Value>,
}

impl ToolFailure {
    /// Fails with a text.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            structured: None,
        }
    }

    /// Fails with a JSON value written as text, for clients that read only text: `{"error":"Failed to delete todo"}`.
    #[must_use]
    pub fn json(value: &Value) -> Self {
        Self::text(value.to_string())
    }

    /// Adds structured content. It has to fit the tool's output schema, if there is one.
    #[must_use]
    pub fn with_structured_content(mut self, value: Value) -> Self {
        self.structured = Some(value);
        self
    }
}

impl From<Denied> for ToolFailure {
    fn from(denied: Denied) -> Self {
        Self::text(denied.to_string())
    }
}

impl From<ToolFailure> for CallToolResult {
    fn from(failure: ToolFailure) -> Self {
        let mut result = Self::error(vec![ContentBlock::text(failure.text)]);
        result.structured_content = failure.structured;
        result
    }
}

impl IntoCallToolResult for ToolFailure {
    fn into_call_tool_result(self) -> Result<CallToolResponse, ErrorData> {
        Ok(CallToolResult::from(self).into())
    }
}
