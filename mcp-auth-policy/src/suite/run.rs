//! Running a suite.

use super::{
    model::{Case, Cell, Check, Suite, Test},
    report::{Failure, Report},
    view::{Answer, View},
};
use crate::OperationId;

impl Suite<'_> {
    /// Runs every test.
    pub fn run(&self) -> Report {
        let failures = self
            .tests
            .iter()
            .filter_map(|test| self.run_test(test).err().map(|failure| *failure));
        Report::new(self.file_name.clone(), &self.tests, failures.collect())
    }

    /// Runs one test of this suite.
    ///
    /// # Errors
    /// Gives what was expected, what the policy answers, and which rule decides.
    pub fn run_test(&self, test: &Test) -> Result<(), Box<Failure>> {
        let view = View {
            policy: self.policy,
            callers: &self.callers,
        };
        match &test.check {
            Check::Cell(cell) => self.run_cell(test, cell, view),
            Check::Case(case) => self.run_case(test, case, view),
        }
    }

    fn run_cell(&self, test: &Test, cell: &Cell, view: View<'_>) -> Result<(), Box<Failure>> {
        let answer = view.best(cell.operation, cell.caller);
        if answer.cell() == cell.answer {
            return Ok(());
        }
        let word = answer.cell().word();
        Err(Box::new(Failure {
            expected: cell.answer.word().to_owned(),
            actual: format!("{word} ({})", answer.because(self.policy)),
            rule: self.rule(cell.operation, &answer),
            paste: cell.row.with(word),
            ..self.failure(test)
        }))
    }

    fn run_case(&self, test: &Test, case: &Case, view: View<'_>) -> Result<(), Box<Failure>> {
        let answer = view.call(case);
        let mut wrong = Differences::default();
        wrong.compare("expect", verdict(case.allow), verdict(answer.is_allowed()));
        if let Some(because) = &case.because {
            wrong.compare("because", because, answer.because(self.policy));
        }
        if let Some(challenge) = &case.challenge {
            wrong.compare("challenge", &scopes(challenge), &scopes(&answer.challenge));
        }
        if wrong.expected.is_empty() {
            return Ok(());
        }
        Err(Box::new(Failure {
            expected: wrong.expected.join(", "),
            actual: wrong.actual.join(", "),
            rule: self.rule(case.operation, &answer),
            paste: wrong.actual.join("\n"),
            ..self.failure(test)
        }))
    }

    /// The parts of a failure that every test has.
    fn failure(&self, test: &Test) -> Failure {
        Failure {
            name: test.name.clone(),
            kind: test.kind(),
            place: format!("{}:{}:{}", self.file_name, test.span.line, test.span.column),
            expected: String::new(),
            actual: String::new(),
            rule: None,
            paste: String::new(),
        }
    }

    /// The place of the rule that decided.
    fn rule(&self, operation: OperationId, answer: &Answer) -> Option<String> {
        let line = self.policy.line_of(operation, answer.decision?)?;
        Some(format!("{}:{line}", self.policy.file_name()))
    }
}

/// The fields of a case that are not as expected, as they are written and as they should be.
#[derive(Default)]
struct Differences {
    expected: Vec<String>,
    actual: Vec<String>,
}

impl Differences {
    fn compare(&mut self, field: &str, expected: &str, actual: &str) {
        if expected != actual {
            self.expected.push(format!("{field}: {expected}"));
            self.actual.push(format!("{field}: {actual}"));
        }
    }
}

fn verdict(allow: bool) -> &'static str {
    if allow { "allow" } else { "deny" }
}

fn scopes(scopes: &[String]) -> String {
    if scopes.is_empty() {
        "none".to_owned()
    } else {
        format!("[{}]", scopes.join(", "))
    }
}
