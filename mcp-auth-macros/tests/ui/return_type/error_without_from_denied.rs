use mcp_auth::{requires_scope, Access};

struct MyError;

#[requires_scope("read:todos", "delete:todos")]
async fn export(access: Access) -> Result<String, MyError> {
    Ok(access.subject().into())
}

fn main() {}
