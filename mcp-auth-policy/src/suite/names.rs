//! Names that a suite takes from its policy.

use crate::{OperationId, OperationKind, Policy, diagnostic::Code, fields::Named, findings::Findings, text::quoted};

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
