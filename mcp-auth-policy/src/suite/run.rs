//! Running a suite.

use super::{
    filter::Filter,
    model::{Case, Cell, Check, List, Suite, Test},
    names::{name_of, operations},
    paste,
    report::{Failure, Report},
    view::{Answer, View},
};
use crate::OperationId;

impl Suite<'_> {
    /// Runs every test.
    pub fn run(&self) -> Report {
        self.run_some(|_| true)
    }

    /// Runs the tests that a filter wants. See [`Report::is_empty`].
    pub fn run_only(&self, filter: &Filter) -> Report {
        self.run_some(|test| filter.wants(test, self))
    }

    fn run_some(&self, wanted: impl Fn(&Test) -> bool) -> Report {
        let mut report = Report::new(self.file_name.clone());
        for test in self.tests.iter().filter(|test| wanted(test)) {
            report.add(test.kind(), self.run_test(test));
        }
        report
    }

    /// Runs one test of this suite.
    ///
    /// # Errors
    /// Gives what was expected, what the policy answers, and which rule decides.
    pub fn run_test(&self, test: &Test) -> Result<(), Box<Failure>> {
        let view = self.view();
        match &test.check {
            Check::Cell(cell) => self.run_cell(test, cell, view),
            Check::Case(case) => self.run_case(test, case, view),
            Check::List(list) => self.run_list(test, list, view),
        }
    }

    /// The suite's own policy, and its callers.
    pub(super) fn view(&self) -> View<'_> {
        View {
            policy: self.policy,
            callers: &self.callers,
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
            paste: cell.row.with(&[(cell.row.cell, word)]),
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

    fn run_list(&self, test: &Test, list: &List, view: View<'_>) -> Result<(), Box<Failure>> {
        let shown: Vec<OperationId> = operations(self.policy)
            .map(|(id, _)| id)
            .filter(|id| view.lists(*id, list.caller))
            .collect();
        if shown == list.shown {
            return Ok(());
        }
        let names = |ids: &[OperationId]| paste::list(ids.iter().map(|id| name_of(*id, self.policy)));
        let principal = self.principals.get(list.caller);
        let principal = principal
            .map(|principal| paste::text(&principal.name))
            .unwrap_or_default();
        Err(Box::new(Failure {
            expected: names(&list.shown),
            actual: names(&shown),
            paste: format!("{principal}: {}", names(&shown)),
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
        paste::list(scopes)
    }
}
