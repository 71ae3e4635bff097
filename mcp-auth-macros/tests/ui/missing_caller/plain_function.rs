use mcp_auth::{Denied, requires_scope};

#[requires_scope("read:todos", "delete:todos")]
fn export(_limit: usize) -> Result<(), Denied> {
    Ok(())
}

fn main() {}
