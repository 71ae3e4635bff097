//! Colours, which `anstream` drops where they do not belong.

use anstyle::{AnsiColor, Style};
use mcp_auth_policy::{Diagnostic, PolicyErrors, Severity};

pub(crate) fn error(text: &str) -> String {
    paint(AnsiColor::Red, text)
}

pub(crate) fn good(text: &str) -> String {
    paint(AnsiColor::Green, text)
}

pub(crate) fn warning(text: &str) -> String {
    paint(AnsiColor::Yellow, text)
}

/// Gives the report of one finding, its head in colour.
pub(crate) fn diagnostic(diagnostic: &Diagnostic) -> String {
    let colour = match diagnostic.severity() {
        Severity::Error => AnsiColor::Red,
        Severity::Warning => AnsiColor::Yellow,
    };
    let head = format!("{}[{}]", diagnostic.severity().label(), diagnostic.code());
    let report = diagnostic.to_string();
    match report.strip_prefix(&head) {
        Some(rest) => format!("{}{rest}\n", paint(colour, &head)),
        None => format!("{report}\n"),
    }
}

/// Gives the reports of all mistakes of a file, without the count.
pub(crate) fn errors(errors: &PolicyErrors) -> String {
    let mut text: String = errors.diagnostics().iter().map(diagnostic).collect();
    let more = errors.count() - errors.diagnostics().len();
    if more > 0 {
        text.push_str(&format!("… and {more} more\n"));
    }
    text
}

fn paint(colour: AnsiColor, text: &str) -> String {
    let style = Style::new().fg_color(Some(colour.into())).bold();
    format!("{style}{text}{style:#}")
}
