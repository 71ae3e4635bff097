//! The binary `mcp-policy`: texts and exit codes.

#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests run the binary on files"
)]

mod common;

use std::{
    fs,
    process::{Command, Stdio},
};

use common::{Folder, SUITE, TODO};

#[test]
fn good_files_exit_0_with_one_line_each() {
    let folder = Folder::new("good");
    let (code, out, err) = folder.run(&["check"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let revision = mcp_auth_policy::Policy::parse(TODO).unwrap().revision().to_owned();
    let short: String = revision.chars().take(12).collect();
    assert_eq!(
        out,
        format!("policies/todo.yaml  todo-manager  {short}  3 scopes, 2 roles, 1 object, 3 tools\nok\n")
    );
    for arguments in [
        &["test"][..],
        &["test", "policies/"],
        &["test", "policies/todo.test.yaml"],
    ] {
        let expected = (
            0,
            "policies/todo.test.yaml  matrix 18/18  cases 6/6  lists 3/3  invariants 4/4\ncoverage 6/6 rules   mutants 12/12 killed\nok\n"
                .to_owned(),
            String::new(),
        );
        assert_eq!(folder.run(arguments), expected);
    }
}

#[test]
fn a_changed_cell_exits_1_and_shows_expected_actual_rule_and_row() {
    let folder = Folder::new("cell");
    folder.write(
        "policies/todo.test.yaml",
        &SUITE.replace("delete-todo | 401  | own ", "delete-todo | 401  | any "),
    );
    let (code, out, _) = folder.run(&["test"]);
    assert_eq!(code, 1);
    assert_eq!(
        out,
        "FAILED delete-todo as alice
  --> policies/todo.test.yaml:18:24
  expected  any
  actual    own (owner)
  rule      policies/todo.yaml:17
  if the policy is right, write
    delete-todo | 401  | own   | any  | own    | any     | own

policies/todo.test.yaml  matrix 17/18  cases 6/6  lists 3/3  invariants 4/4
coverage 6/6 rules   mutants 12/12 killed
failed
"
    );
}

#[test]
fn a_wrong_case_exits_1_and_shows_each_difference() {
    let folder = Folder::new("case");
    let wrong = SUITE.replace(
        "expect: allow\n    because: owner\n",
        "expect: deny\n    because: not-owner\n",
    );
    folder.write("policies/todo.test.yaml", &wrong);
    let (code, out, _) = folder.run(&["test"]);
    assert_eq!(code, 1);
    assert!(out.contains("  expected  expect: deny, because: not-owner\n"), "{out}");
    assert!(out.contains("  actual    expect: allow, because: owner\n"), "{out}");
    assert!(out.contains("matrix 18/18  cases 5/6  lists 3/3"), "{out}");
}

#[test]
fn a_pasted_row_makes_the_suite_pass() {
    let folder = Folder::new("paste");
    let row = "  get-todos   | 401  | own   | any  | any    | own     | own";
    folder.write(
        "policies/todo.test.yaml",
        &SUITE.replace(row, "  get-todos   | 401  | own   | deny | any    | own     | own"),
    );
    let (code, out, _) = folder.run(&["test"]);
    assert_eq!(code, 1);
    assert!(out.contains(&format!("\n  {row}\n")), "{out}");
}

#[test]
fn an_invalid_policy_or_suite_exits_3_and_every_mistake_is_shown() {
    let folder = Folder::new("invalid");
    folder.write(
        "policies/todo.yaml",
        &TODO.replace("requires: read:todos", "requires: raed:todos"),
    );
    folder.write("policies/other.yaml", "version: 2\ntols: {}\n");
    let (code, out, _) = folder.run(&["check", "policies"]);
    assert_eq!(code, 3);
    assert!(out.contains("help: did you mean `read:todos`?"), "{out}");
    assert!(out.contains("--> policies/other.yaml:2:1\n"), "{out}");
    assert!(out.ends_with("4 errors, 0 warnings\n"), "{out}");
    let (code, out, _) = folder.run(&["test"]);
    assert_eq!(code, 3);
    assert!(
        out.contains("error[unknown-scope]") && out.ends_with("policies/todo.test.yaml  not run\n"),
        "{out}"
    );

    folder.write("policies/todo.yaml", TODO);
    folder.write(
        "policies/todo.test.yaml",
        "version: 1\npolicy: todo.yaml\nprincipals: {}\n",
    );
    let (code, out, _) = folder.run(&["test"]);
    assert_eq!(code, 3);
    assert!(
        out.starts_with("error[no-tests]"),
        "a suite without tests is a mistake: {out}"
    );
}

#[test]
fn warnings_are_shown_and_exit_0() {
    let folder = Folder::new("warnings");
    folder.write("policies/todo.yaml", "version: 1\ntools: { ping: { requires: [] } }\n");
    let (code, out, _) = folder.run(&["check", "policies/todo.yaml"]);
    assert_eq!(code, 0);
    assert!(
        out.starts_with("warning[open-tool]: ") && out.ends_with("0 errors, 1 warning\n"),
        "{out}"
    );
}

#[test]
fn denied_warnings_exit_1_and_every_format_says_the_same() {
    let folder = Folder::new("formats");
    let tools = "tools: { ping: { requires: [] } }\n";
    folder.write("policies/todo.yaml", &format!("version: 1\n{tools}"));
    assert_eq!(folder.run(&["check"]).0, 0);
    assert_eq!(folder.run(&["check", "--deny-warnings"]).0, 1);
    let (code, out, _) = folder.run(&["check", "--format", "json"]);
    assert_eq!(code, 0);
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    let expected = serde_json::json!([{
        "severity": "warning", "code": "open-tool", "message": "tool `ping` is open to every authenticated caller",
        "help": "name a scope if that is not meant", "file": "policies/todo.yaml", "line": 2, "column": 28, "end_column": 29,
    }]);
    assert_eq!(json, expected);
    folder.write("policies/a,b:100%.yaml", &format!("version: 2\n{tools}"));
    let (code, out, _) = folder.run(&["check", "--format", "github", "--deny-warnings"]);
    assert_eq!(code, 3);
    assert_eq!(
        out,
        "::error file=policies/a%2Cb%3A100%25.yaml,line=1,col=10,endColumn=11,title=unsupported-version::version `2` of the file \
         format is not supported; write `version: 1`\n\
         ::warning file=policies/todo.yaml,line=2,col=28,endColumn=29,title=open-tool::tool `ping` is open to every authenticated \
         caller; name a scope if that is not meant\n"
    );
    folder.write("policies/todo.yaml", TODO);
    let (code, out, _) = folder.run(&["check", "policies/todo.yaml", "--format", "json"]);
    assert_eq!((code, out.as_str()), (0, "[]\n"));
}

#[test]
fn what_cannot_be_read_exits_2_and_says_what() {
    let folder = Folder::new("unreadable");
    for verb in ["check", "test"] {
        let (code, _, err) = folder.run(&[verb, "nowhere"]);
        assert_eq!(code, 2);
        assert!(err.starts_with("error: cannot read `nowhere`: "), "{err}");
    }
    folder.write(
        "policies/todo.test.yaml",
        &SUITE.replace("policy: todo.yaml", "policy: gone.yaml"),
    );
    let (code, _, err) = folder.run(&["test"]);
    assert_eq!(code, 2);
    assert!(
        err.contains("cannot read `policies/gone.yaml`, the policy of `policies/todo.test.yaml`"),
        "{err}"
    );
    assert_eq!(folder.run(&["chekc"]).0, 2);
    assert_eq!(folder.run(&[]).0, 2);
    assert_eq!(folder.run(&["--help"]).0, 0);
}

#[test]
fn nothing_to_do_exits_4() {
    let folder = Folder::new("nothing");
    fs::create_dir(folder.0.join("empty")).unwrap();
    for verb in ["check", "test"] {
        let (code, out, err) = folder.run(&[verb, "empty"]);
        assert_eq!((code, out.as_str()), (4, ""));
        assert!(err.starts_with("there is no "), "{err}");
    }
}

#[test]
fn a_reader_that_goes_away_changes_nothing() {
    let folder = Folder::new("pipe");
    let mut child = Command::new(env!("CARGO_BIN_EXE_mcp-policy"))
        .arg("test")
        .current_dir(&folder.0)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}

#[test]
fn output_to_a_file_has_no_colour() {
    let folder = Folder::new("colour");
    folder.write("policies/todo.yaml", "version: 2\n");
    assert!(!folder.run(&["check"]).1.contains('\u{1b}'));
}
