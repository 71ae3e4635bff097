mcp_auth::suite!("suite/policy_with_mistakes.test.yaml");

fn main() {}
