//! Ready-made callers.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use mcp_auth_policy::{OperationKind, Policy};
use serde_json::{Map, Value};

use crate::{
    auth_info::{AuthInfo, Facts},
    caller::Caller,
    policy_handle::PolicyHandle,
};

/// Starts a caller for a test: subject `test-user`, no scopes, valid for an hour.
///
/// The policy is what the server has: an `Arc<Policy>`, or a [`PolicyHandle`], of which the caller sees the policy that is in force now.
///
/// ```
/// use mcp_auth::{Policy, PolicyHandle, testing};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let policy = PolicyHandle::from(Policy::parse("version: 1\nscopes: { \"create:todos\": Create to-do items }\ntools: { create-todo: { requires: \"create:todos\" } }")?);
/// let alice = testing::caller(&policy).subject("alice").scopes(["create:todos"]).build();
/// assert_eq!(alice.subject(), "alice");
/// # Ok(())
/// # }
/// ```
pub fn caller(policy: &(impl Clone + Into<PolicyHandle>)) -> CallerBuilder {
    let handle: PolicyHandle = policy.clone().into();
    CallerBuilder {
        policy: handle.current(),
        issuer: "https://issuer.example".into(),
        subject: "test-user".into(),
        claims: Map::new(),
        call: None,
        client_id: None,
        scopes: Vec::new(),
    }
}

/// A caller in the making; see [`caller`].
#[derive(Debug, Clone)]
#[must_use]
pub struct CallerBuilder {
    policy: Arc<Policy>,
    issuer: String,
    subject: String,
    claims: Map<String, Value>,
    call: Option<(String, Map<String, Value>)>,
    client_id: Option<String>,
    scopes: Vec<String>,
}

impl CallerBuilder {
    /// Sets the issuer. Default `https://issuer.example`. A policy with `callers.issuers` gives nothing to the tokens of other issuers.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = issuer.into();
        self
    }

    /// Adds a claim, which `callers:` and `forbid:` of the policy may read.
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.claims.insert(name.into(), value.into());
        self
    }

    /// Sets the arguments with which the caller calls a tool, as the tool gate would. Without them a forbid on arguments stands.
    pub fn calling(mut self, tool: impl Into<String>, arguments: Map<String, Value>) -> Self {
        self.call = Some((tool.into(), arguments));
        self
    }

    /// Sets the subject. Default `test-user`.
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = subject.into();
        self
    }

    /// Sets the OAuth client. Default none.
    pub fn client_id(mut self, client_id: impl Into<String>) -> Self {
        self.client_id = Some(client_id.into());
        self
    }

    /// Adds scopes, as a token would carry them. A scope that the policy does not declare has no effect, as with a real token.
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes.extend(scopes.into_iter().map(Into::into));
        self
    }

    /// Adds the scopes that an authorization server issues to this role of the policy.
    ///
    /// # Panics
    /// If the policy has no such role: a test with a misspelt role would prove nothing.
    pub fn role(self, role: &str) -> Self {
        let policy = Arc::clone(&self.policy);
        let Some(scopes) = policy.scopes_of_role(role) else {
            let declared: Vec<&str> = policy.roles().collect();
            #[expect(clippy::panic, reason = "test support: the test itself is wrong")]
            {
                panic!(
                    "the policy `{}` has no role `{role}`; declared roles: {declared:?}",
                    policy.name()
                );
            }
        };
        self.scopes(scopes)
    }

    /// Makes the caller.
    #[must_use]
    pub fn build(self) -> Caller {
        let auth = AuthInfo::new(Facts {
            issuer: self.issuer,
            subject: self.subject,
            client_id: self.client_id,
            scopes: self.scopes,
            audience: vec!["https://resource.example".into()],
            expires_at: Some(SystemTime::now() + Duration::from_secs(3600)),
            claims: self.claims.into(),
            token: None,
        });
        let caller = Caller::new(auth, self.policy, None);
        match self.call {
            Some((tool, arguments)) => caller.with_call(OperationKind::Tool, tool, arguments),
            None => caller,
        }
    }
}
