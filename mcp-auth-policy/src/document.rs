//! A policy file as written: names with their places, not yet linked to each other.

use crate::{
    OperationKind,
    callers::OwnerKey,
    claim_path::ClaimPath,
    fields::Named,
    forbid::ValueAtom,
    listing::{OnNotOwner, Visibility},
    source::Span,
    uri_template::UriTemplate,
};

#[derive(Debug, Default)]
pub(crate) struct Document {
    pub(crate) name: Option<String>,
    pub(crate) scopes: Vec<ScopeEntry>,
    pub(crate) roles: Vec<RoleEntry>,
    pub(crate) objects: Vec<ObjectEntry>,
    pub(crate) callers: CallersEntry,
    pub(crate) operations: ByKind<Vec<OperationEntry>>,
    pub(crate) forbids: Vec<ForbidEntry>,
    pub(crate) advertise: Option<Vec<Named>>,
    pub(crate) visibility: Visibility,
    pub(crate) on_not_owner: OnNotOwner,
}

/// One value for each section of operations.
#[derive(Debug, Default)]
pub(crate) struct ByKind<T> {
    pub(crate) tools: T,
    pub(crate) prompts: T,
    pub(crate) resources: T,
    pub(crate) operations: T,
}

impl<T> ByKind<T> {
    /// Makes a value for each kind, in the order of [`OperationKind::ALL`].
    pub(crate) fn each(mut make: impl FnMut(OperationKind) -> T) -> Self {
        Self {
            tools: make(OperationKind::Tool),
            prompts: make(OperationKind::Prompt),
            resources: make(OperationKind::Resource),
            operations: make(OperationKind::Operation),
        }
    }

    pub(crate) fn get(&self, kind: OperationKind) -> &T {
        match kind {
            OperationKind::Tool => &self.tools,
            OperationKind::Prompt => &self.prompts,
            OperationKind::Resource => &self.resources,
            OperationKind::Operation => &self.operations,
        }
    }
}

impl<T> ByKind<Vec<T>> {
    /// Gives all values, in the order of [`OperationKind::ALL`].
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        OperationKind::ALL.into_iter().flat_map(|kind| self.get(kind))
    }
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
    /// Present for a resource with variables.
    pub(crate) template: Option<UriTemplate>,
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

#[derive(Debug, Default)]
pub(crate) struct CallersEntry {
    pub(crate) default: Option<MappingEntry>,
    pub(crate) issuers: Option<Vec<(Named, MappingEntry)>>,
    pub(crate) owner_key: Option<OwnerKey>,
}

/// How the tokens of one issuer are read.
#[derive(Debug, Default)]
pub(crate) struct MappingEntry {
    pub(crate) subject: Option<ClaimPath>,
    pub(crate) scopes: Option<ClaimPath>,
    pub(crate) roles: Option<ClaimPath>,
    /// Values of the claim with the roles that they stand for.
    pub(crate) role_names: Option<Vec<(String, Named)>>,
    /// Where `combine: union` is written.
    pub(crate) union: Option<Span>,
}

#[derive(Debug)]
pub(crate) struct ForbidEntry {
    pub(crate) id: Named,
    pub(crate) everything: bool,
    pub(crate) targets: ByKind<Vec<Named>>,
    pub(crate) when: ConditionEntry,
    pub(crate) unless: Option<ConditionEntry>,
    pub(crate) message: Option<String>,
}

/// Atoms that must all hold.
#[derive(Debug, Default)]
pub(crate) struct ConditionEntry {
    pub(crate) scopes: Vec<Named>,
    pub(crate) roles: Vec<Named>,
    pub(crate) issuer: Option<Named>,
    pub(crate) client: Option<Named>,
    pub(crate) claims: Vec<ValueAtom>,
    pub(crate) args: Vec<ValueAtom>,
}

impl ConditionEntry {
    /// Tells whether it asks for nothing, so that it always holds.
    pub(crate) fn is_empty(&self) -> bool {
        let values = self.claims.is_empty() && self.args.is_empty();
        self.scopes.is_empty() && self.roles.is_empty() && self.issuer.is_none() && self.client.is_none() && values
    }
}
