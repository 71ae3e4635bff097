//! The tree of a suite to its tests.

use std::collections::HashMap;

use super::{
    cases::read_cases,
    invariants::read_invariants,
    lists::read_lists,
    matrix::read_matrix,
    model::{Check, Suite, Test, TestKind},
    principals::read_principals,
    values::Values,
};
use crate::{
    Policy,
    diagnostic::Code,
    fields::{Fields, choice, version},
    findings::Findings,
    source::Span,
    text::quoted,
    yaml::Node,
};

pub(crate) const KNOWN: &[&str] = &[
    "version",
    "policy",
    "principals",
    "matrix",
    "cases",
    "lists",
    "invariants",
    "cover",
];

/// `None` if the file is no mapping at all, which is reported.
pub(super) fn read<'p>(root: &Node, policy: &'p Policy, findings: &mut Findings<'_>) -> Option<Suite<'p>> {
    let fields = Fields::open(root, "a test file", KNOWN, &[], findings)?;
    version(&fields, findings);
    let mut values = Values::new();
    let principals = read_principals(&fields, policy, &mut values, findings);
    let mut tests = Vec::new();
    let matrix = fields.get("matrix");
    let cells = matrix.and_then(|entry| read_matrix(&entry.node, policy, &principals, findings));
    let table = matrix.filter(|_| cells.is_some());
    tests.extend(cells.into_iter().flatten());
    if let Some(entry) = fields.get("cases") {
        tests.extend(read_cases(&entry.node, policy, &principals, &mut values, findings));
    }
    if let Some(entry) = fields.get("lists") {
        tests.extend(read_lists(&entry.node, policy, &principals, findings));
    }
    if let Some(entry) = fields.get("invariants") {
        tests.extend(read_invariants(&entry.node, policy, findings));
    }
    if let Some(entry) = fields.get("cover")
        && choice(&entry.node, "`cover`", &[("all", ())], findings).is_some()
    {
        let test = |name: &str, check| Test {
            name: name.to_owned(),
            span: entry.key_span,
            check,
        };
        tests.push(test("coverage", Check::Coverage));
        tests.push(test("mutants", Check::Mutants));
    }
    if let Some(entry) = table {
        for principal in principals.unused() {
            let message = format!("the matrix has no column for principal {}", quoted(principal));
            let help = "add one, or name it in `cases` or `lists`";
            findings.error_help(Code::MissingColumn, entry.node.span, message, help);
        }
    }
    if tests.is_empty() && findings.is_empty() {
        findings.error_help(
            Code::NoTests,
            Span::START,
            "the file tests nothing",
            "add a `matrix:`, `cases:`, `lists:` or `invariants:`",
        );
    }
    report_same_names(&tests, findings);
    Some(Suite {
        policy,
        file_name: findings.source().file().to_string(),
        principals: principals.list,
        callers: principals.callers,
        tests,
    })
}

/// A name means one test, whatever its kind: it is how a test is asked for, and how its failure is found.
fn report_same_names(tests: &[Test], findings: &mut Findings<'_>) {
    let mut seen = HashMap::new();
    for test in tests {
        let Some(other) = seen.insert(test.name(), test) else {
            continue;
        };
        // Rows and columns that are there twice are reported as such.
        if test.kind() != TestKind::Cell {
            let message = format!(
                "another test, in line {}, is named {}",
                other.line(),
                quoted(test.name())
            );
            findings.error_help(Code::DuplicateName, test.span, message, "give each its own name");
        }
    }
}
