//! Values of claims and arguments: JSON as YAML writes it, and a short form for long texts.

use serde_json::{Map, Value};

use crate::{
    diagnostic::Code,
    fields::{mapping, wrong_type},
    findings::Findings,
    read_value_test::read_number,
    yaml::{self, Entry, Node},
};

/// Characters that one `{ length: n }` may stand for.
const LONGEST: usize = 1024 * 1024;
/// Characters that all of them in one suite may stand for together: a short file must not become gigabytes.
const LONGEST_TOGETHER: usize = 16 * 1024 * 1024;

/// Reads the values of one suite.
pub(super) struct Values {
    characters_left: usize,
}

impl Values {
    pub(super) fn new() -> Self {
        Self {
            characters_left: LONGEST_TOGETHER,
        }
    }

    /// Reads named values. Here a name `length` is a name like every other.
    pub(super) fn read_named(
        &mut self,
        node: &Node,
        what: &str,
        findings: &mut Findings<'_>,
    ) -> Option<Map<String, Value>> {
        self.members(mapping(node, what, findings)?, what, findings)
    }

    /// Reads one value. A mapping whose only key is `length` is a text of so many characters; such an object cannot be written.
    fn read(&mut self, node: &Node, what: &str, findings: &mut Findings<'_>) -> Option<Value> {
        Some(match &node.value {
            yaml::Value::Refused => return None,
            yaml::Value::Null => Value::Null,
            yaml::Value::Bool(value) => Value::Bool(*value),
            yaml::Value::Number(_) => Value::Number(read_number(node, what, findings)?),
            yaml::Value::Text(text) => Value::String(text.clone()),
            yaml::Value::List(items) => {
                let items = items.iter().map(|item| self.read(item, what, findings));
                Value::Array(items.collect::<Option<_>>()?)
            }
            yaml::Value::Map(entries) => match entries.as_slice() {
                [only] if only.key == "length" => self.text_of_length(&only.node, findings)?,
                entries => Value::Object(self.members(entries, what, findings)?),
            },
        })
    }

    fn members(&mut self, entries: &[Entry], what: &str, findings: &mut Findings<'_>) -> Option<Map<String, Value>> {
        let members = entries
            .iter()
            .map(|entry| Some((entry.key.clone(), self.read(&entry.node, what, findings)?)));
        members.collect()
    }

    fn text_of_length(&mut self, node: &Node, findings: &mut Findings<'_>) -> Option<Value> {
        let length = match &node.value {
            yaml::Value::Number(digits) => digits.parse::<usize>().ok(),
            _ => None,
        };
        let Some(length) = length else {
            wrong_type(
                node.span,
                "`length`",
                "a whole number of characters",
                &node.value,
                findings,
            );
            return None;
        };
        if length > LONGEST {
            let message = format!("a text of {length} characters is longer than the {LONGEST} allowed");
            findings.error(Code::TextTooLong, node.span, message);
            return None;
        }
        let Some(left) = self.characters_left.checked_sub(length) else {
            let message =
                format!("the long texts of this file have more than the {LONGEST_TOGETHER} characters allowed");
            findings.error(Code::TextTooLong, node.span, message);
            return None;
        };
        self.characters_left = left;
        Some(Value::String("x".repeat(length)))
    }
}
