//! The matrix written anew: what the policy answers, in place of what the file says.

use std::collections::BTreeMap;

use super::{
    SuiteFile,
    model::{Check, Row},
};
use crate::{Policy, PolicyErrors};

/// A suite whose cells say what the policy answers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Updated {
    /// The whole text. Only cells of the matrix differ from the file.
    pub text: String,
    /// The rows that changed, in the order of the file.
    pub rows: Vec<ChangedRow>,
}

/// A row of the matrix, before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedRow {
    /// The line in the file, counted from 1.
    pub line: usize,
    /// The line as it is.
    pub old: String,
    /// The line as it should be.
    pub new: String,
}

impl SuiteFile {
    /// Writes the cells of the matrix anew: what the policy answers. Everything else in the file stays as it is, letter by letter.
    ///
    /// # Errors
    /// As [`SuiteFile::with_policy`]: a suite with mistakes is not touched.
    pub fn updated(&self, policy: &Policy) -> Result<Updated, PolicyErrors> {
        let suite = self.with_policy(policy)?;
        let mut wrong: BTreeMap<usize, Vec<(&Row, &str)>> = BTreeMap::new();
        for test in &suite.tests {
            if let Check::Cell(cell) = &test.check {
                let answer = suite.view().best_cell(cell.operation, cell.caller);
                if answer != cell.answer {
                    wrong.entry(test.line()).or_default().push((&cell.row, answer.word()));
                }
            }
        }
        let mut rows = Vec::new();
        let mut lines: Vec<String> = self.text.split('\n').map(str::to_owned).collect();
        for (line, cells) in wrong {
            let (Some(place), Some((row, _))) = (lines.get_mut(line - 1), cells.first()) else {
                continue;
            };
            let words: Vec<_> = cells.iter().map(|(row, word)| (row.cell, *word)).collect();
            let new = place.replacen(&*row.text, &row.with(&words), 1);
            let old = std::mem::replace(place, new.clone());
            let plain = |line: String| line.trim_end_matches('\r').to_owned();
            rows.push(ChangedRow {
                line,
                old: plain(old),
                new: plain(new),
            });
        }
        Ok(Updated {
            text: lines.join("\n"),
            rows,
        })
    }
}
