//! Small packages that are built by the cargo that runs the tests.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// A package in a folder of its own, which depends on the macros and the policy crate of this workspace.
pub(crate) struct Package(pub(crate) PathBuf);

impl Package {
    /// Makes the package; its sources are written with [`Package::write`].
    pub(crate) fn new(name: &str) -> Self {
        let macros = Path::new(env!("CARGO_MANIFEST_DIR"));
        let package = Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name));
        let policy = macros.join("../mcp-auth-policy");
        package.write(
            "Cargo.toml",
            &format!(
                "[package]\nname = \"{name}\"\nedition = \"2024\"\n[workspace]\n[dependencies]\n\
                 mcp-auth-macros = {{ path = {macros:?} }}\nmcp-auth-policy = {{ path = {policy:?} }}\n"
            ),
        );
        fs::copy(macros.join("../Cargo.lock"), package.0.join("Cargo.lock")).unwrap();
        package
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Runs cargo in the package, with this value of the variable that replaces policies.
    pub(crate) fn cargo(&self, arguments: &[&str], policy: Option<&Path>) -> Output {
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .current_dir(&self.0)
            .args(arguments)
            .args(["--offline", "--target-dir"])
            // Packages share what they depend on.
            .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("packages"));
        match policy {
            Some(path) => cargo.env("MCP_AUTH_COMPILE_POLICY", path),
            None => cargo.env_remove("MCP_AUTH_COMPILE_POLICY"),
        };
        cargo.output().unwrap()
    }
}
