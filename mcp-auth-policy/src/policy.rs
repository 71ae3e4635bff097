//! The compiled policy and what can be read from it.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicU64, Ordering},
};

use crate::{
    callers::Callers,
    diagnostic::Diagnostic,
    findings::PolicyErrors,
    forbid::{Forbid, ForbidId},
    listing::{OnNotOwner, Visibility},
    loader::PolicyLoader,
    operation::{Operation, OperationId, OperationKind, Role, Scope},
    resources::Templates,
};

/// Tells compiled policies of one process apart, so that bits and ids of one mean nothing to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct PolicyId(u64);

impl PolicyId {
    pub(crate) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// Names to numbers of operations, by kind.
#[derive(Debug, Clone, Default)]
pub(crate) struct Indexes {
    pub(crate) tools: HashMap<String, u32>,
    pub(crate) prompts: HashMap<String, u32>,
    pub(crate) resources: HashMap<String, u32>,
    pub(crate) operations: HashMap<String, u32>,
}

impl Indexes {
    pub(crate) fn of(&self, kind: OperationKind) -> &HashMap<String, u32> {
        match kind {
            OperationKind::Tool => &self.tools,
            OperationKind::Prompt => &self.prompts,
            OperationKind::Resource => &self.resources,
            OperationKind::Operation => &self.operations,
        }
    }
}

/// A compiled policy. Immutable; share it in an `Arc`.
///
/// ```
/// use mcp_auth_policy::{OperationKind, Policy, Reach};
///
/// let policy = Policy::parse(
///     "
/// version: 1
/// scopes:
///   delete:todos: Delete any user's to-do items
/// objects:
///   todo: { owner: owner_id }
/// tools:
///   delete-todo: { requires: delete:todos, object: todo, owner_fallback: true }
/// ",
/// )?;
/// let delete = policy.find(OperationKind::Tool, "delete-todo").ok_or("no such tool")?;
/// assert_eq!(policy.decide(delete, &policy.grants(["delete:todos"])).reach, Reach::Any);
/// assert_eq!(policy.decide(delete, &policy.grants([])).reach, Reach::Own);
/// assert!(policy.find(OperationKind::Tool, "drop-table").is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Policy {
    pub(crate) id: PolicyId,
    pub(crate) name: String,
    pub(crate) file_name: String,
    pub(crate) canonical: String,
    pub(crate) revision: String,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) scope_numbers: HashMap<String, usize>,
    pub(crate) roles: Vec<Role>,
    pub(crate) role_numbers: HashMap<String, usize>,
    pub(crate) objects: usize,
    pub(crate) operations: Vec<Operation>,
    pub(crate) indexes: Indexes,
    pub(crate) templates: Templates,
    pub(crate) forbids: Vec<Forbid>,
    /// The forbids that are for everything, in the order of the file.
    pub(crate) forbids_everything: Box<[u32]>,
    pub(crate) callers: Callers,
    pub(crate) visibility: Visibility,
    pub(crate) on_not_owner: OnNotOwner,
    pub(crate) advertised: Vec<usize>,
    pub(crate) warnings: Vec<Diagnostic>,
}

impl Policy {
    /// Parses YAML text; the file is called `policy` in messages. [`Policy::loader`] sets the name and the size limit.
    ///
    /// # Errors
    /// Gives every mistake of the file at once.
    pub fn parse(text: &str) -> Result<Self, PolicyErrors> {
        Self::loader().parse(text)
    }

    /// Begins loading a file, with settings.
    pub fn loader() -> PolicyLoader {
        PolicyLoader::default()
    }

    /// Returns the name from `policy:`; without one, the file's name without folders and extension.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the hex SHA-256 of the canonical form: comments, spacing and key order do not change it.
    #[must_use]
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// Returns the policy in canonical form: a policy file in JSON, which is YAML, with everything that has no meaning taken out.
    ///
    /// Parsed, it gives a policy of the same revision.
    #[must_use]
    pub fn canonical(&self) -> &str {
        &self.canonical
    }

    /// Returns the forbids in the order of the file.
    pub fn forbids(&self) -> impl Iterator<Item = &Forbid> {
        self.forbids.iter()
    }

    /// Returns the forbid that a decision of this policy names.
    #[must_use]
    pub fn forbid(&self, id: ForbidId) -> Option<&Forbid> {
        self.forbids.get(usize::try_from(id.0).ok()?)
    }

    /// Returns the name of the file, as given to the loader.
    #[must_use]
    pub fn file_name(&self) -> &str {
        &self.file_name
    }

    /// Returns what is allowed but probably not meant, in the order of the lines; at most 100 findings.
    #[must_use]
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// Returns the scopes in the order of the file.
    pub fn scopes(&self) -> impl Iterator<Item = &Scope> {
        self.scopes.iter()
    }

    /// Returns a declared scope.
    #[must_use]
    pub fn scope(&self, name: &str) -> Option<&Scope> {
        self.scopes.get(self.scope_number(name)?)
    }

    /// Returns the names of the roles in the order of the file.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.roles.iter().map(|role| role.name.as_str())
    }

    /// Returns the scopes an authorization server issues to a role: its own and those of the roles it includes, not closed
    /// under `implies`, in the order of `scopes:`. `None` for a role that the policy does not declare.
    #[must_use]
    pub fn scopes_of_role(&self, role: &str) -> Option<Vec<&str>> {
        let role = self.roles.get(*self.role_numbers.get(role)?)?;
        let names = self
            .scopes
            .iter()
            .enumerate()
            .filter(|(number, _)| role.scopes.contains(*number));
        Some(names.map(|(_, scope)| scope.name.as_str()).collect())
    }

    /// Returns how many kinds of objects `objects:` declares.
    #[must_use]
    pub fn object_count(&self) -> usize {
        self.objects
    }

    /// Returns the operations of one kind in the order of the file.
    pub fn operations(&self, kind: OperationKind) -> impl Iterator<Item = &Operation> {
        self.operations.iter().filter(move |operation| operation.kind == kind)
    }

    /// Returns whether tokens of any issuer are read for roles.
    #[must_use]
    pub fn reads_roles(&self) -> bool {
        self.callers.map_roles()
    }

    /// Returns whether the policy lists anything of this kind.
    #[must_use]
    pub fn declares_any(&self, kind: OperationKind) -> bool {
        !self.indexes.of(kind).is_empty()
    }

    /// Finds an operation by name. `None` means that the policy does not list it, and thus that it is denied to everybody.
    #[must_use]
    pub fn find(&self, kind: OperationKind, name: &str) -> Option<OperationId> {
        self.indexes.of(kind).get(name).map(|index| self.operation_id(*index))
    }

    /// Finds the resource that a URI belongs to: one declared exactly so, else the template that matches. `None` means that the
    /// policy does not list it.
    ///
    /// URIs are compared as they are, letter by letter. A variable matches one path segment or a part of it; dot segments and
    /// encoded slashes match none, and neither does another spelling (`%41` for `A`) of a URI that is declared exactly. No two templates match the
    /// same URI: loading refuses them.
    #[must_use]
    pub fn find_resource(&self, uri: &str) -> Option<OperationId> {
        // A template as text is no URI: braces must be percent-encoded there (RFC 3986 section 2).
        if uri.contains(['{', '}']) {
            return None;
        }
        let index = self.indexes.resources.get(uri).copied();
        index
            .or_else(|| self.templates.find(uri))
            .map(|index| self.operation_id(index))
    }

    fn operation_id(&self, index: u32) -> OperationId {
        OperationId { policy: self.id, index }
    }

    /// Returns what is declared for an operation. `None` for an id that another policy gave out.
    #[must_use]
    pub fn operation(&self, id: OperationId) -> Option<&Operation> {
        if id.policy != self.id {
            return None;
        }
        self.operations.get(usize::try_from(id.index).ok()?)
    }

    /// Returns the scopes for `scopes_supported` (RFC 9728 section 2) and for the challenge of a call without a token.
    ///
    /// That is `advertise:` as written; without it, all scopes that operations or their owner fallbacks require, in the order of `scopes:`.
    #[must_use]
    pub fn advertised_scopes(&self) -> Vec<&str> {
        self.advertised
            .iter()
            .filter_map(|number| self.scope_name(*number))
            .collect()
    }

    pub(crate) fn id(&self) -> PolicyId {
        self.id
    }

    pub(crate) fn scope_number(&self, name: &str) -> Option<usize> {
        self.scope_numbers.get(name).copied()
    }

    pub(crate) fn scope_name(&self, number: usize) -> Option<&str> {
        self.scopes.get(number).map(|scope| scope.name.as_str())
    }
}
