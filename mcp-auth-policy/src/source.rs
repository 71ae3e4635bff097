//! The text of one file, and places in it.

use std::sync::Arc;

/// Characters of a source line that a message repeats at most; a whole file may be a single line.
const EXCERPT: usize = 120;

/// A place in a file. Line and column count from 1, the column and the width in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) width: usize,
}

impl Span {
    /// The first character of the file.
    pub(crate) const START: Self = Self {
        line: 1,
        column: 1,
        width: 1,
    };
}

/// A file's name and its lines.
#[derive(Debug)]
pub(crate) struct Source<'t> {
    file: Arc<str>,
    lines: Vec<&'t str>,
}

/// The part of a source line that a message shows, with the marked range counted in characters of `text`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Excerpt {
    pub(crate) text: String,
    pub(crate) indent: usize,
    pub(crate) width: usize,
}

impl<'t> Source<'t> {
    pub(crate) fn new(file: &str, text: &'t str) -> Self {
        // Lines end at `\n` only: the loader refuses a `\r` that no `\n` follows, so that everybody counts alike.
        let lines = text
            .split('\n')
            .map(|line| line.strip_suffix('\r').unwrap_or(line))
            .collect();
        Self {
            file: Arc::from(file),
            lines,
        }
    }

    pub(crate) fn file(&self) -> &Arc<str> {
        &self.file
    }

    /// Returns the lines before line number `line`.
    pub(crate) fn lines_before(&self, line: usize) -> impl Iterator<Item = &'t str> {
        self.lines.iter().copied().take(line.saturating_sub(1))
    }

    /// Returns a line by its number, without its end.
    pub(crate) fn line(&self, line: usize) -> Option<&'t str> {
        self.lines.get(line.checked_sub(1)?).copied()
    }

    pub(crate) fn excerpt(&self, span: Span) -> Option<Excerpt> {
        let line = self.line(span.line)?;
        let at = span.column.saturating_sub(1);
        let cut = if at + span.width.min(EXCERPT / 2) > EXCERPT {
            at.saturating_sub(EXCERPT / 4)
        } else {
            0
        };
        let mut text = String::new();
        if cut > 0 {
            text.push('…');
        }
        // A control character in a refused file must not reach a terminal.
        text.extend(line.chars().skip(cut).take(EXCERPT).map(|c| match c {
            '\t' => ' ',
            c if is_forbidden(c) => '\u{fffd}',
            c => c,
        }));
        if line.chars().nth(cut + EXCERPT).is_some() {
            text.push('…');
        }
        let indent = at - cut + usize::from(cut > 0);
        let width = span.width.clamp(1, text.chars().count().saturating_sub(indent).max(1));
        Some(Excerpt { text, indent, width })
    }
}

/// Tells whether a policy file may not contain this character anywhere.
///
/// YAML 1.2 section 5.1 excludes most control characters. Line separators that only YAML 1.1 knows, byte order marks and
/// bidirectional controls are excluded here too: with them a reviewer and the parser would see different texts.
pub(crate) fn is_forbidden(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => false,
        '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => true,
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        c => c.is_control(),
    }
}
