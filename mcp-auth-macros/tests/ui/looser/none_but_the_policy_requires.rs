use mcp_auth::{Caller, Denied, requires_scope};

#[requires_scope(none)]
fn export(_caller: &Caller) -> Result<(), Denied> {
    Ok(())
}

fn main() {}
