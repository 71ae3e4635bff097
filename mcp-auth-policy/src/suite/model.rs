//! A suite whose names are resolved.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{invariants::Invariant, principals::Principal};
use crate::{OperationId, Ownership, Policy, Reach, Resolved, source::Span};

/// A test suite, ready to run against the policy it was resolved with.
#[derive(Debug)]
pub struct Suite<'p> {
    pub(crate) policy: &'p Policy,
    pub(crate) file_name: String,
    pub(crate) principals: Vec<Principal>,
    /// What the policy makes of each principal; `None` without a token.
    pub(crate) callers: Vec<Option<Resolved>>,
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
    /// One entry of `lists`.
    List,
    /// One entry of `invariants`.
    Invariant,
    /// `cover: all`: every rule decides a test.
    Coverage,
    /// `cover: all`: a test fails for every small change of the policy that matters.
    Mutants,
}

/// One test: what the policy should answer.
#[derive(Debug)]
pub struct Test {
    pub(crate) name: String,
    pub(crate) span: Span,
    pub(crate) check: Check,
}

#[derive(Debug)]
pub(crate) enum Check {
    Cell(Cell),
    Case(Case),
    List(List),
    Invariant(Invariant),
    Coverage,
    Mutants,
}

/// One cell of the matrix.
#[derive(Debug)]
pub(crate) struct Cell {
    pub(crate) operation: OperationId,
    /// The number of the principal.
    pub(crate) caller: usize,
    pub(crate) answer: CellAnswer,
    pub(crate) row: Row,
}

/// One call with its arguments.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) operation: OperationId,
    /// The number of the principal.
    pub(crate) caller: usize,
    pub(crate) owner: Option<Ownership>,
    pub(crate) arguments: Map<String, Value>,
    pub(crate) allow: bool,
    pub(crate) because: Option<String>,
    pub(crate) challenge: Option<Vec<String>>,
}

/// What one principal is shown.
#[derive(Debug)]
pub(crate) struct List {
    /// The number of the principal.
    pub(crate) caller: usize,
    /// In the order of the policy.
    pub(crate) shown: Vec<OperationId>,
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

    /// Finds a test by its name.
    #[must_use]
    pub fn find_test(&self, name: &str) -> Option<&Test> {
        self.tests.iter().find(|test| test.name == name)
    }

    /// Returns the names of the principals in the order of the file.
    pub fn principals(&self) -> impl Iterator<Item = &str> {
        self.principals.iter().map(|principal| principal.name.as_str())
    }

    /// Returns the name of the suite's file as it was given.
    #[must_use]
    pub fn file_name(&self) -> &str {
        &self.file_name
    }
}

impl TestKind {
    /// Returns the word for reports: `cell`, `case`, `list`, `invariant`, `coverage` or `mutants`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cell => "cell",
            Self::Case => "case",
            Self::List => "list",
            Self::Invariant => "invariant",
            Self::Coverage => "coverage",
            Self::Mutants => "mutants",
        }
    }
}

impl Test {
    /// Returns the name, which no other test of the suite has: `delete-todo as alice` for a cell, `tools/list as alice` for a list, the
    /// `name` of a case or an invariant, and `coverage` and `mutants` for those two.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns where it comes from.
    #[must_use]
    pub fn kind(&self) -> TestKind {
        match self.check {
            Check::Cell(_) => TestKind::Cell,
            Check::Case(_) => TestKind::Case,
            Check::List(_) => TestKind::List,
            Check::Invariant(_) => TestKind::Invariant,
            Check::Coverage => TestKind::Coverage,
            Check::Mutants => TestKind::Mutants,
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
