use mcp_auth::{requires_scope, Access, Caller};

#[requires_scope("read:todos", "delete:todos", name = "export")]
fn plain(_caller: &Caller) -> Result<String, String> {
    Ok("everything".into())
}

#[requires_scope("read:todos", "delete:todos", name = "export")]
async fn asynchronous(access: Access) -> Result<String, String> {
    Ok(access.subject().into())
}

fn main() {}
