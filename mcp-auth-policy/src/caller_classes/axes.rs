//! The places of a token or a call where classes differ, and what can be there.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{
    Token, TooManyClasses,
    interest::Interest,
    names::{self, Name},
    observe::{self, Slot},
    values::candidates,
};
use crate::{
    bits::Bits,
    claim_path::{ClaimPath, Found},
    value_test::{Scalar, Side, ValueTest},
};

/// One place, and representatives of everything that can be there.
#[derive(Debug)]
pub(crate) struct Axis {
    pub(crate) place: Place,
    pub(crate) path: ClaimPath,
    pub(crate) tests: Vec<ValueTest>,
    /// The scopes or roles that matter here.
    pub(crate) names: Vec<Name>,
    /// The values are sets of these names, and nothing else.
    pub(crate) is_set: bool,
    /// The names are what the issuer calls roles.
    pub(crate) are_roles: bool,
    pub(crate) values: Vec<AxisValue>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The standard scopes; `true` if policies look at the claim `scope` otherwise too.
    Scopes(bool),
    Claim,
    Client,
    Argument,
}

#[derive(Debug)]
pub(crate) struct AxisValue {
    /// `None` is absence. No policy tells these apart, the plainest comes first.
    pub(crate) alike: Vec<Option<Value>>,
    /// What the policies see of it.
    pub(crate) observed: Bits,
}

pub(super) fn of_arguments(interest: &Interest<'_>) -> Result<Vec<Axis>, TooManyClasses> {
    let arguments = interest.arguments.iter();
    arguments
        .map(|(path, tested)| {
            let tests = tested.iter().map(|tested| &tested.atom.test);
            let values = std::iter::once(None).chain(candidates(tests.clone())?.into_iter().map(Some));
            Ok(Axis {
                place: Place::Argument,
                path: (*path).clone(),
                tests: tests.cloned().collect(),
                names: Vec::new(),
                is_set: false,
                are_roles: false,
                values: distinct(values, |found| observe::tested(tested, found)),
            })
        })
        .collect()
}

pub(super) fn of_issuer(
    interest: &Interest<'_>,
    issuer: &str,
    slots: &[Slot<'_>],
) -> Result<Vec<Axis>, TooManyClasses> {
    let mut axes: Vec<Axis> = slots
        .iter()
        .map(|slot| of_slot(interest, issuer, slot))
        .collect::<Result<_, _>>()?;
    axes.extend(of_client(interest));
    Ok(axes)
}

fn of_slot(interest: &Interest<'_>, issuer: &str, slot: &Slot<'_>) -> Result<Axis, TooManyClasses> {
    let is_standard = slot.path.is("scope");
    let observe = |found: Found<'_>| slot.observe(interest, found);
    let names = names::of_slot(interest, slot);
    let sets = names::sets(&names)?;
    let mut values = vec![None];
    let not_empty = sets.iter().filter(|set| !set.is_empty());
    values.extend(not_empty.map(|set| Some(names::list(set, is_standard))));
    if !slot.tested.is_empty() {
        values.extend(candidates(slot.tests())?.into_iter().map(Some));
        values.extend(names::texts(slot, &names, &sets).into_iter().map(Some));
    }
    if slot.is_outer {
        values.push(Some(Value::Object(Map::new())));
    }
    if slot.path.is("iss") {
        values = vec![Some(issuer).filter(|issuer| !issuer.is_empty()).map(Value::from)];
    }
    values.retain(|value| can_hold(&slot.path, value.as_ref()));
    let is_seen = slot.is_tested() || slot.readers.iter().any(|reader| reader.roles.is_some());
    Ok(Axis {
        place: if is_standard {
            Place::Scopes(is_seen)
        } else {
            Place::Claim
        },
        path: slot.path.clone(),
        tests: slot.tests().cloned().collect(),
        is_set: !names.is_empty() && !slot.is_tested(),
        are_roles: slot.readers.iter().any(|reader| reader.roles.is_some()),
        names,
        values: distinct(values.into_iter(), observe),
    })
}

/// The verifier refuses tokens whose standard claims have other types.
fn can_hold(path: &ClaimPath, value: Option<&Value>) -> bool {
    match path.names() {
        [name] if ["sub", "scope", "client_id"].contains(&name.as_str()) => {
            matches!(value, None | Some(Value::String(_)))
        }
        [name] if ["exp", "nbf", "iat"].contains(&name.as_str()) => matches!(value, None | Some(Value::Number(_))),
        _ => true,
    }
}

fn of_client(interest: &Interest<'_>) -> Option<Axis> {
    if interest.clients.is_empty() {
        return None;
    }
    let mut clients: Vec<&str> = interest.clients.iter().map(|(client, _)| *client).collect();
    clients.sort_unstable();
    clients.dedup();
    let mut other = "other".to_owned();
    while clients.contains(&other.as_str()) {
        other.push('s');
    }
    let values = [other.as_str()].into_iter().chain(clients.iter().copied());
    let values = std::iter::once(None).chain(values.map(|client| Some(Value::from(client))));
    let observe = |found: Found<'_>| {
        let of_condition = |(client, side): &(&str, Side)| match found {
            Found::Value(value) => value.as_str() == Some(client),
            _ => *side == Side::When,
        };
        interest.clients.iter().map(of_condition).collect()
    };
    Some(Axis {
        place: Place::Client,
        path: ClaimPath::parse("client_id")?,
        tests: (clients.iter())
            .map(|client| ValueTest::Is(Scalar::Text((*client).to_owned())))
            .collect(),
        names: Vec::new(),
        is_set: false,
        are_roles: false,
        values: distinct(values, observe),
    })
}

/// Puts values together that nobody tells apart.
fn distinct(values: impl Iterator<Item = Option<Value>>, observe: impl Fn(Found<'_>) -> Vec<bool>) -> Vec<AxisValue> {
    let mut places: HashMap<Bits, usize> = HashMap::new();
    let mut distinct: Vec<AxisValue> = Vec::new();
    for value in values {
        let observed = Bits::of(&observe(value.as_ref().map_or(Found::Missing, Found::Value)));
        let place = *places.entry(observed.clone()).or_insert(distinct.len());
        match distinct.get_mut(place) {
            Some(same) if same.alike.contains(&value) => {}
            Some(same) => same.alike.push(value),
            None => distinct.push(AxisValue {
                alike: vec![value],
                observed,
            }),
        }
    }
    distinct
}

impl Axis {
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    pub(crate) fn value(&self, number: usize) -> Option<&Value> {
        self.values.get(number)?.alike.first()?.as_ref()
    }

    /// What the policies see if nothing is there; on an axis of sets, what the empty set gives.
    pub(crate) fn of_nothing(&self) -> Bits {
        let absence = self.values.first();
        absence.map_or(Bits::empty(0), |value| value.observed.clone())
    }

    pub(super) fn longest_text(&self) -> usize {
        let lengths = (0..self.len()).filter_map(|number| self.value(number)?.as_str().map(str::len));
        lengths.max().unwrap_or_default()
    }

    /// Puts a value into a token.
    pub(super) fn put(&self, number: usize, token: &mut Token) {
        let value = self.value(number);
        let text = value.and_then(Value::as_str);
        match self.place {
            Place::Client => token.client = text.map(str::to_owned),
            Place::Scopes(_) => {
                let scopes = text.unwrap_or_default().split(' ').filter(|scope| !scope.is_empty());
                token.scopes = scopes.map(str::to_owned).collect();
            }
            Place::Claim | Place::Argument => {}
        }
        if matches!(self.place, Place::Claim | Place::Scopes(true)) {
            insert(&mut token.claims, self.path.names(), value);
        }
    }
}

/// Puts a value where a path leads, as far as it leads there.
pub(super) fn insert(members: &mut Map<String, Value>, path: &[String], value: Option<&Value>) {
    let (Some((name, rest)), Some(value)) = (path.split_first(), value) else {
        return;
    };
    if rest.is_empty() {
        members.insert(name.clone(), value.clone());
        return;
    }
    let inner = members.entry(name.clone()).or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(inner) = inner {
        insert(inner, rest, Some(value));
    }
}

/// Tells whether the claims are what was chosen: of overlapping paths, one may leave no room for the other.
pub(super) fn agrees(
    interest: &Interest<'_>,
    axes: &[Axis],
    numbers: &[usize],
    slots: &[Slot<'_>],
    claims: &Map<String, Value>,
) -> bool {
    if !slots.iter().any(|slot| slot.is_outer) {
        return true;
    }
    // The axes of claims come first, in the order of the slots.
    let mut chosen = slots.iter().zip(axes.iter().zip(numbers));
    chosen.all(|(slot, (axis, number))| {
        let hidden = axis.place == Place::Scopes(false);
        let chosen = axis.values.get(*number).map(|value| &value.observed);
        hidden || chosen == Some(&Bits::of(&slot.observe(interest, slot.path.find(claims))))
    })
}
