use mcp_auth::{Access, Denied, requires_scope};
use rmcp::{ErrorData, RoleServer, service::RequestContext};

#[requires_scope("delete:todos", tool = "delete-todo", owner_fallback, access = granted)]
fn never_asked(_context: &RequestContext<RoleServer>) -> Result<(), ErrorData> {
    Ok(())
}

#[requires_scope("delete:todos", tool = "delete-todo", owner_fallback, access = _granted)]
fn thrown_away(_context: &RequestContext<RoleServer>) -> Result<(), ErrorData> {
    Ok(())
}

#[requires_scope("delete:todos", tool = "delete-todo", owner_fallback, access = granted)]
fn two_of_them(access: Access) -> Result<(), Denied> {
    Ok(drop(access))
}

fn main() {}
