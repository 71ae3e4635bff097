//! Cases with arguments: each is one call, decided by the arguments it writes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use mcp_auth_policy::{Policy, suite::SuiteFile};

const POLICY: &str = "
version: 1
scopes: { write: Write, manage: { about: Manage, implies: [write] } }
tools:
  lenient: { requires: write }
  strict: { requires: write }
  typed: { requires: write }
  several: { requires: { any: [write, manage] } }
forbid:
  - id: long
    tools: [lenient, several]
    when: { arg: { name: text, longer_than: 10, if_missing: skip } }
    unless: { scope: manage }
  - id: unclear
    tools: [strict]
    when: { arg: { name: text, longer_than: 10, if_missing: deny } }
    unless: { scope: manage }
  - id: draft
    tools: [typed]
    when: { arg: { name: draft, is: true, if_missing: skip } }
";

/// Runs one case of the writer; gives what differs, or nothing.
fn differs(case: &str) -> String {
    let policy = Policy::parse(POLICY).unwrap();
    let text = format!(
        "version: 1\npolicy: p.yaml\nprincipals: {{ writer: {{ scopes: [write] }} }}\ncases:\n  - {{ name: x, as: writer, {case} }}\n"
    );
    let file = SuiteFile::parse("p.test.yaml", text).unwrap_or_else(|errors| panic!("{errors}"));
    let report = file
        .with_policy(&policy)
        .unwrap_or_else(|errors| panic!("{errors}"))
        .run();
    let failure = report.failures().first();
    failure.map(|failure| failure.actual().to_owned()).unwrap_or_default()
}

#[test]
fn a_case_is_decided_by_its_arguments() {
    for case in [
        "call: lenient, args: { text: { length: 10 } }, expect: allow, because: scope",
        "call: lenient, args: { text: { length: 11 } }, expect: deny, because: long, challenge: none",
        "call: lenient, args: { text: äöüäöüäöüä }, expect: allow",
        "call: lenient, args: { text: abcdefghijk }, expect: deny, because: long",
        // A value of the wrong type makes the forbid stand.
        "call: lenient, args: { text: { length: 5, width: 3 } }, expect: deny, because: long",
        "call: lenient, args: { text: [{ length: 5 }] }, expect: deny, because: long",
        "call: lenient, args: { text: null }, expect: deny, because: long",
        "call: lenient, args: { length: 7 }, expect: allow",
        "call: strict, args: { text: short }, expect: allow",
        "call: strict, args: { other: short }, expect: deny, because: unclear",
        "call: typed, args: { draft: true }, expect: deny, because: draft",
        "call: typed, args: { draft: false }, expect: allow",
        "call: typed, args: { draft: 1.5 }, expect: deny, because: draft",
        // The scope that lifts the forbid; it is the one that `requires` names.
        "call: several, args: { text: { length: 11 } }, expect: deny, because: long, challenge: [manage]",
        "call: several, args: { text: short }, expect: allow, challenge: none",
    ] {
        assert_eq!(differs(case), "", "{case}");
    }
}

#[test]
fn a_case_without_args_is_a_call_without_arguments_and_not_the_best_one() {
    assert_eq!(differs("call: lenient, expect: allow"), "");
    assert_eq!(differs("call: strict, expect: deny, because: unclear"), "");
    assert_eq!(differs("call: strict, args: {}, expect: deny, because: unclear"), "");
    assert_eq!(differs("call: strict, expect: allow"), "expect: deny");
}

#[test]
fn a_cell_is_about_the_best_arguments() {
    let policy = Policy::parse(POLICY).unwrap();
    let text = "version: 1
policy: p.yaml
principals: { writer: { scopes: [write] } }
matrix: |
  tool | writer
  lenient | any
  strict  | any
  typed   | any
  several | any
";
    let report = SuiteFile::parse("p.test.yaml", text)
        .unwrap()
        .with_policy(&policy)
        .unwrap()
        .run();
    assert!(report.is_ok(), "{report}");
}
