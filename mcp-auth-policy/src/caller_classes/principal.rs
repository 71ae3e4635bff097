//! A class as a principal of a test suite, to be pasted there.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::{CallerClass, IssuerAxes, axes::Place};
use crate::source::is_forbidden;

/// Characters of an argument from which a test says its length instead.
const LONG: usize = 40;

impl CallerClass<'_> {
    /// Writes the caller as a principal: `{ scopes: [read:todos] }`.
    pub(crate) fn principal(self) -> String {
        let mut members = Vec::new();
        if !self.issuer().is_empty() {
            members.push(format!("issuer: {}", scalar(self.issuer())));
        }
        if let Some(client) = self.client_id() {
            members.push(format!("client: {}", scalar(client)));
        }
        let is_read = |axes: &IssuerAxes| axes.axes.iter().any(|axis| matches!(axis.place, Place::Scopes(_)));
        if self.axes().is_some_and(is_read) || members.is_empty() && self.claims().is_empty() {
            let scopes: Vec<String> = self.scopes().iter().map(|scope| scalar(scope)).collect();
            members.push(format!("scopes: [{}]", scopes.join(", ")));
        }
        if !self.claims().is_empty() {
            members.push(format!("claims: {}", mapping(self.claims(), flow)));
        }
        format!("{{ {} }}", members.join(", "))
    }

    /// Writes the arguments as those of a case: `{ content: { length: 2001 } }`. `None` where they make no difference.
    pub(crate) fn case_arguments(self) -> Option<String> {
        let argument = |value: &Value| match value.as_str().map(|text| text.chars().count()) {
            Some(length) if length >= LONG => format!("{{ length: {length} }}"),
            _ => flow(value),
        };
        (!self.arguments().is_empty()).then(|| mapping(self.arguments(), argument))
    }
}

fn mapping(members: &Map<String, Value>, value: impl Fn(&Value) -> String) -> String {
    let members = members
        .iter()
        .map(|(name, member)| format!("{}: {}", scalar(name), value(member)));
    format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
}

/// Writes a value as flow YAML.
pub(crate) fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(members) if !members.is_empty() => mapping(members, flow),
        other => other.to_string(),
    }
}

/// Writes a text: plain where every YAML reader takes it for this text, else quoted, without characters that could act on a terminal.
fn scalar(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:".contains(c);
    let words = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "none"];
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && !text.ends_with(':')
        && text.chars().all(is_plain)
        && !words.contains(&text.to_ascii_lowercase().as_str());
    if plain {
        return text.to_owned();
    }
    let mut quoted = String::new();
    for c in Value::from(text).to_string().chars() {
        if is_forbidden(c) {
            let _ = write!(quoted, "\\u{:04x}", u32::from(c));
        } else {
            quoted.push(c);
        }
    }
    quoted
}
