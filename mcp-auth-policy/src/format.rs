//! Diagnostics for machines. The form for people is their `Display`.

use std::fmt::Write as _;

use serde::Serialize;

use crate::{Diagnostic, Severity};

/// One diagnostic as JSON.
#[derive(Serialize)]
struct Json<'d> {
    severity: &'static str,
    code: &'static str,
    message: &'d str,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'d str>,
    file: &'d str,
    line: usize,
    column: usize,
    end_column: usize,
}

/// Writes diagnostics as a JSON array, without a line break.
///
/// Each is an object with `severity` (`error` or `warning`), `code`, `message`, often `help`, `file`, and the place: `line`,
/// `column` and `end_column` (exclusive), counted from 1 in characters.
#[must_use]
pub fn to_json<'d>(diagnostics: impl IntoIterator<Item = &'d Diagnostic>) -> String {
    let list: Vec<Json<'_>> = diagnostics
        .into_iter()
        .map(|diagnostic| Json {
            severity: diagnostic.severity().label(),
            code: diagnostic.code(),
            message: diagnostic.message(),
            help: diagnostic.help(),
            file: diagnostic.file_name(),
            line: diagnostic.line(),
            column: diagnostic.column(),
            end_column: diagnostic.end_column(),
        })
        .collect();
    // Texts and numbers always become JSON.
    serde_json::to_string(&list).unwrap_or_else(|_| "[]".to_owned())
}

/// Writes diagnostics as workflow commands of GitHub Actions, which shows them at their lines; one per line.
#[must_use]
pub fn to_github<'d>(diagnostics: impl IntoIterator<Item = &'d Diagnostic>) -> String {
    let mut text = String::new();
    for diagnostic in diagnostics {
        let command = match diagnostic.severity() {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let help = diagnostic.help().map(|help| format!("; {help}")).unwrap_or_default();
        let _ = writeln!(
            text,
            "::{command} file={},line={},col={},endColumn={},title={}::{}",
            property(diagnostic.file_name()),
            diagnostic.line(),
            diagnostic.column(),
            diagnostic.end_column(),
            property(diagnostic.code()),
            data(&format!("{}{help}", diagnostic.message())),
        );
    }
    text
}

/// Escapes the characters that end a message.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes the characters that end a property, too.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
