use mcp_auth::requires_scope;

#[requires_scope("read:todos")]
struct Todo;

fn main() {
    let _ = Todo;
}
