//! What a run of a suite found.

use std::fmt;

use super::{model::TestKind, run::Outcome};

/// The outcome of the tests of a suite.
///
/// `Display` gives each failure and then the counts.
#[derive(Debug)]
#[must_use]
pub struct Report {
    file_name: String,
    /// By kind, in the order of [`SECTIONS`]: tests that passed, and all.
    counts: [(usize, usize); SECTIONS.len()],
    /// What `cover` counts.
    covered: Vec<String>,
    notes: Vec<String>,
    failures: Vec<Failure>,
}

/// Kinds of tests, and what the line of counts calls them.
const SECTIONS: [(TestKind, &str); 4] = [
    (TestKind::Cell, "matrix"),
    (TestKind::Case, "cases"),
    (TestKind::List, "lists"),
    (TestKind::Invariant, "invariants"),
];

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
    pub(super) details: Vec<String>,
    pub(super) rule: Option<String>,
    pub(super) paste: String,
}

impl Report {
    pub(super) fn new(file_name: String) -> Self {
        Self {
            file_name,
            counts: Default::default(),
            covered: Vec::new(),
            notes: Vec::new(),
            failures: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, kind: TestKind, outcome: Outcome) {
        let section = SECTIONS.iter().position(|(section, _)| *section == kind);
        if let Some((passed, all)) = section.and_then(|section| self.counts.get_mut(section)) {
            *all += 1;
            *passed += usize::from(outcome.failure.is_none());
        }
        self.covered.extend(outcome.count);
        self.notes.extend(outcome.notes);
        self.failures.extend(outcome.failure.map(|failure| *failure));
    }

    /// Returns whether no test was run: a filter wanted none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.covered.is_empty() && self.counts.iter().all(|(_, all)| *all == 0)
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

    /// Returns what is worth knowing although no test failed: changes of the policy that were found to change nothing, and how.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Returns the counts: `policies/todo.test.yaml  matrix 18/18  cases 5/5  lists 2/2`, and for `cover: all` a second line,
    /// `coverage 8/8 rules   mutants 12/12 killed`.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut line = self.file_name.clone();
        for ((_, what), (passed, all)) in SECTIONS.iter().zip(self.counts).filter(|(_, (_, all))| *all > 0) {
            line.push_str(&format!("  {what} {passed}/{all}"));
        }
        if !self.covered.is_empty() {
            line.push_str(&format!("\n{}", self.covered.join("   ")));
        }
        line
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for failure in &self.failures {
            writeln!(f, "{failure}\n")?;
        }
        f.write_str(&self.summary())?;
        for note in &self.notes {
            write!(f, "\n  {note}")?;
        }
        Ok(())
    }
}

impl Failure {
    /// Returns the name of the test.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns where the test comes from.
    #[must_use]
    pub fn kind(&self) -> TestKind {
        self.kind
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

    /// Returns what was found one by one, where a test is about many calls.
    #[must_use]
    pub fn details(&self) -> &[String] {
        &self.details
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
        match (&self.rule, self.kind) {
            (Some(rule), _) => writeln!(f, "  rule      {rule}")?,
            (None, TestKind::Cell | TestKind::Case) => {
                writeln!(f, "  rule      none: a call without a token is refused before any rule")?;
            }
            (None, _) => {}
        }
        for detail in &self.details {
            writeln!(f, "    {detail}")?;
        }
        if self.paste.is_empty() {
            return f.write_str("  nothing can be pasted that shows it");
        }
        f.write_str(match self.kind {
            TestKind::Cell | TestKind::Case | TestKind::List => "  if the policy is right, write",
            TestKind::Invariant => "  what the policy answers now, to be seen in the suite",
            TestKind::Coverage | TestKind::Mutants => "  if the policy is right, add",
        })?;
        for line in self.paste.lines() {
            write!(f, "\n    {line}")?;
        }
        Ok(())
    }
}
