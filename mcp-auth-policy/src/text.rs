//! Names: what they may consist of, how messages quote them, and which one was probably meant.

use std::fmt;

use crate::source::is_forbidden;

/// Characters of a name that a message repeats at most.
const SHOWN: usize = 60;
/// Character pairs compared for one suggestion at most, so that a huge file cannot make an error message slow.
const COMPARED: usize = 2_000_000;
/// The length of a name in characters at most: of tools as MCP says, of our own names likewise.
const MAX_NAME: usize = 128;

/// Puts a name in backticks, shortened, without characters that could act on a terminal.
pub(crate) fn quoted(name: &str) -> String {
    let dots = if name.chars().nth(SHOWN).is_some() { "…" } else { "" };
    let shown: String = name.chars().take(SHOWN).collect();
    format!("`{}{dots}`", printable(&shown))
}

/// Puts the place of a key in backticks: `tools.get-todos`.
pub(crate) fn quoted_path(section: &str, key: &str) -> String {
    quoted(&format!("{section}.{key}"))
}

/// As [`quoted`], written only when it is shown: most names are in no message.
#[derive(Clone, Copy)]
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

/// As [`quoted_path`], written only when it is shown.
#[derive(Clone, Copy)]
pub(crate) struct QuotedPath<'a>(pub(crate) &'a str, pub(crate) &'a str);

/// The field of an entry: `` `requires` of `tools.get-todos` ``.
#[derive(Clone, Copy)]
pub(crate) struct FieldOf<'a>(pub(crate) &'static str, pub(crate) QuotedPath<'a>);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&quoted(self.0))
    }
}

impl fmt::Display for QuotedPath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&quoted_path(self.0, self.1))
    }
}

impl fmt::Display for FieldOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` of {}", self.0, self.1)
    }
}

/// Replaces the characters that could act on a terminal, and all white space but the plain one.
pub(crate) fn printable(text: &str) -> String {
    let shown = |c: char| {
        if is_forbidden(c) || c.is_whitespace() && c != ' ' {
            '\u{fffd}'
        } else {
            c
        }
    };
    text.chars().map(shown).collect()
}

/// Tells whether a text is a scope token: RFC 6749 section 3.3.
pub(crate) fn is_scope_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

/// Tells whether a text is a tool name: 1 to 128 of `A-Z a-z 0-9 _ - .`, as the MCP specification says.
pub(crate) fn is_tool_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
}

/// Words that look like a column but are a value in SQLite or PostgreSQL: `user` is the database's role, not a column.
pub(crate) const VALUE_WORDS: &[&str] = &[
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "false",
    "localtime",
    "localtimestamp",
    "null",
    "session_user",
    "system_user",
    "true",
    "user",
];

/// Tells whether a text is an SQL column name that needs no quoting: `[A-Za-z_][A-Za-z0-9_]*`, at most 128 characters, and no word that SQL
/// reads as a value.
#[must_use]
pub fn is_column_name(text: &str) -> bool {
    text.len() <= MAX_NAME
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !VALUE_WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// Tells whether a text may name a policy, a role or an object: 1 to 128 characters, none of them invisible.
pub(crate) fn is_name(text: &str) -> bool {
    let visible = |c: char| c == ' ' || !c.is_whitespace() && !is_forbidden(c);
    !text.is_empty() && text.trim() == text && text.chars().count() <= MAX_NAME && text.chars().all(visible)
}

/// Finds the name nearest to a misspelt one: at most one edit for each three characters, the first of equals.
#[must_use]
pub fn nearest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if wrong.len() > MAX_NAME {
        return None;
    }
    let allowed = (wrong.chars().count() / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    let mut compared = 0;
    for name in names {
        compared += wrong.len() * name.len().min(MAX_NAME) + 1;
        if compared > COMPARED {
            break;
        }
        // A character has at most four bytes.
        if name.len().abs_diff(wrong.len()) > 4 * allowed {
            continue;
        }
        let distance = if name.eq_ignore_ascii_case(wrong) {
            0
        } else {
            strsim::damerau_levenshtein(wrong, name)
        };
        if distance <= allowed && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, name));
        }
    }
    best.map(|(_, name)| name)
}

/// Turns the nearest name into a help text; else lists the valid ones if they are few.
pub(crate) fn did_you_mean<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str> + Clone) -> Option<String> {
    if let Some(name) = nearest(wrong, names.clone()) {
        return Some(format!("did you mean {}?", quoted(name)));
    }
    let known: Vec<String> = names.into_iter().take(9).map(quoted).collect();
    (1..=8)
        .contains(&known.len())
        .then(|| format!("known here: {}", known.join(", ")))
}
