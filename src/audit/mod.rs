//! The start-up audit: code and policy must agree before the server answers anybody.
//!
//! What every audit does is here. `src/rmcp/audit.rs` asks a server what it serves; [`audit_operations`] looks at the program's other functions.

mod errors;
mod finding;
#[cfg(feature = "registry")]
mod operations;

use std::collections::BTreeSet;

use mcp_auth_policy::{Looser, OperationKind, Policy};

#[cfg(feature = "registry")]
pub use self::operations::audit_operations;
pub use self::{
    errors::AuditErrors,
    finding::{ArgumentProblem, AuditFinding},
};
use crate::requirement::Requirement;

/// Finds what the policy declares and nothing serves.
pub(crate) fn unserved(policy: &Policy, kind: OperationKind, served: &BTreeSet<&str>) -> Vec<AuditFinding> {
    let declared = policy.operations(kind);
    let unserved = declared.filter(|operation| !served.contains(operation.name()));
    let finding = unserved.map(|operation| AuditFinding::Unserved {
        kind,
        name: operation.name().to_owned(),
        policy: place(policy, operation.line()),
    });
    finding.collect()
}

/// Compares one annotation with the policy.
pub(crate) fn check_requirement(policy: &Policy, requirement: &Requirement, findings: &mut Vec<AuditFinding>) {
    let name = requirement.name();
    let code = requirement.location();
    let scopes: BTreeSet<&str> = requirement.alternatives().iter().copied().flatten().copied().collect();
    let unknown: Vec<&str> = scopes
        .into_iter()
        .filter(|scope| policy.scope(scope).is_none())
        .collect();
    findings.extend(unknown.iter().map(|scope| AuditFinding::UnknownScope {
        scope: (*scope).to_owned(),
        name: name.to_owned(),
        code,
        policy: policy.file_name().to_owned(),
        suggestion: policy.suggest_scope(scope).map(str::to_owned),
    }));
    match policy.find(requirement.kind(), name) {
        None => findings.push(undeclared(policy, requirement.kind(), name, Some(code))),
        // With an unknown scope the comparison would only repeat that finding.
        Some(operation) if unknown.is_empty() => {
            if let Err(looser) = policy.compare(operation, &requirement.annotation()) {
                findings.push(looser_finding(policy, name, code, looser));
            }
        }
        Some(_) => {}
    }
}

fn looser_finding(policy: &Policy, name: &str, code: (&'static str, u32), looser: Looser) -> AuditFinding {
    AuditFinding::Looser {
        name: name.to_owned(),
        code,
        policy: place(policy, looser.line),
        example_scopes: looser.example_scopes,
        policy_reach: looser.policy_reach,
        annotation_reach: looser.annotation_reach,
    }
}

/// What the code has and the policy does not.
pub(crate) fn undeclared(
    policy: &Policy,
    kind: OperationKind,
    name: &str,
    code: Option<(&'static str, u32)>,
) -> AuditFinding {
    AuditFinding::Undeclared {
        section: kind.section(),
        name: name.to_owned(),
        code,
        policy: policy.file_name().to_owned(),
        suggestion: policy.suggest_operation(kind, name).map(str::to_owned),
    }
}

/// The policy file with a line.
pub(crate) fn place(policy: &Policy, line: usize) -> String {
    format!("{}:{line}", policy.file_name())
}
