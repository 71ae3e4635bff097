//! Strict reading of mappings, lists and texts: every mistake is reported, nothing is guessed.
//!
//! A `path` says what is read, for messages. It is written out only for a mistake: a file may have a hundred thousand entries without one.

use std::{collections::HashSet, fmt::Display};

use serde::{Serialize, Serializer};

use crate::{
    diagnostic::Code,
    findings::Findings,
    source::Span,
    text::{did_you_mean, quoted},
    yaml::{Entry, Node, Value},
};

/// A text with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) name: String,
    pub(crate) span: Span,
}

/// The name alone: in the canonical form places do not count.
impl Serialize for Named {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name)
    }
}

/// The fields of a mapping whose keys are a closed vocabulary.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'n> {
    entries: &'n [Entry],
    span: Span,
}

impl<'n> Fields<'n> {
    /// Opens a mapping; `later` are keys of the full language that this version does not know yet.
    pub(crate) fn open(
        node: &'n Node,
        path: impl Display,
        known: &[&str],
        later: &[&str],
        findings: &mut Findings<'_>,
    ) -> Option<Self> {
        let entries = mapping(node, &path, findings)?;
        for entry in entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            let message = format!("{} is not a field of {path}", quoted(&entry.key));
            findings.error_with(Code::UnknownField, entry.key_span, message, || {
                if later.contains(&entry.key.as_str()) {
                    return Some("this version of the policy engine does not support it yet; remove it".to_owned());
                }
                did_you_mean(&entry.key, known.iter().copied())
            });
        }
        Some(Self {
            entries,
            span: node.span,
        })
    }

    pub(crate) fn span(&self) -> Span {
        self.span
    }

    pub(crate) fn get(&self, key: &str) -> Option<&'n Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }
}

/// Reads a mapping with free keys.
pub(crate) fn mapping<'n>(node: &'n Node, path: impl Display, findings: &mut Findings<'_>) -> Option<&'n [Entry]> {
    match &node.value {
        Value::Map(entries) => Some(entries),
        other => {
            wrong_type(node.span, path, "a mapping", other, findings);
            None
        }
    }
}

/// Reads a text that is not empty.
pub(crate) fn text(node: &Node, path: impl Display, findings: &mut Findings<'_>) -> Option<Named> {
    match &node.value {
        Value::Text(name) if !name.trim().is_empty() => Some(Named {
            name: name.clone(),
            span: node.span,
        }),
        Value::Text(_) => {
            findings.error(Code::WrongType, node.span, format!("{path} must not be empty"));
            None
        }
        other => {
            wrong_type(node.span, path, "text", other, findings);
            None
        }
    }
}

/// Reads one of a closed set of words.
pub(crate) fn choice<T: Copy>(
    node: &Node,
    path: impl Display,
    words: &[(&str, T)],
    findings: &mut Findings<'_>,
) -> Option<T> {
    let named = text(node, &path, findings)?;
    let found = words.iter().find(|(word, _)| *word == named.name);
    if found.is_none() {
        let message = format!("{path} cannot be {}", quoted(&named.name));
        findings.error_with(Code::UnknownWord, named.span, message, || {
            did_you_mean(&named.name, words.iter().map(|(word, _)| *word))
        });
    }
    found.map(|(_, value)| *value)
}

/// Reads a list of texts, none of them twice.
pub(crate) fn texts(node: &Node, path: impl Display, findings: &mut Findings<'_>) -> Option<Vec<Named>> {
    let Value::List(items) = &node.value else {
        wrong_type(node.span, path, "a list", &node.value, findings);
        return None;
    };
    let named = items
        .iter()
        .filter_map(|node| text(node, format_args!("each item of {path}"), findings));
    let names: Vec<Named> = named.collect();
    let mut seen = HashSet::new();
    for name in names.iter().filter(|_| names.len() > 1) {
        if !seen.insert(&name.name) {
            let message = format!("{path} names {} twice", quoted(&name.name));
            findings.error_help(Code::DuplicateName, name.span, message, "delete one of the two");
        }
    }
    Some(names)
}

/// Demands `version: 1`.
pub(crate) fn version(fields: &Fields<'_>, findings: &mut Findings<'_>) {
    let Some(entry) = fields.get("version") else {
        return missing(
            fields.span(),
            "version",
            "write `version: 1` in the first line",
            findings,
        );
    };
    match &entry.node.value {
        Value::Number(number) if number == "1" => {}
        Value::Number(number) => {
            let message = format!("version {} of the file format is not supported", quoted(number));
            findings.error_help(Code::UnsupportedVersion, entry.node.span, message, "write `version: 1`");
        }
        other => wrong_type(entry.node.span, "`version`", "the number 1", other, findings),
    }
}

pub(crate) fn missing(at: Span, field: &str, help: &str, findings: &mut Findings<'_>) {
    findings.error_help(
        Code::MissingField,
        at,
        format!("the field {} is missing", quoted(field)),
        help,
    );
}

pub(crate) fn wrong_type(at: Span, path: impl Display, wanted: &str, found: &Value, findings: &mut Findings<'_>) {
    if *found == Value::Refused {
        return;
    }
    let message = format!("{path} must be {wanted}, and this is {}", found.kind());
    findings.error_with(Code::WrongType, at, message, || match (wanted, found) {
        ("text", Value::Bool(_) | Value::Number(_)) => Some("put it in quotes if it is meant as text".to_owned()),
        (_, Value::Null) => Some("write the value after the colon, or delete the key".to_owned()),
        _ => None,
    });
}
