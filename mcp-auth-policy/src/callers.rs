//! How a verified token becomes subject, scopes and roles.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::{
    Policy,
    claim_path::{ClaimPath, Found},
    operation::Role,
};

/// What the owner of an object is recorded as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OwnerKey {
    /// The subject alone. Safe where one issuer is trusted, or all of them share their users.
    Subject,
    /// Issuer and subject, joined by `#`, which no issuer contains (RFC 8414 section 2).
    IssuerAndSubject,
}

/// `callers:`, compiled.
#[derive(Debug, Clone, Default)]
pub(crate) struct Callers {
    pub(crate) default: Option<Mapping>,
    pub(crate) issuers: Option<HashMap<String, Mapping>>,
    pub(crate) owner_key: Option<OwnerKey>,
}

/// How the tokens of one issuer are read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mapping {
    /// `None` is the standard claim `sub`.
    pub(crate) subject: Option<ClaimPath>,
    pub(crate) scopes: ScopeSource,
    pub(crate) roles: Option<RoleSource>,
    /// Scopes and roles add up instead of limiting each other.
    pub(crate) union: bool,
}

/// Where the scopes of a token come from.
#[derive(Debug, Clone, Default)]
pub(crate) enum ScopeSource {
    /// The standard claim `scope`, as the verifier read it.
    #[default]
    Standard,
    Claim(ClaimPath),
    /// The issuer maps roles alone.
    Nothing,
}

/// Where the roles of a token come from.
#[derive(Debug, Clone)]
pub(crate) struct RoleSource {
    pub(crate) claim: ClaimPath,
    /// Values of the claim to numbers of roles; without it the values are role names.
    pub(crate) names: Option<HashMap<String, usize>>,
}

impl Callers {
    /// Finds the mapping of an issuer. `None`: the issuer is not listed, and its tokens carry nothing.
    ///
    /// `default` is for policies that list no issuers, and for the callers of a test suite, which have none.
    pub(crate) fn mapping(&self, issuer: &str) -> Option<&Mapping> {
        static STANDARD: Mapping = Mapping {
            subject: None,
            scopes: ScopeSource::Standard,
            roles: None,
            union: false,
        };
        match &self.issuers {
            Some(issuers) if !issuer.is_empty() => issuers.get(issuer),
            _ => Some(self.default.as_ref().unwrap_or(&STANDARD)),
        }
    }

    /// Finds the issuer of a token that names none: the only one there is. `None` if there are several, and nothing says how the tokens of any
    /// other are read. Empty where issuers do not matter.
    pub(crate) fn implied_issuer(&self) -> Option<&str> {
        match (&self.issuers, &self.default) {
            (Some(issuers), None) => {
                let mut names = issuers.keys();
                names.next().filter(|_| names.next().is_none()).map(String::as_str)
            }
            _ => Some(""),
        }
    }

    /// Tells whether any token can carry a role.
    pub(crate) fn map_roles(&self) -> bool {
        let issuers = self.issuers.iter().flat_map(HashMap::values);
        issuers.chain(&self.default).any(|mapping| mapping.roles.is_some())
    }
}

impl RoleSource {
    /// Finds the role that a value of the claim means.
    pub(crate) fn role<'p>(&self, value: &str, policy: &'p Policy) -> Option<&'p Role> {
        let number = match &self.names {
            Some(names) => names.get(value),
            None => policy.role_numbers.get(value),
        };
        policy.roles.get(*number?)
    }
}

/// Reads a subject: a text that is not empty, or nothing.
pub(crate) fn subject<'v>(claim: &ClaimPath, claims: &'v Map<String, Value>) -> &'v str {
    match claim.find(claims) {
        Found::Value(Value::String(subject)) => subject,
        _ => "",
    }
}

/// Reads scopes: a list of texts, or one text with spaces between them. Anything else is empty.
pub(crate) fn scope_values(found: Found<'_>) -> Vec<&str> {
    match found {
        Found::Value(Value::String(scopes)) => scopes.split(' ').collect(),
        Found::Value(Value::Array(items)) => texts(items),
        _ => Vec::new(),
    }
}

/// Reads roles: a list of texts, or one text that is one role. Role names may contain spaces, so a text is not split.
pub(crate) fn role_values(found: Found<'_>) -> Vec<&str> {
    match found {
        Found::Value(Value::String(role)) => vec![role],
        Found::Value(Value::Array(items)) => texts(items),
        _ => Vec::new(),
    }
}

/// A list with anything but texts in it is of the wrong type as a whole.
fn texts(items: &[Value]) -> Vec<&str> {
    items
        .iter()
        .map(Value::as_str)
        .collect::<Option<_>>()
        .unwrap_or_default()
}
