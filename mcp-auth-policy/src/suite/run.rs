//! Running a suite.

use super::{
    effort::Effort,
    filter::Filter,
    invariants::Invariant,
    model::{Case, Cell, Check, List, Suite, Test},
    names::{name_of, operations},
    paste,
    report::{Failure, Report},
    view::{View, is_allowed, reason},
};
use crate::{Decision, OperationId};

/// What came of one test.
pub(super) struct Outcome {
    pub(super) failure: Option<Box<Failure>>,
    /// What `cover` counts: `coverage 12/12 rules`.
    pub(super) count: Option<String>,
    /// What else is worth knowing.
    pub(super) notes: Vec<String>,
}

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
        let effort = Effort::new();
        for test in self.tests.iter().filter(|test| wanted(test)) {
            report.add(test.kind(), self.run_within(test, &effort));
        }
        report
    }

    /// Runs one test of this suite.
    ///
    /// # Errors
    /// Gives what was expected, what the policy answers, and which rule decides.
    pub fn run_test(&self, test: &Test) -> Result<(), Box<Failure>> {
        self.run_within(test, &Effort::new()).failure.map_or(Ok(()), Err)
    }

    fn run_within(&self, test: &Test, effort: &Effort) -> Outcome {
        let failure = match &test.check {
            Check::Cell(cell) => self.run_cell(test, cell),
            Check::Case(case) => self.run_case(test, case),
            Check::List(list) => self.run_list(test, list),
            Check::Invariant(invariant) => self.run_invariant(test, invariant, effort),
            Check::Coverage => return self.run_coverage(test, effort),
            Check::Mutants => return self.run_mutants(test, effort),
        };
        Outcome {
            failure: failure.map(Box::new),
            count: None,
            notes: Vec::new(),
        }
    }

    /// The suite's own policy, and its callers.
    pub(super) fn view(&self) -> View<'_> {
        View {
            policy: self.policy,
            callers: &self.callers,
        }
    }

    fn run_cell(&self, test: &Test, cell: &Cell) -> Option<Failure> {
        if self.view().agrees_with_cell(cell) {
            return None;
        }
        let decision = self.view().best(cell.operation, cell.caller);
        let word = self.view().best_cell(cell.operation, cell.caller).word();
        Some(Failure {
            expected: cell.answer.word().to_owned(),
            actual: format!("{word} ({})", reason(decision, self.policy)),
            rule: self.rule(cell.operation, decision),
            paste: cell.row.with(&[(cell.row.cell, word)]),
            ..self.failure(test)
        })
    }

    fn run_case(&self, test: &Test, case: &Case) -> Option<Failure> {
        if self.view().agrees_with_case(case) {
            return None;
        }
        let decision = self.view().call_on_object(case);
        let mut wrong = Differences::default();
        wrong.compare("expect", verdict(case.allow), verdict(is_allowed(decision)));
        if let Some(because) = &case.because {
            wrong.compare("because", because, reason(decision, self.policy));
        }
        if let Some(challenge) = &case.challenge {
            wrong.compare("challenge", &scopes(challenge), &scopes(&self.view().challenge(case)));
        }
        Some(Failure {
            expected: wrong.expected.join(", "),
            actual: wrong.actual.join(", "),
            rule: self.rule(case.operation, decision),
            paste: wrong.actual.join("\n"),
            ..self.failure(test)
        })
    }

    fn run_list(&self, test: &Test, list: &List) -> Option<Failure> {
        let shown: Vec<OperationId> = operations(self.policy)
            .map(|(id, _)| id)
            .filter(|id| self.view().lists(*id, list.caller))
            .collect();
        if shown == list.shown {
            return None;
        }
        let names = |ids: &[OperationId]| paste::list(ids.iter().map(|id| name_of(*id, self.policy)));
        let principal = self.principals.get(list.caller);
        let principal = principal
            .map(|principal| paste::text(&principal.name))
            .unwrap_or_default();
        Some(Failure {
            expected: names(&list.shown),
            actual: names(&shown),
            paste: format!("{principal}: {}", names(&shown)),
            ..self.failure(test)
        })
    }

    fn run_invariant(&self, test: &Test, invariant: &Invariant, effort: &Effort) -> Option<Failure> {
        let disproof = self.prove(&test.name, invariant, effort).err()?;
        let actual = if disproof.is_refuted {
            "somebody does"
        } else {
            "could not be proved"
        };
        Some(Failure {
            expected: invariant.claim(self.policy),
            actual: actual.to_owned(),
            details: disproof.details,
            paste: disproof.paste,
            ..self.failure(test)
        })
    }

    fn run_coverage(&self, test: &Test, effort: &Effort) -> Outcome {
        let coverage = self.coverage(effort);
        let counts = format!("{}/{} rules", coverage.covered, coverage.all);
        let failure = (!coverage.gaps.is_empty()).then(|| Failure {
            expected: "every rule, scope, role and issuer decides a test".to_owned(),
            actual: format!("{counts} do"),
            details: coverage.gaps,
            paste: coverage.paste,
            ..self.failure(test)
        });
        Outcome {
            failure: failure.map(Box::new),
            count: Some(format!("coverage {counts}")),
            notes: Vec::new(),
        }
    }

    fn run_mutants(&self, test: &Test, effort: &Effort) -> Outcome {
        let mutants = self.mutants(effort);
        let counts = format!("{}/{} killed", mutants.killed, mutants.killed + mutants.alive);
        let failure = (!mutants.survivors.is_empty()).then(|| Failure {
            expected: "a test fails for every change of the policy that lets somebody do more or less".to_owned(),
            actual: counts.clone(),
            details: mutants.survivors,
            paste: mutants.paste,
            ..self.failure(test)
        });
        let equivalent = match mutants.equivalent {
            0 => String::new(),
            count => format!(" ({count} equivalent)"),
        };
        Outcome {
            failure: failure.map(Box::new),
            count: Some(format!("mutants {counts}{equivalent}")),
            notes: mutants.notes,
        }
    }

    /// The parts of a failure that every test has.
    fn failure(&self, test: &Test) -> Failure {
        Failure {
            name: test.name.clone(),
            kind: test.kind(),
            place: format!("{}:{}:{}", self.file_name, test.span.line, test.span.column),
            expected: String::new(),
            actual: String::new(),
            details: Vec::new(),
            rule: None,
            paste: String::new(),
        }
    }

    /// The place of the rule that decided.
    fn rule(&self, operation: OperationId, decision: Option<Decision>) -> Option<String> {
        let line = self.policy.line_of(operation, decision?)?;
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
