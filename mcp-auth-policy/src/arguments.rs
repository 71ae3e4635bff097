//! The arguments of one call, as far as a decision may know them.

use serde_json::{Map, Value};

/// The arguments of a call.
///
/// An `arg` condition of a `forbid` reads them. Resources and operations have none: there such a condition finds its argument missing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Arguments<'a> {
    /// Nothing is known about them: a forbid that depends on them counts as matching.
    Unknown,
    /// All of them, as the client sent them.
    Known(&'a Map<String, Value>),
}

impl<'a> From<&'a Map<String, Value>> for Arguments<'a> {
    fn from(arguments: &'a Map<String, Value>) -> Self {
        Self::Known(arguments)
    }
}
