//! What a verb found, for people and for the exit code.

use std::fmt::Display;

use serde::Serialize;

/// Text to print and the facts that make the exit code.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// For standard output.
    pub(crate) text: String,
    /// For standard error.
    pub(crate) complaints: String,
    /// Files that were judged.
    pub(crate) files: usize,
    /// A test failed.
    pub(crate) failed: bool,
    /// A file is not valid.
    pub(crate) invalid: bool,
    unreadable: bool,
}

impl Outcome {
    /// Notes a file or folder that cannot be read.
    pub(crate) fn complain(&mut self, complaint: impl Display) {
        self.complaints
            .push_str(&format!("{}: {complaint}\n", crate::paint::error("error")));
        self.unreadable = true;
    }

    pub(crate) fn line(&mut self, line: impl Display) {
        self.text.push_str(&format!("{line}\n"));
    }

    /// Writes a value as JSON with line breaks.
    pub(crate) fn json(&mut self, value: &impl Serialize) {
        match serde_json::to_string_pretty(value) {
            Ok(text) => self.line(text),
            Err(error) => self.complain(error),
        }
    }

    /// Tells whether everything that was asked for is as it should be.
    pub(crate) fn is_good(&self) -> bool {
        self.exit_code() == 0
    }

    /// The worst of what happened: input/output before an invalid file before a failed test before nothing at all.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self { unreadable: true, .. } => 2,
            Self { invalid: true, .. } => 3,
            Self { failed: true, .. } => 1,
            Self { files: 0, .. } => 4,
            _ => 0,
        }
    }
}
