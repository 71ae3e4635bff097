//! `mcp-policy export`: scopes for an authorization server, conditions for SQL.

#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests run the binary on files"
)]

mod common;

use common::{Folder, LIBRARY, NOTES, TODO, assert_expected, transcript};

#[test]
fn scopes_and_conditions_are_as_expected() {
    let folder = Folder::new("export");
    folder.write("notes.yaml", NOTES);
    folder.write("library.yaml", LIBRARY);
    let commands: &[(&[&str], &str)] = &[
        (&["export", "scopes", "policies/todo.yaml"], ""),
        (&["export", "scopes", "-"], "version: 1\ntools: {}\n"),
        (&["export", "sql", "policies/todo.yaml"], ""),
        (&["export", "sql", "policies/todo.yaml", "create-todo"], ""),
        (&["export", "sql", "library.yaml", "--placeholder", "3"], ""),
        (
            &[
                "export",
                "sql",
                "notes.yaml",
                "resource:notes://ann/7",
                "--format",
                "json",
            ],
            "",
        ),
        (
            &["export", "sql", "-"],
            "version: 1\ntools: { ping: { requires: [] } }\n",
        ),
        (&["export", "sql", "policies/todo.yaml", "delete-tod"], ""),
        (&["export", "sql", "policies/todo.yaml", "prompt:ask"], ""),
    ];
    assert_expected("export.txt", &transcript(&folder, commands));
    assert_eq!(
        folder
            .run(&["export", "sql", "policies/todo.yaml", "--placeholder", "0"])
            .0,
        2
    );
    assert_eq!(
        folder
            .run_with(&["export", "scopes", "-"], &TODO.replace("version: 1", "version: 2"))
            .0,
        3
    );
}
