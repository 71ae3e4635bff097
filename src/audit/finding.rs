//! What an audit can find, and how it says it.

use std::fmt;

use mcp_auth_policy::{OperationKind, Reach};

/// One disagreement between code and policy. `Display` says what, where and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuditFinding {
    /// The server serves a tool or prompt that states no requirement.
    Unguarded {
        /// What it is.
        kind: OperationKind,
        /// Its name.
        name: String,
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
    /// The policy lists something that the server does not serve.
    Unserved {
        /// What it is.
        kind: OperationKind,
        /// Its name.
        name: String,
        /// The policy file with the line.
        policy: String,
    },
    /// The policy limits callers to their own objects, and no function that could tell them apart says that it serves this.
    OwnershipUnchecked {
        /// What it is: a prompt or a resource.
        kind: OperationKind,
        /// Its name in the policy.
        name: String,
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
        /// What it is an argument of: a tool or a prompt.
        kind: OperationKind,
        /// The name of that tool or prompt.
        name: String,
        /// The `id` of the forbid.
        forbid: String,
        /// Name of the argument.
        argument: String,
        /// The policy file with the line.
        policy: String,
        /// What is wrong with it.
        problem: ArgumentProblem,
    },
    /// The server serves something under the name of a guarded tool or prompt that takes other arguments, so it is another one.
    Replaced {
        /// What it is.
        kind: OperationKind,
        /// Its name.
        name: String,
    },
    /// The server does not say what it serves.
    Unlistable {
        /// The list.
        method: &'static str,
        /// What it said instead.
        message: String,
    },
    /// A tool that says it may destroy something is open to every authenticated caller.
    DestructiveOpen {
        /// Name of the tool.
        tool: String,
        /// The policy file with the line.
        policy: String,
    },
}

/// Why a forbid on an argument cannot be relied on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ArgumentProblem {
    /// The tool or prompt takes no argument of this name, so the forbid would read nothing.
    Unknown {
        /// Its argument that is nearest.
        suggestion: Option<String>,
    },
    /// The tool's input schema does not say `additionalProperties: false`, or there is none: the value could come under another name.
    Open,
}

impl fmt::Display for AuditFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unguarded { kind, name } => {
                write!(
                    f,
                    "{} `{name}` is served but states no requirement; add `#[requires_scope(…)]` to it, in a block with `#[guarded]`, and if it is there, name that block in `parts(…)` of another one",
                    kind.as_str()
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
            Self::Unserved { kind, name, policy } => {
                let kind = *kind;
                write!(
                    f,
                    "{} `{name}` is declared at {policy} but not served; remove it there, or ",
                    kind.as_str()
                )?;
                match kind {
                    OperationKind::Tool | OperationKind::Prompt => write!(
                        f,
                        "add it to the {} router of a block with `#[guarded]`, which `parts(…)` of the others names",
                        kind.as_str()
                    ),
                    OperationKind::Resource => {
                        write!(
                            f,
                            "put `resource = \"{name}\"` into the `#[requires_scope]` of its function"
                        )
                    }
                    _ => write!(
                        f,
                        "put `name = \"{name}\"` into the `#[requires_scope]` of its function"
                    ),
                }
            }
            Self::OwnershipUnchecked { kind, name, policy } => {
                let kind = kind.as_str();
                write!(
                    f,
                    "{kind} `{name}` at {policy} limits callers to their own objects, but no guarded function serves it, so they are refused; put \
                     `#[requires_scope(…, {kind} = \"{name}\")]` on its function, in a block with `#[guarded]` which `parts(…)` of the others names"
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
                kind,
                name,
                forbid,
                argument,
                policy,
                problem,
            } => write!(
                f,
                "forbid `{forbid}` at {policy} reads the argument `{argument}` of the {} `{name}`, {problem}",
                kind.as_str()
            ),
            Self::Replaced { kind, name } => write!(
                f,
                "{} `{name}` is served, but not by its guarded function: it takes other arguments; look where a route of that name is added \
                 to the router",
                kind.as_str()
            ),
            Self::Unlistable { method, message } => write!(
                f,
                "the server does not answer `{method}` without a caller ({message}), so it cannot be audited; let the gate filter the list \
                 instead"
            ),
            Self::DestructiveOpen { tool, policy } => write!(
                f,
                "tool `{tool}` says `destructiveHint: true`, but {policy} opens it to every caller; require a scope, or take the hint away"
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

impl fmt::Display for ArgumentProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { suggestion: Some(near) } => write!(f, "which it does not take; did you mean `{near}`?"),
            Self::Unknown { suggestion: None } => f.write_str("which it does not take; name one of its arguments"),
            Self::Open => f.write_str(
                "but the tool's input schema does not say `additionalProperties: false`, so the value could come under another name; put \
                 `#[serde(deny_unknown_fields)]` on its parameters, and no `alias`",
            ),
        }
    }
}
