//! `mcp-policy test`: what `--filter` and `--update` do.

#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests run the binary on files"
)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const TODO: &str = include_str!("../../policies/todo.yaml");
const SUITE: &str = "# A comment that stays.
version: 1
policy: todo.yaml
principals: { anon: none, alice: { as: user }, root: { as: admin } }

matrix: |
  tool        | anon | alice | root
  create-todo | 401  | any   | any

  get-todos   | 401  | own   | any
  delete-todo | 401  | own   | any
cases:   # any order
  - { name: root deletes, call: delete-todo, as: root, owner: alice, expect: allow }
";

/// A folder of its own for each test.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str, suite: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("mcp-policy-suite-{test}"));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(path.join("policies")).unwrap();
        fs::write(path.join("policies/todo.yaml"), TODO).unwrap();
        fs::write(path.join("policies/todo.test.yaml"), suite).unwrap();
        Self(path)
    }

    fn suite(&self) -> String {
        fs::read_to_string(self.0.join("policies/todo.test.yaml")).unwrap()
    }

    fn test(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_mcp-policy"))
            .arg("test")
            .args(arguments)
            .current_dir(&self.0)
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }
}

#[test]
fn a_filter_runs_some_tests_and_one_that_fits_none_exits_4() {
    let folder = Folder::new("filter", SUITE);
    let counts = |arguments: &[&str]| {
        let (code, out, err) = folder.test(arguments);
        assert_eq!((code, err.as_str()), (0, ""), "{out}");
        out.lines().next().unwrap().replace("policies/todo.test.yaml  ", "")
    };
    assert_eq!(counts(&[]), "matrix 9/9  cases 1/1");
    assert_eq!(
        counts(&["--filter", "tool=delete-todo,as=root"]),
        "matrix 1/1  cases 1/1"
    );
    assert_eq!(
        counts(&["--filter", "as=root", "--filter", "as=anon"]),
        "matrix 6/6  cases 1/1"
    );
    assert_eq!(counts(&["--filter", "name=deletes"]), "cases 1/1");
    for nothing in ["as=bob", "tool=drop-table", "name=nothing like it"] {
        let (code, out, err) = folder.test(&["--filter", nothing]);
        assert_eq!((code, out.as_str(), err.as_str()), (4, "", "the filter fits no test\n"));
    }
    let (code, _, err) = folder.test(&["--filter", "ass=bob"]);
    assert_eq!(code, 2);
    assert!(err.contains("a filter has no `ass`; did you mean `as`?"), "{err}");
    assert_eq!(folder.test(&["--filter", "as=root", "--update"]).0, 2);
}

#[test]
fn a_filter_that_fits_in_one_of_two_suites_is_enough() {
    let folder = Folder::new("two", SUITE);
    let other = SUITE.replace("alice", "carla");
    fs::write(folder.0.join("policies/other.test.yaml"), other).unwrap();
    let (code, out, err) = folder.test(&["--filter", "as=carla"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(out, "policies/other.test.yaml  matrix 3/3\nok\n");
}

#[test]
fn update_writes_the_cells_and_nothing_else() {
    let wrong = SUITE
        .replace("create-todo | 401  | any   | any", "create-todo | any  | own   | deny")
        .replace("  get-todos   | 401  | own   | any", "  get-todos|401|any|own  ");
    let folder = Folder::new("update", &wrong);
    let (code, out, err) = folder.test(&["--update"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(
        out,
        "updated policies/todo.test.yaml:8
-  create-todo | any  | own   | deny
+  create-todo | 401  | any   | any
updated policies/todo.test.yaml:10
-  get-todos|401|any|own  \n+  get-todos|401|own|any  \npolicies/todo.test.yaml  matrix 9/9  cases 1/1
ok
"
    );
    let expected = SUITE.replace("  get-todos   | 401  | own   | any", "  get-todos|401|own|any  ");
    assert_eq!(folder.suite(), expected);
    let names = fs::read_dir(folder.0.join("policies")).unwrap();
    assert_eq!(names.count(), 2, "nothing is left beside the file");
}

#[test]
fn update_keeps_line_ends_permissions_and_links() {
    let wrong = SUITE.replace("get-todos   | 401  | own ", "get-todos   | 401  | any ");
    let folder = Folder::new("update-file", &wrong.replace('\n', "\r\n"));
    assert_eq!(folder.test(&["--update"]).0, 0);
    assert_eq!(folder.suite(), SUITE.replace('\n', "\r\n"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let file = folder.0.join("policies/todo.test.yaml");
        let real = folder.0.join("real.yaml");
        fs::rename(&file, &real).unwrap();
        fs::write(&real, &wrong).unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&real, &file).unwrap();
        assert_eq!(folder.test(&["--update"]).0, 0);
        assert!(fs::symlink_metadata(&file).unwrap().is_symlink());
        assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(fs::read_to_string(&real).unwrap(), SUITE);
    }
}

#[test]
fn update_does_not_touch_a_file_that_is_right_or_has_mistakes() {
    let folder = Folder::new("update-right", SUITE);
    let file = folder.0.join("policies/todo.test.yaml");
    let before = fs::metadata(&file).unwrap().modified().unwrap();
    let (code, out, _) = folder.test(&["--update"]);
    assert_eq!(
        (code, out.as_str()),
        (0, "policies/todo.test.yaml  matrix 9/9  cases 1/1\nok\n")
    );
    assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), before);
    let mistake = SUITE
        .replace("401  | own   | any\n  delete", "401  | any   | any\n  delete")
        .replace("as: root, owner", "as: rot, owner");
    fs::write(&file, &mistake).unwrap();
    assert_eq!(folder.test(&["--update"]).0, 3);
    assert_eq!(folder.suite(), mistake);
}

#[test]
fn a_case_that_fails_still_fails_after_an_update() {
    let folder = Folder::new("update-case", &SUITE.replace("expect: allow", "expect: deny"));
    let (code, out, _) = folder.test(&["--update"]);
    assert_eq!(code, 1);
    assert!(out.ends_with("matrix 9/9  cases 0/1\nfailed\n"), "{out}");
}
