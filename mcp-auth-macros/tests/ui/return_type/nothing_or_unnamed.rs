use mcp_auth::{requires_scope, Access, Caller};

#[requires_scope("read:todos", "delete:todos", name = "export")]
fn nothing(_caller: &Caller) {}

#[requires_scope("read:todos", "delete:todos", name = "export")]
fn unnamed(_access: Access) -> impl Future<Output = ()> {
    async {}
}

fn main() {}
