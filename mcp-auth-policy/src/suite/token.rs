//! A token as a suite describes it, and the caller that it makes.

use std::fmt;

use serde_json::{Map, Value};

use crate::{
    Policy, Resolved, TokenFacts,
    callers::{Mapping, ScopeSource},
    claim_path::{ClaimPath, Found},
    text::is_scope_token,
};

type Claims = Map<String, Value>;

/// What a principal says about its token. The rest follows from how the policy reads the tokens of the issuer.
#[derive(Clone, Default)]
pub struct TokenSketch {
    /// The issuer. Empty for the only one of the policy, or for one that `callers.default` describes.
    pub issuer: String,
    /// The role that the token is issued for.
    pub role: Option<String>,
    /// The scopes that it carries.
    pub scopes: Option<Vec<String>>,
    /// The OAuth client that it was issued to.
    pub client: Option<String>,
    /// The subject. An empty one is a token without a subject.
    pub subject: Option<String>,
    /// Claims that are written into it as they are.
    pub claims: Claims,
}

/// An access token whose standard claims a server would read.
#[derive(Clone)]
pub struct Token {
    claims: Claims,
    scopes: Vec<String>,
}

/// Why there is no such token.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoToken {
    /// A field of the sketch and a claim say different things.
    Conflict {
        /// The field as a suite calls it: `as`, `scopes`, `issuer`, `client` or `subject`.
        field: &'static str,
        /// The claim.
        claim: String,
    },
    /// The policy lists several issuers and no `default`, and the sketch names none of them.
    NoIssuer,
    /// The policy reads no scopes from the issuer's tokens.
    NoScopes,
    /// The policy reads scopes or roles from the issuer's tokens, not both.
    NotBoth,
    /// The issuer has no name for the role.
    UnnamedRole,
    /// A standard claim that the server refuses before it asks the policy.
    Refused {
        /// The claim.
        claim: &'static str,
    },
}

impl Token {
    /// Reads the claims of a token as a server does.
    ///
    /// # Errors
    /// A standard claim is not of the type that it must have.
    pub fn from_claims(claims: Claims) -> Result<Self, NoToken> {
        for claim in ["iss", "sub", "client_id", "azp"] {
            text(claim, &claims)?;
        }
        let scopes = standard_scopes(&claims)?;
        Ok(Self { claims, scopes })
    }

    /// Returns what a policy is told about it.
    #[must_use]
    pub fn facts(&self) -> TokenFacts<'_> {
        let text = |claim: &str| self.claims.get(claim).and_then(Value::as_str);
        TokenFacts {
            issuer: text("iss").unwrap_or_default(),
            subject: text("sub").unwrap_or_default(),
            client_id: text("client_id").or(text("azp")),
            scopes: &self.scopes,
            claims: &self.claims,
        }
    }
}

impl TokenSketch {
    /// Makes the token as its issuer would, and resolves it. `name` is the subject of a token that names none.
    pub(super) fn resolve(&self, name: &str, policy: &Policy) -> Result<Resolved, NoToken> {
        Ok(policy.resolve(&self.token(name, policy)?.facts()))
    }

    /// Makes the token as its issuer would. `name` is the subject of a token that names none.
    ///
    /// A role gives what the authorization server issues for it: its scopes where the policy reads scopes, and the issuer's name for it where the policy
    /// reads roles.
    ///
    /// # Errors
    /// There is no such token.
    pub fn token(&self, name: &str, policy: &Policy) -> Result<Token, NoToken> {
        let nothing_mapped = Mapping::default();
        let issuer = match self.issuer.as_str() {
            // A caller of no issuer would be tested as one that no server lets in.
            "" => policy.callers.implied_issuer().ok_or(NoToken::NoIssuer)?,
            issuer => issuer,
        };
        // Reading has reported an issuer that is not listed.
        let mapping = policy.callers.mapping(issuer).unwrap_or(&nothing_mapped);
        let mut claims = self.claims.clone();
        put(&mut claims, &standard("iss"), issuer, "issuer")?;
        if let Some(client) = &self.client {
            put(&mut claims, &standard("client_id"), client, "client")?;
        }
        self.put_scopes(&mut claims, mapping, policy)?;
        self.put_role(&mut claims, mapping, policy)?;
        self.put_subject(&mut claims, mapping, name)?;
        Token::from_claims(claims)
    }

    fn put_scopes(&self, claims: &mut Claims, mapping: &Mapping, policy: &Policy) -> Result<(), NoToken> {
        let of_role = self.role.as_ref().and_then(|role| policy.scopes_of_role(role));
        let (scopes, field) = match (&self.scopes, of_role) {
            (Some(_), Some(_)) if mapping.roles.is_none() => return Err(NoToken::NotBoth),
            (Some(written), _) => (written.join(" "), "scopes"),
            (None, Some(of_role)) => (of_role.join(" "), "as"),
            (None, None) => return Ok(()),
        };
        match &mapping.scopes {
            ScopeSource::Standard => put(claims, &standard("scope"), &scopes, field),
            ScopeSource::Claim(claim) => put(claims, claim, &scopes, field),
            ScopeSource::Nothing if self.scopes.is_some() => Err(NoToken::NoScopes),
            ScopeSource::Nothing => Ok(()),
        }
    }

    fn put_role(&self, claims: &mut Claims, mapping: &Mapping, policy: &Policy) -> Result<(), NoToken> {
        let (Some(role), Some(source)) = (&self.role, &mapping.roles) else {
            return Ok(());
        };
        let name = match &source.names {
            None => Some(role.as_str()),
            Some(names) => {
                let number = policy.role_numbers.get(role);
                let named = names.iter().filter(|(_, named)| Some(*named) == number);
                // Several may mean the same; any of them will do, as long as it is always the same one.
                named.map(|(name, _)| name.as_str()).min()
            }
        };
        let value = Value::from(vec![name.ok_or(NoToken::UnnamedRole)?]);
        put_value(claims, &source.claim, value, "as")
    }

    fn put_subject(&self, claims: &mut Claims, mapping: &Mapping, name: &str) -> Result<(), NoToken> {
        let standard = standard("sub");
        let claim = mapping.subject.as_ref().unwrap_or(&standard);
        match &self.subject {
            Some(subject) => put(claims, claim, subject, "subject")?,
            None if claim.find(claims) == Found::Missing => put(claims, claim, name, "subject")?,
            None => {}
        }
        if mapping.subject.is_some() && !claims.contains_key("sub") {
            put(claims, &standard, name, "subject")?;
        }
        Ok(())
    }
}

/// Without the claims, which are not for logs.
impl fmt::Debug for TokenSketch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sketch = f.debug_struct("TokenSketch");
        sketch.field("role", &self.role).field("scopes", &self.scopes);
        sketch.finish_non_exhaustive()
    }
}

/// Without the claims, which are not for logs.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").finish_non_exhaustive()
    }
}

fn standard(name: &str) -> ClaimPath {
    ClaimPath::literal(name)
}

/// Puts a text; an empty one is no claim at all, and must not be there otherwise either.
fn put(claims: &mut Claims, claim: &ClaimPath, text: &str, field: &'static str) -> Result<(), NoToken> {
    if text.is_empty() && claim.find(claims) == Found::Missing {
        return Ok(());
    }
    put_value(claims, claim, Value::from(text), field)
}

fn put_value(claims: &mut Claims, claim: &ClaimPath, value: Value, field: &'static str) -> Result<(), NoToken> {
    if claim.put(claims, value) {
        return Ok(());
    }
    let claim = claim.to_string();
    Err(NoToken::Conflict { field, claim })
}

/// Reads a standard claim as the server does: another type than text, or an empty text, refuses the token.
fn text<'c>(claim: &'static str, claims: &'c Claims) -> Result<Option<&'c str>, NoToken> {
    match claims.get(claim) {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
        Some(_) => Err(NoToken::Refused { claim }),
    }
}

/// Reads the standard claim `scope`: one text with spaces, or a list.
fn standard_scopes(claims: &Claims) -> Result<Vec<String>, NoToken> {
    let tokens: Option<Vec<&str>> = match claims.get("scope") {
        None => Some(Vec::new()),
        Some(Value::String(text)) => Some(text.split(' ').filter(|token| !token.is_empty()).collect()),
        Some(Value::Array(items)) => items.iter().map(Value::as_str).collect(),
        Some(_) => None,
    };
    let tokens = tokens.filter(|tokens| tokens.iter().all(|token| is_scope_token(token)));
    let tokens = tokens.ok_or(NoToken::Refused { claim: "scope" })?;
    Ok(tokens.into_iter().map(str::to_owned).collect())
}
