//! What the doctor says, in the form that is printed as JSON.

use std::borrow::Cow;

use serde::Serialize;

/// Everything about one issuer.
#[derive(Debug, Serialize)]
pub struct Report {
    /// As it was given.
    pub issuer: String,
    /// Whether MCP clients can sign users in, and this library can verify the tokens.
    pub usable: bool,
    /// The places where the metadata was looked for, in order. The first that was found is what the library uses.
    pub metadata: Vec<Location>,
    /// How this library can verify tokens of the issuer: `jwt`, `introspection`, `userinfo`.
    pub modes: Vec<&'static str>,
    /// The entries of the key set, in order.
    pub keys: Vec<Key>,
    /// What works.
    pub works: Vec<Works>,
    /// What does not, the gravest first.
    pub does_not_work: Vec<Problem>,
    /// What to do about it, in the same order.
    pub to_change: Vec<Change>,
}

/// A place for metadata.
#[derive(Debug, Serialize)]
pub struct Location {
    /// Its URL.
    pub url: String,
    /// Whether it has a document that can be used.
    pub found: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// An entry of the key set.
#[derive(Debug, Serialize)]
pub struct Key {
    /// Its `kid`, cut after 100 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// What it may verify; empty if the library leaves it out.
    pub algorithms: Vec<&'static str>,
    /// Why it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<&'static str>,
}

/// Something that works.
#[derive(Debug, Serialize)]
pub struct Works {
    /// For programs.
    pub code: &'static str,
    /// For people.
    pub message: Cow<'static, str>,
}

/// How much a problem matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// MCP clients cannot sign users in, or this library cannot verify tokens.
    Error,
    /// Something has to be done by hand, or works less well.
    Warning,
    /// Good to know.
    Note,
}

/// Something that does not work.
#[derive(Debug, Serialize)]
pub struct Problem {
    /// How much it matters.
    pub severity: Severity,
    /// For programs; the same as in the Node and Python libraries where they have one.
    pub code: &'static str,
    /// For people.
    pub message: Cow<'static, str>,
}

/// Something to do.
#[derive(Debug, Serialize)]
pub struct Change {
    /// Whether the issuer is not usable before.
    pub required: bool,
    /// The code of the problem that it solves.
    pub code: &'static str,
    /// What to do.
    pub action: Cow<'static, str>,
}

/// Collects what is found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    works: Vec<Works>,
    problems: Vec<(Problem, Option<Cow<'static, str>>)>,
}

impl Findings {
    pub(super) fn works(&mut self, code: &'static str, message: impl Into<Cow<'static, str>>) {
        let message = message.into();
        self.works.push(Works { code, message });
    }

    /// Notes a problem without a remedy at the provider.
    pub(super) fn problem(&mut self, severity: Severity, code: &'static str, message: impl Into<Cow<'static, str>>) {
        let message = message.into();
        let problem = Problem {
            severity,
            code,
            message,
        };
        self.problems.push((problem, None));
    }

    /// Notes a problem, and what to do about it.
    pub(super) fn change(
        &mut self,
        severity: Severity,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
        action: impl Into<Cow<'static, str>>,
    ) {
        self.problem(severity, code, message);
        if let Some((_, remedy)) = self.problems.last_mut() {
            *remedy = Some(action.into());
        }
    }

    pub(super) fn report(
        mut self,
        issuer: &str,
        metadata: Vec<Location>,
        modes: Vec<&'static str>,
        keys: Vec<Key>,
    ) -> Report {
        self.problems.sort_by_key(|(problem, _)| problem.severity);
        let mut report = Report {
            issuer: issuer.to_owned(),
            usable: self
                .problems
                .iter()
                .all(|(problem, _)| problem.severity != Severity::Error),
            metadata,
            modes,
            keys,
            works: self.works,
            does_not_work: Vec::new(),
            to_change: Vec::new(),
        };
        for (problem, action) in self.problems {
            if let Some(action) = action {
                report.to_change.push(Change {
                    required: problem.severity == Severity::Error,
                    code: problem.code,
                    action,
                });
            }
            report.does_not_work.push(problem);
        }
        report
    }
}
