//! Skeleton: the public surface that the other crates are written against.
#![allow(
    missing_docs,
    missing_debug_implementations,
    clippy::unimplemented,
    reason = "skeleton, replaced by the real crate"
)]

use std::sync::Arc;

/// What a caller may reach: nothing, only what it owns, or everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    Deny,
    Own,
    Any,
}

/// What is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OperationKind {
    Tool,
    Operation,
}

/// Index of an operation in the policy that gave it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OperationId(u32);

/// Why. Closed vocabulary; `code()` gives `open | scope | owner | unknown-tool | missing-scope | not-owner | owner-unknown`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Because {
    Open,
    Scope,
    Owner,
    UnknownOperation,
    MissingScope,
    NotOwner,
    OwnerUnknown,
}
impl Because {
    pub fn code(self) -> &'static str {
        unimplemented!()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Decision {
    pub reach: Reach,
    pub because: Because,
}

/// The scopes of one caller, closed under `implies`, as bits of one policy. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Grants(Arc<[u64]>);

/// What an annotation in the code demands; all of one alternative.
#[derive(Debug, Clone, Copy)]
pub struct Annotation<'a> {
    /// Any of these, each all of. One empty alternative means every authenticated caller.
    pub requires: &'a [&'a [&'a str]],
    pub owner_fallback: bool,
}

/// Why a policy lets more callers in than an annotation.
#[derive(Debug, Clone)]
pub struct Looser {
    /// A caller holding exactly these scopes ...
    pub example_scopes: Vec<String>,
    /// ... gets this from the policy ...
    pub policy_reach: Reach,
    /// ... and this from the annotation.
    pub annotation_reach: Reach,
    /// Line in the policy file.
    pub line: usize,
}

/// The scopes that would allow a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Challenge {
    /// every scope of the chosen alternative, as written
    pub scopes: Vec<String>,
    /// the part of them the caller lacks
    pub missing: Vec<String>,
}

/// One tool or operation as declared.
#[derive(Debug)]
pub struct Operation {}
impl Operation {
    pub fn name(&self) -> &str {
        unimplemented!()
    }
    pub fn kind(&self) -> OperationKind {
        unimplemented!()
    }
    pub fn object(&self) -> Option<&str> {
        unimplemented!()
    }
    /// The scopes of `requires`, each alternative as written.
    pub fn requires(&self) -> &[Vec<String>] {
        unimplemented!()
    }
    pub fn has_owner_fallback(&self) -> bool {
        unimplemented!()
    }
    pub fn line(&self) -> usize {
        unimplemented!()
    }
}

/// One declared scope.
#[derive(Debug)]
pub struct Scope {}
impl Scope {
    pub fn name(&self) -> &str {
        unimplemented!()
    }
    pub fn about(&self) -> Option<&str> {
        unimplemented!()
    }
    pub fn line(&self) -> usize {
        unimplemented!()
    }
}

/// A compiled policy. Immutable; share it in an `Arc`.
#[derive(Debug)]
pub struct Policy {}
impl Policy {
    /// Parses YAML text; the file is called `policy` in messages.
    pub fn parse(_text: &str) -> Result<Self, PolicyErrors> {
        unimplemented!()
    }
    pub fn loader() -> PolicyLoader {
        unimplemented!()
    }
    pub fn name(&self) -> &str {
        unimplemented!()
    }
    /// Hex SHA-256 of the canonical form: comments, spacing and key order do not change it.
    pub fn revision(&self) -> &str {
        unimplemented!()
    }
    /// The name of the file, as given to the loader.
    pub fn file_name(&self) -> &str {
        unimplemented!()
    }
    /// In the order of the file.
    pub fn scopes(&self) -> impl Iterator<Item = &Scope> {
        std::iter::empty()
    }
    pub fn scope(&self, _name: &str) -> Option<&Scope> {
        unimplemented!()
    }
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        std::iter::empty()
    }
    /// The scopes an authorization server issues to a role: its own and those of the roles it includes, not closed under `implies`.
    pub fn scopes_of_role(&self, _role: &str) -> Option<Vec<&str>> {
        unimplemented!()
    }
    pub fn operations(&self, _kind: OperationKind) -> impl Iterator<Item = &Operation> {
        std::iter::empty()
    }
    pub fn find(&self, _kind: OperationKind, _name: &str) -> Option<OperationId> {
        unimplemented!()
    }
    pub fn operation(&self, _id: OperationId) -> Option<&Operation> {
        unimplemented!()
    }
    /// Scopes that the policy does not declare are ignored.
    pub fn grants<'a>(&self, _scopes: impl IntoIterator<Item = &'a str>) -> Grants {
        unimplemented!()
    }
    /// Constant time in the size of the policy, no allocation. An id of another policy denies.
    pub fn decide(&self, _id: OperationId, _grants: &Grants) -> Decision {
        unimplemented!()
    }
    /// What an annotation alone would answer for these grants.
    pub fn decide_annotation(&self, _annotation: &Annotation<'_>, _grants: &Grants) -> Reach {
        unimplemented!()
    }
    /// `None` when no scope can help, or when the caller already reaches `any`.
    pub fn challenge(&self, _id: OperationId, _grants: &Grants) -> Option<Challenge> {
        unimplemented!()
    }
    /// Scopes for `scopes_supported` and the first 401: `advertise:`, or all that operations require, in the order of `scopes:`.
    pub fn advertised_scopes(&self) -> Vec<&str> {
        unimplemented!()
    }
    /// Proves that the policy never reaches further than the annotation, or gives a counterexample.
    pub fn compare(&self, _id: OperationId, _annotation: &Annotation<'_>) -> Result<(), Looser> {
        unimplemented!()
    }
    /// The declared scope nearest to a misspelt one.
    pub fn suggest_scope(&self, _name: &str) -> Option<&str> {
        unimplemented!()
    }
    /// The declared operation of this kind nearest to a misspelt one.
    pub fn suggest_operation(&self, _kind: OperationKind, _name: &str) -> Option<&str> {
        unimplemented!()
    }
}

#[derive(Debug)]
pub struct PolicyLoader {}
impl PolicyLoader {
    #[must_use]
    pub fn file_name(self, _name: impl Into<String>) -> Self {
        self
    }
    #[must_use]
    pub fn max_bytes(self, _bytes: usize) -> Self {
        self
    }
    pub fn parse(self, _text: &str) -> Result<Policy, PolicyErrors> {
        unimplemented!()
    }
}

/// Every mistake of one file. `Display` gives the report with line, column, source line and help.
#[derive(Debug, Clone)]
pub struct PolicyErrors {}
impl std::fmt::Display for PolicyErrors {
    fn fmt(&self, _f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        unimplemented!()
    }
}
impl std::error::Error for PolicyErrors {}
