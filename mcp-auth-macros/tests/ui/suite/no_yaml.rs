mcp_auth::suite!("suite/no_yaml.test.yaml");

fn main() {}
