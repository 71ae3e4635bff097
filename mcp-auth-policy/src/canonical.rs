//! The canonical form of a policy, and the revision that is its hash.

use std::{collections::BTreeMap, fmt::Write as _};

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{
    OnNotOwner, OperationKind, OwnerKey, Visibility,
    canonical_forbid::{CanonicalForbid, CanonicalMapping},
    document::{CallersEntry, Document, OperationEntry, Requires},
    fields::Named,
    source::is_forbidden,
};

/// What a policy means, as a policy file, sorted where the order has no meaning.
///
/// The order of alternatives and of the scopes in one has a meaning: a challenge follows it. So has that of `advertise` and of
/// `forbid`: the first one that matches is the reason.
#[derive(Serialize)]
struct Canonical<'d> {
    version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'d str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    scopes: BTreeMap<&'d str, CanonicalScope<'d>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    roles: BTreeMap<&'d str, CanonicalRole<'d>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    objects: BTreeMap<&'d str, CanonicalObject<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    callers: Option<CanonicalCallers<'d>>,
    tools: BTreeMap<&'d str, CanonicalOperation<'d>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    prompts: BTreeMap<&'d str, CanonicalOperation<'d>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    resources: BTreeMap<&'d str, CanonicalOperation<'d>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    operations: BTreeMap<&'d str, CanonicalOperation<'d>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    forbid: Vec<CanonicalForbid<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    advertise: Option<&'d [Named]>,
    visibility: &'static str,
    on_not_owner: &'static str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum CanonicalScope<'d> {
    Described(&'d str),
    Full {
        #[serde(skip_serializing_if = "Option::is_none")]
        about: Option<&'d str>,
        implies: Vec<&'d str>,
    },
}

#[derive(Serialize)]
struct CanonicalRole<'d> {
    scopes: Vec<&'d str>,
    includes: Vec<&'d str>,
}

#[derive(Serialize)]
struct CanonicalObject<'d> {
    owner: Option<&'d str>,
}

#[derive(Serialize)]
struct CanonicalCallers<'d> {
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<CanonicalMapping<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuers: Option<BTreeMap<&'d str, CanonicalMapping<'d>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner_key: Option<&'static str>,
}

#[derive(Serialize)]
struct CanonicalOperation<'d> {
    requires: CanonicalRequires<'d>,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner_fallback: Option<CanonicalFallback<'d>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum CanonicalRequires<'d> {
    All(&'d [Named]),
    Any { any: Vec<&'d Named> },
}

#[derive(Serialize)]
#[serde(untagged)]
enum CanonicalFallback<'d> {
    Anybody(bool),
    Holding(Vec<&'d str>),
}

/// Prints a policy so that parsing it again gives the same policy.
pub(crate) fn canonical(document: &Document) -> String {
    // Maps with text keys and texts always become JSON; an error would give no policy at all, never a panic.
    // Each entry has a line of its own: YAML allows a key only in the first 1024 characters of a line.
    let json = serde_json::to_string_pretty(&of(document)).unwrap_or_default();
    // JSON escapes the control characters of ASCII, all but the last one.
    if json.bytes().all(|b| b < 0x7f) {
        return json;
    }
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if is_forbidden(c) {
            let _ = write!(text, "\\u{:04x}", u32::from(c));
        } else {
            text.push(c);
        }
    }
    text
}

/// Computes the hex SHA-256 of the canonical form.
pub(crate) fn revision(canonical: &str) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(canonical) {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

fn of(document: &Document) -> Canonical<'_> {
    Canonical {
        version: 1,
        policy: document.name.as_deref(),
        scopes: (document.scopes.iter())
            .map(|scope| {
                let about = scope.about.as_deref();
                let canonical = match about {
                    Some(about) if scope.implies.is_empty() => CanonicalScope::Described(about),
                    _ => CanonicalScope::Full {
                        about,
                        implies: sorted(&scope.implies),
                    },
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
            .map(|object| {
                let owner = object.owner.as_deref();
                (object.id.name.as_str(), CanonicalObject { owner })
            })
            .collect(),
        callers: callers(&document.callers),
        tools: operations(document, OperationKind::Tool),
        prompts: operations(document, OperationKind::Prompt),
        resources: operations(document, OperationKind::Resource),
        operations: operations(document, OperationKind::Operation),
        forbid: document.forbids.iter().map(CanonicalForbid::of).collect(),
        advertise: document.advertise.as_deref(),
        visibility: match document.visibility {
            Visibility::All => "all",
            Visibility::Obtainable => "obtainable",
            Visibility::Granted => "granted",
        },
        on_not_owner: match document.on_not_owner {
            OnNotOwner::Hide => "hide",
            OnNotOwner::StepUp => "step_up",
        },
    }
}

fn callers(entry: &CallersEntry) -> Option<CanonicalCallers<'_>> {
    let canonical = CanonicalCallers {
        default: entry.default.as_ref().map(CanonicalMapping::of),
        issuers: entry.issuers.as_ref().map(|issuers| {
            let issuers = issuers.iter();
            issuers
                .map(|(issuer, mapping)| (issuer.name.as_str(), CanonicalMapping::of(mapping)))
                .collect()
        }),
        owner_key: entry.owner_key.map(|key| match key {
            OwnerKey::Subject => "subject",
            OwnerKey::IssuerAndSubject => "issuer_and_subject",
        }),
    };
    let says_something = canonical.default.is_some() || canonical.issuers.is_some() || canonical.owner_key.is_some();
    says_something.then_some(canonical)
}

fn operations(document: &Document, kind: OperationKind) -> BTreeMap<&str, CanonicalOperation<'_>> {
    let entries = document.operations.get(kind).iter();
    entries
        .map(|entry| (entry.id.name.as_str(), operation(entry)))
        .collect()
}

fn operation(entry: &OperationEntry) -> CanonicalOperation<'_> {
    let Requires { alternatives, .. } = &entry.requires;
    CanonicalOperation {
        requires: match alternatives.as_slice() {
            [all] => CanonicalRequires::All(all),
            any => CanonicalRequires::Any {
                any: any.iter().flatten().collect(),
            },
        },
        object: entry.object.as_ref().map(|object| object.name.as_str()),
        owner_fallback: entry
            .owner_fallback
            .as_ref()
            .map(|fallback| match fallback.scopes.is_empty() {
                true => CanonicalFallback::Anybody(true),
                false => CanonicalFallback::Holding(sorted(&fallback.scopes)),
            }),
    }
}

pub(crate) fn sorted(names: &[Named]) -> Vec<&str> {
    let mut names: Vec<&str> = names.iter().map(|named| named.name.as_str()).collect();
    names.sort_unstable();
    names
}
