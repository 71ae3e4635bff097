//! `mcp-policy export`: parts of a policy for other systems.

use std::path::PathBuf;

use mcp_auth_policy::{Operation, OperationKind, Policy, Reach};
use serde::Serialize;

use crate::{call, load, outcome::Outcome};

pub(crate) const EXAMPLES: &str = "\
Examples:
  mcp-policy export scopes policies/todo.yaml
  mcp-policy export sql policies/todo.yaml
  mcp-policy export sql policies/todo.yaml delete-todo";

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Part {
    /// Scopes and roles as JSON, for the administrator of an authorization server.
    Scopes {
        /// The policy; `-` is standard input.
        policy: PathBuf,
    },
    /// The condition for a SQL `WHERE`, for each reach that a call may have.
    Sql {
        /// The policy; `-` is standard input.
        policy: PathBuf,
        /// One tool, or `prompt:NAME`, `resource:URI`, `operation:NAME`. Without it: everything that acts on objects.
        call: Option<String>,
        /// How it is written.
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
        /// The number of the placeholder for the caller's owner key.
        #[arg(long, default_value_t = 1, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..))]
        placeholder: u16,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Human,
    /// One JSON array.
    Json,
}

pub(crate) fn run(part: &Part) -> Outcome {
    let mut outcome = Outcome::default();
    let (Part::Scopes { policy } | Part::Sql { policy, .. }) = part;
    let Some(loaded) = load::policy(policy, &mut outcome) else {
        return outcome;
    };
    let policy = &loaded.policy;
    match part {
        Part::Scopes { .. } => outcome.json(&scopes(policy)),
        Part::Sql {
            call,
            format,
            placeholder,
            ..
        } => {
            let Some(operations) = chosen(policy, call.as_deref(), &mut outcome) else {
                return outcome;
            };
            if operations.is_empty() {
                outcome.files = 0;
                outcome.complaints.push_str("nothing in this policy acts on objects\n");
            }
            let of = |operation| (operation, Conditions::of(operation, *placeholder));
            let conditions: Vec<_> = operations.into_iter().map(of).collect();
            match format {
                Format::Human => {
                    let texts = conditions.iter().map(|(operation, found)| found.human(operation));
                    outcome.text = texts.collect::<Vec<_>>().join("\n");
                }
                Format::Json => outcome.json(&conditions.iter().map(|(_, found)| found).collect::<Vec<_>>()),
            }
        }
    }
    outcome
}

/// What an authorization server has to know.
#[derive(Serialize)]
struct Scopes<'p> {
    scopes: Vec<Scope<'p>>,
    roles: Vec<Role<'p>>,
}

#[derive(Serialize)]
struct Scope<'p> {
    name: &'p str,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'p str>,
}

#[derive(Serialize)]
struct Role<'p> {
    name: &'p str,
    scopes: Vec<&'p str>,
}

fn scopes(policy: &Policy) -> Scopes<'_> {
    let scopes = policy.scopes().map(|scope| Scope {
        name: scope.name(),
        description: scope.about(),
    });
    let roles = policy.roles().map(|name| Role {
        name,
        scopes: policy.scopes_of_role(name).unwrap_or_default(),
    });
    Scopes {
        scopes: scopes.collect(),
        roles: roles.collect(),
    }
}

/// Gives the operation that was asked for, else all that act on objects.
fn chosen<'p>(policy: &'p Policy, wanted: Option<&str>, outcome: &mut Outcome) -> Option<Vec<&'p Operation>> {
    let Some(wanted) = wanted else {
        let all = OperationKind::ALL.into_iter().flat_map(|kind| policy.operations(kind));
        return Some(all.filter(|operation| operation.object().is_some()).collect());
    };
    match call::find(policy, wanted).and_then(|id| policy.operation(id)) {
        Some(operation) => Some(vec![operation]),
        None => {
            outcome.complain(call::unlisted(policy, wanted));
            None
        }
    }
}

/// What a query has to keep, for each reach that a call of one operation may have.
#[derive(Serialize)]
struct Conditions<'p> {
    kind: &'static str,
    name: &'p str,
    object: Option<&'p str>,
    owner_column: Option<&'p str>,
    #[serde(rename = "where")]
    conditions: Reaches,
}

#[derive(Serialize)]
struct Reaches {
    any: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    own: Option<String>,
    deny: String,
}

impl<'p> Conditions<'p> {
    fn of(operation: &'p Operation, placeholder: u16) -> Self {
        let column = operation.owner_column();
        let sql = |reach: Reach| reach.sql(column.unwrap_or_default(), usize::from(placeholder));
        Self {
            kind: operation.kind().as_str(),
            name: operation.name(),
            object: operation.object(),
            owner_column: column,
            conditions: Reaches {
                any: sql(Reach::Any),
                own: operation.has_owner_fallback().then(|| sql(Reach::Own)),
                deny: sql(Reach::Deny),
            },
        }
    }

    fn human(&self, operation: &Operation) -> String {
        let Reaches { any, own, deny } = &self.conditions;
        let object = self.object.map(|object| format!("  ({object})")).unwrap_or_default();
        let own = own.as_ref().map(|own| format!("  own   {own}\n")).unwrap_or_default();
        let name = call::written(operation.kind(), operation.name());
        format!("{name}{object}\n  any   {any}\n{own}  deny  {deny}\n")
    }
}
