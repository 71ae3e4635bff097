//! Running a suite.

use super::{
    model::{CellAnswer, Expected, Suite, Test},
    report::{Failure, Report},
};
use crate::{Because, Decision, Ownership, Policy, Reach};

/// What the policy answers to the call of one test.
struct Actual {
    answer: CellAnswer,
    because: String,
    challenge: Vec<String>,
}

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
        match &test.expected {
            Expected::Cell(expected, row) => {
                let actual = Actual::of(test, None, self.policy);
                if actual.answer == *expected {
                    return Ok(());
                }
                let paste = row.with(actual.answer.word());
                Err(self.failure(test, expected.word().to_owned(), actual.to_string(), paste))
            }
            Expected::Case {
                owner,
                allow,
                because,
                challenge,
            } => {
                let actual = Actual::of(test, *owner, self.policy);
                let mut wrong = Differences::default();
                wrong.compare("expect", verdict(*allow), verdict(actual.is_allowed()));
                if let Some(because) = because {
                    wrong.compare("because", because, &actual.because);
                }
                if let Some(challenge) = challenge {
                    wrong.compare("challenge", &scopes(challenge), &scopes(&actual.challenge));
                }
                if wrong.expected.is_empty() {
                    return Ok(());
                }
                let (expected, paste) = (wrong.expected.join(", "), wrong.actual.join("\n"));
                Err(self.failure(test, expected, wrong.actual.join(", "), paste))
            }
        }
    }

    fn failure(&self, test: &Test, expected: String, actual: String, paste: String) -> Box<Failure> {
        let line = test
            .caller
            .as_ref()
            .and_then(|grants| self.policy.deciding_line(test.operation, grants));
        Box::new(Failure {
            name: test.name.clone(),
            kind: test.kind(),
            place: format!("{}:{}:{}", self.file_name, test.span.line, test.span.column),
            expected,
            actual,
            rule: line.map(|line| format!("{}:{line}", self.policy.file_name())),
            paste,
        })
    }
}

impl Actual {
    fn of(test: &Test, owner: Option<Ownership>, policy: &Policy) -> Self {
        let Some(grants) = &test.caller else {
            return Self {
                answer: CellAnswer::Unauthenticated,
                because: "unauthenticated".to_owned(),
                challenge: Vec::new(),
            };
        };
        let mut decision: Decision = policy.could_reach(test.operation, grants);
        if let Some(owner) = owner {
            decision = decision.on_object(owner);
        }
        let challenge = match decision.reach {
            Reach::Deny => policy
                .challenge(test.operation, grants)
                .map(|challenge| challenge.scopes),
            Reach::Own | Reach::Any => None,
        };
        let because: Because = decision.because;
        Self {
            answer: CellAnswer::Reached(decision.reach),
            because: match because {
                Because::Forbidden(id) => policy.forbid(id).map_or("forbidden", |forbid| forbid.id()).to_owned(),
                because => because.code().to_owned(),
            },
            challenge: challenge.unwrap_or_default(),
        }
    }

    fn is_allowed(&self) -> bool {
        matches!(self.answer, CellAnswer::Reached(Reach::Own | Reach::Any))
    }
}

impl std::fmt::Display for Actual {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.answer.word(), self.because)
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
