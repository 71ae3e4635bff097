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
    assert!(start.elapsed() < Duration::from_secs(60), "took {:?}", start.elapsed());
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

fn policy(scopes: usize, tools: usize, more: &str) -> String {
    let scopes: String = (0..scopes).map(|i| format!("  s{i}: S\n")).collect();
    let tools: String = (0..tools)
        .map(|i| format!("  t{i}: {{ requires: s{}, object: o, owner_fallback: true }}\n", i % 7))
        .collect();
    format!("version: 1\nscopes:\n{scopes}objects: {{ o: {{ owner: owner_id }} }}\ntools:\n{tools}{more}")
}

const FORBIDS: &str = "forbid:
  - id: many
    everything: true
    when:
      claim:
        - { name: a, is: 1, if_missing: skip }
        - { name: b, is: 1, if_missing: skip }
        - { name: c, is: 1, if_missing: skip }
        - { name: d, is: 1, if_missing: skip }
        - { name: e, is: 1, if_missing: skip }
        - { name: f, is: 1, if_missing: skip }
        - { name: g, is: 1, if_missing: skip }
        - { name: h, is: 1, if_missing: skip }
";

#[test]
fn invariants_by_the_thousand_end() {
    let invariants: String = (0..18_000)
        .map(|i| format!("  - {{ name: n{i}, monotone: true }}\n"))
        .collect();
    let suite = format!("{}invariants:\n{invariants}", principals(1));
    let counts = outcome(&policy(7, 20, ""), &suite);
    // The first are proved; then one run has tried enough.
    assert!(
        counts.ends_with("/18000") && !counts.ends_with("18000/18000"),
        "{counts}"
    );
    let names: Vec<String> = (0..5000).map(|i| format!("t{i}")).collect();
    let invariant = format!(
        "  - {{ name: n, tools: [{}], owner: other, needs: s0 }}\n",
        names.join(", ")
    );
    let counts = outcome(
        &policy(7, 5000, FORBIDS),
        &format!("{}invariants:\n{invariant}", principals(1)),
    );
    assert_eq!(counts, "p.test.yaml  invariants 0/1");
}

#[test]
fn covering_a_huge_policy_ends() {
    for (scopes, tools, more) in [(7, 4000, ""), (7, 300, FORBIDS), (4000, 1000, "")] {
        let counts = outcome(&policy(scopes, tools, more), &format!("{}cover: all\n", principals(1)));
        assert!(counts.contains("coverage 0/"), "{counts}");
    }
}

#[test]
fn covering_by_a_huge_matrix_ends() {
    let head: String = (0..500).map(|i| format!("| p{i} ")).collect();
    let rows: String = (0..300).map(|i| format!("  t{i} {}\n", "|own".repeat(500))).collect();
    for scopes in [7, 4000] {
        let suite = format!("{}matrix: |\n  tool {head}\n{rows}cover: all\n", principals(500));
        let counts = outcome(&policy(scopes, 300, ""), &suite);
        assert!(
            counts.starts_with("p.test.yaml  matrix 150000/150000\ncoverage 300/600 rules"),
            "{counts}"
        );
    }
}

#[test]
fn lists_of_a_huge_policy_end() {
    let lists: String = (0..500).map(|i| format!("  p{i}: []\n")).collect();
    let counts = outcome(
        &policy(7, 5000, FORBIDS),
        &format!("{}lists:\n{lists}", principals(500)),
    );
    assert_eq!(counts, "p.test.yaml  lists 0/500");
}

#[test]
fn a_claim_that_lies_deeper_than_a_file_may_is_refused() {
    let path = |names: usize| {
        format!(
            "version: 1\ncallers: {{ default: {{ roles: {} }} }}\ntools: {{ t: {{ requires: [] }} }}\n",
            vec!["a"; names].join(".")
        )
    };
    assert!(Policy::parse(&path(64)).is_ok());
    for names in [65, 400_000] {
        let errors = Policy::parse(&path(names))
            .map(|policy| policy.revision().to_owned())
            .unwrap_err();
        assert_eq!(errors.diagnostics().first().unwrap().code(), "invalid-claim-path");
    }
    let suite = "principals: { p: { as: r, claims: { x: 1 } } }\ncases: [{ name: x, call: t, as: p, expect: allow }]\n";
    let policy = path(64).replace("tools:", "scopes: { s: S }\nroles: { r: { scopes: [s] } }\ntools:");
    assert_eq!(outcome(&policy, suite), "p.test.yaml  cases 1/1");
}
