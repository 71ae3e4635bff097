//! Names of scopes and roles in a claim, and sets of them.

use std::collections::HashSet;

use serde_json::Value;

use super::{TooManyClasses, interest::Interest, joins::joins, observe::Slot, values::text_of};
use crate::{Scope, bits::Bits, claim_path::Found, value_test::ValueTest};

/// Names in a claim that give the same.
#[derive(Debug)]
pub(crate) struct Name {
    /// Never empty.
    pub(crate) alike: Vec<String>,
    /// What the policies see of a claim that holds just one of these.
    pub(crate) observed: Bits,
    /// The numbers of other names on the axis that it brings with it in every policy.
    pub(crate) implies: Vec<usize>,
}

impl Name {
    pub(crate) fn first(&self) -> &str {
        self.alike.first().map(String::as_str).unwrap_or_default()
    }
}

/// The names that matter in a claim, as far as they give anything, in the order of the policies.
pub(super) fn of_slot(interest: &Interest<'_>, slot: &Slot<'_>) -> Vec<Name> {
    let mut known = HashSet::new();
    let mut names: Vec<Name> = Vec::new();
    for name in candidates(interest, slot)
        .into_iter()
        .filter(|name| known.insert(*name))
    {
        let value = Value::from(name);
        let found = Found::Value(&value);
        if !slot.given(interest, found).contains(&true) {
            continue;
        }
        let observed = Bits::of(&slot.observe(interest, found));
        match names.iter_mut().find(|other| other.observed == observed) {
            Some(same) => same.alike.push(name.to_owned()),
            None => names.push(Name {
                alike: vec![name.to_owned()],
                observed,
                implies: Vec::new(),
            }),
        }
    }
    let firsts: Vec<String> = names.iter().map(|name| name.first().to_owned()).collect();
    for (number, name) in names.iter_mut().enumerate() {
        let others = firsts.iter().enumerate();
        let implied = others.filter(|(at, other)| *at != number && slot.implies(interest, name.first(), other));
        name.implies = implied.map(|(at, _)| at).collect();
    }
    names
}

fn candidates<'n>(interest: &'n Interest<'_>, slot: &'n Slot<'_>) -> Vec<&'n str> {
    let mut candidates: Vec<&str> = Vec::new();
    for reader in &slot.readers {
        let Some(interested) = interest.policies.get(reader.by) else {
            continue;
        };
        match reader.roles.map(|source| &source.names) {
            None if slot.tested.is_empty() => candidates.extend(interest.tokens.iter().map(String::as_str)),
            // How the text of the claim is made up may matter too.
            None => candidates.extend(interested.policy.scopes().map(Scope::name)),
            Some(Some(names)) => {
                let mut names: Vec<&str> = names.keys().map(String::as_str).collect();
                names.sort_unstable();
                candidates.extend(names);
            }
            Some(None) => candidates.extend(interested.policy.roles()),
        }
    }
    candidates
}

/// A smallest set of names for everything that sets of them give.
pub(super) fn sets(names: &[Name]) -> Result<Vec<Vec<&str>>, TooManyClasses> {
    let observed: Vec<&Bits> = names.iter().map(|name| &name.observed).collect();
    let first = |number: &usize| names.get(*number).map(Name::first);
    let sets = joins(&observed)?.into_iter();
    Ok(sets.map(|set| set.members.iter().filter_map(first).collect()).collect())
}

/// Writes a set of names as a claim holds it.
pub(super) fn list(names: &[&str], is_standard: bool) -> Value {
    if is_standard {
        Value::from(names.join(" "))
    } else {
        Value::from(names)
    }
}

/// Where scopes or roles are read from a claim that is tested as well: texts that carry names and have the lengths that tests ask for.
pub(super) fn texts(slot: &Slot<'_>, names: &[Name], sets: &[Vec<&str>]) -> Vec<Value> {
    let mut texts: Vec<String> = Vec::new();
    let all = || names.iter().flat_map(|name| &name.alike);
    if slot.readers.iter().any(|reader| reader.roles.is_some()) {
        texts.extend(all().cloned());
    }
    if slot.readers.iter().any(|reader| reader.roles.is_none()) {
        let limits = slot.tests().filter_map(|test| match test {
            ValueTest::LongerThan(limit) => Some([*limit, limit + 1]),
            _ => None,
        });
        let lengths: Vec<u64> = limits.flatten().collect();
        let is_named = |text: &str| slot.tests().any(|test| test.names(text));
        for text in sets.iter().map(|set| set.join(" ")) {
            let own = text.chars().count() as u64;
            // A name without effect makes another text of it, and a longer one.
            let more = lengths.iter().filter_map(|length| length.checked_sub(own + 1));
            for more in more.chain([5]) {
                let has_effect = |name: &str| all().any(|known| known == name);
                let other = text_of(more, |name| !has_effect(name) && !is_named(&format!("{text} {name}")));
                texts.extend(other.map(|name| format!("{text} {name}")));
            }
            texts.push(text);
        }
    }
    texts.into_iter().map(Value::from).collect()
}
