//! The start-up audit: code and policy must agree before the server answers anybody.

use std::{collections::BTreeSet, fmt};

use mcp_auth_policy::{Looser, OperationKind, Policy};
use rmcp::ServerHandler;

use super::{
    audit_arguments,
    audit_finding::AuditFinding,
    guarded::{Guarded, Inventory},
    listing::Unlistable,
};
use crate::requirement::Requirement;

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

/// Every finding of one audit. `Debug` shows what `Display` shows, since that is what a `main` that returns an error prints.
#[derive(Clone, PartialEq, Eq)]
pub struct AuditErrors(Vec<AuditFinding>);

impl AuditErrors {
    pub(crate) fn unlistable(lists: Vec<Unlistable>) -> Self {
        let finding = |list: Unlistable| AuditFinding::Unlistable {
            method: list.method,
            message: list.message,
        };
        Self(lists.into_iter().map(finding).collect())
    }

    /// Returns the findings: of the served tools, then of the annotations, then of the policy.
    #[must_use]
    pub fn findings(&self) -> &[AuditFinding] {
        &self.0
    }
}

/// Compares the tools and prompts of a server's guarded blocks with a policy. Call it before the server listens.
///
/// It sees the routers that those blocks make. What the server really serves, which may be more, is what [`audit_server`] asks for.
///
/// Prompts are compared if the server's code has any with `#[guarded]`, and likewise resources and hand-written functions that say what they
/// serve (`resource = "…"`). Otherwise the gate alone decides about them.
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
    let inventory = Inventory::of_server(server).await.map_err(AuditErrors::unlistable)?;
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
    if findings.is_empty() {
        Ok(AuditReport::new(inventory))
    } else {
        Err(AuditErrors(findings))
    }
}

/// Compares every annotated function of the program that is no tool, prompt or resource with `operations:` of its policy.
///
/// Such functions enter themselves into a table, in whatever crate they are. So this is for programs with one policy: a function that belongs to
/// another one is undeclared here.
///
/// # Errors
/// All disagreements at once: a function that the policy does not list or opens further than its annotation, and an operation that no function has.
#[cfg(feature = "registry")]
pub fn audit_operations(policy: &Policy) -> Result<(), AuditErrors> {
    let annotated: &[Requirement] = &crate::registry::OPERATIONS;
    let mut findings = Vec::new();
    for requirement in annotated {
        check_requirement(policy, requirement, &mut findings);
    }
    let names: BTreeSet<&str> = annotated.iter().map(Requirement::name).collect();
    findings.extend(unserved(policy, OperationKind::Operation, &names));
    if findings.is_empty() {
        Ok(())
    } else {
        Err(AuditErrors(findings))
    }
}

fn unserved(policy: &Policy, kind: OperationKind, served: &BTreeSet<&str>) -> Vec<AuditFinding> {
    let declared = policy.operations(kind);
    let unserved = declared.filter(|operation| !served.contains(operation.name()));
    let finding = unserved.map(|operation| AuditFinding::Unserved {
        kind,
        name: operation.name().to_owned(),
        policy: place(policy, operation.line()),
    });
    finding.collect()
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

fn check_requirement(policy: &Policy, requirement: &Requirement, findings: &mut Vec<AuditFinding>) {
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

fn undeclared(policy: &Policy, kind: OperationKind, name: &str, code: Option<(&'static str, u32)>) -> AuditFinding {
    AuditFinding::Undeclared {
        section: kind.section(),
        name: name.to_owned(),
        code,
        policy: policy.file_name().to_owned(),
        suggestion: policy.suggest_operation(kind, name).map(str::to_owned),
    }
}

fn place(policy: &Policy, line: usize) -> String {
    format!("{}:{line}", policy.file_name())
}

impl fmt::Display for AuditErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        let word = if count == 1 { "disagreement" } else { "disagreements" };
        write!(f, "{count} {word} between the server and its policy:")?;
        self.0.iter().try_for_each(|finding| write!(f, "\n- {finding}"))
    }
}

impl fmt::Debug for AuditErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for AuditErrors {}
