//! What a policy is told about a verified access token.

use serde_json::{Map, Value};

/// The facts of one verified access token.
///
/// # Security
/// The policy believes them: signature, issuer, audience and times must have been checked before.
#[derive(Debug, Clone, Copy)]
pub struct TokenFacts<'a> {
    /// The issuer (`iss`). Empty only for the callers of a test suite that name none; they are mapped by `callers.default`.
    pub issuer: &'a str,
    /// The subject (`sub`); empty if the token has none.
    pub subject: &'a str,
    /// The OAuth client (`client_id`, or `azp`).
    pub client_id: Option<&'a str>,
    /// The scope tokens of the standard `scope` claim.
    pub scopes: &'a [String],
    /// Every claim of the token, the standard ones included.
    pub claims: &'a Map<String, Value>,
}
