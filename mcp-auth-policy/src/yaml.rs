//! YAML text to a small tree that knows the place of every key and value.
//!
//! What passes is the plain part of YAML 1.2 that every reader understands alike: one document of mappings with text keys,
//! lists, and scalars. Refused, each with its place: duplicate keys, anchors, aliases, merge keys, tags, directives, a second
//! document, keys that are not text, control characters and byte order marks, more than 64 levels, more bytes than allowed.
//! `saphyr-parser` gives the events; its pull interface keeps its own stack on the heap, and reading stops at the first
//! event that is too deep, so that nesting cannot exhaust the stack.

mod builder;
mod scalar;
#[cfg(test)]
mod tests;
mod text;
mod tree;

pub(crate) use self::text::{check_text, decode};
pub(crate) use self::tree::parse;

use crate::source::Span;

/// Levels of mappings and lists inside each other that a file may have.
pub(crate) const MAX_DEPTH: usize = 64;

/// A value with its place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) span: Span,
}

/// What a value is, by the core schema of YAML 1.2 section 10.3.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// Something that was reported already; later stages stay silent about it.
    Refused,
    Null,
    Bool(bool),
    /// As written: the policy language knows no number but the version.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One key of a mapping with its value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_span: Span,
    pub(crate) node: Node,
}

impl Value {
    /// Names the kind of value for messages, without any Rust or YAML jargon.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Refused => "something refused",
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}
