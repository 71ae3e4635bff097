//! A policy file as written: names with their places, not yet linked to each other.

use crate::{fields::Named, source::Span};

#[derive(Debug, Default)]
pub(crate) struct Document {
    pub(crate) name: Option<String>,
    pub(crate) scopes: Vec<ScopeEntry>,
    pub(crate) roles: Vec<RoleEntry>,
    pub(crate) objects: Vec<ObjectEntry>,
    pub(crate) tools: Vec<OperationEntry>,
    pub(crate) operations: Vec<OperationEntry>,
    pub(crate) advertise: Option<Vec<Named>>,
}

#[derive(Debug)]
pub(crate) struct ScopeEntry {
    pub(crate) id: Named,
    pub(crate) about: Option<String>,
    pub(crate) implies: Vec<Named>,
}

#[derive(Debug)]
pub(crate) struct RoleEntry {
    pub(crate) id: Named,
    pub(crate) scopes: Vec<Named>,
    pub(crate) includes: Vec<Named>,
}

#[derive(Debug)]
pub(crate) struct ObjectEntry {
    pub(crate) id: Named,
    /// Absent only in a file with mistakes.
    pub(crate) owner: Option<String>,
}

#[derive(Debug)]
pub(crate) struct OperationEntry {
    pub(crate) id: Named,
    pub(crate) requires: Requires,
    pub(crate) object: Option<Named>,
    pub(crate) owner_fallback: Option<OwnerFallback>,
}

/// What `requires` says: any of the alternatives, all scopes of it.
#[derive(Debug)]
pub(crate) struct Requires {
    pub(crate) alternatives: Vec<Vec<Named>>,
    pub(crate) span: Span,
}

/// What `owner_fallback` says: the scopes that an owner must hold at least; none for `true`.
#[derive(Debug)]
pub(crate) struct OwnerFallback {
    pub(crate) scopes: Vec<Named>,
    pub(crate) span: Span,
}
