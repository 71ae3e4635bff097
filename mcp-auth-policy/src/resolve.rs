//! A verified token to a caller.

use std::fmt;

use crate::{
    Grants, OwnerKey, Policy, TokenFacts,
    bits::Bits,
    callers::{self, Mapping, ScopeSource},
    grants::Sources,
};

/// A caller as one policy sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Resolved {
    grants: Grants,
    subject: String,
    owner_key: String,
}

/// Why a policy does not fit the issuers that a server trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum IssuerMismatch {
    /// `callers.issuers` does not list an issuer that is trusted.
    Unlisted {
        /// The issuer as configured.
        issuer: String,
        /// The listed issuer that is nearest.
        suggestion: Option<String>,
    },
    /// Several issuers are trusted, and `callers.owner_key` is not written: one user's objects could pass to another issuer's user.
    OwnerKeyMissing,
}

impl Resolved {
    /// Returns what the caller was granted.
    #[must_use]
    pub fn grants(&self) -> &Grants {
        &self.grants
    }

    /// Returns the subject, from `sub` or from the claim that `callers` names. Empty if that is missing or no text.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Returns what the caller's objects are marked with, as `callers.owner_key` says. Empty means that it owns nothing.
    #[must_use]
    pub fn owner_key(&self) -> &str {
        &self.owner_key
    }
}

impl Policy {
    /// Reads a verified token as `callers:` says: subject, scopes, roles, and which forbids it settles.
    ///
    /// A mapped claim that is missing or of the wrong type counts as empty; scopes and roles that the policy does not declare
    /// are ignored. Where an issuer maps both, the scopes that count are those that the token and the roles have in common.
    /// A token of an issuer that `callers.issuers` does not list carries nothing.
    pub fn resolve(&self, facts: &TokenFacts<'_>) -> Resolved {
        let Some(mapping) = self.callers.mapping(facts.issuer) else {
            let nothing = Sources {
                token: self.no_scopes(),
                base: self.no_scopes(),
                limit: self.no_scopes(),
                roles: Bits::empty(self.roles.len()),
            };
            return Resolved {
                grants: self.granted(facts, nothing),
                subject: String::new(),
                owner_key: String::new(),
            };
        };
        let subject = match &mapping.subject {
            None => facts.subject,
            Some(claim) => callers::subject(claim, facts.claims),
        };
        Resolved {
            grants: self.granted(facts, self.sources(mapping, facts)),
            subject: subject.to_owned(),
            owner_key: self.owner_key_of(facts.issuer, subject),
        }
    }

    /// Returns `callers.owner_key`, if it is written. Without it objects belong to the subject alone.
    #[must_use]
    pub fn owner_key(&self) -> Option<OwnerKey> {
        self.callers.owner_key
    }

    /// Checks that `callers:` covers the issuers that a server trusts. Call it before the server listens.
    ///
    /// # Errors
    /// An issuer is not under `callers.issuers` although that is written; or there are several, and `callers.owner_key` is not
    /// written.
    pub fn check_issuers<'a>(&self, trusted: impl IntoIterator<Item = &'a str>) -> Result<(), IssuerMismatch> {
        let mut count = 0_usize;
        for issuer in trusted {
            count += 1;
            if let Some(listed) = &self.callers.issuers
                && !listed.contains_key(issuer)
            {
                let mut names: Vec<&str> = listed.keys().map(String::as_str).collect();
                names.sort_unstable();
                return Err(IssuerMismatch::Unlisted {
                    issuer: issuer.to_owned(),
                    suggestion: crate::text::nearest(issuer, names).map(str::to_owned),
                });
            }
        }
        if count > 1 && self.callers.owner_key.is_none() {
            return Err(IssuerMismatch::OwnerKeyMissing);
        }
        Ok(())
    }

    fn owner_key_of(&self, issuer: &str, subject: &str) -> String {
        match self.callers.owner_key {
            _ if subject.is_empty() => String::new(),
            None | Some(OwnerKey::Subject) => subject.to_owned(),
            // With a `#` in the issuer two callers could share a key. No issuer has one; such a caller owns nothing.
            Some(OwnerKey::IssuerAndSubject) if issuer.contains('#') => String::new(),
            Some(OwnerKey::IssuerAndSubject) => format!("{issuer}#{subject}"),
        }
    }

    fn sources(&self, mapping: &Mapping, facts: &TokenFacts<'_>) -> Sources {
        let token = match &mapping.scopes {
            ScopeSource::Standard => self.closure_of_names(facts.scopes.iter().map(String::as_str)),
            ScopeSource::Claim(claim) => self.closure_of_names(callers::scope_values(claim.find(facts.claims))),
            ScopeSource::Nothing => self.no_scopes(),
        };
        let (nothing, everything) = (self.no_scopes(), Bits::full(self.scopes.len()));
        let Some(source) = &mapping.roles else {
            return Sources {
                token,
                base: nothing,
                limit: everything,
                roles: Bits::empty(self.roles.len()),
            };
        };
        let (mut roles, mut from_roles) = (Bits::empty(self.roles.len()), self.no_scopes());
        for value in callers::role_values(source.claim.find(facts.claims)) {
            if let Some(role) = source.role(value, self) {
                roles.extend(&role.included);
                from_roles.extend(&role.closure);
            }
        }
        let (base, limit) = match (&mapping.scopes, mapping.union) {
            (ScopeSource::Nothing, _) => (from_roles.clone(), nothing),
            (_, true) => (from_roles, everything),
            (_, false) => (nothing, from_roles),
        };
        Sources {
            token,
            base,
            limit,
            roles,
        }
    }
}

impl fmt::Display for IssuerMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlisted { issuer, suggestion } => {
                write!(f, "issuer `{issuer}` is not under `callers.issuers`; ")?;
                match suggestion {
                    Some(near) => write!(f, "did you mean `{near}`?"),
                    None => f.write_str("say there how its tokens are read"),
                }
            }
            Self::OwnerKeyMissing => f.write_str(
                "several issuers are trusted, and `callers.owner_key` is not written; write `issuer_and_subject`, or `subject` if they share \
                 their users",
            ),
        }
    }
}

impl std::error::Error for IssuerMismatch {}
