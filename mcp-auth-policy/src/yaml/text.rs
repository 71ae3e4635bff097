//! Checks of the text before any YAML is read: size, encoding, characters.

use crate::{
    diagnostic::Code,
    findings::{Findings, PolicyErrors},
    source::{Source, Span, is_forbidden},
};

/// Decodes a file as UTF-8, the only encoding that is read.
pub(crate) fn decode<'b>(file: &str, bytes: &'b [u8]) -> Result<&'b str, PolicyErrors> {
    std::str::from_utf8(bytes).map_err(|error| {
        let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = 1 + valid.iter().filter(|b| **b == b'\n').count();
        let source = Source::new(file, "");
        let mut findings = Findings::new(&source);
        let span = Span {
            line,
            column: 1,
            width: 1,
        };
        findings.error_help(
            Code::YamlEncoding,
            span,
            "the file is not UTF-8",
            "save it as UTF-8 without a byte order mark",
        );
        findings.into_errors()
    })
}

/// Reports a text that is too large or holds a character that a reviewer cannot see. True if YAML may be read.
pub(crate) fn check_text(text: &str, max_bytes: usize, findings: &mut Findings<'_>) -> bool {
    if text.len() > max_bytes {
        let message = format!("the file is larger than the {max_bytes} bytes allowed");
        findings.error(Code::YamlTooLarge, Span::START, message);
        return false;
    }
    // Nearly every file is plain ASCII, which is quickly seen.
    if text.bytes().all(|b| matches!(b, b'\t' | b'\n' | b' '..=b'~')) {
        return true;
    }
    let mut span = Span::START;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let lone_return = c == '\r' && characters.peek() != Some(&'\n');
        if is_forbidden(c) || lone_return {
            report(c, span, findings);
            return false;
        }
        if c == '\n' {
            span.line += 1;
            span.column = 1;
        } else {
            span.column += 1;
        }
    }
    true
}

fn report(c: char, span: Span, findings: &mut Findings<'_>) {
    let code = u32::from(c);
    let (message, help) = match c {
        '\u{feff}' => (
            "a byte order mark is not allowed".to_owned(),
            "save the file as UTF-8 without it",
        ),
        '\r' => (
            "a carriage return without a line feed is not allowed".to_owned(),
            "end lines with a line feed",
        ),
        '\0' => (
            "a NUL character is not allowed".to_owned(),
            "save the file as UTF-8, and as text",
        ),
        _ => (
            format!("the invisible character U+{code:04X} is not allowed"),
            "delete it",
        ),
    };
    findings.error_help(Code::YamlCharacter, span, message, help);
}
