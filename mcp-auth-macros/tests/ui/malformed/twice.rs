use mcp_auth::{Caller, Denied, requires_scope};

#[requires_scope("read:todos")]
#[requires_scope("delete:todos")]
fn export(_caller: &Caller) -> Result<(), Denied> {
    Ok(())
}

fn main() {}
