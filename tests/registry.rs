//! Every annotated function of the program is compared with `operations:` of the policy. Alone in its process: the table is the program's.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;

use mcp_auth::{AuditFinding, Caller, Denied, Policy, PolicyHandle, audit_operations, requires_scope};

#[requires_scope("read", name = "export")]
fn plain(_caller: &Caller) -> Result<(), Denied> {
    Ok(())
}

struct Notes<T>(T);

impl<T> Notes<T> {
    /// Never compiled for any type.
    #[allow(dead_code, reason = "only audited")]
    #[requires_scope("write")]
    async fn import<U: Clone>(&self, _caller: &Caller, _more: U) -> Result<(), Denied> {
        Ok(())
    }
}

impl TryFrom<Caller> for Notes<()> {
    type Error = Denied;

    #[requires_scope(none, name = "convert")]
    fn try_from(_caller: Caller) -> Result<Self, Denied> {
        Ok(Self(()))
    }
}

/// Belongs to a server, which audits it.
#[allow(dead_code, reason = "only audited")]
#[requires_scope("read", resource = "notes://all")]
fn resource(_caller: &Caller) -> Result<(), Denied> {
    Ok(())
}

const POLICY: &str = "
version: 1
policy: notes
scopes: { read: Read, write: Write }
roles: { editor: { scopes: [read, write] } }
operations:
  export: { requires: read }
  import: { requires: write }
  convert: { requires: [] }
";

fn policy(text: &str) -> Arc<Policy> {
    let parsed = Policy::loader().file_name("notes.yaml").parse(text);
    Arc::new(parsed.unwrap_or_else(|errors| panic!("{errors}")))
}

#[test]
fn annotated_functions_and_operations_are_compared() {
    let _ = (plain, |notes: Notes<()>| notes.0);
    audit_operations(&policy(POLICY)).unwrap();
    for (from, to, expected) in [
        ("  export:", "  exports:", "`export` (tests/registry.rs:"),
        (
            "  export:",
            "  exports:",
            "operation `exports` is declared at notes.yaml:7 but not served",
        ),
        (
            "import: { requires: write }",
            "import: { requires: read }",
            "`import`: the policy at notes.yaml:8 gives",
        ),
        ("  convert: { requires: [] }\n", "", "`convert` (tests/registry.rs:"),
    ] {
        let errors = audit_operations(&policy(&POLICY.replace(from, to))).unwrap_err();
        assert!(errors.to_string().contains(expected), "{errors}");
    }
    let empty = audit_operations(&policy("version: 1\ntools: { ping: { requires: [] } }")).unwrap_err();
    let undeclared = |finding: &&AuditFinding| {
        matches!(
            finding,
            AuditFinding::Undeclared {
                section: "operations",
                ..
            }
        )
    };
    assert_eq!(empty.findings().iter().filter(undeclared).count(), 3);
}

#[test]
fn a_replacement_is_compared_too() {
    let handle = PolicyHandle::from(policy(POLICY));
    handle.require_operations_audit().unwrap();
    assert!(
        handle
            .replace(policy(
                &POLICY.replace("import: { requires: write }", "import: { requires: [] }")
            ))
            .is_err()
    );
}
