//! Forbids on arguments against the arguments that the tools really take.

use std::fmt;

use mcp_auth_policy::{OperationKind, Policy, nearest};
use rmcp::model::JsonObject;

use super::guarded::InputSchemas;

/// Why a forbid on an argument of a tool cannot be relied on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ArgumentProblem {
    /// The tool takes no argument of this name, so the forbid would read nothing.
    Unknown {
        /// The argument of the tool that is nearest.
        suggestion: Option<String>,
    },
    /// The tool's input schema does not say `additionalProperties: false`, or there is none: the value could come under another name.
    Open,
}

/// One argument that a forbid reads, and what is wrong with it.
pub(super) struct BadArgument {
    pub(super) tool: String,
    pub(super) forbid: String,
    pub(super) argument: String,
    pub(super) line: usize,
    pub(super) problem: ArgumentProblem,
}

/// Finds the arguments of forbids that the tools do not take, or take among others.
pub(super) fn check(policy: &Policy, schemas: &InputSchemas) -> Vec<BadArgument> {
    let mut found = Vec::new();
    for tool in policy.operations(OperationKind::Tool) {
        let Some(id) = policy.find(OperationKind::Tool, tool.name()) else {
            continue;
        };
        let schema = schemas.get(tool.name());
        for forbid in policy.argument_forbids(id) {
            found.extend(forbid.arguments().filter_map(|argument| {
                Some(BadArgument {
                    tool: tool.name().to_owned(),
                    forbid: forbid.id().to_owned(),
                    argument: argument.to_owned(),
                    line: forbid.line(),
                    problem: problem(schema.map(|schema| &**schema), argument)?,
                })
            }));
        }
    }
    found
}

fn problem(schema: Option<&JsonObject>, argument: &str) -> Option<ArgumentProblem> {
    let Some(schema) = schema else {
        return Some(ArgumentProblem::Open);
    };
    let properties = schema.get("properties").and_then(|properties| properties.as_object());
    let is_closed = schema.get("additionalProperties").and_then(|more| more.as_bool()) == Some(false);
    if properties.is_some_and(|properties| properties.contains_key(argument)) {
        return (!is_closed).then_some(ArgumentProblem::Open);
    }
    let names = properties.into_iter().flat_map(JsonObject::keys).map(String::as_str);
    let suggestion = nearest(argument, names).map(str::to_owned);
    Some(ArgumentProblem::Unknown { suggestion })
}

impl fmt::Display for ArgumentProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { suggestion: Some(near) } => write!(f, "which that tool does not take; did you mean `{near}`?"),
            Self::Unknown { suggestion: None } => f.write_str("which that tool does not take; name one of its arguments"),
            Self::Open => f.write_str(
                "but the tool's input schema does not say `additionalProperties: false`, so the value could come under another name; put \
                 `#[serde(deny_unknown_fields)]` on its parameters, and no `alias`",
            ),
        }
    }
}
