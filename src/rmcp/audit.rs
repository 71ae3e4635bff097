//! The start-up audit of a server: what it serves, what its code demands and what the policy says must agree before it answers anybody.

use mcp_auth_policy::{OperationKind, Policy};
use rmcp::ServerHandler;

use super::{
    audit_arguments,
    guarded::{Guarded, Inventory},
    listing::Unlistable,
};
use crate::{
    audit::{AuditErrors, AuditFinding, check_requirement, place, undeclared, unserved},
    requirement::Requirement,
};

/// What a passed audit looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditReport {
    tools: Vec<String>,
    prompts: Vec<String>,
    resources: Vec<String>,
}

impl AuditReport {
    fn new(inventory: &Inventory) -> Self {
        let names = |kind| inventory.served(kind).into_iter().map(str::to_owned).collect();
        Self {
            tools: names(OperationKind::Tool),
            prompts: names(OperationKind::Prompt),
            resources: names(OperationKind::Resource),
        }
    }

    /// Returns the served tools, sorted.
    #[must_use]
    pub fn tools(&self) -> &[String] {
        &self.tools
    }

    /// Returns the served prompts, sorted.
    #[must_use]
    pub fn prompts(&self) -> &[String] {
        &self.prompts
    }

    /// Returns the resources and templates that hand-written functions say they serve, sorted.
    #[must_use]
    pub fn resources(&self) -> &[String] {
        &self.resources
    }
}

/// Compares the tools and prompts of a server's guarded blocks with a policy. Call it before the server listens.
///
/// It sees the routers that those blocks make. What the server really serves, which may be more, is what [`audit_server`] asks for.
///
/// Prompts are compared if the server's code has any with `#[guarded]`, and likewise resources and hand-written functions that say what they
/// serve (`resource = "…"`). Otherwise the gate alone decides about them, so none of them may limit callers to their own objects.
///
/// # Errors
/// All disagreements at once.
pub fn audit<S: Guarded>(policy: &Policy) -> Result<AuditReport, AuditErrors> {
    audit_inventory(&Inventory::of::<S>(), policy)
}

/// Compares the tools and prompts that a server really serves with a policy. Call it before the server listens.
///
/// As [`audit`], but the server itself is asked what it lists: a route that was added to a router by hand, or came with a merged one, is found
/// although no guarded block knows it. So is a tool or prompt that takes the name of a guarded one and other arguments.
///
/// # Errors
/// All disagreements at once. A list that cannot be read without a caller is one of them.
pub async fn audit_server<S: Guarded + ServerHandler>(server: &S, policy: &Policy) -> Result<AuditReport, AuditErrors> {
    let inventory = Inventory::of_server(server).await.map_err(unlistable)?;
    audit_inventory(&inventory, policy)
}

pub(crate) fn audit_inventory(inventory: &Inventory, policy: &Policy) -> Result<AuditReport, AuditErrors> {
    let requirements: Vec<&Requirement> = inventory.requirements().collect();
    let mut findings = Vec::new();
    for kind in [OperationKind::Tool, OperationKind::Prompt] {
        for name in inventory.served(kind) {
            if !requirements
                .iter()
                .any(|stated| stated.kind() == kind && stated.name() == name)
            {
                findings.push(AuditFinding::Unguarded {
                    kind,
                    name: name.to_owned(),
                });
                if policy.find(kind, name).is_none() {
                    findings.push(undeclared(policy, kind, name, None));
                }
            }
        }
    }
    findings.extend(inventory.replaced().iter().map(|(kind, name)| AuditFinding::Replaced {
        kind: *kind,
        name: name.clone(),
    }));
    for requirement in requirements {
        check_requirement(policy, requirement, &mut findings);
    }
    for kind in [OperationKind::Tool, OperationKind::Prompt, OperationKind::Resource] {
        let served = inventory.served(kind);
        if kind == OperationKind::Tool || inventory.states(kind) {
            findings.extend(unserved(policy, kind, &served));
        } else {
            findings.extend(unchecked(policy, kind));
        }
    }
    findings.extend(open_to_destroy(policy, inventory));
    let arguments = audit_arguments::check(policy, inventory);
    findings.extend(arguments.into_iter().map(|bad| AuditFinding::Argument {
        kind: bad.kind,
        name: bad.name,
        forbid: bad.forbid,
        argument: bad.argument,
        policy: place(policy, bad.line),
        problem: bad.problem,
    }));
    AuditErrors::check(findings)?;
    Ok(AuditReport::new(inventory))
}

/// Where the code says nothing about a kind, the gate alone decides; it cannot tell whose object a call is about.
fn unchecked(policy: &Policy, kind: OperationKind) -> impl Iterator<Item = AuditFinding> {
    let owned = policy
        .operations(kind)
        .filter(|operation| operation.has_owner_fallback());
    owned.map(move |operation| AuditFinding::OwnershipUnchecked {
        kind,
        name: operation.name().to_owned(),
        policy: place(policy, operation.line()),
    })
}

/// A tool without the hint may be destructive too (MCP 2025-11-25, `ToolAnnotations`), but only one that says so is certainly no oversight.
fn open_to_destroy(policy: &Policy, inventory: &Inventory) -> Vec<AuditFinding> {
    let destructive = inventory.tools().filter(|(_, tool)| {
        let hints = tool.annotations.as_ref();
        hints.and_then(|hints| hints.destructive_hint) == Some(true)
    });
    let open = destructive.filter_map(|(name, _)| {
        let operation = policy.operation(policy.find(OperationKind::Tool, name)?)?;
        let is_open = operation.requires().iter().all(Vec::is_empty);
        is_open.then(|| AuditFinding::DestructiveOpen {
            tool: name.to_owned(),
            policy: place(policy, operation.line()),
        })
    });
    open.collect()
}

/// A server that does not say what it serves cannot be audited.
pub(crate) fn unlistable(lists: Vec<Unlistable>) -> AuditErrors {
    let finding = |list: Unlistable| AuditFinding::Unlistable {
        method: list.method,
        message: list.message,
    };
    AuditErrors::new(lists.into_iter().map(finding).collect())
}
