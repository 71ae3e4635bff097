//! A suite whose names are resolved.

use std::sync::Arc;

use crate::{Grants, OperationId, Ownership, Policy, Reach, source::Span};

/// A test suite, ready to run against the policy it was resolved with.
#[derive(Debug)]
pub struct Suite<'p> {
    pub(crate) policy: &'p Policy,
    pub(crate) file_name: String,
    pub(crate) tests: Vec<Test>,
}

/// Where a test comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TestKind {
    /// One cell of the matrix.
    Cell,
    /// One entry of `cases`.
    Case,
}

/// One test: a call and what it should answer.
#[derive(Debug)]
pub struct Test {
    pub(crate) name: String,
    pub(crate) span: Span,
    pub(crate) operation: OperationId,
    /// The caller's scopes, or `None` for a call without a token.
    pub(crate) caller: Option<Grants>,
    pub(crate) expected: Expected,
}

#[derive(Debug)]
pub(crate) enum Expected {
    Cell(CellAnswer, Row),
    Case {
        owner: Option<Ownership>,
        allow: bool,
        because: Option<String>,
        challenge: Option<Vec<String>>,
    },
}

/// What a cell of the matrix can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CellAnswer {
    /// `401`: no token.
    Unauthenticated,
    Reached(Reach),
}

/// A row of the matrix as written, to be pasted back with one cell changed.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// Shared by the cells of the row, of which a huge file may have many.
    pub(crate) text: Arc<str>,
    /// Which part between the bars is the cell.
    pub(crate) cell: usize,
}

impl Suite<'_> {
    /// Returns the tests in the order of the file.
    #[must_use]
    pub fn tests(&self) -> &[Test] {
        &self.tests
    }

    /// Returns the name of the suite's file as it was given.
    #[must_use]
    pub fn file_name(&self) -> &str {
        &self.file_name
    }
}

impl Test {
    /// Returns a name that is unique in the suite's kind of test: `delete-todo as alice`, or the `name` of the case.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns whether it is a cell or a case.
    #[must_use]
    pub fn kind(&self) -> TestKind {
        match self.expected {
            Expected::Cell(..) => TestKind::Cell,
            Expected::Case { .. } => TestKind::Case,
        }
    }

    /// Returns the line in the suite's file, counted from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.span.line
    }
}

impl CellAnswer {
    pub(crate) const WORDS: [&str; 4] = ["401", "deny", "own", "any"];

    pub(crate) fn from_word(word: &str) -> Option<Self> {
        match word {
            "401" => Some(Self::Unauthenticated),
            "deny" => Some(Self::Reached(Reach::Deny)),
            "own" => Some(Self::Reached(Reach::Own)),
            "any" => Some(Self::Reached(Reach::Any)),
            _ => None,
        }
    }

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Unauthenticated => "401",
            Self::Reached(reach) => reach.as_str(),
        }
    }
}
