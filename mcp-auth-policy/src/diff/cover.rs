//! Few cubes for everything that changes.

use std::collections::HashSet;

use super::{
    cubes::{Choice, Cube, Point},
    table::{Cell, Table, Transition},
};
use crate::{
    bits::Bits,
    caller_classes::{CallerClass, MAX_CLASSES, axes::Axis},
};

/// Cubes that are named for one operation and issuer at most.
const MAX_CUBES: usize = 32;
/// The same, times the classes to look at for each.
const MAX_EFFORT: usize = 1 << 18;
/// Sets of names on one axis that are told apart at most. Beyond, one is named for all that give the same.
const MAX_SETS: usize = 1024;

/// Callers who change alike.
pub(super) struct Group<'c> {
    pub(super) transition: Transition,
    /// What they have in common. `None` if there are too many to say.
    pub(super) cube: Option<Cube>,
    /// One of them.
    pub(super) example: CallerClass<'c>,
}

/// Finds cubes that together hold every class that changes, and none that does not.
pub(super) fn cover<'c>(table: &Table<'c>) -> Vec<Group<'c>> {
    let mut groups: Vec<Group<'c>> = Vec::new();
    if !table.has_changes() {
        return groups;
    }
    let points: Vec<(Point, Transition, CallerClass<'c>)> = (points(table).into_iter())
        .filter_map(|point| {
            let Cell::Class(transition, class) = table.cell(&point.values()) else {
                return None;
            };
            transition.is_change().then_some((point, transition, class))
        })
        .collect();
    let max_cubes = (MAX_EFFORT / points.len().max(1)).clamp(1, MAX_CUBES);
    for (point, transition, example) in &points {
        let covers = |group: &Group<'c>| {
            group.transition == *transition && group.cube.as_ref().is_none_or(|cube| cube.contains(point))
        };
        if groups.iter().any(covers) {
            continue;
        }
        let cube = (groups.len() < max_cubes).then(|| Cube::largest(point, *transition, table));
        groups.push(Group {
            transition: *transition,
            cube,
            example: *example,
        });
    }
    drop_redundant(&mut groups, &points);
    groups
}

/// Takes out cubes that later ones made superfluous.
fn drop_redundant<'c>(groups: &mut Vec<Group<'c>>, points: &[(Point, Transition, CallerClass<'c>)]) {
    for at in (0..groups.len()).rev() {
        let Some(Group {
            transition,
            cube: Some(cube),
            ..
        }) = groups.get(at)
        else {
            continue;
        };
        let is_covered = |point: &Point| {
            let others = groups.iter().enumerate().filter(|(number, _)| *number != at);
            let mut others = others.filter(|(_, group)| group.transition == *transition);
            others.any(|(_, other)| other.cube.as_ref().is_some_and(|cube| cube.contains(point)))
        };
        let mut held = points
            .iter()
            .filter(|(point, other, _)| other == transition && cube.contains(point));
        let is_needed = held.any(|(point, ..)| !is_covered(point));
        if !is_needed {
            groups.remove(at);
        }
    }
}

/// All points, those with the fewest names and the first values first; where they are too many, at least one for each class.
fn points(table: &Table<'_>) -> Vec<Point> {
    let all = |max: usize| -> Vec<Vec<Choice>> {
        let axes = table.axes.iter().enumerate();
        axes.map(|(number, axis)| choices(axis, number, table, max)).collect()
    };
    let count = |choices: &[Vec<Choice>]| {
        choices
            .iter()
            .fold(1_usize, |count, some| count.saturating_mul(some.len()))
    };
    let mut choices = all(MAX_SETS);
    if count(&choices) > MAX_CLASSES {
        choices = all(0);
    }
    let mut points = vec![Point(Vec::new())];
    for choices in &choices {
        points = (points.iter())
            .flat_map(|point| {
                choices.iter().map(|choice| {
                    let mut longer = point.clone();
                    longer.0.push(choice.clone());
                    longer
                })
            })
            .collect();
    }
    points
}

fn choices(axis: &Axis, number: usize, table: &Table<'_>, max: usize) -> Vec<Choice> {
    if !axis.is_set {
        return (0..axis.len()).map(Choice::Value).collect();
    }
    sets(axis, max)
        .into_iter()
        .filter_map(|held| {
            let mut observed = axis.of_nothing();
            let names = axis.names.iter().zip(&held).filter(|(_, held)| **held);
            names.for_each(|(name, _)| observed.extend(&name.observed));
            let value = table.value(number, &observed)?;
            Some(Choice::Names { held, value })
        })
        .collect()
}

/// Sets of names with all that they imply: all of them, or if these are more than `max`, one for each value.
fn sets(axis: &Axis, max: usize) -> Vec<Vec<bool>> {
    let nothing = vec![false; axis.names.len()];
    let mut seen = HashSet::from([nothing.clone()]);
    let mut values = HashSet::new();
    let mut found = vec![nothing];
    let mut at = 0;
    while let Some(set) = found.get(at).cloned() {
        for number in 0..axis.names.len() {
            let mut larger = set.clone();
            add(&mut larger, number, axis);
            if seen.insert(larger.clone()) {
                found.push(larger);
            }
        }
        at += 1;
        if found.len() > max {
            break;
        }
    }
    if found.len() <= max {
        return found;
    }
    let of_value = |observed: &Bits| -> Vec<bool> {
        // All that gives nothing else can be held as well; the least such set is not looked for.
        axis.names
            .iter()
            .map(|name| name.observed.is_within(observed))
            .collect()
    };
    let values_found = axis.values.iter().map(|value| of_value(&value.observed));
    values_found.filter(|set| values.insert(set.clone())).collect()
}

/// Adds a name and what it implies.
fn add(set: &mut [bool], number: usize, axis: &Axis) {
    let implied = axis
        .names
        .get(number)
        .into_iter()
        .flat_map(|name| name.implies.iter().copied());
    for number in implied.chain([number]) {
        if let Some(held) = set.get_mut(number) {
            *held = true;
        }
    }
}
