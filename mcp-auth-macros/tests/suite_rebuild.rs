//! An edit of a suite or of its policy runs the new text, a failed test says what `mcp-policy test` says, and no file is read at run time.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use common::Package;
use mcp_auth_policy::{Policy, suite::SuiteFile};

mod common;

/// Plays the part of `mcp-auth` itself with its own source, so that little has to be built.
const SOURCE: &str = r#"
extern crate self as mcp_auth;
#[path = "EMBEDDED_SUITE"]
mod embedded_suite;
pub mod __private {
    pub use crate::embedded_suite::{EmbeddedSuite, FailedTest};
}
mcp_auth_macros::suite! { "policies/notes.test.yaml" }
"#;

const POLICY: &str = "
version: 1
policy: notes
scopes:
  read:notes: Read every note
  write:notes: Write notes
tools:
  get-notes: { requires: read:notes }
";

const SUITE: &str = "
version: 1
policy: notes.yaml
principals:
  anon: none
  reader: { scopes: [read:notes] }
matrix: |
  tool      | anon | reader
  get-notes | 401  | any
cases:
  - { name: whoever may read reads, call: get-notes, as: reader, expect: allow, because: scope }
";

fn source() -> String {
    let embedded = Path::new(env!("CARGO_MANIFEST_DIR")).join("../src/embedded_suite.rs");
    SOURCE.replace("EMBEDDED_SUITE", embedded.to_str().unwrap())
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Runs the tests of a package: whether they passed, and what they printed.
fn test(package: &Package) -> (bool, String) {
    let output = package.cargo(&["test", "--lib"], None);
    (output.status.success(), text(&output))
}

/// What `mcp-policy test` prints about each failed test.
fn failures(suite: &str, policy: &str) -> Vec<String> {
    let policy = Policy::loader().file_name("policies/notes.yaml").parse(policy).unwrap();
    let file = SuiteFile::parse("policies/notes.test.yaml", suite).unwrap();
    let report = file.with_policy(&policy).unwrap().run();
    report.failures().iter().map(ToString::to_string).collect()
}

#[test]
fn editing_suite_or_policy_rebuilds_and_failures_are_those_of_the_command_line() {
    let package = Package::new("suite-rebuild");
    package.write("src/lib.rs", &source());
    package.write("policies/notes.yaml", POLICY);
    package.write("policies/notes.test.yaml", SUITE);
    let (passed, printed) = test(&package);
    assert!(passed && printed.contains("3 passed"), "{printed}");

    let wrong = SUITE.replace("| any", "| own");
    package.write("policies/notes.test.yaml", &wrong);
    let (passed, printed) = test(&package);
    let expected = failures(&wrong, POLICY);
    assert_eq!(expected.len(), 1);
    assert!(!passed && printed.contains(&expected[0]), "{expected:?}\n{printed}");
    assert!(
        printed.contains("test matrix::get_notes_as_reader ... FAILED"),
        "{printed}"
    );
    package.write("policies/notes.test.yaml", SUITE);

    let other = POLICY.replace("requires: read:notes", "requires: write:notes");
    package.write("policies/notes.yaml", &other);
    let (passed, printed) = test(&package);
    let expected = failures(SUITE, &other);
    assert_eq!(expected.len(), 2);
    for failure in expected {
        assert!(!passed && printed.contains(&failure), "{failure}\n{printed}");
    }

    let refused = |message: &str| {
        let output = package.cargo(&["check", "--quiet"], None);
        assert!(
            !output.status.success() && text(&output).contains(message),
            "{}",
            text(&output)
        );
    };
    package.write("policies/notes.yaml", "version: 1\npolicy: [\n");
    refused("policy `policies/notes.yaml` is not valid");
    fs::remove_file(package.0.join("policies/notes.yaml")).unwrap();
    refused("cannot read the policy of `policies/notes.test.yaml`, `policies/notes.yaml` from the folder `");
    fs::rename(
        package.0.join("policies/notes.test.yaml"),
        package.0.join("policies/note.test.yaml"),
    )
    .unwrap();
    refused("cannot read suite `policies/notes.test.yaml` from the folder `");
    package.write("policies/notes.yaml", POLICY);
    package.write("policies/notes.test.yaml", SUITE);
    let replaced = package.cargo(&["test", "--lib"], Some(Path::new("/nowhere.yaml")));
    assert!(
        replaced.status.success(),
        "the suite names its policy: {}",
        text(&replaced)
    );

    // Rust does not run the tests of a function's body: that must not look like a suite that passes.
    let source = source().replace("mcp_auth_macros::suite!", "fn body() { mcp_auth_macros::suite!") + "}";
    package.write("src/lib.rs", &source);
    let (passed, printed) = test(&package);
    assert!(
        !passed && printed.contains("cannot find value `__MCP_AUTH_SUITE`"),
        "{printed}"
    );
}

#[test]
fn a_moved_package_has_its_own_files_and_a_built_test_needs_none() {
    let package = Package::new("suite-moved");
    package.write("src/lib.rs", &source());
    package.write("policies/notes.yaml", POLICY);
    package.write("policies/notes.test.yaml", SUITE);
    let (passed, printed) = test(&package);
    assert!(passed, "{printed}");

    let moved = Package(package.0.with_file_name("suite-moved-elsewhere"));
    let _ = fs::remove_dir_all(&moved.0);
    fs::rename(&package.0, &moved.0).unwrap();
    let (passed, printed) = test(&moved);
    assert!(passed, "{printed}");

    let (_, path) = printed.split_once("Running unittests src/lib.rs (").unwrap();
    let (binary, _) = path.split_once(')').unwrap();
    fs::remove_dir_all(&moved.0).unwrap();
    let output = Command::new(binary).output().unwrap();
    assert!(
        output.status.success() && text(&output).contains("3 passed"),
        "{}",
        text(&output)
    );
}
