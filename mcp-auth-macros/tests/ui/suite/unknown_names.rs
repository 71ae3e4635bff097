mcp_auth::suite!("suite/unknown_names.test.yaml");

fn main() {}
