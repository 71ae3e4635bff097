//! The tests of a suite that hold, found by what they call.

use super::{
    model::{Case, Cell, Check, List, Suite},
    names::operations,
    view::View,
};
use crate::OperationId;

/// Cells and cases by the number of their operation, and lists, which are about all.
pub(super) struct ByOperation<'s> {
    cells: Vec<Vec<&'s Cell>>,
    cases: Vec<Vec<&'s Case>>,
    lists: Vec<&'s List>,
}

impl<'s> ByOperation<'s> {
    /// Tests that fail already would fail for every change.
    pub(super) fn of(suite: &'s Suite<'_>) -> Self {
        let count = suite.policy.operations.len();
        let (mut cells, mut cases) = (vec![Vec::new(); count], vec![Vec::new(); count]);
        let mut lists = Vec::new();
        let view = suite.view();
        for test in &suite.tests {
            match &test.check {
                Check::Cell(cell) if view.agrees_with_cell(cell) => {
                    at(&mut cells, cell.operation)
                        .into_iter()
                        .for_each(|cells| cells.push(cell));
                }
                Check::Case(case) if view.agrees_with_case(case) => {
                    at(&mut cases, case.operation)
                        .into_iter()
                        .for_each(|cases| cases.push(case));
                }
                Check::List(list) if operations(suite.policy).all(|(id, _)| view.agrees_with_list(list, id)) => {
                    lists.push(list);
                }
                _ => {}
            }
        }
        Self { cells, cases, lists }
    }

    /// Counts the tests about this operation.
    pub(super) fn count(&self, id: OperationId) -> usize {
        let number = usize::try_from(id.index).unwrap_or(usize::MAX);
        let (cells, cases) = (self.cells.get(number), self.cases.get(number));
        cells.map_or(0, Vec::len) + cases.map_or(0, Vec::len) + self.lists.len()
    }

    /// Tells whether a test about this operation fails.
    pub(super) fn notice(&self, id: OperationId, view: View<'_>) -> bool {
        let number = usize::try_from(id.index).unwrap_or(usize::MAX);
        let (cells, cases) = (self.cells.get(number), self.cases.get(number));
        cells.into_iter().flatten().any(|cell| !view.agrees_with_cell(cell))
            || cases.into_iter().flatten().any(|case| !view.agrees_with_case(case))
            || self.lists.iter().any(|list| !view.agrees_with_list(list, id))
    }
}

fn at<T>(lists: &mut [T], id: OperationId) -> Option<&mut T> {
    lists.get_mut(usize::try_from(id.index).ok()?)
}
