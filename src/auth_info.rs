//! What a verified access token says about its caller.

use std::{fmt, sync::Arc, time::SystemTime};

use serde_json::{Map, Value};

use crate::bearer_token::BearerToken;

/// The verified facts of one access token.
///
/// Only a verifier makes one, so holding an `AuthInfo` means that signature (or the issuer's word), issuer, audience and times were checked, but
/// for what a setting named `insecure_…` switched off. Cheap to clone.
#[derive(Clone, PartialEq)]
pub struct AuthInfo(Arc<Facts>);

/// The fields of an [`AuthInfo`], for the verifier that fills them in.
#[derive(PartialEq)]
pub(crate) struct Facts {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) client_id: Option<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) audience: Vec<String>,
    pub(crate) expires_at: Option<SystemTime>,
    /// Shared by everybody to whom the issuer gave the same answer.
    pub(crate) claims: Arc<Map<String, Value>>,
    /// Only where the configuration asks for it.
    pub(crate) token: Option<BearerToken>,
}

impl AuthInfo {
    pub(crate) fn new(facts: Facts) -> Self {
        Self(Arc::new(facts))
    }

    /// Returns the issuer, the `iss` claim (RFC 7519 section 4.1.1).
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// Returns the subject, the `sub` claim (RFC 7519 section 4.1.2). Never empty. Unique only together with the issuer.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// Returns the OAuth client the token was issued to: `client_id` (RFC 9068 section 2.2), else `azp`, `cid` or `appid`.
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.0.client_id.as_deref()
    }

    /// Returns the scope tokens in their order: of the `scope` claim, or of the one that the issuer's settings name. Empty if the token has none.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        &self.0.scopes
    }

    /// Returns the audience, the `aud` claim (RFC 7519 section 4.1.3). Empty only if the issuer was asked and does not say.
    #[must_use]
    pub fn audience(&self) -> &[String] {
        &self.0.audience
    }

    /// Returns the time after which the token is refused, the `exp` claim (RFC 7519 section 4.1.4). A JWT always has one; introspection may say
    /// nothing about it (RFC 7662 section 2.2), and userinfo never does.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.0.expires_at
    }

    /// Returns the token itself, if [`dangerous_keep_token`](crate::McpAuthBuilder::dangerous_keep_token) was set; otherwise `None`.
    ///
    /// # Security
    /// For a token exchange (RFC 8693) at the authorization server that issued it, and nothing else. MCP forbids sending it to any other server:
    /// that server could call this one in the caller's name.
    #[must_use]
    pub fn dangerous_token(&self) -> Option<&BearerToken> {
        self.0.token.as_ref()
    }

    /// Returns every claim of the token, or every member of what its issuer answered.
    #[must_use]
    pub fn claims(&self) -> &Map<String, Value> {
        &self.0.claims
    }
}

/// Shows who calls, not what else the token says: claims may hold personal data.
impl fmt::Debug for AuthInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthInfo")
            .field("issuer", &self.0.issuer)
            .field("subject", &self.0.subject)
            .field("client_id", &self.0.client_id)
            .field("scopes", &self.0.scopes)
            .finish_non_exhaustive()
    }
}
