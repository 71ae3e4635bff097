//! The test of a claim or an argument: `is`, `in`, `min`, `max`, `longer_than` or `present`.

use serde_json::Number;

use crate::{
    diagnostic::Code,
    fields::{Fields, wrong_type},
    findings::Findings,
    value_test::{Scalar, ValueTest},
    yaml::{Entry, Node, Value},
};

const TESTS: &[&str] = &["is", "in", "min", "max", "longer_than", "present"];

/// Reads the one test that an atom must have.
pub(crate) fn read_test(fields: &Fields<'_>, what: &str, findings: &mut Findings<'_>) -> Option<ValueTest> {
    let mut written = TESTS.iter().filter_map(|test| fields.get(test));
    let Some(entry) = written.next() else {
        let message = format!("{what} does not say what it looks for");
        let help = format!("add one of: {}", TESTS.join(", "));
        findings.error_help(Code::MissingTest, fields.span(), message, help);
        return None;
    };
    if let Some(second) = written.next() {
        let message = format!("{what} looks for two things at once");
        let help = "write a list with one condition for each; all of them must hold";
        findings.error_help(Code::ConflictingFields, second.key_span, message, help);
    }
    read_one(entry, &format!("`{}` of {what}", entry.key), findings)
}

fn read_one(entry: &Entry, what: &str, findings: &mut Findings<'_>) -> Option<ValueTest> {
    let node = &entry.node;
    match entry.key.as_str() {
        "is" => read_scalar(node, what, findings).map(ValueTest::Is),
        "in" => {
            let Value::List(items) = &node.value else {
                wrong_type(node.span, what, "a list of values", &node.value, findings);
                return None;
            };
            if items.is_empty() {
                findings.error_help(
                    Code::EmptyList,
                    node.span,
                    format!("{what} lists nothing"),
                    "list the values",
                );
                return None;
            }
            let item = format!("each item of {what}");
            let scalars = items.iter().map(|item_node| read_scalar(item_node, &item, findings));
            scalars.collect::<Option<_>>().map(ValueTest::In)
        }
        "min" => read_number(node, what, findings).map(ValueTest::Min),
        "max" => read_number(node, what, findings).map(ValueTest::Max),
        "longer_than" => {
            let number = read_number(node, what, findings)?;
            let Some(limit) = number.as_u64() else {
                let message = format!("{what} must be a number of characters");
                findings.error_help(Code::WrongType, node.span, message, "write a whole number from 0 on");
                return None;
            };
            Some(ValueTest::LongerThan(limit))
        }
        _ => match &node.value {
            Value::Bool(present) => Some(ValueTest::Present(*present)),
            other => {
                wrong_type(node.span, what, "`true` or `false`", other, findings);
                None
            }
        },
    }
}

fn read_scalar(node: &Node, what: &str, findings: &mut Findings<'_>) -> Option<Scalar> {
    match &node.value {
        Value::Text(text) => Some(Scalar::Text(text.clone())),
        Value::Bool(value) => Some(Scalar::Bool(*value)),
        Value::Number(_) => read_number(node, what, findings).map(Scalar::Number),
        other => {
            wrong_type(node.span, what, "a text, a number, `true` or `false`", other, findings);
            None
        }
    }
}

/// Reads a number as JSON writes it: other spellings (`007`, `0x1f`, `.5`) mean different things to different readers.
pub(crate) fn read_number(node: &Node, what: &str, findings: &mut Findings<'_>) -> Option<Number> {
    let Value::Number(text) = &node.value else {
        wrong_type(node.span, what, "a number", &node.value, findings);
        return None;
    };
    let number = serde_json::from_str::<Number>(text).ok();
    // Spelt as it was read, so that 1e2 and 100.0 have one canonical form.
    let number = number.filter(|number| number.as_f64().is_some_and(f64::is_finite));
    if number.is_none() {
        let message = format!("{what} must be a plain number");
        findings.error_help(
            Code::WrongType,
            node.span,
            message,
            "write digits, such as 20 or 0.5; put it in quotes if it is text",
        );
    }
    number
}
