//! Text to paste into a suite.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::source::is_forbidden;

/// Characters of a text from which a suite says its length instead.
pub(super) const LONG: usize = 40;
/// Words that some YAML readers take for true, false or nothing.
const WORDS: &[&str] = &["true", "false", "null", "yes", "no", "on", "off", "y", "n"];

/// Writes a text so that it stands for itself inside `{}` and `[]` too: plain where that is safe, else in double quotes.
pub(super) fn text(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:'() ".contains(c);
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(plain)
        && !text.ends_with([':', ' '])
        && !text.contains(": ")
        && !WORDS.iter().any(|word| word.eq_ignore_ascii_case(text));
    if is_plain {
        return text.to_owned();
    }
    // Double quotes mean the same in JSON and YAML, and every character that a file may not hold can be escaped there.
    let json = Value::from(text).to_string();
    let mut quoted = String::with_capacity(json.len());
    for c in json.chars() {
        match is_forbidden(c) {
            true => drop(write!(quoted, "\\u{:04x}", u32::from(c))),
            false => quoted.push(c),
        }
    }
    quoted
}

/// Writes a list of texts.
pub(super) fn list<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> String {
    let texts: Vec<String> = texts.into_iter().map(|item| text(item.as_ref())).collect();
    format!("[{}]", texts.join(", "))
}

/// Writes named values. Long texts become `{ length: n }`: whoever builds the values sees to it that this means the same.
pub(super) fn mapping(members: &Map<String, Value>) -> String {
    if members.is_empty() {
        return "{}".to_owned();
    }
    let members = members
        .iter()
        .map(|(name, member)| format!("{}: {}", text(name), value(member)));
    format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
}

fn value(any: &Value) -> String {
    match any {
        Value::String(long) if is_filling(long) => format!("{{ length: {} }}", long.len()),
        Value::String(short) => text(short),
        Value::Array(items) => format!("[{}]", items.iter().map(value).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => mapping(members),
        other => other.to_string(),
    }
}

fn is_filling(text: &str) -> bool {
    text.len() >= LONG && text.bytes().all(|byte| byte == b'x')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{findings::Findings, source::Source, yaml};

    #[test]
    fn every_text_reads_back_as_itself() {
        let long = "x".repeat(100);
        for written in [
            "create-todo",
            "delete:todos",
            "resource:notes://{owner}/{id}",
            "alice's item",
            "a: b",
            "a #b",
            "ends:",
            "",
            " ",
            "yes",
            "No",
            "~",
            "1e3",
            "- a",
            "\"quoted\"",
            "back\\slash",
            "ä€😀",
            "\u{1b}[31m\u{2028}\u{feff}",
            "tab\tand\nline",
            &long,
        ] {
            for yaml in [
                format!("{{ k: {}, l: m }}\n", text(written)),
                format!("[{}, x]\n", text(written)),
            ] {
                let source = Source::new("t.yaml", &yaml);
                let mut findings = Findings::new(&source);
                assert!(yaml::check_text(&yaml, 1000, &mut findings), "{yaml}");
                let node = yaml::parse(&yaml, &mut findings).unwrap();
                let value = match node.value {
                    yaml::Value::Map(entries) => entries[0].node.value.clone(),
                    yaml::Value::List(items) => items[0].value.clone(),
                    _ => unreachable!(),
                };
                assert_eq!(value, yaml::Value::Text(written.to_owned()), "{yaml}");
            }
        }
    }
}
