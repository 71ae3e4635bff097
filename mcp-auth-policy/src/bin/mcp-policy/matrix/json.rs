//! The tables for machines.

use mcp_auth_policy::{Forbid, ForbidId, MatrixBy, MatrixCell, Policy};
use serde::Serialize;

use crate::call;

#[derive(Serialize)]
pub(super) struct Document<'p> {
    policy: &'p str,
    file: &'p str,
    revision: &'p str,
    tables: Vec<Table<'p>>,
    forbids: Vec<ForbidEntry<'p>>,
}

#[derive(Serialize)]
struct Table<'p> {
    by: &'static str,
    columns: Vec<Option<&'p str>>,
    rows: Vec<Row<'p>>,
}

#[derive(Serialize)]
struct Row<'p> {
    kind: &'static str,
    name: &'p str,
    cells: Vec<Cell<'p>>,
}

#[derive(Serialize)]
struct Cell<'p> {
    reach: &'static str,
    because: &'p str,
    line: usize,
    /// Ids of forbids; where one of them applies the answer is `deny`.
    unless: Vec<&'p str>,
}

#[derive(Serialize)]
struct ForbidEntry<'p> {
    id: &'p str,
    line: usize,
    everything: bool,
    operations: Vec<String>,
    applies: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'p str>,
}

pub(super) fn document<'p>(policy: &'p Policy, tables: &[MatrixBy]) -> Document<'p> {
    let forbids = policy.forbids_with_ids();
    Document {
        policy: policy.name(),
        file: policy.file_name(),
        revision: policy.revision(),
        tables: tables.iter().map(|by| table(policy, *by)).collect(),
        forbids: forbids.map(|(id, forbid)| entry(policy, id, forbid)).collect(),
    }
}

fn table(policy: &Policy, by: MatrixBy) -> Table<'_> {
    let matrix = policy.matrix(by);
    let rows = matrix.rows.into_iter().map(|row| Row {
        kind: row.kind.as_str(),
        name: row.name,
        cells: row.cells.iter().map(|answer| cell(policy, answer)).collect(),
    });
    Table {
        by: match by {
            MatrixBy::Role => "role",
            MatrixBy::Scope => "scope",
        },
        rows: rows.collect(),
        columns: matrix.columns,
    }
}

fn cell<'p>(policy: &'p Policy, cell: &MatrixCell) -> Cell<'p> {
    let id = |forbid: &ForbidId| policy.forbid(*forbid).map(Forbid::id);
    Cell {
        reach: cell.decision.reach.as_str(),
        because: call::because(policy, cell.decision),
        line: cell.line,
        unless: cell.depends_on.iter().filter_map(id).collect(),
    }
}

fn entry<'p>(policy: &Policy, id: ForbidId, forbid: &'p Forbid) -> ForbidEntry<'p> {
    let targets = policy.forbid_targets(id);
    ForbidEntry {
        id: forbid.id(),
        line: forbid.line(),
        everything: forbid.is_for_everything(),
        operations: targets
            .map(|operation| call::written(operation.kind(), operation.name()))
            .collect(),
        applies: policy.describe_forbid(forbid),
        message: forbid.message(),
    }
}
