//! The version of MCP that a request says it speaks.

use http::HeaderMap;

/// Whether the request is of MCP 2026-07-28 or later: no sessions, and challenges name what one operation needs.
///
/// Only a hint: the header is the client's, so it may choose the form of an answer, never whether something is allowed.
pub(crate) fn is_stateless(headers: &HeaderMap) -> bool {
    let version = headers
        .get("mcp-protocol-version")
        .and_then(|value| value.to_str().ok());
    // Versions are dates, so they sort as text.
    version.is_some_and(|version| version >= "2026-07-28")
}
