//! The start-up audit: code and policy must agree before the server answers anybody.

use std::{collections::BTreeSet, fmt};

use mcp_auth_policy::{Looser, OperationKind, Policy, Reach};

use super::{
    audit_arguments::{self, ArgumentProblem},
    guarded::Guarded,
};
use crate::requirement::Requirement;

/// What a passed audit looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditReport {
    tools: Vec<String>,
}

impl AuditReport {
    /// Returns the served tools, sorted.
    #[must_use]
    pub fn tools(&self) -> &[String] {
        &self.tools
    }
}

/// One disagreement between code and policy. `Display` says what, where and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuditFinding {
    /// The server serves a tool that states no requirement.
    Unguarded {
        /// Name of the tool.
        tool: String,
    },
    /// The code has an operation that the policy does not list, so every caller is denied.
    Undeclared {
        /// The key in the policy, such as `tools`.
        section: &'static str,
        /// Name of the operation.
        name: String,
        /// File and line in the code, if it states a requirement.
        code: Option<(&'static str, u32)>,
        /// The policy file.
        policy: String,
        /// The declared name that is nearest.
        suggestion: Option<String>,
    },
    /// The policy lists a tool that the server does not serve.
    Unserved {
        /// Name of the tool.
        tool: String,
        /// The policy file with the line.
        policy: String,
    },
    /// The policy lets callers reach more than the annotation says.
    Looser {
        /// Name of the operation.
        name: String,
        /// File and line of the annotation.
        code: (&'static str, u32),
        /// The policy file with the line.
        policy: String,
        /// Scopes of a caller that shows the difference.
        example_scopes: Vec<String>,
        /// What the policy lets that caller reach.
        policy_reach: Reach,
        /// What the annotation lets it reach.
        annotation_reach: Reach,
    },
    /// An annotation names a scope that the policy does not declare.
    UnknownScope {
        /// The scope.
        scope: String,
        /// Name of the operation.
        name: String,
        /// File and line of the annotation.
        code: (&'static str, u32),
        /// The policy file.
        policy: String,
        /// The declared scope that is nearest.
        suggestion: Option<String>,
    },
    /// A forbid reads an argument of which it cannot be sure.
    Argument {
        /// Name of the tool.
        tool: String,
        /// The `id` of the forbid.
        forbid: String,
        /// Name of the argument.
        argument: String,
        /// The policy file with the line.
        policy: String,
        /// What is wrong with it.
        problem: ArgumentProblem,
    },
}

/// Every finding of one audit. `Debug` shows what `Display` shows, since that is what a `main` that returns an error prints.
#[derive(Clone, PartialEq, Eq)]
pub struct AuditErrors(Vec<AuditFinding>);

impl AuditErrors {
    /// Returns the findings: of the served tools, then of the annotations, then of the policy.
    #[must_use]
    pub fn findings(&self) -> &[AuditFinding] {
        &self.0
    }
}

/// Compares the tools of a server with a policy. Call it before the server listens.
///
/// # Errors
/// All disagreements at once.
pub fn audit<S: Guarded>(policy: &Policy) -> Result<AuditReport, AuditErrors> {
    let served: BTreeSet<String> = S::served().into_iter().collect();
    let stated = |tool: &str| {
        S::REQUIREMENTS
            .iter()
            .any(|stated| is_tool(stated) && stated.name() == tool)
    };
    let mut findings = Vec::new();
    for tool in served.iter().filter(|tool| !stated(tool)) {
        findings.push(AuditFinding::Unguarded { tool: tool.clone() });
        if policy.find(OperationKind::Tool, tool).is_none() {
            findings.push(undeclared(policy, OperationKind::Tool, tool, None));
        }
    }
    for requirement in S::REQUIREMENTS {
        // A tool that was taken out of the router harms nobody.
        if !is_tool(requirement) || served.contains(requirement.name()) {
            check_requirement(policy, requirement, &mut findings);
        }
    }
    for tool in policy
        .operations(OperationKind::Tool)
        .filter(|tool| !served.contains(tool.name()))
    {
        findings.push(AuditFinding::Unserved {
            tool: tool.name().to_owned(),
            policy: place(policy, tool.line()),
        });
    }
    let arguments = audit_arguments::check(policy, &S::input_schemas());
    // A tool that is not served has its finding.
    let arguments = arguments.into_iter().filter(|bad| served.contains(&bad.tool));
    findings.extend(arguments.map(|bad| AuditFinding::Argument {
        tool: bad.tool,
        forbid: bad.forbid,
        argument: bad.argument,
        policy: place(policy, bad.line),
        problem: bad.problem,
    }));
    if findings.is_empty() {
        Ok(AuditReport {
            tools: served.into_iter().collect(),
        })
    } else {
        Err(AuditErrors(findings))
    }
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

fn is_tool(requirement: &Requirement) -> bool {
    requirement.kind() == OperationKind::Tool
}

fn place(policy: &Policy, line: usize) -> String {
    format!("{}:{line}", policy.file_name())
}

impl fmt::Display for AuditErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        let word = if count == 1 { "disagreement" } else { "disagreements" };
        write!(f, "{count} {word} between the server's tools and its policy:")?;
        self.0.iter().try_for_each(|finding| write!(f, "\n- {finding}"))
    }
}

impl fmt::Debug for AuditErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for AuditErrors {}

impl fmt::Display for AuditFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unguarded { tool } => {
                write!(
                    f,
                    "tool `{tool}` is served but states no requirement; add `#[requires_scope(…)]` to it, in a block with `#[guarded]`"
                )
            }
            Self::Undeclared {
                section,
                name,
                code,
                policy,
                suggestion,
            } => {
                let code = code.map(|(file, line)| format!(" ({file}:{line})")).unwrap_or_default();
                write!(
                    f,
                    "`{name}`{code} is not under `{section}:` in {policy}, so nobody may call it; "
                )?;
                match suggestion {
                    Some(near) => write!(f, "did you mean `{near}`?"),
                    None => f.write_str("add it there"),
                }
            }
            Self::Unserved { tool, policy } => {
                write!(
                    f,
                    "tool `{tool}` is declared at {policy} but not served; remove it there, or add it to the tool router"
                )
            }
            Self::Looser {
                name,
                code: (file, line),
                policy,
                example_scopes,
                policy_reach,
                annotation_reach,
            } => {
                let caller = if example_scopes.is_empty() {
                    "a caller without scopes".to_owned()
                } else {
                    format!("a caller with only `{}`", example_scopes.join("`, `"))
                };
                write!(
                    f,
                    "`{name}`: the policy at {policy} gives {caller} {}, the annotation at {file}:{line} {}; tighten the policy or change \
                     the annotation",
                    reach(*policy_reach),
                    reach(*annotation_reach)
                )
            }
            Self::UnknownScope {
                scope,
                name,
                code: (file, line),
                policy,
                suggestion,
            } => {
                write!(
                    f,
                    "`{name}` at {file}:{line} needs the scope `{scope}`, which {policy} does not declare; "
                )?;
                match suggestion {
                    Some(near) => write!(f, "did you mean `{near}`?"),
                    None => f.write_str("declare it under `scopes:`"),
                }
            }
            Self::Argument {
                tool,
                forbid,
                argument,
                policy,
                problem,
            } => write!(
                f,
                "forbid `{forbid}` at {policy} reads the argument `{argument}` of the tool `{tool}`, {problem}"
            ),
        }
    }
}

fn reach(reach: Reach) -> &'static str {
    match reach {
        Reach::Deny => "nothing",
        Reach::Own => "its own objects",
        Reach::Any => "every object",
    }
}
