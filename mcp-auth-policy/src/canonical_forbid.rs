//! The canonical form of claim mappings and forbids.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Number;

use crate::{
    canonical::sorted,
    claim_path::ClaimPath,
    document::{ConditionEntry, ForbidEntry, MappingEntry},
    forbid::ValueAtom,
    value_test::{IfMissing, Scalar, ValueTest},
};

#[derive(Serialize)]
pub(crate) struct CanonicalMapping<'d> {
    /// Under this key every claim is good; loading has judged it.
    #[serde(skip_serializing_if = "Option::is_none")]
    dangerous_subject: Option<&'d ClaimPath>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<&'d ClaimPath>,
    #[serde(skip_serializing_if = "Option::is_none")]
    roles: Option<&'d ClaimPath>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role_names: Option<BTreeMap<&'d str, &'d str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    combine: Option<&'static str>,
}

#[derive(Serialize)]
pub(crate) struct CanonicalForbid<'d> {
    id: &'d str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    everything: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<&'d str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    prompts: Vec<&'d str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resources: Vec<&'d str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    operations: Vec<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    when: Option<CanonicalCondition<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unless: Option<CanonicalCondition<'d>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'d str>,
}

#[derive(Serialize)]
struct CanonicalCondition<'d> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scope: Vec<&'d str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    role: Vec<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<&'d str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    claim: Vec<CanonicalAtom<'d>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    arg: Vec<CanonicalAtom<'d>>,
}

#[derive(Serialize)]
struct CanonicalAtom<'d> {
    name: CanonicalName<'d>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is: Option<&'d Scalar>,
    #[serde(rename = "in", skip_serializing_if = "Option::is_none")]
    is_in: Option<&'d [Scalar]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min: Option<&'d Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<&'d Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    longer_than: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    present: Option<bool>,
    if_missing: IfMissing,
}

#[derive(Serialize)]
#[serde(untagged)]
enum CanonicalName<'d> {
    Claim(&'d ClaimPath),
    Argument(&'d str),
}

impl<'d> CanonicalMapping<'d> {
    pub(crate) fn of(entry: &'d MappingEntry) -> Self {
        let names = |names: &'d Vec<(String, crate::fields::Named)>| {
            let names = names.iter();
            names
                .map(|(value, role)| (value.as_str(), role.name.as_str()))
                .collect()
        };
        Self {
            dangerous_subject: entry.subject.as_ref().filter(|claim| !claim.is("sub")),
            scopes: entry.scopes.as_ref(),
            roles: entry.roles.as_ref(),
            role_names: entry.role_names.as_ref().map(names),
            combine: entry.union.map(|_| "union"),
        }
    }
}

impl<'d> CanonicalForbid<'d> {
    pub(crate) fn of(entry: &'d ForbidEntry) -> Self {
        Self {
            id: &entry.id.name,
            everything: entry.everything,
            tools: sorted(&entry.targets.tools),
            prompts: sorted(&entry.targets.prompts),
            resources: sorted(&entry.targets.resources),
            operations: sorted(&entry.targets.operations),
            when: (!entry.when.is_empty()).then(|| CanonicalCondition::of(&entry.when)),
            unless: entry.unless.as_ref().map(CanonicalCondition::of),
            message: entry.message.as_deref(),
        }
    }
}

impl<'d> CanonicalCondition<'d> {
    fn of(entry: &'d ConditionEntry) -> Self {
        Self {
            scope: sorted(&entry.scopes),
            role: sorted(&entry.roles),
            issuer: entry.issuer.as_ref().map(|issuer| issuer.name.as_str()),
            client: entry.client.as_ref().map(|client| client.name.as_str()),
            claim: (entry.claims.iter())
                .map(|atom| CanonicalAtom::of(atom, CanonicalName::Claim(&atom.path)))
                .collect(),
            arg: (entry.args.iter())
                .map(|atom| CanonicalAtom::of(atom, CanonicalName::Argument(atom.path.last())))
                .collect(),
        }
    }
}

impl<'d> CanonicalAtom<'d> {
    fn of(atom: &'d ValueAtom, name: CanonicalName<'d>) -> Self {
        let mut canonical = Self {
            name,
            is: None,
            is_in: None,
            min: None,
            max: None,
            longer_than: None,
            present: None,
            if_missing: atom.if_missing,
        };
        match &atom.test {
            ValueTest::Is(scalar) => canonical.is = Some(scalar),
            ValueTest::In(scalars) => canonical.is_in = Some(scalars),
            ValueTest::Min(least) => canonical.min = Some(least),
            ValueTest::Max(most) => canonical.max = Some(most),
            ValueTest::LongerThan(limit) => canonical.longer_than = Some(*limit),
            ValueTest::Present(present) => canonical.present = Some(*present),
        }
        canonical
    }
}
