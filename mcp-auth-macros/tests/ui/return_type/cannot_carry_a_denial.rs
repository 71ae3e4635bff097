use mcp_auth::{requires_scope, Access, Caller};

#[requires_scope("read:todos", "delete:todos", name = "export")]
fn with_caller(_caller: &Caller) -> String {
    "everything".into()
}

#[requires_scope("read:todos", "delete:todos", name = "export")]
fn with_access(access: Access) -> Option<String> {
    Some(access.subject().into())
}

fn main() {}
