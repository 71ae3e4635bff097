//! Classes that have something in common: on each axis some values, or sets with some names and without others.

use super::table::{Cell, Table, Transition};
use crate::{bits::Bits, caller_classes::axes::Axis};

/// One condition on each axis.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Cube(pub(super) Vec<Side>);

/// A condition on one axis.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Side {
    /// By name: `Some(true)` holding it, `Some(false)` without it, `None` either. A name that another one implies is held with it.
    Names(Vec<Option<bool>>),
    /// By value: whether it is one of those meant.
    Values(Vec<bool>),
}

/// One way to choose on each axis: a value, or a set of names with all that they imply.
#[derive(Debug, Clone)]
pub(super) struct Point(pub(super) Vec<Choice>);

#[derive(Debug, Clone)]
pub(super) enum Choice {
    Names { held: Vec<bool>, value: usize },
    Value(usize),
}

impl Point {
    pub(super) fn values(&self) -> Vec<usize> {
        let values = self.0.iter().map(|choice| match choice {
            Choice::Names { value, .. } | Choice::Value(value) => *value,
        });
        values.collect()
    }
}

impl Cube {
    /// The cube that holds this point alone.
    fn around(point: &Point, table: &Table<'_>) -> Self {
        let choices = point.0.iter().zip(&table.axes);
        let side = |(choice, axis): (&Choice, &&Axis)| match choice {
            Choice::Names { held, .. } => Side::Names(held.iter().map(|held| Some(*held)).collect()),
            Choice::Value(value) => Side::Values((0..axis.len()).map(|other| other == *value).collect()),
        };
        Self(choices.map(side).collect())
    }

    /// A largest cube around a point in which all classes change alike. What makes no difference goes first: arguments, claims, clients.
    ///
    /// At the end, an axis on which only forbids of both policies make a difference goes too: whom they deny is told in one word.
    pub(super) fn largest(point: &Point, transition: Transition, table: &Table<'_>) -> Self {
        let mut cube = Self::around(point, table);
        let alike = |cube: &Self| {
            !cube.any(table, |cell| {
                matches!(cell, Cell::Forbidden) || cell.differs(transition)
            })
        };
        let alike_or_forbidden = |cube: &Self| !cube.any(table, |cell| cell.differs(transition));
        let axes = || (0..table.axes.len()).rev();
        for axis in axes() {
            cube.widen(axis, free, alike);
        }
        for (axis, wanted) in axes().flat_map(|axis| [(axis, false), (axis, true)]) {
            let names = table.axes.get(axis).map_or(0, |axis| axis.names.len());
            // What is implied by more goes first, and the name that implies it stays.
            for name in (0..names).rev() {
                let drop = |side: &mut Side| {
                    if let Side::Names(conditions) = side
                        && let Some(condition) = conditions.get_mut(name)
                        && *condition == Some(wanted)
                    {
                        *condition = None;
                    }
                };
                cube.widen(axis, drop, alike);
            }
        }
        for axis in axes() {
            for value in 0..table.axes.get(axis).map_or(0, |axis| axis.len()) {
                let add = |side: &mut Side| {
                    if let Side::Values(meant) = side
                        && let Some(meant) = meant.get_mut(value)
                    {
                        *meant = true;
                    }
                };
                cube.widen(axis, add, alike);
            }
        }
        for axis in axes() {
            cube.widen(axis, free, alike_or_forbidden);
        }
        cube
    }

    /// Changes one side, if the cube is then still as it should be.
    fn widen(&mut self, axis: usize, change: impl Fn(&mut Side), is_right: impl Fn(&Self) -> bool) {
        let Some(side) = self.0.get_mut(axis) else {
            return;
        };
        let before = side.clone();
        change(side);
        if *side == before || is_right(self) {
            return;
        }
        if let Some(side) = self.0.get_mut(axis) {
            *side = before;
        }
    }

    pub(super) fn contains(&self, point: &Point) -> bool {
        let mut sides = self.0.iter().zip(&point.0);
        sides.all(|(side, choice)| match (side, choice) {
            (Side::Names(conditions), Choice::Names { held, .. }) => {
                let mut conditions = conditions.iter().zip(held);
                conditions.all(|(condition, held)| condition.is_none_or(|wanted| wanted == *held))
            }
            (Side::Values(meant), Choice::Value(value)) => meant.get(*value) == Some(&true),
            _ => false,
        })
    }

    /// Tells whether there is such a cell in the cube.
    pub(super) fn any<'c>(&self, table: &Table<'c>, is_meant: impl Fn(Cell<'c>) -> bool) -> bool {
        let sides = self.0.iter().zip(&table.axes);
        let values: Vec<Vec<usize>> = sides.map(|(side, axis)| side.values(axis)).collect();
        table.any(&values, &is_meant)
    }
}

/// Means every value.
fn free(side: &mut Side) {
    if let Side::Values(meant) = side {
        meant.fill(true);
    }
}

impl Side {
    /// The numbers of the values that are meant.
    pub(super) fn values(&self, axis: &Axis) -> Vec<usize> {
        let conditions = match self {
            Self::Values(meant) => {
                let values = meant.iter().enumerate();
                return values.filter(|(_, meant)| **meant).map(|(value, _)| value).collect();
            }
            Self::Names(conditions) => conditions,
        };
        let is = |name: usize, wanted: bool| conditions.get(name) == Some(&Some(wanted));
        // A name cannot be held if it brings one with it that is not.
        let is_possible =
            |name: usize, implies: &[usize]| !is(name, false) && !implies.iter().any(|implied| is(*implied, false));
        let mut least = axis.of_nothing();
        let mut free = Vec::new();
        for (number, name) in axis.names.iter().enumerate() {
            let possible = is_possible(number, &name.implies);
            match (is(number, true), possible) {
                (true, true) => least.extend(&name.observed),
                (true, false) => return Vec::new(),
                (false, true) => free.push(&name.observed),
                (false, false) => {}
            }
        }
        // A value is given by some set of names if it is given by the largest set that gives nothing else.
        let is_given = |value: &Bits| {
            let mut most = least.clone();
            let within = free.iter().filter(|name| name.is_within(value));
            within.for_each(|name| most.extend(name));
            least.is_within(value) && value.is_within(&most)
        };
        let values = axis.values.iter().enumerate();
        values
            .filter(|(_, value)| is_given(&value.observed))
            .map(|(number, _)| number)
            .collect()
    }
}
