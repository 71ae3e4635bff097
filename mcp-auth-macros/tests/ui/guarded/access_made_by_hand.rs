use mcp_auth::{Access, Caller};

fn forge(caller: Caller, access: &Access) -> [Access; 2] {
    [Access { caller, limit: None }, access.clone()]
}

fn main() {}
