//! An edit of the policy file, or of the variable that replaces it, rebuilds the crates that were checked against it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::{fs, path::Path};

use common::Package;

mod common;

/// Plays the part of `mcp-auth` itself, so that only the macros have to be built.
const SOURCE: &str = r#"
extern crate self as mcp_auth;
pub struct Caller;
pub mod __private {
    pub use crate::Caller;
    pub enum OperationKind { Operation }
    pub struct Requirement;
    impl Requirement {
        pub const fn new(_: OperationKind, _: &str, _: &[&[&str]], _: bool, _: &str, _: u32) -> Self { Self }
    }
    pub fn permit(_: &Caller, _: &Requirement) -> Result<(), ()> { Ok(()) }
    #[macro_export]
    macro_rules! register { ($requirement:expr) => {} }
    pub use register;
    pub trait FromDenied { fn from_denied(_: ()) -> Self; }
    impl FromDenied for Result<(), ()> { fn from_denied(_: ()) -> Self { Err(()) } }
}

#[mcp_auth_macros::requires_scope("read:notes", policy = "policies/notes.yaml")]
pub fn export(_caller: &Caller) -> Result<(), ()> { Ok(()) }
"#;

const POLICY: &str = "
version: 1
policy: notes
scopes:
  read:notes: Read every note
roles:
  reader: { scopes: [read:notes] }
operations:
  export: { requires: read:notes }
";

/// Returns what `cargo check` printed if it failed.
fn check(package: &Package, policy: Option<&Path>) -> Result<(), String> {
    let output = package.cargo(&["check", "--quiet"], policy);
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

#[test]
fn editing_the_policy_rebuilds() {
    let package = Package::new("rebuild");
    package.write("src/lib.rs", SOURCE);
    package.write("policies/notes.yaml", POLICY);
    assert_eq!(check(&package, None), Ok(()));

    let renamed = POLICY.replace("read:notes", "read:note");
    package.write("policies/notes.yaml", &renamed);
    let error = check(&package, None).unwrap_err();
    assert!(
        error.contains("scope `read:notes` is not declared in policies/notes.yaml\n       did you mean `read:note`?"),
        "{error}"
    );
    package.write("policies/notes.yaml", POLICY);
    assert_eq!(check(&package, None), Ok(()));

    package.write("other.yaml", &renamed);
    let error = check(&package, Some(&package.0.join("other.yaml"))).unwrap_err();
    assert!(error.contains("is not declared in other.yaml"), "{error}");
    assert_eq!(check(&package, None), Ok(()));

    package.write("policies/notes.yaml", "version: 1\npolicy: [\n");
    let error = check(&package, None).unwrap_err();
    assert!(error.contains("policy `policies/notes.yaml` is not valid"), "{error}");
    fs::remove_file(package.0.join("policies/notes.yaml")).unwrap();
    let error = check(&package, None).unwrap_err();
    assert!(
        error.contains("cannot read policy `policies/notes.yaml` from the folder `"),
        "{error}"
    );
}
