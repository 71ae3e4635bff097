//! Collects every mistake of one file, and the error that carries them.

use std::fmt;

use crate::{
    diagnostic::{Code, Diagnostic, Severity},
    source::{Source, Span},
};

/// Findings of one file that are kept in full; a hostile file could hold a hundred thousand.
pub(crate) const KEPT: usize = 100;

/// Every mistake of one file, in the order of its lines.
///
/// `Display` gives the whole report: for each mistake the message, file, line and column, the source line with the place
/// underlined, and help; then the count. Of more than 100 mistakes the first 100 found are kept and the rest are counted.
///
/// `Debug` shows the same, since that is what a `main` that returns an error prints.
#[derive(Clone)]
pub struct PolicyErrors {
    diagnostics: Vec<Diagnostic>,
    more: usize,
}

impl PolicyErrors {
    /// Returns the mistakes in the order of their lines. Never empty.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Returns how many mistakes the file has, those included that were counted and not kept.
    #[must_use]
    pub fn count(&self) -> usize {
        self.diagnostics.len() + self.more
    }
}

impl fmt::Debug for PolicyErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for PolicyErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for diagnostic in &self.diagnostics {
            writeln!(f, "{diagnostic}")?;
        }
        if self.more > 0 {
            writeln!(f, "… and {} more", self.more)?;
        }
        match self.count() {
            1 => write!(f, "1 error"),
            count => write!(f, "{count} errors"),
        }
    }
}

impl std::error::Error for PolicyErrors {}

/// The collector that every stage of reading a file writes to.
#[derive(Debug)]
pub(crate) struct Findings<'s> {
    source: &'s Source<'s>,
    list: Vec<Diagnostic>,
    more: usize,
}

impl<'s> Findings<'s> {
    pub(crate) fn new(source: &'s Source<'s>) -> Self {
        Self {
            source,
            list: Vec::new(),
            more: 0,
        }
    }

    pub(crate) fn source(&self) -> &'s Source<'s> {
        self.source
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(crate) fn error(&mut self, code: Code, at: Span, message: impl Into<String>) {
        self.error_with(code, at, message, || None);
    }

    pub(crate) fn error_help(&mut self, code: Code, at: Span, message: impl Into<String>, help: impl Into<String>) {
        let help = help.into();
        self.error_with(code, at, message, || Some(help));
    }

    /// Adds a mistake; `help` runs only if the mistake is kept, because looking for similar names takes time.
    pub(crate) fn error_with(
        &mut self,
        code: Code,
        at: Span,
        message: impl Into<String>,
        help: impl FnOnce() -> Option<String>,
    ) {
        if self.list.len() >= KEPT {
            self.more += 1;
            return;
        }
        let diagnostic = Diagnostic::new(Severity::Error, code, self.source, at, message.into());
        self.list.push(diagnostic.with_help(help()));
    }

    /// Gives `value` if nothing was found wrong, else every mistake.
    pub(crate) fn finish<T>(self, value: T) -> Result<T, PolicyErrors> {
        if self.list.is_empty() {
            Ok(value)
        } else {
            Err(self.into_errors())
        }
    }

    pub(crate) fn into_errors(mut self) -> PolicyErrors {
        self.list.sort_by_key(|d| (d.line(), d.column()));
        PolicyErrors {
            diagnostics: self.list,
            more: self.more,
        }
    }
}
