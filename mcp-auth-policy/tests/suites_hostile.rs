//! Suites that are as large as a file may be: an answer comes in seconds, even in an unoptimised build.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests measure time")]

use std::time::{Duration, Instant};

use mcp_auth_policy::{Policy, suite::SuiteFile};

const TODO: &str = include_str!("../../policies/todo.yaml");

/// Gives the code of the first mistake, or the line of counts.
fn outcome(policy: &str, suite: &str) -> String {
    let policy = Policy::parse(policy).unwrap_or_else(|errors| panic!("{errors}"));
    let start = Instant::now();
    let text = format!("version: 1\npolicy: p.yaml\n{suite}");
    assert!(text.len() <= 1024 * 1024, "{} bytes", text.len());
    let file = SuiteFile::parse("p.test.yaml", text).unwrap_or_else(|errors| panic!("{errors}"));
    let outcome = match file.with_policy(&policy) {
        Ok(suite) => suite.run().summary(),
        Err(errors) => errors.diagnostics().first().unwrap().code().to_owned(),
    };
    assert!(start.elapsed() < Duration::from_secs(20), "took {:?}", start.elapsed());
    outcome
}

fn principals(count: usize) -> String {
    let lines: String = (0..count).map(|i| format!("  p{i}: {{ scopes: [] }}\n")).collect();
    format!("principals:\n{lines}")
}

#[test]
fn too_many_principals_are_refused() {
    let suite = |count| {
        format!(
            "{}cases: [{{ name: x, call: create-todo, as: p0, expect: deny }}]\n",
            principals(count)
        )
    };
    assert_eq!(outcome(TODO, &suite(1000)), "p.test.yaml  cases 1/1");
    assert_eq!(outcome(TODO, &suite(1001)), "too-many-principals");
    assert_eq!(outcome(TODO, &suite(40_000)), "too-many-principals");
}
