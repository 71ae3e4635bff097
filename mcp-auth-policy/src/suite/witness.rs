//! One call of one caller, found by enumeration, in the words of a suite.

use serde_json::{Map, Value};

use super::{paste::LONG, token::TokenSketch};
use crate::{
    Arguments, Decision, OperationId, Ownership, Policy, caller_classes::CallerClass, callers::ScopeSource,
    claim_path::Found,
};

/// A caller and a call.
#[derive(Debug, Clone)]
pub(super) struct Witness {
    pub(super) token: TokenSketch,
    pub(super) operation: OperationId,
    pub(super) arguments: Map<String, Value>,
    /// Whose object; `None` where owners make no difference.
    pub(super) owner: Option<Ownership>,
}

impl Witness {
    /// Writes a class as a principal and a call. `None` if a suite cannot say it, or if that would be decided otherwise.
    pub(super) fn of(
        class: CallerClass<'_>,
        operation: OperationId,
        owner: Ownership,
        policy: &Policy,
    ) -> Option<Self> {
        let called = policy.operation(operation)?;
        let owner = called.has_owner_fallback().then_some(owner);
        let arguments = short(class.arguments());
        let is_same = |token: &TokenSketch| {
            let resolved = token.resolve("caller", policy).ok();
            let decision =
                resolved.map(|resolved| policy.decide_call(operation, resolved.grants(), (&arguments).into()));
            decision == Some(class.decision(0))
        };
        let [plain, written] = [plain(class, policy), as_claims(class)];
        let without_subject = |token: &TokenSketch| TokenSketch {
            subject: Some(String::new()),
            ..token.clone()
        };
        let nobody = without_subject(&written);
        let mut tokens = [plain, written, nobody].into_iter();
        let token = tokens.find(|token| can_be_written(&token.claims) && is_same(token))?;
        can_be_written(&arguments).then_some(Self {
            token,
            operation,
            arguments,
            owner,
        })
    }

    /// The same caller with one more scope in its token. `None` where its scopes are written as claims.
    pub(super) fn with_scope(&self, scope: &str) -> Option<Self> {
        let mut more = self.clone();
        more.token.scopes.as_mut()?.push(scope.to_owned());
        Some(more)
    }

    /// Tells whether the caller, if it bears this name, holds a scope.
    pub(super) fn holds(&self, name: &str, scope: &str, policy: &Policy) -> bool {
        let resolved = self.token.resolve(name, policy);
        resolved.is_ok_and(|resolved| policy.holds(resolved.grants(), scope))
    }

    /// What the policy decides about it, if the caller bears this name.
    pub(super) fn decision(&self, name: &str, policy: &Policy) -> Option<Decision> {
        let resolved = self.token.resolve(name, policy).ok()?;
        Some(policy.decide_call(self.operation, resolved.grants(), Arguments::Known(&self.arguments)))
    }
}

/// The token with its scopes as `scopes`.
fn plain(class: CallerClass<'_>, policy: &Policy) -> TokenSketch {
    let mut token = TokenSketch {
        claims: class.claims().clone(),
        ..as_claims(class)
    };
    let mapping = policy.callers.mapping(class.issuer());
    let declared = |scopes: &[String]| scopes.iter().all(|scope| policy.scope(scope).is_some());
    match mapping.map(|mapping| &mapping.scopes) {
        Some(ScopeSource::Standard) if !token.claims.contains_key("scope") => {
            let scopes = class.scopes().to_vec();
            if !declared(&scopes) {
                return as_claims(class);
            }
            token.scopes = Some(scopes);
        }
        Some(ScopeSource::Claim(claim)) => {
            let scopes = match claim.find(&token.claims) {
                Found::Missing => Some(Vec::new()),
                Found::Value(value) => serde_json::from_value::<Vec<String>>(value.clone()).ok(),
                Found::WrongType => None,
            };
            if let Some(scopes) = scopes.filter(|scopes| declared(scopes)) {
                claim.remove(&mut token.claims);
                token.scopes = Some(scopes);
            }
        }
        _ => {}
    }
    token
}

/// The token with everything in its claims.
fn as_claims(class: CallerClass<'_>) -> TokenSketch {
    let mut claims = class.claims().clone();
    if !claims.contains_key("scope") && !class.scopes().is_empty() {
        claims.insert("scope".to_owned(), Value::from(class.scopes().join(" ")));
    }
    TokenSketch {
        issuer: class.issuer().to_owned(),
        client: class.client_id().map(str::to_owned),
        claims,
        ..TokenSketch::default()
    }
}

/// Replaces long texts by such as `{ length: n }` stands for.
fn short(arguments: &Map<String, Value>) -> Map<String, Value> {
    let shortened = arguments.iter().map(|(name, value)| {
        let length = value.as_str().map(|text| text.chars().count());
        let value = match length {
            Some(length) if length >= LONG => Value::from("x".repeat(length)),
            _ => value.clone(),
        };
        (name.clone(), value)
    });
    shortened.collect()
}

/// In a suite, an object with the one member `length` is a text.
fn can_be_written(members: &Map<String, Value>) -> bool {
    members.values().all(|value| match value {
        Value::Object(inner) if inner.len() == 1 && inner.contains_key("length") => false,
        Value::Object(inner) => can_be_written(inner),
        Value::Array(items) => items.iter().all(|item| match item {
            Value::Object(inner) => can_be_written(inner),
            _ => true,
        }),
        _ => true,
    })
}
