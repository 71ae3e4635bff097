//! The text of the policy at the end of the page, where the answers lead to.

use super::html::escape;
use crate::load::Loaded;

pub(super) fn section(loaded: &Loaded) -> String {
    let lines: String = (loaded.lines.iter().enumerate())
        .map(|(index, line)| {
            let (code, comment) = split(line);
            let comment = match comment {
                "" => String::new(),
                comment => format!("<i>{}</i>", escape(comment)),
            };
            format!(
                "<li id=\"L{}\"><code>{}{comment}</code></li>\n",
                index + 1,
                escape(code)
            )
        })
        .collect();
    format!("<section>\n<h2 id=\"policy\">The policy</h2>\n<ol class=\"source\">\n{lines}</ol>\n</section>\n")
}

/// Parts a line before its comment: a `#` at the start or after white space, outside of quotes (YAML 1.2 section 6.6).
fn split(line: &str) -> (&str, &str) {
    let mut quote = None;
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (None, '#') if before.is_whitespace() => return line.split_at(at),
            (None, '"' | '\'') if !before.is_alphanumeric() => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
        before = c;
    }
    (line, "")
}
