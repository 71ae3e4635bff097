//! The policy engine of `mcp-auth`: a YAML file of scopes, roles, owners and tools, compiled to decisions.
//!
//! Each decision is one of three [reaches](Reach), `deny < own < any`. `own` means: only objects whose owner is the caller.
//! One value thus drives the check on a single object, the filter of a list, and the SQL condition.
//!
//! ```yaml
//! version: 1
//! scopes:
//!   create:todos: Create to-do items
//!   delete:todos: Delete any user's to-do items
//! objects:
//!   todo: { owner: owner_id }
//! tools:                    # a tool that is not listed is denied to everybody
//!   create-todo: { requires: create:todos }
//!   delete-todo: { requires: delete:todos, object: todo, owner_fallback: true }
//! ```
//!
//! # Who calls, and what beats every grant
//!
//! `callers` says how a verified token becomes a subject, scopes and roles; by default its `sub` and its scopes count. Where an issuer maps both scopes
//! and roles, a caller has the intersection. `forbid` beats every grant; on a claim or an argument it says what holds if there is none.
//!
//! ```
//! let policy = mcp_auth_policy::Policy::parse(r#"
//! version: 1
//! scopes:
//!   create:todos: Create to-do items
//!   manage:todos: { about: Everything an administrator may do, implies: [create:todos] }
//! roles:
//!   staff: { scopes: [create:todos] }
//! callers:
//!   issuers:
//!     https://login.example.com/realms/todo:
//!       roles: realm_access.roles           # a path into the claims, or a list of names
//!       role_names: { todo-staff: staff }   # what the issuer calls the role
//! tools:
//!   create-todo: { requires: create:todos }
//! forbid:
//!   - id: suspended-account
//!     everything: true
//!     when: { claim: { name: account_status, is: suspended, if_missing: skip } }
//!     message: This account is suspended.
//!   - id: long-content
//!     tools: [create-todo]
//!     when: { arg: { name: content, longer_than: 2000, if_missing: deny } }
//!     unless: { scope: manage:todos }
//! "#)?;
//! assert_eq!(policy.forbids().count(), 2);
//! # Ok::<(), mcp_auth_policy::PolicyErrors>(())
//! ```
//!
//! The crate is pure: text in, decisions out. It opens no file, asks no clock, and has no setting outside of its arguments.
//! Whatever the text, loading ends with a [`Policy`] or with all its mistakes ([`PolicyErrors`]), never with a panic.
//!
//! Beside the policy lies its test suite ([`suite`]). The binary `mcp-policy` (feature `cli`) runs both from files:
//! `mcp-policy check policies/` and `mcp-policy test policies/`. [`Policy::explain`] says why one call is allowed or denied, and
//! [`Policy::matrix`] shows the whole policy as a table; what a new version of a policy changes, and for whom, says [`Policy::diff`]. The
//! binary prints all of them.
//!
//! # Security
//!
//! - What is not listed is denied. There is no second default, no priority and no run-time error.
//! - [`Grants`] and [`OperationId`]s belong to the one compiled policy they came from. Any other policy, a reload of the
//!   same file included, denies them.
//! - The file is trusted, the tokens are not: scopes that the policy does not declare are ignored.

#![allow(
    clippy::needless_borrows_for_generic_args,
    reason = "what is read is named by `&format!(…)` as well as by `format_args!(…)`, which costs nothing without a mistake"
)]

mod annotation;
mod arguments;
mod bits;
mod caller_classes;
mod callers;
mod canonical;
mod canonical_forbid;
mod challenge;
mod claim_path;
mod compile;
mod compile_forbids;
mod decide;
mod describe_forbid;
mod diagnostic;
mod diff;
mod document;
mod explain;
mod explain_forbid;
mod fields;
mod findings;
mod forbid;
mod format;
mod grants;
mod graph;
mod link;
mod link_forbids;
mod lint;
mod lint_forbid;
mod listing;
mod loader;
mod matrix;
mod operation;
mod policy;
mod reach;
mod read;
mod read_callers;
mod read_forbid;
mod read_operation;
mod read_value_test;
mod resolve;
mod resources;
#[cfg(test)]
mod schema_keys;
mod source;
mod sql_condition;
mod suggest;
pub mod suite;
mod text;
mod token_facts;
mod uri_template;
mod value_test;
mod yaml;

pub use self::{
    annotation::{Annotation, Looser},
    arguments::Arguments,
    callers::OwnerKey,
    challenge::Challenge,
    diagnostic::{Diagnostic, Severity},
    diff::{Change, Diff, Direction},
    explain::{Explanation, OwnerAnswer, Question, ScopeAnswer, Sufficient},
    explain_forbid::ForbidAnswer,
    findings::PolicyErrors,
    forbid::{Forbid, ForbidId},
    format::{to_github, to_json},
    grants::Grants,
    listing::{OnNotOwner, Visibility},
    loader::PolicyLoader,
    matrix::{Matrix, MatrixBy, MatrixCell, MatrixRow},
    operation::{Operation, OperationId, OperationKind, Scope},
    policy::Policy,
    reach::{Because, Decision, Ownership, Reach},
    resolve::{IssuerMismatch, Resolved},
    text::{is_column_name, nearest},
    token_facts::TokenFacts,
};
