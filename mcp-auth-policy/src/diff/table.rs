//! The classes of one issuer as a table: what changes for each choice of one value of each axis.

use std::collections::HashMap;

use crate::{
    Reach,
    bits::Bits,
    caller_classes::{CallerClass, CallerClasses, axes::Axis},
};

/// How far some class reached, and how far it reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Transition {
    pub(super) old: Reach,
    pub(super) new: Reach,
    /// Both are limited to objects of the caller, but these are other ones.
    pub(super) other_objects: bool,
}

impl Transition {
    pub(super) fn is_change(self) -> bool {
        self.old != self.new || self.other_objects
    }
}

/// The table of one issuer.
pub(super) struct Table<'c> {
    pub(super) axes: Vec<&'c Axis>,
    /// For each axis of sets of names, the value that a set is: by what is seen of it.
    values: Vec<HashMap<&'c Bits, usize>>,
    cells: Vec<Cell<'c>>,
}

/// What one choice of values makes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cell<'c> {
    /// Nothing: the choices contradict each other.
    Impossible,
    /// A class that forbids deny in both policies. Nothing else about it matters, and it is not named.
    Forbidden,
    Class(Transition, CallerClass<'c>),
}

impl Cell<'_> {
    /// Tells whether it is a class that changes otherwise, or not at all.
    pub(super) fn differs(self, from: Transition) -> bool {
        matches!(self, Self::Class(transition, _) if transition != from)
    }
}

/// Makes the table of each issuer, in the order of the classes.
pub(super) fn tables<'c>(
    classes: &'c CallerClasses<'c>,
    judge: impl Fn(CallerClass<'c>) -> Cell<'c>,
) -> Vec<Table<'c>> {
    let table = |axes: &'c [Axis]| {
        let axes: Vec<&Axis> = axes.iter().chain(&classes.argument_axes).collect();
        Table {
            cells: vec![Cell::Impossible; axes.iter().map(|axis| axis.len()).product()],
            values: axes.iter().map(|axis| by_observation(axis)).collect(),
            axes,
        }
    };
    let mut tables: Vec<Table<'c>> = classes.issuers.iter().map(|issuer| table(&issuer.axes)).collect();
    for class in classes.iter() {
        let (issuer, numbers) = class.place();
        let Some(table) = tables.get_mut(issuer) else {
            continue;
        };
        let at = table.at(numbers);
        if let Some(cell) = table.cells.get_mut(at) {
            *cell = judge(class);
        }
    }
    tables
}

fn by_observation(axis: &Axis) -> HashMap<&Bits, usize> {
    let values = axis.values.iter().enumerate();
    values.map(|(number, value)| (&value.observed, number)).collect()
}

impl<'c> Table<'c> {
    fn at(&self, numbers: impl Iterator<Item = usize>) -> usize {
        let places = self.axes.iter().zip(numbers);
        places.fold(0, |at, (axis, number)| at * axis.len() + number)
    }

    pub(super) fn cell(&self, numbers: &[usize]) -> Cell<'c> {
        let cell = self.cells.get(self.at(numbers.iter().copied()));
        cell.copied().unwrap_or(Cell::Impossible)
    }

    /// Tells whether there is such a cell among those that have one of these values on each axis.
    pub(super) fn any(&self, values: &[Vec<usize>], is_meant: &impl Fn(Cell<'c>) -> bool) -> bool {
        self.any_from(0, values, is_meant)
    }

    fn any_from(&self, at: usize, values: &[Vec<usize>], is_meant: &impl Fn(Cell<'c>) -> bool) -> bool {
        let Some((first, rest)) = values.split_first() else {
            return self.cells.get(at).is_some_and(|cell| is_meant(*cell));
        };
        let length = self
            .axes
            .get(self.axes.len() - values.len())
            .map_or(0, |axis| axis.len());
        first
            .iter()
            .any(|value| self.any_from(at * length + value, rest, is_meant))
    }

    /// Returns which value of an axis is seen so.
    pub(super) fn value(&self, axis: usize, observed: &Bits) -> Option<usize> {
        self.values.get(axis)?.get(observed).copied()
    }

    /// Tells whether any class changes.
    pub(super) fn has_changes(&self) -> bool {
        let mut cells = self.cells.iter();
        cells.any(|cell| matches!(cell, Cell::Class(transition, _) if transition.is_change()))
    }
}
