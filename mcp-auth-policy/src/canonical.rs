//! The canonical form of a policy, and the revision that is its hash.

use std::{collections::BTreeMap, fmt::Write as _};

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{
    document::{Document, OperationEntry, OwnerFallback},
    fields::Named,
};

/// What a policy means, sorted where the order has no meaning.
///
/// The order of alternatives and of the scopes in one has a meaning: a challenge follows it. So has that of `advertise`.
#[derive(Serialize)]
struct Canonical<'d> {
    version: u32,
    policy: Option<&'d str>,
    scopes: BTreeMap<&'d str, CanonicalScope<'d>>,
    roles: BTreeMap<&'d str, CanonicalRole<'d>>,
    objects: BTreeMap<&'d str, Option<&'d str>>,
    tools: BTreeMap<&'d str, CanonicalOperation<'d>>,
    operations: BTreeMap<&'d str, CanonicalOperation<'d>>,
    advertise: Option<Vec<&'d str>>,
}

#[derive(Serialize)]
struct CanonicalScope<'d> {
    about: Option<&'d str>,
    implies: Vec<&'d str>,
}

#[derive(Serialize)]
struct CanonicalRole<'d> {
    scopes: Vec<&'d str>,
    includes: Vec<&'d str>,
}

#[derive(Serialize)]
struct CanonicalOperation<'d> {
    requires: Vec<Vec<&'d str>>,
    object: Option<&'d str>,
    owner_fallback: Option<Vec<&'d str>>,
}

/// Computes the hex SHA-256 of the canonical form as compact JSON.
pub(crate) fn revision(document: &Document) -> String {
    // Maps with text keys and texts always become JSON; an error would give the hash of nothing, never a panic.
    let json = serde_json::to_vec(&canonical(document)).unwrap_or_default();
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(&json) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

fn canonical(document: &Document) -> Canonical<'_> {
    Canonical {
        version: 1,
        policy: document.name.as_deref(),
        scopes: (document.scopes.iter())
            .map(|scope| {
                let canonical = CanonicalScope {
                    about: scope.about.as_deref(),
                    implies: sorted(&scope.implies),
                };
                (scope.id.name.as_str(), canonical)
            })
            .collect(),
        roles: (document.roles.iter())
            .map(|role| {
                let canonical = CanonicalRole {
                    scopes: sorted(&role.scopes),
                    includes: sorted(&role.includes),
                };
                (role.id.name.as_str(), canonical)
            })
            .collect(),
        objects: (document.objects.iter())
            .map(|object| (object.id.name.as_str(), object.owner.as_deref()))
            .collect(),
        tools: operations(&document.tools),
        operations: operations(&document.operations),
        advertise: document.advertise.as_deref().map(as_written),
    }
}

fn operations(entries: &[OperationEntry]) -> BTreeMap<&str, CanonicalOperation<'_>> {
    let mut canonical = BTreeMap::new();
    for entry in entries {
        let operation = CanonicalOperation {
            requires: entry.requires.alternatives.iter().map(|all| as_written(all)).collect(),
            object: entry.object.as_ref().map(|object| object.name.as_str()),
            owner_fallback: entry
                .owner_fallback
                .as_ref()
                .map(|OwnerFallback { scopes, .. }| sorted(scopes)),
        };
        canonical.insert(entry.id.name.as_str(), operation);
    }
    canonical
}

fn as_written(names: &[Named]) -> Vec<&str> {
    names.iter().map(|named| named.name.as_str()).collect()
}

fn sorted(names: &[Named]) -> Vec<&str> {
    let mut names = as_written(names);
    names.sort_unstable();
    names
}
