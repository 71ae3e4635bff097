use mcp_auth::{Caller, Denied, requires_scope};

#[requires_scope("read:todos", "delete:todos", name = "export", owner = "alice")]
fn without_fallback(_caller: &Caller) -> Result<(), Denied> {
    Ok(())
}

#[requires_scope("delete:todos", tool = "delete-todo", owner_fallback, owner = 7)]
fn no_owner(_caller: &Caller) -> Result<(), Denied> {
    Ok(())
}

#[requires_scope("delete:todos", tool = "delete-todo", owner_fallback, owner = ask()?)]
fn other_error(_caller: &Caller) -> Result<(), Denied> {
    Ok(())
}

fn ask() -> Result<String, std::fmt::Error> {
    Ok(String::new())
}

fn main() {}
