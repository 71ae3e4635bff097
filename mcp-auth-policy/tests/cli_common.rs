//! What all verbs have in common: help, exit codes, colours, standard input, and readers that go away.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests run the binary on files"
)]

mod common;

use std::process::{Command, Stdio};

use common::{Folder, SUITE, TODO};

const VERBS: [&str; 7] = ["check", "test", "explain", "matrix", "diff", "schema", "export"];

/// The lines of a help text that are commands.
fn examples(help: &str) -> Vec<Vec<&str>> {
    let lines = help.lines().filter_map(|line| line.strip_prefix("  mcp-policy "));
    lines.map(|line| line.split(' ').collect()).collect()
}

#[test]
fn every_verb_has_an_example_that_works() {
    let folder = Folder::new("examples");
    folder.write("old.yaml", TODO);
    for verb in VERBS {
        let help = folder.out(0, &[verb, "--help"]);
        let examples = examples(&help);
        assert!(!examples.is_empty(), "{verb}\n{help}");
        for example in examples {
            assert_eq!(example[0], verb);
            folder.out(0, &example);
        }
    }
    let help = folder.out(0, &["--help"]);
    for verb in VERBS {
        assert!(help.contains(&format!("\n  {verb}")), "{help}");
    }
    assert!(help.starts_with("Checks, tests, explains and shows"), "{help}");
    for code in [
        "0 yes",
        "1 the answer is no",
        "2 usage",
        "3 a file is not valid",
        "4 nothing to do",
    ] {
        assert!(help.contains(code), "{code}\n{help}");
    }
}

#[test]
fn exit_codes_are_those_of_the_documentation() {
    let folder = Folder::new("codes");
    folder.write("broken.yaml", "version: 2\n");
    folder.write("open.yaml", "version: 1\ntools: { ping: { requires: [] } }\n");
    folder.write("wider.yaml", &TODO.replace("requires: create:todos", "requires: []"));
    std::fs::create_dir(folder.0.join("empty")).unwrap();
    let todo = "policies/todo.yaml";
    let table: &[(i32, &[&str])] = &[
        (0, &["check"]),
        (1, &["check", "open.yaml", "--deny-warnings"]),
        (2, &["check", "gone.yaml"]),
        (3, &["check", "broken.yaml"]),
        (4, &["check", "empty"]),
        (0, &["test"]),
        (4, &["test", "empty"]),
        (0, &["explain", todo, "create-todo"]),
        (1, &["explain", todo, "create-todo", "--exit-code"]),
        (0, &["explain", todo, "create-todo", "--exit-code", "--role", "user"]),
        (0, &["explain", todo, "get-todos", "--exit-code"]),
        (1, &["explain", todo, "get-todos", "--exit-code", "--owner", "other"]),
        (1, &["explain", todo, "unlisted", "--exit-code"]),
        (2, &["explain", todo]),
        (2, &["explain", "gone.yaml", "create-todo", "--exit-code"]),
        (2, &["explain", todo, "create-todo", "--role", "nobody", "--exit-code"]),
        (3, &["explain", "broken.yaml", "create-todo", "--exit-code"]),
        (0, &["matrix", todo]),
        (1, &["matrix", todo, "--check"]),
        (2, &["matrix"]),
        (3, &["matrix", "broken.yaml", "--check"]),
        (0, &["diff", todo, todo, "--deny-widening"]),
        (1, &["diff", todo, "wider.yaml", "--deny-widening"]),
        (0, &["diff", todo, "wider.yaml"]),
        (2, &["diff", todo]),
        (3, &["diff", "broken.yaml", todo]),
        (0, &["schema"]),
        (2, &["schema", "matrix"]),
        (0, &["export", "scopes", todo]),
        (2, &["export", "sql", todo, "unlisted"]),
        (3, &["export", "scopes", "broken.yaml"]),
        (4, &["export", "sql", "open.yaml"]),
        (2, &["export"]),
        (2, &["fmt"]),
        (2, &[]),
    ];
    for (code, arguments) in table {
        assert_eq!(folder.run(arguments).0, *code, "{arguments:?}");
    }
}

#[test]
fn colours_are_there_when_asked_for_and_only_then() {
    let folder = Folder::new("colours");
    folder.write("broken.yaml", "version: 2\n");
    let has = |arguments: &[&str], environment: &[(&str, &str)]| {
        let output = Command::new(env!("CARGO_BIN_EXE_mcp-policy"))
            .args(arguments)
            .envs(environment.iter().copied())
            .current_dir(&folder.0)
            .output()
            .unwrap();
        [output.stdout, output.stderr].concat().contains(&0x1b)
    };
    for verb in [
        &["check"][..],
        &["check", "broken.yaml"],
        &["test"],
        &["explain", "policies/todo.yaml", "create-todo"],
        &["matrix", "policies/todo.yaml", "--check"],
        &["matrix", "broken.yaml"],
    ] {
        let with = |more: &[&'static str]| [more, verb].concat();
        assert!(!has(verb, &[]), "{verb:?}: output to a pipe");
        assert!(has(&with(&["--color", "always"]), &[]), "{verb:?}");
        assert!(
            has(&with(&["--color=always"]), &[("NO_COLOR", "1")]),
            "{verb:?}: what is asked for now beats the environment"
        );
        assert!(
            !has(&with(&["--color", "never"]), &[("CLICOLOR_FORCE", "1")]),
            "{verb:?}"
        );
        assert!(!has(verb, &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]), "{verb:?}");
    }
    // Data is never coloured.
    for verb in [
        &["matrix", "policies/todo.yaml", "--format", "html"][..],
        &["schema"],
        &["export", "scopes", "policies/todo.yaml"],
    ] {
        assert!(!has(&[&["--color", "always"], verb].concat(), &[]), "{verb:?}");
    }
    assert_eq!(folder.run(&["check", "--color", "sometimes"]).0, 2);
}

#[test]
fn a_dash_is_standard_input() {
    let folder = Folder::new("dash");
    std::fs::remove_file(folder.0.join("policies/todo.yaml")).unwrap();
    folder.write("todo.yaml", TODO);
    let table: &[(&[&str], &str, &str)] = &[
        (&["check", "-"], TODO, "standard input  todo-manager"),
        (&["test", "-"], SUITE, "matrix 18/18"),
        (&["explain", "-", "create-todo"], TODO, "DENY  create-todo"),
        (&["matrix", "-"], TODO, "`todo-manager`"),
        (&["export", "scopes", "-"], TODO, "create:todos"),
        (&["export", "sql", "-"], TODO, "(owner_id = $1)"),
    ];
    for (arguments, input, expected) in table {
        let (code, out, err) = folder.run_with(arguments, input);
        assert_eq!((code, err.as_str()), (0, ""), "{arguments:?}\n{out}");
        assert!(out.contains(expected), "{arguments:?}\n{out}");
    }
    let (code, _, err) = folder.run_with(&["explain", "-", "create-todo", "--claims", "-"], TODO);
    assert_eq!(code, 2);
    assert!(err.contains("it can be read only once"), "{err}");
}

#[test]
fn a_reader_that_goes_away_changes_nothing() {
    let folder = Folder::new("pipe");
    for (code, arguments) in [
        (0, &["explain", "policies/todo.yaml", "create-todo"][..]),
        (1, &["explain", "policies/todo.yaml", "create-todo", "--exit-code"]),
        (0, &["matrix", "policies/todo.yaml", "--format", "html"]),
        (1, &["matrix", "policies/todo.yaml", "--check"]),
        (0, &["schema", "policy"]),
        (0, &["export", "scopes", "policies/todo.yaml"]),
    ] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_mcp-policy"))
            .args(arguments)
            .current_dir(&folder.0)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(
            (output.status.code(), output.stderr.len()),
            (Some(code), 0),
            "{arguments:?}"
        );
    }
}
