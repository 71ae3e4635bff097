//! Test suites: what a policy is meant to allow, written down and tried without a server.
//!
//! A suite names callers (`principals`), the reach of each on each tool (`matrix`), single calls with arguments, owner, reason
//! and challenge (`cases`), what lists show (`lists`), what holds for every caller (`invariants`), and that nothing is left out (`cover: all`). It must have at least one test; unknown names, unknown keys and missing cells are mistakes of
//! the file, never skipped.
//!
//! - A **principal** is a token as its issuer would make it: `as: role` gives what the authorization server issues for the role, in the
//!   scopes or the roles claim, wherever the policy reads them from the tokens of the `issuer`; `scopes` likewise; `claims`, `client`
//!   and `subject` are written into it. Without `subject` its subject is its name. Without `issuer` it is read as `callers.default` says.
//! - A **cell** says how far a caller gets with the arguments that are best for it, as a list of tools does.
//! - A **case** is one call. Without `args` it is a call without arguments, not one with the best: what a forbid says about missing
//!   arguments decides. `{ length: 2001 }` stands for a text of that many characters, in `args` and in `claims`.
//! - A **list** names everything that a principal is shown, in any order.
//! - An **invariant** is proved over every class of callers and arguments that the policy can tell apart, or refuted by a principal and a case
//!   that can be pasted into the suite. What would take too long to enumerate fails, and says so.
//! - `cover: all` makes two tests. `coverage`: every line of every decision table, every scope, role and issuer decides at least one cell or case.
//!   `mutants`: for every small change of the policy (a scope of `requires` dropped or swapped, `owner_fallback` flipped, a forbid, `implies` or
//!   `includes` dropped, scopes and roles combined the other way) some test fails. Changes that give nobody anything else are found by comparing
//!   every class of callers, and not counted. Both print the rows that are missing.
//!
//! ```
//! use mcp_auth_policy::{Policy, suite::SuiteFile};
//!
//! let policy = Policy::parse("
//! version: 1
//! scopes: { read:todos: Read to-do items }
//! tools: { get-todos: { requires: read:todos } }
//! ")?;
//! let file = SuiteFile::parse("todo.test.yaml", "
//! version: 1
//! policy: todo.yaml
//! principals:
//!   anon: none
//!   reader: { scopes: [read:todos] }
//!   empty: { scopes: [] }
//! matrix: |
//!   tool      | anon | reader | empty
//!   get-todos | 401  | any    | any
//! ")?;
//! let report = file.with_policy(&policy)?.run();
//! let failure = report.failures().first().ok_or("the last cell is wrong")?;
//! assert_eq!((failure.expected(), failure.actual()), ("any", "deny (missing-scope)"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod by_operation;
mod cases;
mod coverage;
mod decider;
mod edge_mutation;
mod effort;
mod equivalence;
mod filter;
mod gaps;
mod invariants;
mod lists;
mod looked_at;
mod matrix;
mod model;
mod monotone;
mod mutants;
mod mutation;
mod names;
mod paste;
mod principals;
mod prove;
mod read;
mod report;
mod rows;
mod run;
#[cfg(test)]
mod schema_keys;
mod token;
mod twin;
mod update;
mod values;
mod view;
mod witness;

pub use self::{
    filter::Filter,
    model::{Suite, Test, TestKind},
    report::{Failure, Report},
    token::{NoToken, Token, TokenSketch},
    update::{ChangedRow, Updated},
};

use crate::{
    Policy, PolicyErrors,
    fields::text,
    findings::Findings,
    source::Source,
    yaml::{self, Node, Value},
};

/// Bytes that a suite may have: 1 MiB, as a policy by default.
const MAX_BYTES: usize = 1024 * 1024;

/// The text of a `*.test.yaml` file, parsed, and not yet held against its policy.
#[derive(Debug)]
pub struct SuiteFile {
    file_name: String,
    text: String,
    root: Node,
    policy_path: String,
}

impl SuiteFile {
    /// Parses the text of a suite; the file is not opened, its name is for messages.
    ///
    /// # Errors
    /// Gives every mistake in the YAML, or that `policy:` is missing. [`SuiteFile::with_policy`] finds all others.
    pub fn parse(file_name: impl Into<String>, text: impl Into<String>) -> Result<Self, PolicyErrors> {
        let (file_name, text) = (file_name.into(), text.into());
        let source = Source::new(&file_name, &text);
        let mut findings = Findings::new(&source);
        if !yaml::check_text(&text, MAX_BYTES, &mut findings) {
            return Err(findings.into_errors());
        }
        let root = yaml::parse(&text, &mut findings);
        match root.and_then(|root| policy_path(&root, &mut findings).map(|path| (root, path))) {
            Some((root, policy_path)) if findings.is_empty() => {
                drop(source);
                Ok(Self {
                    file_name,
                    text,
                    root,
                    policy_path,
                })
            }
            _ => Err(findings.into_errors()),
        }
    }

    /// Parses the bytes of a suite, which must be UTF-8.
    ///
    /// # Errors
    /// As [`SuiteFile::parse`], and for another encoding.
    pub fn parse_bytes(file_name: impl Into<String>, bytes: &[u8]) -> Result<Self, PolicyErrors> {
        let file_name = file_name.into();
        let text = yaml::decode(&file_name, bytes)?;
        Self::parse(file_name, text)
    }

    /// Returns the path of the policy from `policy:`, relative to the folder of the suite.
    #[must_use]
    pub fn policy_path(&self) -> &str {
        &self.policy_path
    }

    /// Resolves the suite's names in its policy.
    ///
    /// # Errors
    /// Gives every mistake of the suite at once, each with its place: unknown keys, tools, roles, scopes and principals,
    /// missing rows, columns and cells, no test at all.
    pub fn with_policy<'p>(&self, policy: &'p Policy) -> Result<Suite<'p>, PolicyErrors> {
        let source = Source::new(&self.file_name, &self.text);
        let mut findings = Findings::new(&source);
        match read::read(&self.root, policy, &mut findings) {
            Some(suite) => findings.finish(suite),
            None => Err(findings.into_errors()),
        }
    }
}

fn policy_path(root: &Node, findings: &mut Findings<'_>) -> Option<String> {
    let entry = match &root.value {
        Value::Map(entries) => entries.iter().find(|entry| entry.key == "policy"),
        other => {
            crate::fields::wrong_type(root.span, "a test file", "a mapping", other, findings);
            return None;
        }
    };
    match entry {
        Some(entry) => text(&entry.node, "`policy`", findings).map(|path| path.name),
        None => {
            crate::fields::missing(
                root.span,
                "policy",
                "name the policy's file, relative to this one",
                findings,
            );
            None
        }
    }
}
