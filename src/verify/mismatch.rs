//! What an operator reads about a token that was meant for somebody else, or comes from somebody else: with one letter too many in a setting,
//! that is every token. Only in the log, at `DEBUG`; a client learns nothing of it.

use std::fmt::Debug;

/// Longest part of a token that is logged, in characters.
const MAX_SHOWN: usize = 200;

/// Logs an audience that is not this resource's, of a token whose signature is right or whose issuer was asked.
pub(super) fn log_audience(expected: &[String], got: Option<&[String]>) {
    tracing::debug!(
        ?expected,
        got = shown(got.as_ref()),
        "the token is for another audience; if this server is meant, let the issuer name it as expected, or accept it by `audience`"
    );
}

/// Logs an issuer that is not trusted. Anybody can have written it.
pub(super) fn log_issuer<'a>(expected: impl IntoIterator<Item = &'a str>, got: Option<&str>) {
    tracing::debug!(
        expected = ?expected.into_iter().collect::<Vec<_>>(),
        got = shown(got.as_ref()),
        "the token is of another issuer; if it is trusted, configure it exactly as in `got`"
    );
}

/// In quotes and escaped, so that nothing in it looks like a line of the log.
fn shown(claim: Option<&impl Debug>) -> String {
    let Some(claim) = claim else {
        return "none".to_owned();
    };
    let text = format!("{claim:?}");
    let mut shown: String = text.chars().take(MAX_SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}
