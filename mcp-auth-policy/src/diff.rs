//! What one policy lets callers do that another one does not: by class of callers, not by text.
//!
//! Both policies are asked for every class of callers that they tell apart at an operation ([`caller_classes`](crate::caller_classes)), so nothing is
//! guessed: a change that nobody can notice is none, and one class that reaches further is a widening whatever the rest of the file says. Classes that
//! change alike are put together and named by what they have in common ([`cubes`]). What no class shows (whose an object is, what lists and refusals
//! tell) is compared as written, and counts as wider unless it is plainly narrower.

mod cover;
mod cubes;
mod operations;
mod pairs;
mod phrases;
mod ranges;
mod report;
mod sections;
mod table;
#[cfg(test)]
mod tests;
mod unchanged;

use serde::Serialize;

use crate::{OperationKind, Policy, Reach};

/// The difference between two policies.
///
/// ```
/// use mcp_auth_policy::{Direction, Policy};
///
/// let old = Policy::parse("
/// version: 1
/// scopes: { read:todos: Read, delete:todos: Delete }
/// tools: { delete-todo: { requires: [read:todos, delete:todos] } }
/// ")?;
/// let new = Policy::parse("
/// version: 1
/// scopes: { read:todos: Read, delete:todos: Delete }
/// tools: { delete-todo: { requires: delete:todos } }
/// ")?;
/// let diff = new.diff(&old);
/// assert!(diff.widens());
/// assert_eq!(diff.changes()[0].direction(), Direction::Wider);
/// assert_eq!(diff.changes()[0].callers(), "callers holding delete:todos without read:todos");
/// # Ok::<(), mcp_auth_policy::PolicyErrors>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Diff {
    changes: Vec<Change>,
}

/// Callers who reach further than before, or less far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    direction: Direction,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    name: String,
    old: String,
    new: String,
    callers: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    example: Option<Example>,
    #[serde(rename = "proved")]
    is_proved: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    #[serde(skip)]
    reaches: Option<(Reach, Reach)>,
}

/// Which way access changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Somebody reaches further, or it is not proved that nobody does.
    Wider,
    /// These callers reach less far.
    Narrower,
}

/// One of the callers, as a test suite would write it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Example {
    principal: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    args: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<&'static str>,
    /// The tokens of a caller that has nothing but scopes.
    #[serde(skip)]
    scopes: Option<Vec<String>>,
}

impl Policy {
    /// Compares with the policy that this one replaces: who reaches further now, and who less far.
    ///
    /// Operations and scopes are compared by name, over every class of callers and arguments that the two policies tell apart, with `callers:`, roles
    /// and forbids as they are. Names, descriptions, messages, `advertise`, and roles that no token carries make no difference.
    ///
    /// These are compared as written, and count as wider unless they are plainly narrower: which claim is the subject, `owner_key`, `visibility`,
    /// `on_not_owner`. So does an operation with more classes than are tried (65536 for one, a million for all).
    pub fn diff(&self, old: &Self) -> Diff {
        // Every field is named: what the language learns later does not compile until somebody has decided whether it can widen.
        let Self {
            id: _,
            name: _,
            file_name: _,
            canonical: _, // of everything else
            revision,
            scopes: _,             // in the decisions
            scope_numbers: _,      // of `scopes`
            roles: _,              // in the decisions
            role_numbers: _,       // of `roles`
            objects: _,            // in each operation's owner
            operations: _,         // in `operations`
            indexes: _,            // of `operations`
            templates: _,          // in `pairs`
            forbids: _,            // in the decisions
            forbids_everything: _, // of `forbids`
            callers: _,            // in the decisions, and in `sections`
            visibility: _,         // in `sections`
            on_not_owner: _,       // in `sections`
            advertised: _,         // published; no decision asks for it
            warnings: _,
        } = self;
        if *revision == old.revision {
            return Diff { changes: Vec::new() };
        }
        let mut changes = sections::changes(old, self);
        changes.extend(operations::changes(old, self));
        Diff { changes }
    }
}

impl Diff {
    /// Returns the changes: sections first, then operations in the order of the new file, then those that are gone.
    #[must_use]
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Returns the changes of one direction.
    pub fn of_direction(&self, direction: Direction) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(move |change| change.direction == direction)
    }

    /// Returns whether somebody reaches further, or that is not disproved.
    #[must_use]
    pub fn widens(&self) -> bool {
        self.of_direction(Direction::Wider).next().is_some()
    }

    /// Returns whether nobody could notice the difference.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

impl Change {
    /// Returns which way access changed.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// Returns the name of the operation: a tool's name; `prompt:NAME`, `resource:URI` or `operation:NAME`; or the key of a section.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns how far these callers reached before and reach now. `None` for a section, and where not every class was tried.
    #[must_use]
    pub fn reaches(&self) -> Option<(Reach, Reach)> {
        self.reaches
    }

    /// Returns who they are, in words: `callers holding read:todos without delete:todos`.
    #[must_use]
    pub fn callers(&self) -> &str {
        &self.callers
    }

    /// Returns one of these callers, as a test suite would write it: `token [read:todos], item of somebody else`. `None` for a section, and where
    /// not every class was tried.
    #[must_use]
    pub fn example(&self) -> Option<String> {
        self.example.as_ref().map(ToString::to_string)
    }

    /// Returns whether this is shown by a caller. If not, it was compared as written, or there was too much to try.
    #[must_use]
    pub fn is_proved(&self) -> bool {
        self.is_proved
    }

    /// Returns the line of the operation in the new file, counted from 1; in the old one if it is gone. `None` for a section.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.line
    }
}

/// How a test suite names an operation.
fn call_name(kind: OperationKind, name: &str) -> String {
    match kind {
        OperationKind::Tool => name.to_owned(),
        kind => format!("{}:{name}", kind.as_str()),
    }
}
