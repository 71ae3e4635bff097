//! What a run of a suite found.

use std::fmt;

use super::model::{Test, TestKind};

/// The outcome of every test of a suite.
///
/// `Display` gives each failure and then one line of counts.
#[derive(Debug)]
#[must_use]
pub struct Report {
    file_name: String,
    cells: usize,
    cases: usize,
    failures: Vec<Failure>,
}

/// A test whose answer is not the expected one.
///
/// `Display` gives several lines: the place, expected and actual answer, the rule that decides, and what to paste into the
/// suite if the policy is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub(super) name: String,
    pub(super) kind: TestKind,
    pub(super) place: String,
    pub(super) expected: String,
    pub(super) actual: String,
    pub(super) rule: Option<String>,
    pub(super) paste: String,
}

impl Report {
    pub(super) fn new(file_name: String, tests: &[Test], failures: Vec<Failure>) -> Self {
        let cells = tests.iter().filter(|test| test.kind() == TestKind::Cell).count();
        Self {
            file_name,
            cells,
            cases: tests.len() - cells,
            failures,
        }
    }

    /// Returns whether every test gave the expected answer.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.failures.is_empty()
    }

    /// Returns the failed tests in the order of the file.
    #[must_use]
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// Returns the line of counts: `policies/todo.test.yaml  matrix 18/18  cases 5/5`.
    #[must_use]
    pub fn summary(&self) -> String {
        let passed = |kind: TestKind, all: usize| all - self.failures.iter().filter(|f| f.kind == kind).count();
        let mut line = self.file_name.clone();
        for (what, kind, all) in [
            ("matrix", TestKind::Cell, self.cells),
            ("cases", TestKind::Case, self.cases),
        ] {
            if all > 0 {
                line.push_str(&format!("  {what} {}/{all}", passed(kind, all)));
            }
        }
        line
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for failure in &self.failures {
            writeln!(f, "{failure}\n")?;
        }
        f.write_str(&self.summary())
    }
}

impl Failure {
    /// Returns the name of the test.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns what the suite says.
    #[must_use]
    pub fn expected(&self) -> &str {
        &self.expected
    }

    /// Returns what the policy says.
    #[must_use]
    pub fn actual(&self) -> &str {
        &self.actual
    }

    /// Returns the rule that decides, as `file:line`. `None` for a call without a token.
    #[must_use]
    pub fn rule(&self) -> Option<&str> {
        self.rule.as_deref()
    }

    /// Returns what to write into the suite if the policy is right.
    #[must_use]
    pub fn paste(&self) -> &str {
        &self.paste
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "FAILED {}", self.name)?;
        writeln!(f, "  --> {}", self.place)?;
        writeln!(f, "  expected  {}", self.expected)?;
        writeln!(f, "  actual    {}", self.actual)?;
        writeln!(
            f,
            "  rule      {}",
            self.rule
                .as_deref()
                .unwrap_or("none: a call without a token is refused before any rule")
        )?;
        write!(f, "  if the policy is right, write")?;
        for line in self.paste.lines() {
            write!(f, "\n    {line}")?;
        }
        Ok(())
    }
}
