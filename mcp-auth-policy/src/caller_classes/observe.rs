//! What the policies see of the value in one place of a token, asked from their own code.

use std::collections::BTreeMap;

use serde_json::Value;

use super::interest::{Interest, Interested, Tested};
use crate::{
    bits::Bits,
    callers::{self, RoleSource, ScopeSource},
    claim_path::{ClaimPath, Found},
    value_test::ValueTest,
};

/// A claim that policies look at, and why. The standard scopes are the claim `scope`.
#[derive(Debug)]
pub(super) struct Slot<'p> {
    pub(super) path: ClaimPath,
    pub(super) tested: Vec<Tested<'p>>,
    pub(super) readers: Vec<Reader<'p>>,
    /// Another claim lies inside of this one.
    pub(super) is_outer: bool,
}

/// A policy that reads scopes or roles from a claim.
#[derive(Debug)]
pub(super) struct Reader<'p> {
    pub(super) by: usize,
    pub(super) roles: Option<&'p RoleSource>,
}

/// Lists the claims that matter in tokens of one issuer, outer ones first.
pub(super) fn slots<'p>(interest: &Interest<'p>, issuer: &str) -> Vec<Slot<'p>> {
    let mut slots: BTreeMap<ClaimPath, Slot<'p>> = BTreeMap::new();
    let mut slot = |path: &ClaimPath, tested: &[Tested<'p>], reader: Option<Reader<'p>>| {
        let slot = slots.entry(path.clone()).or_insert_with(|| Slot {
            path: path.clone(),
            tested: Vec::new(),
            readers: Vec::new(),
            is_outer: false,
        });
        slot.tested.extend_from_slice(tested);
        slot.readers.extend(reader);
    };
    for (path, tested) in &interest.claims {
        slot(path, tested, None);
    }
    let standard = ClaimPath::parse("scope");
    for (by, interested) in interest.policies.iter().enumerate() {
        let Some(mapping) = interested.policy.callers.mapping(issuer) else {
            continue;
        };
        let scopes = match &mapping.scopes {
            ScopeSource::Standard => standard.as_ref(),
            ScopeSource::Claim(claim) => Some(claim),
            ScopeSource::Nothing => None,
        };
        if let Some(path) = scopes {
            slot(path, &[], Some(Reader { by, roles: None }));
        }
        if let Some(source) = &mapping.roles {
            let roles = Some(source);
            slot(&source.claim, &[], Some(Reader { by, roles }));
        }
    }
    let paths: Vec<ClaimPath> = slots.keys().cloned().collect();
    let mut slots: Vec<Slot<'p>> = slots.into_values().collect();
    for slot in &mut slots {
        slot.is_outer = paths.iter().any(|path| slot.path.leads_to(path));
    }
    slots
}

/// The answers of all tests to a value.
pub(super) fn tested(tests: &[Tested<'_>], found: Found<'_>) -> Vec<bool> {
    let answers = tests.iter().map(|Tested { atom, side }| {
        let test = &atom.test;
        test.holds(found, atom.if_missing, *side)
    });
    answers.collect()
}

impl<'p> Slot<'p> {
    pub(super) fn tests(&self) -> impl Iterator<Item = &'p ValueTest> + Clone {
        self.tested.iter().map(|tested| &tested.atom.test)
    }

    /// Tells whether more is seen here than sets of names.
    pub(super) fn is_tested(&self) -> bool {
        self.is_outer || !self.tested.is_empty()
    }

    /// Tells whether one name brings the other with it, for everybody who reads it here.
    pub(super) fn implies(&self, interest: &Interest<'p>, name: &str, other: &str) -> bool {
        let mut readers = self.readers.iter();
        readers.all(|reader| {
            let Some(policy) = interest.policies.get(reader.by).map(|interested| interested.policy) else {
                return false;
            };
            match reader.roles {
                None => {
                    let (scope, other) = (policy.scope(name), policy.scope_number(other));
                    scope
                        .zip(other)
                        .is_some_and(|(scope, other)| scope.closure.contains(other))
                }
                Some(source) => {
                    let (role, other) = (source.role(name, policy), source.role(other, policy));
                    role.zip(other)
                        .is_some_and(|(role, other)| other.included.is_within(&role.included))
                }
            }
        })
    }

    /// Everything that any of the policies sees of a value here. Equal answers mean equal decisions.
    pub(super) fn observe(&self, interest: &Interest<'p>, found: Found<'_>) -> Vec<bool> {
        let mut seen = tested(&self.tested, found);
        // What lies inside can be there, is missing, or is of the wrong type.
        seen.push(self.is_outer && matches!(found, Found::Value(Value::Object(_))));
        seen.push(self.is_outer && found == Found::Missing);
        seen.extend(self.given(interest, found));
        seen
    }

    /// The scopes and roles of interest that the policies read from a value here.
    pub(super) fn given(&self, interest: &Interest<'p>, found: Found<'_>) -> Vec<bool> {
        let readers = self.readers.iter();
        let readers = readers.filter_map(|reader| Some((interest.policies.get(reader.by)?, reader.roles)));
        readers
            .flat_map(|(interested, roles)| match roles {
                Some(source) => roles_given(interested, source, found),
                None => {
                    let tokens = callers::scope_values(found);
                    interested.of_interest(Some(&interested.policy.closure_of_names(tokens)))
                }
            })
            .collect()
    }
}

fn roles_given(interested: &Interested<'_>, source: &RoleSource, found: Found<'_>) -> Vec<bool> {
    let policy = interested.policy;
    let (mut scopes, mut roles) = (policy.no_scopes(), Bits::empty(policy.roles.len()));
    let values = callers::role_values(found);
    for role in values.iter().filter_map(|value| source.role(value, policy)) {
        scopes.extend(&role.closure);
        roles.extend(&role.included);
    }
    let mut given = interested.of_interest(Some(&scopes));
    given.extend(interested.roles.iter().map(|role| roles.contains(*role)));
    given
}
