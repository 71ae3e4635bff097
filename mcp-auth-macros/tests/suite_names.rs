//! Every test of a suite is a function of its own, whatever it is called.
#![deny(warnings)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::{env, process::Command};

mod suite {
    mcp_auth::suite!("tests/suites/names.test.yaml");
}

#[test]
fn names_are_sentences_made_fit_for_rust() {
    let output = Command::new(env::current_exe().unwrap())
        .args(["--list", "--format", "terse", "suite::"])
        .output()
        .unwrap();
    let list = String::from_utf8(output.stdout).unwrap();
    let mut names: Vec<_> = list.lines().filter_map(|line| line.strip_suffix(": test")).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "suite::cases::_2_callers",
            "suite::cases::gen_",
            "suite::cases::match_",
            "suite::cases::self_",
            "suite::cases::test",
            "suite::cases::test_2",
            "suite::cases::анна_2_is_i\u{307}",
            "suite::cases::сору",
            "suite::cases::爱丽丝_删除",
            "suite::cover::coverage",
            "suite::cover::mutants",
            "suite::invariants::nobody_reads_others_notes_without_the_scope",
            "suite::lists::tools_list_as_jürgen",
            "suite::matrix::get_notes_as_anon",
            "suite::matrix::get_notes_as_anon_2",
            "suite::matrix::get_notes_as_empty",
            "suite::matrix::get_notes_as_empty_2",
            "suite::matrix::get_notes_as_jürgen",
            "suite::matrix::get_notes_as_jürgen_2",
        ]
    );
}
