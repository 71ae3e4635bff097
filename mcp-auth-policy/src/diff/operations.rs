//! What changes at one operation, for whom.

use super::{
    Change, Direction, Example,
    cover::{Group, cover},
    pairs::{Pair, pairs},
    phrases,
    table::{Cell, Table, Transition, tables},
    unchanged::Unchanged,
};
use crate::{
    Because, Decision, Policy, Reach,
    caller_classes::{CallerClass, CallerClasses},
    operation::Operation,
};

/// Ends the phrase of callers some of whom forbids deny in both policies.
const UNLESS_FORBIDDEN: &str = ", unless forbidden as before";
/// Classes of all operations that are tried at most.
const MAX_TRIED: usize = 1 << 20;

pub(super) fn changes(old: &Policy, new: &Policy) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut tried = 0;
    let unchanged = Unchanged::between(old, new);
    for pair in pairs(old, new) {
        if unchanged
            .as_ref()
            .is_some_and(|unchanged| unchanged.is_unchanged(pair.old, pair.new))
        {
            continue;
        }
        let policies = vec![(old, pair.old), (new, pair.new)];
        let classes = if tried < MAX_TRIED {
            CallerClasses::of_operations(policies, &[]).ok()
        } else {
            None
        };
        let compared = Compared::of(&pair, old, new);
        match classes {
            Some(classes) => {
                tried += classes.len();
                changes.extend(compared.changes(&classes));
            }
            None => changes.push(compared.unproved()),
        }
    }
    changes
}

/// The two operations of a pair.
struct Compared<'p> {
    name: String,
    old: Option<&'p Operation>,
    new: Option<&'p Operation>,
}

impl<'p> Compared<'p> {
    fn of(pair: &Pair, old: &'p Policy, new: &'p Policy) -> Self {
        Self {
            name: pair.name.clone(),
            old: pair.old.and_then(|id| old.operation(id)),
            new: pair.new.and_then(|id| new.operation(id)),
        }
    }

    fn changes(&self, classes: &CallerClasses<'_>) -> Vec<Change> {
        let tables = tables(classes, |class| self.judge(class));
        let covers: Vec<Vec<Group<'_>>> = tables.iter().map(cover).collect();
        // Groups of several issuers that read alike are one.
        let mut merged: Vec<(Transition, String, Vec<usize>, CallerClass<'_>)> = Vec::new();
        for (issuer, (groups, table)) in covers.iter().zip(&tables).enumerate() {
            for group in groups {
                let phrase = said(group, table);
                let same = merged
                    .iter_mut()
                    .find(|(transition, other, ..)| *transition == group.transition && *other == phrase);
                match same {
                    Some((_, _, issuers, _)) => issuers.push(issuer),
                    None => merged.push((group.transition, phrase, vec![issuer], group.example)),
                }
            }
        }
        merged.sort_by_key(|(transition, ..)| (direction(*transition) == Direction::Narrower, *transition));
        let change = |(transition, phrase, issuers, example): &(Transition, String, Vec<usize>, CallerClass<'_>)| {
            let everybody = classes.issuers.iter().enumerate();
            // Whoever lists issuers has no tokens of others.
            let mut needed = everybody.filter(|(_, issuer)| issuer.is_mapped);
            let is_everybody = needed.all(|(number, _)| issuers.contains(&number));
            let issuers: Vec<_> = issuers
                .iter()
                .filter_map(|issuer| classes.issuers.get(*issuer))
                .collect();
            let callers = phrases::callers((!is_everybody).then_some(&issuers), phrase);
            self.change(*transition, callers, *example)
        };
        merged.iter().map(change).collect()
    }

    fn judge<'c>(&self, class: CallerClass<'c>) -> Cell<'c> {
        let decisions = [class.decision(0), class.decision(1)];
        if decisions
            .iter()
            .all(|decision| matches!(decision.because, Because::Forbidden(_)))
        {
            return Cell::Forbidden;
        }
        // Who has no subject owns nothing.
        let reach = |policy: usize, decision: Decision| match decision.reach {
            Reach::Own if !class.is_mapped(policy) => Reach::Deny,
            reach => reach,
        };
        let (old, new) = (reach(0, decisions[0]), reach(1, decisions[1]));
        let transition = Transition {
            old,
            new,
            other_objects: (old, new) == (Reach::Own, Reach::Own) && self.owner(self.old) != self.owner(self.new),
        };
        Cell::Class(transition, class)
    }

    fn owner(&self, operation: Option<&'p Operation>) -> Option<(&'p str, &'p str)> {
        operation?.object().zip(operation?.owner_column())
    }

    fn change(&self, transition: Transition, mut callers: String, example: CallerClass<'_>) -> Change {
        if transition.other_objects {
            let words = |operation| match self.owner(operation) {
                Some((object, column)) => format!("{object}.{column}"),
                None => "nothing".to_owned(),
            };
            let (old, new) = (words(self.old), words(self.new));
            callers = format!("{callers}, who own by {new} instead of {old}");
        }
        let acts_on_objects = self.owner(self.new).or(self.owner(self.old)).is_some();
        let owner = match (transition.old, transition.new) {
            (Reach::Own, Reach::Any) | (Reach::Any, Reach::Own) => Some("other"),
            (Reach::Own, _) | (_, Reach::Own) => Some("caller"),
            _ => None,
        };
        let has_scopes_alone =
            example.issuer().is_empty() && example.client_id().is_none() && example.claims().is_empty();
        Change {
            direction: direction(transition),
            example: Some(Example {
                principal: example.principal(),
                args: example.case_arguments(),
                owner: owner.filter(|_| acts_on_objects),
                scopes: has_scopes_alone.then(|| example.scopes().to_vec()),
            }),
            is_proved: true,
            old: transition.old.as_str().to_owned(),
            new: transition.new.as_str().to_owned(),
            reaches: Some((transition.old, transition.new)),
            ..self.blank(callers)
        }
    }

    fn unproved(&self) -> Change {
        self.blank("not proved: there are too many classes of callers to try them all".to_owned())
    }

    fn blank(&self, callers: String) -> Change {
        let operation = self.new.or(self.old);
        Change {
            direction: Direction::Wider,
            kind: operation.map(|operation| operation.kind().as_str()),
            name: self.name.clone(),
            old: "unknown".to_owned(),
            new: "unknown".to_owned(),
            callers,
            example: None,
            is_proved: false,
            line: operation.map(Operation::line),
            reaches: None,
        }
    }
}

/// Callers who own other objects than before may reach any of these for the first time.
fn direction(transition: Transition) -> Direction {
    if transition.new < transition.old {
        Direction::Narrower
    } else {
        Direction::Wider
    }
}

fn said(group: &Group<'_>, table: &Table<'_>) -> String {
    match &group.cube {
        Some(cube) if cube.any(table, |cell| matches!(cell, Cell::Forbidden)) => {
            format!("{}{UNLESS_FORBIDDEN}", phrases::phrase(cube, &table.axes))
        }
        Some(cube) => phrases::phrase(cube, &table.axes),
        None => "of further kinds, too many to name".to_owned(),
    }
}
