//! The difference misses no caller, and its cubes hold nobody else: on random policies of the whole language.

#![allow(clippy::panic, reason = "tests")]

use std::collections::BTreeSet;

use super::{
    call_name,
    cover::cover,
    table::{Cell, Transition, tables},
};
use crate::{
    Arguments, Because, Policy, Reach,
    caller_classes::{
        CallerClass, CallerClasses,
        tests::{OPERATIONS, Random, Token, arguments, kind, pair, token},
    },
};

fn policies(random: &mut Random) -> Option<(Policy, Policy)> {
    let (old, new) = pair(random);
    Policy::parse(&old.to_string())
        .ok()
        .zip(Policy::parse(&new.to_string()).ok())
}

/// How far a caller gets with the objects that it owns, if it can own any.
fn reach(policy: &Policy, (section, name): (&str, &str), token: &Token, arguments: Arguments<'_>) -> Reach {
    let resolved = policy.resolve(&token.facts());
    let id = policy.find(kind(section), name).unwrap();
    match policy.decide_call(id, resolved.grants(), arguments).reach {
        Reach::Own if resolved.subject().is_empty() => Reach::Deny,
        reach => reach,
    }
}

#[test]
fn no_random_caller_changes_without_being_told() {
    let mut random = Random::new(11);
    let mut changed = 0;
    for _ in 0..60 {
        let Some((old, new)) = policies(&mut random) else {
            continue;
        };
        let diff = new.diff(&old);
        let told: BTreeSet<_> = (diff.changes().iter())
            .filter_map(|change| Some((change.name().to_owned(), change.reaches()?)))
            .collect();
        let untold: BTreeSet<_> = (diff.changes().iter())
            .filter(|change| !change.is_proved())
            .map(|change| change.name().to_owned())
            .collect();
        for _ in 0..40 {
            let (token, arguments) = (token(&mut random), arguments(&mut random));
            for operation in OPERATIONS {
                let given = Arguments::Known(&arguments);
                let reaches = (
                    reach(&old, operation, &token, given),
                    reach(&new, operation, &token, given),
                );
                let name = call_name(kind(operation.0), operation.1);
                if reaches.0 != reaches.1 && !untold.contains(&name) {
                    changed += 1;
                    assert!(
                        told.contains(&(name, reaches)),
                        "{reaches:?} of {token:?} {arguments:?}\n{diff}\n{}\n{}",
                        old.canonical(),
                        new.canonical()
                    );
                }
            }
        }
    }
    assert!(changed > 500, "{changed}");
}

#[test]
fn cubes_hold_every_class_that_changes_and_nobody_who_changes_otherwise() {
    let mut random = Random::new(13);
    let mut changed = 0;
    for _ in 0..100 {
        let Some((old, new)) = policies(&mut random) else {
            continue;
        };
        for (section, name) in OPERATIONS {
            let Ok(classes) = CallerClasses::of(&[&old, &new], kind(section), name, &[]) else {
                continue;
            };
            if classes.len() > 2000 {
                continue;
            }
            for table in tables(&classes, judge) {
                let groups = cover(&table);
                for group in &groups {
                    let differs = |cube: &super::cubes::Cube| cube.any(&table, |cell| cell.differs(group.transition));
                    assert!(group.cube.as_ref().is_none_or(|cube| !differs(cube)));
                }
                for class in classes.iter() {
                    let Cell::Class(transition, _) = judge(class) else {
                        continue;
                    };
                    let numbers: Vec<usize> = class.place().1.collect();
                    let is_here = matches!(table.cell(&numbers), Cell::Class(_, same) if same.is(class));
                    if !is_here || !transition.is_change() {
                        continue;
                    }
                    changed += 1;
                    let holds = |cube: &super::cubes::Cube| {
                        let mut sides = cube.0.iter().zip(&table.axes).zip(&numbers);
                        sides.all(|((side, axis), number)| side.values(axis).contains(number))
                    };
                    let mut alike = groups.iter().filter(|group| group.transition == transition);
                    assert!(
                        alike.any(|group| group.cube.as_ref().is_none_or(holds)),
                        "{name} {class:?}"
                    );
                }
            }
        }
    }
    assert!(changed > 2000, "{changed}");
}

fn judge(class: CallerClass<'_>) -> Cell<'_> {
    let [old, new] = [class.decision(0), class.decision(1)];
    match (old.because, new.because) {
        (Because::Forbidden(_), Because::Forbidden(_)) => Cell::Forbidden,
        _ => {
            let transition = Transition {
                old: old.reach,
                new: new.reach,
                other_objects: false,
            };
            Cell::Class(transition, class)
        }
    }
}
