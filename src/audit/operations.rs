//! The audit of functions that are no tool, prompt or resource.

use std::collections::BTreeSet;

use mcp_auth_policy::{OperationKind, Policy};

use super::{AuditErrors, check_requirement, unserved};
use crate::requirement::Requirement;

/// Compares every annotated function of the program that is no tool, prompt or resource with `operations:` of its policy.
///
/// Such functions enter themselves into a table, in whatever crate they are. So this is for programs with one policy: a function that belongs to
/// another one is undeclared here.
///
/// # Errors
/// All disagreements at once: a function that the policy does not list or opens further than its annotation, and an operation that no function has.
pub fn audit_operations(policy: &Policy) -> Result<(), AuditErrors> {
    let annotated: &[Requirement] = &crate::registry::OPERATIONS;
    let mut findings = Vec::new();
    for requirement in annotated {
        check_requirement(policy, requirement, &mut findings);
    }
    let names: BTreeSet<&str> = annotated.iter().map(Requirement::name).collect();
    findings.extend(unserved(policy, OperationKind::Operation, &names));
    AuditErrors::check(findings)
}
