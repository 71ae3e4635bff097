//! Names of operations and reasons, as test suites write them.

use mcp_auth_policy::{Because, Decision, OperationId, OperationKind, Policy};

/// Writes a tool by its name, and all else with its kind: `prompt:NAME`.
pub(crate) fn written(kind: OperationKind, name: &str) -> String {
    match kind {
        OperationKind::Tool => name.to_owned(),
        kind => format!("{}:{name}", kind.as_str()),
    }
}

/// Finds what [`written`] writes, and a resource by a URI that one of the templates matches.
pub(crate) fn find(policy: &Policy, text: &str) -> Option<OperationId> {
    let (kind, name) = parts(text);
    let found = policy.find(kind, name);
    found.or_else(|| policy.find_resource(name).filter(|_| kind == OperationKind::Resource))
}

/// Says that a policy does not list an operation, and which one may be meant.
pub(crate) fn unlisted(policy: &Policy, text: &str) -> String {
    let (kind, name) = parts(text);
    let near = policy.suggest_operation(kind, name);
    let help = near.map(|near| format!("; did you mean `{}`?", written(kind, near)));
    format!(
        "`{name}` is not under `{}` of the policy{}",
        kind.section(),
        help.unwrap_or_default()
    )
}

fn parts(text: &str) -> (OperationKind, &str) {
    let kinds = [OperationKind::Prompt, OperationKind::Resource, OperationKind::Operation];
    let prefixed = kinds.into_iter().find_map(|kind| {
        let rest = text.strip_prefix(kind.as_str())?;
        Some((kind, rest.strip_prefix(':')?))
    });
    prefixed.unwrap_or((OperationKind::Tool, text))
}

/// Returns the code of a reason, or the id of the forbid.
pub(crate) fn because(policy: &Policy, decision: Decision) -> &str {
    match decision.because {
        Because::Forbidden(id) => policy.forbid(id).map_or("forbidden", |forbid| forbid.id()),
        because => because.code(),
    }
}
