//! The places of a token or a call where classes differ, and what can be there.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{
    Token, TooManyClasses,
    interest::Interest,
    joins::joins,
    observe::{self, Slot},
    values::{candidates, text_of},
};
use crate::{
    claim_path::{ClaimPath, Found},
    value_test::{Side, ValueTest},
};

/// One place, and representatives of everything that can be there.
#[derive(Debug)]
pub(crate) struct Axis {
    pub(crate) place: Place,
    pub(crate) path: ClaimPath,
    /// Names of scopes or roles that a set may have here; those of one group give the same.
    pub(crate) names: Vec<Vec<String>>,
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
    observed: Vec<bool>,
}

pub(super) fn of_arguments(interest: &Interest<'_>) -> Result<Vec<Axis>, TooManyClasses> {
    let arguments = interest.arguments.iter();
    arguments
        .map(|(path, tested)| {
            let tests = tested.iter().map(|tested| &tested.atom.test);
            let values = std::iter::once(None).chain(candidates(tests)?.into_iter().map(Some));
            Ok(Axis {
                place: Place::Argument,
                path: (*path).clone(),
                names: Vec::new(),
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
    let (names, sets) = sets_of_names(interest, slot)?;
    let mut values = vec![None];
    values.extend(
        sets.iter()
            .filter(|set| !set.is_empty())
            .map(|set| Some(list(set, is_standard))),
    );
    if !slot.tested.is_empty() {
        let tests = slot.tested.iter().map(|tested| &tested.atom.test);
        values.extend(candidates(tests)?.into_iter().map(Some));
        values.extend(texts_with_names(slot, &names, &sets).into_iter().map(Some));
    }
    if slot.is_outer {
        values.push(Some(Value::Object(Map::new())));
    }
    if slot.path.is("iss") {
        values = vec![Some(issuer).filter(|issuer| !issuer.is_empty()).map(Value::from)];
    }
    values.retain(|value| can_hold(&slot.path, value.as_ref()));
    let is_seen = !slot.tested.is_empty() || slot.is_outer || slot.readers.iter().any(|reader| reader.roles.is_some());
    Ok(Axis {
        place: if is_standard {
            Place::Scopes(is_seen)
        } else {
            Place::Claim
        },
        path: slot.path.clone(),
        names,
        values: distinct(values.into_iter(), observe),
    })
}

type Groups = Vec<Vec<String>>;
type Sets<'n> = Vec<Vec<String>>;

/// The names that matter here, in groups that give the same, and a smallest set of names for all that sets of them give.
fn sets_of_names<'n>(interest: &Interest<'_>, slot: &Slot<'_>) -> Result<(Groups, Sets<'n>), TooManyClasses> {
    let mut candidates: Vec<&str> = Vec::new();
    for reader in &slot.readers {
        let Some(interested) = interest.policies.get(reader.by) else {
            continue;
        };
        match reader.roles.map(|source| &source.names) {
            None if slot.tested.is_empty() => candidates.extend(interest.tokens.iter().map(String::as_str)),
            // How the text of the claim is made up may matter too.
            None => candidates.extend(interested.policy.scopes().map(crate::Scope::name)),
            Some(Some(names)) => {
                let mut names: Vec<&str> = names.keys().map(String::as_str).collect();
                names.sort_unstable();
                candidates.extend(names);
            }
            Some(None) => candidates.extend(interested.policy.roles()),
        }
    }
    let mut known = HashSet::new();
    let mut groups: Groups = Vec::new();
    let mut gives: Vec<Vec<bool>> = Vec::new();
    for name in candidates.into_iter().filter(|name| known.insert(*name)) {
        let value = Value::from(name);
        let given = slot.given(interest, Found::Value(&value));
        if !given.contains(&true) {
            continue;
        }
        match gives
            .iter()
            .position(|other| *other == given)
            .and_then(|at| groups.get_mut(at))
        {
            Some(group) => group.push(name.to_owned()),
            None => {
                groups.push(vec![name.to_owned()]);
                gives.push(given);
            }
        }
    }
    let first = |group: &usize| groups.get(*group)?.first().cloned();
    let sets = joins(&gives)?;
    let sets = sets.iter().map(|set| set.members.iter().filter_map(first).collect());
    let sets = sets.collect();
    Ok((groups, sets))
}

fn list(names: &[String], is_standard: bool) -> Value {
    if is_standard {
        Value::from(names.join(" "))
    } else {
        Value::from(names)
    }
}

/// Where scopes or roles are read from a claim that is tested as well: texts that carry names and have the lengths that tests ask for.
fn texts_with_names(slot: &Slot<'_>, groups: &Groups, sets: &Sets<'_>) -> Vec<Value> {
    let mut texts: Vec<String> = Vec::new();
    if slot.readers.iter().any(|reader| reader.roles.is_some()) {
        texts.extend(groups.iter().flatten().cloned());
    }
    if slot.readers.iter().any(|reader| reader.roles.is_none()) {
        let tests = slot.tested.iter().map(|tested| &tested.atom.test);
        let lengths: Vec<u64> = tests
            .clone()
            .filter_map(|test| match test {
                ValueTest::LongerThan(limit) => Some([*limit, limit + 1]),
                _ => None,
            })
            .flatten()
            .collect();
        let is_named = |text: &str| tests.clone().any(|test| test.names(text));
        let has_effect = |name: &str| groups.iter().flatten().any(|known| known == name);
        for text in sets.iter().map(|set| set.join(" ")) {
            let own = text.chars().count() as u64;
            // A name without effect makes another text of it, and a longer one.
            let more = lengths.iter().filter_map(|length| length.checked_sub(own + 1));
            for more in more.chain([5]) {
                let other = text_of(more, |name| !has_effect(name) && !is_named(&format!("{text} {name}")));
                texts.extend(other.map(|name| format!("{text} {name}")));
            }
            texts.push(text);
        }
    }
    texts.into_iter().map(Value::from).collect()
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
        names: Vec::new(),
        values: distinct(values, observe),
    })
}

/// Puts values together that nobody tells apart.
fn distinct(values: impl Iterator<Item = Option<Value>>, observe: impl Fn(Found<'_>) -> Vec<bool>) -> Vec<AxisValue> {
    let mut distinct: Vec<AxisValue> = Vec::new();
    for value in values {
        let observed = observe(value.as_ref().map_or(Found::Missing, Found::Value));
        match distinct.iter_mut().find(|other| other.observed == observed) {
            Some(other) if other.alike.contains(&value) => {}
            Some(other) => other.alike.push(value),
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
        hidden || chosen == Some(&slot.observe(interest, slot.path.find(claims)))
    })
}
