//! The tree of a suite to its tests.

use super::{cases::read_cases, matrix::read_matrix, model::Suite, principals::read_principals};
use crate::{
    Policy,
    diagnostic::Code,
    fields::{Fields, version},
    findings::Findings,
    source::Span,
    yaml::Node,
};

const KNOWN: &[&str] = &["version", "policy", "principals", "matrix", "cases"];
const LATER: &[&str] = &["lists", "invariants", "cover"];

pub(super) fn read<'p>(root: &Node, policy: &'p Policy, findings: &mut Findings<'_>) -> Suite<'p> {
    let file_name = findings.source().file().to_string();
    let mut suite = Suite {
        policy,
        file_name,
        tests: Vec::new(),
    };
    let Some(fields) = Fields::open(root, "a test file", KNOWN, LATER, findings) else {
        return suite;
    };
    version(&fields, findings);
    let principals = read_principals(&fields, policy, findings);
    if let Some(entry) = fields.get("matrix") {
        suite
            .tests
            .extend(read_matrix(&entry.node, policy, &principals, findings));
    }
    if let Some(entry) = fields.get("cases") {
        suite
            .tests
            .extend(read_cases(&entry.node, policy, &principals, findings));
    }
    if suite.tests.is_empty() && findings.is_empty() {
        findings.error_help(
            Code::NoTests,
            Span::START,
            "the file tests nothing",
            "add a `matrix:` or `cases:`",
        );
    }
    suite
}
