//! `mcp-policy diff` on prepared pairs of policies: `tests/diff/<name>/{old,new}.yaml`, and `expected.txt` with what is printed.
//!
//! `UPDATE_EXPECTED=1` writes the expected texts anew; read them before you commit.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests run the binary on files"
)]

use std::{env, fs, path::Path, process::Command};

/// Runs `mcp-policy diff` in the folder of the pairs; gives exit code, standard output and standard error.
fn diff(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_mcp-policy"))
        .arg("diff")
        .args(arguments)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diff"))
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// The names of the pairs, sorted.
fn pairs() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diff");
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn each_pair_names_exactly_the_classes_that_change() {
    let names = pairs();
    assert!(names.len() >= 10, "{names:?}");
    for name in names {
        let (old, new) = (format!("{name}/old.yaml"), format!("{name}/new.yaml"));
        let (code, out, err) = diff(&[&old, &new]);
        assert_eq!((code, err.as_str()), (0, ""), "{name}");
        let expected = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/diff/{name}/expected.txt"));
        if env::var_os("UPDATE_EXPECTED").is_some() {
            fs::write(&expected, &out).unwrap();
        }
        assert_eq!(out, fs::read_to_string(&expected).unwrap(), "{name}");

        let (code, again, _) = diff(&[&old, &new, "--deny-widening"]);
        let widens = out.lines().any(|line| line.starts_with("WIDER "));
        assert_eq!((code, again), (i32::from(widens), out.clone()), "{name}");

        // What widened narrows again on the way back.
        let (_, back, _) = diff(&[&new, &old]);
        let counts = |text: &str, wider: &str, narrower: &str| -> [usize; 2] {
            [wider, narrower].map(|word| text.lines().filter(|line| line.starts_with(word)).count())
        };
        if !out.contains("not proved") && !out.contains(" own -> own ") {
            let [wider, narrower] = counts(&out, "WIDER ", "NARROWER ");
            assert_eq!(
                counts(&back, "NARROWER ", "WIDER "),
                [wider, narrower],
                "{name}\n{back}"
            );
        }
    }
}

#[test]
fn json_says_the_same() {
    for name in pairs() {
        let (old, new) = (format!("{name}/old.yaml"), format!("{name}/new.yaml"));
        let (_, text, _) = diff(&[&old, &new]);
        let (code, json, _) = diff(&[&old, &new, "--format", "json", "--deny-widening"]);
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(i64::from(code), i64::from(json["wider"] != 0), "{name}");
        let changes = json["changes"].as_array().unwrap();
        assert_eq!(json["narrower"], text.matches("NARROWER  ").count(), "{name}");
        let lines: Vec<&str> = text.lines().filter(|line| line.contains(" -> ")).collect();
        assert_eq!(changes.len(), lines.len(), "{name}");
        for (change, line) in changes.iter().zip(lines) {
            let part = |key: &str| change[key].as_str().unwrap();
            let word = part("direction").to_uppercase();
            let expected = format!(
                "{word:<8}  {}  {} -> {}  {}",
                part("name"),
                part("old"),
                part("new"),
                part("callers")
            );
            assert_eq!(line, expected, "{name}");
        }
    }
}

#[test]
fn json_has_an_example_that_can_be_pasted_into_a_suite() {
    let pair = ["argument-limit-raised/old.yaml", "argument-limit-raised/new.yaml"];
    let (_, json, _) = diff(&[pair[0], pair[1], "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let expected = serde_json::json!({
        "direction": "wider",
        "kind": "tool",
        "name": "create-todo",
        "old": "deny",
        "new": "any",
        "callers": "callers of https://login.example.com holding create:todos without manage:todos whose argument content is of 2001 to \
                    5000 characters, unless forbidden as before",
        "example": {
            "principal": "{ issuer: https://login.example.com, scopes: [create:todos] }",
            "args": "{ content: { length: 2001 } }",
        },
        "proved": true,
        "line": 20,
    });
    assert_eq!(json["changes"][0], expected);
}

#[test]
fn a_missing_file_exits_2_and_an_invalid_one_3() {
    let good = "forbid-added/old.yaml";
    let (code, out, err) = diff(&[good, "nowhere.yaml"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.starts_with("error: cannot read `nowhere.yaml`: "), "{err}");
    assert_eq!(diff(&[good]).0, 2);
    assert_eq!(diff(&[good, good, "--deny"]).0, 2);
    for arguments in [[good, "forbid-added/expected.txt"], ["forbid-added/expected.txt", good]] {
        let (code, out, err) = diff(&arguments);
        assert_eq!((code, out.as_str()), (3, ""));
        assert!(err.contains("--> forbid-added/expected.txt:"), "{err}");
    }
    let (code, help, _) = diff(&["--help"]);
    assert!(
        code == 0 && help.contains("Examples:\n  mcp-policy diff old.yaml policies/todo.yaml"),
        "{help}"
    );
}

#[test]
fn a_file_is_no_different_from_itself() {
    let (code, out, _) = diff(&["forbid-added/new.yaml", "forbid-added/new.yaml", "--deny-widening"]);
    assert_eq!((code, out.as_str()), (0, "no caller reaches further or less far\n"));
}
