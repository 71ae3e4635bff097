//! Forbids on arguments against the arguments that the tools and prompts really take.

use mcp_auth_policy::{OperationKind, Policy, nearest};

use super::guarded::Inventory;
use crate::ArgumentProblem;

/// One argument that a forbid reads, and what is wrong with it.
pub(super) struct BadArgument {
    pub(super) kind: OperationKind,
    pub(super) name: String,
    pub(super) forbid: String,
    pub(super) argument: String,
    pub(super) line: usize,
    pub(super) problem: ArgumentProblem,
}

/// Finds the arguments of forbids that the tools and prompts of the routers do not take, or take among others.
pub(super) fn check(policy: &Policy, inventory: &Inventory) -> Vec<BadArgument> {
    let mut found = Vec::new();
    for kind in [OperationKind::Tool, OperationKind::Prompt] {
        for operation in policy.operations(kind) {
            let name = operation.name();
            // What is not served has its finding.
            if !inventory.served(kind).contains(name) {
                continue;
            }
            let Some(id) = policy.find(kind, name) else { continue };
            for forbid in policy.argument_forbids(id) {
                found.extend(forbid.arguments().filter_map(|argument| {
                    Some(BadArgument {
                        kind,
                        name: name.to_owned(),
                        forbid: forbid.id().to_owned(),
                        argument: argument.to_owned(),
                        line: forbid.line(),
                        problem: problem(inventory, kind, name, argument)?,
                    })
                }));
            }
        }
    }
    found
}

fn problem(inventory: &Inventory, kind: OperationKind, name: &str, argument: &str) -> Option<ArgumentProblem> {
    // Written by hand: nothing says what it takes, and the gate lets a forbid stand whose arguments were not declared.
    let names = inventory.arguments(kind, name)?;
    if names.contains(argument) {
        return (!inventory.is_closed(kind, name)).then_some(ArgumentProblem::Open);
    }
    let suggestion = nearest(argument, names).map(str::to_owned);
    Some(ArgumentProblem::Unknown { suggestion })
}
