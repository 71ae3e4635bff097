//! Names that a suite takes from its policy.

use crate::{
    Operation, OperationId, OperationKind, Policy,
    diagnostic::Code,
    fields::Named,
    findings::Findings,
    text::{did_you_mean, quoted},
};

/// Gives every operation, in the order of the policy.
pub(super) fn operations(policy: &Policy) -> impl Iterator<Item = (OperationId, &Operation)> {
    (0_u32..).zip(&policy.operations).map(|(index, operation)| {
        let policy = policy.id;
        (OperationId { policy, index }, operation)
    })
}

/// Gives the name that a suite calls an operation by: that of a tool as it is, others with their kind before it.
pub(super) fn suite_name(operation: &Operation) -> String {
    match operation.kind() {
        OperationKind::Tool => operation.name().to_owned(),
        kind => format!("{}:{}", kind.as_str(), operation.name()),
    }
}

/// Gives the name of an operation of this policy.
pub(super) fn name_of(id: OperationId, policy: &Policy) -> String {
    policy.operation(id).map(suite_name).unwrap_or_default()
}

/// Finds a tool by its name, and anything else by its kind and name: `prompt:NAME`, `resource:URI`, `operation:NAME`.
pub(super) fn find_operation(call: &Named, policy: &Policy, findings: &mut Findings<'_>) -> Option<OperationId> {
    let kinds = [OperationKind::Prompt, OperationKind::Resource, OperationKind::Operation];
    let (kind, name) = (kinds.into_iter())
        .find_map(|kind| {
            let rest = call.name.strip_prefix(kind.as_str())?;
            Some((kind, rest.strip_prefix(':')?))
        })
        .unwrap_or((OperationKind::Tool, call.name.as_str()));
    let found = policy.find(kind, name);
    if found.is_none() {
        let message = format!("{} {} is not in the policy", kind.as_str(), quoted(name));
        findings.error_with(Code::UnknownOperation, call.span, message, || {
            let nearest = policy.suggest_operation(kind, name)?;
            Some(format!("did you mean {}?", quoted(nearest)))
        });
    }
    found
}

/// Reports scopes that the policy does not declare.
pub(super) fn known_scopes(scopes: &[Named], policy: &Policy, findings: &mut Findings<'_>) {
    for scope in scopes.iter().filter(|scope| policy.scope(&scope.name).is_none()) {
        let message = format!("scope {} is not declared in the policy", quoted(&scope.name));
        findings.error_with(Code::UnknownScope, scope.span, message, || {
            let nearest = policy.suggest_scope(&scope.name)?;
            Some(format!("did you mean {}?", quoted(nearest)))
        });
    }
}

/// Tells whether the policy declares the role, and reports it if not.
pub(super) fn known_role(role: &Named, policy: &Policy, findings: &mut Findings<'_>) -> bool {
    let known = policy.role_numbers.contains_key(&role.name);
    if !known {
        let message = format!("role {} is not declared in the policy", quoted(&role.name));
        let help = || did_you_mean(&role.name, policy.roles().collect::<Vec<_>>());
        findings.error_with(Code::UnknownRole, role.span, message, help);
    }
    known
}
