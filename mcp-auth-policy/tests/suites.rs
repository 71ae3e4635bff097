//! Suites through the library: rows one by one, operations, and places.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use mcp_auth_policy::{
    Policy,
    suite::{SuiteFile, TestKind},
};

const POLICY: &str = include_str!("samples/library.yaml");
const SUITE: &str = include_str!("samples/library.test.yaml");

#[test]
fn a_suite_over_all_of_the_language_passes() {
    let policy = Policy::loader()
        .file_name("library.yaml")
        .parse(POLICY)
        .unwrap_or_else(|errors| panic!("{errors}"));
    let file = SuiteFile::parse("library.test.yaml", SUITE).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(file.policy_path(), "library.yaml");
    let suite = file.with_policy(&policy).unwrap_or_else(|errors| panic!("{errors}"));
    let report = suite.run();
    assert!(report.is_ok(), "{report}");
    assert_eq!(report.to_string(), "library.test.yaml  matrix 48/48  cases 6/6");
}

#[test]
fn each_test_runs_alone_and_knows_its_line() {
    let policy = Policy::parse(POLICY).unwrap();
    let file = SuiteFile::parse("library.test.yaml", SUITE).unwrap();
    let suite = file.with_policy(&policy).unwrap();
    assert_eq!(suite.tests().len(), 54);
    let mut names: Vec<_> = suite
        .tests()
        .iter()
        .map(|test| (test.kind() == TestKind::Cell, test.name()))
        .collect();
    for test in suite.tests() {
        assert_eq!(suite.run_test(test), Ok(()));
        let line = SUITE.lines().nth(test.line() - 1).unwrap();
        let word = test.name().split(' ').next().unwrap();
        assert!(line.contains(word), "{} is not in {line}", test.name());
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 54, "names are unique");
}

#[test]
fn every_other_answer_in_a_cell_fails_and_its_row_can_be_pasted_back() {
    let policy = Policy::parse(POLICY).unwrap();
    let right = "  report-loss      | 401  | own    | any   | any       | own     | own";
    for (cell, word) in [
        (1, "deny"),
        (1, "own"),
        (1, "any"),
        (2, "401"),
        (2, "any"),
        (3, "own"),
        (6, "deny"),
        (6, "any"),
    ] {
        let mut cells: Vec<String> = right.split('|').map(str::to_owned).collect();
        if let Some(cell) = cells.get_mut(cell) {
            *cell = format!(" {word} ");
        }
        let file = SuiteFile::parse("library.test.yaml", SUITE.replace(right, &cells.join("|"))).unwrap();
        let report = file.with_policy(&policy).unwrap().run();
        let [failure] = report.failures() else {
            panic!("one failure wanted: {report}")
        };
        assert_eq!(failure.expected(), word);
        let same_words = |row: &str| row.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
        assert_eq!(same_words(failure.paste()), same_words(right));
        assert_eq!(
            failure.rule().is_none(),
            cell == 1,
            "a call without a token meets no rule"
        );
    }
}
