//! Denials as what a tool returns.

use rmcp::{
    ErrorData,
    handler::server::tool::IntoCallToolResult,
    model::{CallToolResponse, CallToolResult, ContentBlock, ErrorCode},
};

use crate::{
    denied::{Denied, DeniedReason},
    from_denied::FromDenied,
    guard::Watch,
};

/// A JSON-RPC error with the HTTP status as its code: 403, or 404 for somebody else's object. An internal error if there is no caller.
///
/// JSON-RPC 2.0 section 5.1 reserves -32768 to -32000, and MCP has closed the rest of that range. "Invalid params" would be wrong in
/// substance, and `rmcp` turns some of those into results.
impl From<Denied> for ErrorData {
    fn from(denied: Denied) -> Self {
        let code = match denied.reason() {
            DeniedReason::MissingIdentity => ErrorCode::INTERNAL_ERROR,
            _ => ErrorCode(i32::from(denied.status().as_u16())),
        };
        Self::new(
            code,
            denied.to_string(),
            Some(denied.with_body(None, |body| body.to_value())),
        )
    }
}

impl IntoCallToolResult for Denied {
    fn into_call_tool_result(self) -> Result<CallToolResponse, ErrorData> {
        Err(self.into())
    }
}

/// A result with `isError`, which the model can read.
impl From<Denied> for CallToolResult {
    fn from(denied: Denied) -> Self {
        Self::error(vec![ContentBlock::text(denied.to_string())])
    }
}

impl FromDenied for CallToolResult {
    fn from_denied(denied: Denied) -> Self {
        denied.into()
    }

    /// A result that already says `isError` stays what it is.
    fn settle(self, watch: Watch) -> Self {
        if self.is_error == Some(true) {
            watch.failed();
            return self;
        }
        watch.verdict().map_or_else(Self::from_denied, |()| self)
    }
}
