//! A folder to run the binary `mcp-policy` in.

#![allow(dead_code, reason = "each test binary uses a part of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::{
    env, fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

pub(crate) const TODO: &str = include_str!("../../../policies/todo.yaml");
pub(crate) const SUITE: &str = include_str!("../../../policies/todo.test.yaml");

/// Notes of several tenants: prompts, resources, issuers and forbids.
pub(crate) const NOTES: &str = include_str!("../samples/notes.yaml");
/// All ways to require scopes.
pub(crate) const LIBRARY: &str = include_str!("../samples/library.yaml");

/// A folder of its own for each test, with the to-do policy and its suite.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(test: &str) -> Self {
        let name = format!("{}-{test}", env!("CARGO_CRATE_NAME"));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(path.join("policies")).unwrap();
        let folder = Self(path);
        folder.write("policies/todo.yaml", TODO);
        folder.write("policies/todo.test.yaml", SUITE);
        folder
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }

    /// Runs the binary; gives exit code, standard output and standard error.
    pub(crate) fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        self.run_with(arguments, "")
    }

    /// Runs the binary with a text on its standard input.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> (i32, String, String) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_mcp-policy"))
            .args(arguments)
            .current_dir(&self.0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Not every verb reads its input to the end.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    /// Runs the binary; gives standard output of a run that exits with this code and has nothing to complain about.
    pub(crate) fn out(&self, code: i32, arguments: &[&str]) -> String {
        let (found, out, err) = self.run(arguments);
        assert_eq!((found, err.as_str()), (code, ""), "{arguments:?}\n{out}");
        out
    }
}

/// Runs commands and writes down what each prints and exits with, as on a screen.
pub(crate) fn transcript(folder: &Folder, commands: &[(&[&str], &str)]) -> String {
    let runs = commands.iter().map(|(arguments, input)| {
        let (code, out, err) = folder.run_with(arguments, input);
        format!("$ mcp-policy {}\n{out}{err}exit {code}\n", arguments.join(" "))
    });
    runs.collect::<Vec<_>>().join("\n")
}

/// Compares with a file under `tests/expected`; `UPDATE_EXPECTED=1` writes it anew.
pub(crate) fn assert_expected(name: &str, found: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expected").join(name);
    if env::var_os("UPDATE_EXPECTED").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, found).unwrap();
        return;
    }
    let expected = fs::read_to_string(&file).unwrap_or_default().replace("\r\n", "\n");
    assert!(expected == found, "not as in {}; found:\n{found}", file.display());
}
