//! Lists: what each principal is shown, and what a wrong one says.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use mcp_auth_policy::{
    Policy,
    suite::{Filter, SuiteFile, TestKind},
};

const POLICY: &str = include_str!("samples/desk.yaml");
const SUITE: &str = "version: 1
policy: desk.yaml
principals:
  anon: none
  reader: { as: reader, client: desktop }
  reader at roles: { issuer: https://roles.example, claims: { realm: { roles: [] } } }
  limited: { issuer: https://both.example, as: writer, client: desktop }
  banned: { as: chief, claims: { status: suspended } }
lists:
  anon: []
  reader: [purge, answer, \"resource:desk://{year}/{id}\", read-ticket, close-ticket]
  reader at roles: [read-ticket]
  limited: [read-ticket, close-ticket, answer, \"resource:desk://{year}/{id}\"]
  banned: []
";

fn run(suite: &str) -> Vec<String> {
    let policy = Policy::parse(POLICY).unwrap();
    let file = SuiteFile::parse("desk.test.yaml", suite).unwrap();
    let report = file
        .with_policy(&policy)
        .unwrap_or_else(|errors| panic!("{errors}"))
        .run();
    report.failures().iter().map(ToString::to_string).collect()
}

#[test]
fn a_list_is_what_some_scopes_would_let_the_caller_use_in_any_order() {
    assert_eq!(run(SUITE), [""; 0]);
}

#[test]
fn a_wrong_list_shows_both_and_a_row_that_can_be_pasted() {
    let wrong = SUITE
        .replace("  banned: []", "  banned: [purge]")
        .replace(
            "  limited: [read-ticket, close-ticket, answer, \"resource:desk://{year}/{id}\"]",
            "  limited: []",
        )
        .replace("  anon: []", "  anon: [purge]");
    let failures = run(&wrong);
    assert_eq!(
        failures,
        [
            "FAILED tools/list as anon
  --> desk.test.yaml:10:3
  expected  [purge]
  actual    []
  if the policy is right, write
    anon: []",
            "FAILED tools/list as limited
  --> desk.test.yaml:13:3
  expected  []
  actual    [read-ticket, close-ticket, answer, \"resource:desk://{year}/{id}\"]
  if the policy is right, write
    limited: [read-ticket, close-ticket, answer, \"resource:desk://{year}/{id}\"]",
            "FAILED tools/list as banned
  --> desk.test.yaml:14:3
  expected  [purge]
  actual    []
  if the policy is right, write
    banned: []",
        ]
    );
    let mut mended = wrong;
    for failure in &failures {
        let row = failure.lines().last().unwrap().trim();
        let (name, _) = row.split_once(':').unwrap();
        let old = mended
            .lines()
            .rev()
            .find(|line| line.trim().starts_with(&format!("{name}: [")))
            .unwrap()
            .to_owned();
        mended = mended.replace(&old, &format!("  {row}"));
    }
    assert_eq!(run(&mended), [""; 0]);
}

#[test]
fn tests_are_found_by_name_and_chosen_by_filters() {
    let policy = Policy::parse(include_str!("../../policies/todo.yaml")).unwrap();
    let text = "version: 1
policy: todo.yaml
principals: { anon: none, alice: { as: user }, root: { as: admin } }
matrix: |
  tool        | anon | alice | root
  create-todo | 401  | any   | any
  get-todos   | 401  | own   | any
  delete-todo | 401  | own   | any
cases:
  - { name: \"root deletes, always\", call: delete-todo, as: root, owner: alice, expect: allow }
lists: { root: [create-todo, get-todos, delete-todo] }
";
    let file = SuiteFile::parse("todo.test.yaml", text).unwrap();
    let suite = file.with_policy(&policy).unwrap();
    let kind = |name: &str| suite.find_test(name).map(|test| test.kind());
    assert_eq!(kind("delete-todo as alice"), Some(TestKind::Cell));
    assert_eq!(kind("root deletes, always"), Some(TestKind::Case));
    assert_eq!(kind("tools/list as root"), Some(TestKind::List));
    assert_eq!(kind("delete-todo as bob"), None);
    for (filter, summary) in [
        ("tool=delete-todo", "matrix 3/3  cases 1/1"),
        ("as=root", "matrix 3/3  cases 1/1  lists 1/1"),
        ("as=root,as=alice", "matrix 6/6  cases 1/1  lists 1/1"),
        ("tool=delete-todo,as=alice", "matrix 1/1"),
        ("name=deletes, always", "cases 1/1"),
        ("name=delete", "matrix 3/3  cases 1/1"),
        ("tool=get-todos,tool=create-todo,as=alice", "matrix 2/2"),
        ("tool=drop-table", ""),
        ("as=alice,name=tools/list", ""),
    ] {
        let report = suite.run_only(&filter.parse::<Filter>().unwrap());
        assert_eq!(
            report.summary().trim_start_matches("todo.test.yaml").trim(),
            summary,
            "{filter}"
        );
        assert_eq!(report.is_empty(), summary.is_empty());
    }
    for wrong in ["", "delete-todo", "tol=x", "tool=a,ass=b"] {
        assert!(wrong.parse::<Filter>().is_err(), "{wrong}");
    }
}
