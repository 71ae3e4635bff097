//! Mistakes that a compiler has to find, with the text it shows.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::{env, fs, path::Path, process::Command};

const POLICY: &str = "MCP_AUTH_COMPILE_POLICY";

/// trybuild compiles in a package of its own, where a relative path leads nowhere. The variable names the policy instead; it must be set before
/// the process starts, so this test starts itself again.
#[test]
fn mistakes_are_reported_where_they_are() {
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui/todo.yaml");
    copy_suites();
    let status = Command::new(env::current_exe().unwrap())
        .args(["--exact", "compile", "--ignored", "--nocapture"])
        .env(POLICY, policy)
        .status()
        .unwrap();
    assert!(
        status.success(),
        "run with TRYBUILD=overwrite to accept changed messages"
    );
}

/// No variable replaces a suite: its files go where trybuild has its package.
fn copy_suites() {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let folder = target.join("tests/trybuild").join(env!("CARGO_PKG_NAME")).join("suite");
    fs::create_dir_all(&folder).unwrap();
    for file in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui/suite")).unwrap() {
        let file = file.unwrap().path();
        if file.extension().is_some_and(|extension| extension == "yaml") {
            fs::copy(&file, folder.join(file.file_name().unwrap())).unwrap();
        }
    }
}

#[test]
#[ignore = "started by the test above"]
fn compile() {
    if env::var_os(POLICY).is_some() {
        trybuild::TestCases::new().compile_fail("tests/ui/*/*.rs");
    }
}

/// The first line says what is wrong, short enough for an editor's margin; the lines after it say what to do. The compiler's own messages and those
/// of other macros are not ours.
#[test]
fn the_first_line_of_a_mistake_is_short() {
    for kind in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui")).unwrap() {
        let kind = kind.unwrap().path();
        let Ok(files) = fs::read_dir(&kind) else { continue };
        for file in files {
            let file = file.unwrap().path();
            if file.extension().is_none_or(|extension| extension != "stderr") {
                continue;
            }
            let text = fs::read_to_string(&file).unwrap();
            for line in text.lines().filter_map(|line| line.strip_prefix("error: ")) {
                let foreign =
                    line.starts_with("Unknown field: `__in_block`") || line.starts_with("cannot construct `Access`");
                assert!(foreign || line.chars().count() <= 75, "{}: {line}", file.display());
            }
        }
    }
}
