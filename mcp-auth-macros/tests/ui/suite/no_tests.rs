mcp_auth::suite!("suite/no_tests.test.yaml");

fn main() {}
