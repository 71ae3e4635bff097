//! Why one forbid applies to a call, or does not.

use serde_json::{Map, Value};

use crate::{
    ForbidId, Policy, TokenFacts,
    bits::holds,
    claim_path::Found,
    forbid::{Condition, ValueAtom},
    grants::Granted,
    text::quoted,
    value_test::{Answer, IfMissing, Side, ValueTest},
};

/// What a forbid says to one call.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ForbidAnswer {
    /// Its `id`.
    pub id: String,
    /// Its line, counted from 1.
    pub line: usize,
    /// Whether it denies the call; `None` if that depends on arguments that are not known.
    pub applies: Option<bool>,
    /// Which of its conditions decide.
    pub why: String,
}

/// What is known about a call.
pub(crate) struct Known<'a> {
    pub(crate) facts: TokenFacts<'a>,
    pub(crate) granted: &'a Granted,
    /// `None`: any.
    pub(crate) arguments: Option<&'a Map<String, Value>>,
}

/// One condition, judged.
struct Atom {
    holds: Option<bool>,
    text: String,
}

impl Policy {
    pub(crate) fn explain_forbid(&self, id: ForbidId, known: &Known<'_>) -> Option<ForbidAnswer> {
        let forbid = self.forbid(id)?;
        let number = usize::try_from(id.0).ok()?;
        // The engine's own answer; what is said about it must agree.
        let applies = forbid.matches(
            known.granted.settled(number),
            known.granted.held.words(),
            known.arguments,
        );
        let when = self.atoms(&forbid.when, known, Side::When);
        let unless = forbid
            .unless
            .as_ref()
            .map(|unless| self.atoms(unless, known, Side::Unless));
        Some(ForbidAnswer {
            id: forbid.id.clone(),
            line: forbid.line,
            applies,
            why: why(applies, &when, unless.as_deref()),
        })
    }

    fn atoms(&self, condition: &Condition, known: &Known<'_>, side: Side) -> Vec<Atom> {
        let facts = &known.facts;
        let is = |holds: bool| if holds { "is" } else { "is not" };
        let mut atoms = Vec::new();
        let mut add = |holds: Option<bool>, text: String| atoms.push(Atom { holds, text });
        for scope in &condition.scope_numbers {
            let held = holds(known.granted.held.words(), *scope);
            let name = self.scope_name(*scope).unwrap_or_default();
            add(Some(held), format!("scope {} {} held", quoted(name), is(held)));
        }
        for role in &condition.role_numbers {
            let held = known.granted.roles.contains(*role);
            let name = self.roles.get(*role).map_or("", |role| role.name.as_str());
            add(Some(held), format!("role {} {} held", quoted(name), is(held)));
        }
        if let Some(issuer) = &condition.issuer {
            let same = issuer == facts.issuer;
            add(Some(same), format!("the issuer {} {}", is(same), quoted(issuer)));
        }
        if let Some(client) = &condition.client {
            match facts.client_id {
                Some(id) => add(
                    Some(id == client),
                    format!("the client {} {}", is(id == client), quoted(client)),
                ),
                None => add(Some(side == Side::When), "the token names no client".to_owned()),
            }
        }
        for atom in &condition.claims {
            let found = atom.path.find(facts.claims);
            let text = format!("claim {} {}", quoted(&atom.path.to_string()), verdict(atom, found));
            add(Some(atom.test.holds(found, atom.if_missing, side)), text);
        }
        for atom in &condition.args {
            let name = quoted(atom.path.last());
            match known.arguments {
                None => add(None, format!("argument {name}")),
                Some(arguments) => {
                    let found = atom.path.find(arguments);
                    let text = format!("argument {name} {}", verdict(atom, found));
                    add(Some(atom.test.holds(found, atom.if_missing, side)), text);
                }
            }
        }
        atoms
    }
}

/// Says how a value answers, without the value.
fn verdict(atom: &ValueAtom, found: Found<'_>) -> String {
    match (found, &atom.test, atom.test.answer(found)) {
        (Found::Missing, ValueTest::Present(_), _) => "is missing".to_owned(),
        (_, _, Answer::Missing) => match atom.if_missing {
            IfMissing::Deny => "is missing, and `if_missing` says `deny`".to_owned(),
            IfMissing::Skip => "is missing, and `if_missing` says `skip`".to_owned(),
        },
        (_, _, Answer::WrongType) => "has a value of the wrong type".to_owned(),
        (_, _, Answer::Yes) => "matches".to_owned(),
        (_, _, Answer::No) => "does not match".to_owned(),
    }
}

fn why(applies: Option<bool>, when: &[Atom], unless: Option<&[Atom]>) -> String {
    let (fails, open) = (
        |atom: &&Atom| atom.holds == Some(false),
        |atom: &&Atom| atom.holds.is_none(),
    );
    match applies {
        None => {
            // An exception that fails already depends on nothing.
            let unless = unless.filter(|unless| !unless.iter().any(|atom| fails(&atom)));
            let mut texts: Vec<&str> = (when.iter().chain(unless.unwrap_or_default()))
                .filter(open)
                .map(|atom| atom.text.as_str())
                .collect();
            texts.dedup();
            format!("it depends on {}", texts.join(" and "))
        }
        Some(true) => {
            let when = match when.is_empty() {
                true => "it has no condition".to_owned(),
                false => texts(when.iter()),
            };
            match unless.and_then(|unless| unless.iter().find(fails)) {
                Some(atom) => format!("{when}; not excepted: {}", atom.text),
                None => when,
            }
        }
        Some(false) => match when.iter().find(fails) {
            Some(atom) => atom.text.clone(),
            None => format!("excepted: {}", texts(unless.unwrap_or_default().iter())),
        },
    }
}

fn texts<'a>(atoms: impl Iterator<Item = &'a Atom>) -> String {
    let texts: Vec<&str> = atoms.map(|atom| atom.text.as_str()).collect();
    texts.join(", ")
}
