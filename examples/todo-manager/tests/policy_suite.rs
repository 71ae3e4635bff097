//! `policies/todo.test.yaml` as tests: who may do what, without a server. `mcp-policy test` runs the same file.

mcp_auth::suite!("../../policies/todo.test.yaml");
