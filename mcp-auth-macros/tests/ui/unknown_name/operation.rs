use mcp_auth::{Caller, Denied, requires_scope};

#[requires_scope("read:todos", name = "exprot")]
fn all(_caller: &Caller) -> Result<(), Denied> {
    Ok(())
}

#[requires_scope("read:todos")]
fn everything_else(_caller: &Caller) -> Result<(), Denied> {
    Ok(())
}

fn main() {}
