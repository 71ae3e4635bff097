use mcp_auth::{Caller, Denied, requires_scope};

#[requires_scope("read:todos delete:todos", owner_fallbak, owner = todo.owner, "", any("read:todos"))]
fn export(_caller: &Caller) -> Result<(), Denied> {
    Ok(())
}

fn main() {}
