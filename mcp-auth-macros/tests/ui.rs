//! Mistakes that a compiler has to find, with the text it shows.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::{env, path::Path, process::Command};

const POLICY: &str = "MCP_AUTH_COMPILE_POLICY";

/// trybuild compiles in a package of its own, where a relative path leads nowhere. The variable names the policy instead; it must be set before
/// the process starts, so this test starts itself again.
#[test]
fn mistakes_are_reported_where_they_are() {
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui/todo.yaml");
    let status = Command::new(env::current_exe().unwrap())
        .args(["--exact", "compile", "--ignored", "--nocapture"])
        .env(POLICY, policy)
        .status()
        .unwrap();
    assert!(
        status.success(),
        "run with TRYBUILD=overwrite to accept changed messages"
    );
}

#[test]
#[ignore = "started by the test above"]
fn compile() {
    if env::var_os(POLICY).is_some() {
        trybuild::TestCases::new().compile_fail("tests/ui/*/*.rs");
    }
}
