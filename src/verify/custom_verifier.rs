//! Verification by the server's own code.

use std::{error::Error, fmt, pin::Pin, sync::Arc, time::Duration};

use serde_json::{Map, Value};
use tokio::time::timeout;

use super::{InvalidToken, VerifyError};
use crate::{
    bearer_token::BearerToken, catch_panic::catch_panic, error::AuthorizationServerError, http_client::DEFAULT_DEADLINE,
};

/// What a client is told to wait after a failure.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Finds out in the server's own way what a token says; for tokens that are neither JWTs nor known to introspection or userinfo.
///
/// It answers with the claims of a good token. The verifier then checks them as it checks those of a JWT: `iss` has to be a configured issuer,
/// `aud` has to name the resource, `sub` has to be there, every standard claim has to have its type, and the times have to fit where they are
/// there. `scope` says what the token may do.
///
/// ```
/// use mcp_auth::{BearerToken, CustomVerifier, CustomVerifierError};
/// use serde_json::{Map, Value, json};
///
/// # struct Database;
/// # impl Database { async fn owner_of(&self, _: &str) -> Result<Option<String>, std::io::Error> { Ok(None) } }
/// /// Tokens of a table.
/// struct TokenTable(Database);
///
/// impl CustomVerifier for TokenTable {
///     async fn verify(&self, token: &BearerToken) -> Result<Map<String, Value>, CustomVerifierError> {
///         // An error of the database becomes a 503, not a 401.
///         let owner = self.0.owner_of(token.dangerous_raw_token()).await?;
///         let owner = owner.ok_or(CustomVerifierError::Refused)?;
///         let claims = json!({ "iss": "https://auth.example.com", "sub": owner, "aud": "https://mcp.example.com" });
///         Ok(claims.as_object().cloned().unwrap_or_default())
///     }
/// }
/// ```
///
/// # Security
/// Whether the token is good is decided here alone: its signature, whether it was revoked, which resource it was issued for. Do not copy `aud` from
/// the configuration unless that is certain.
pub trait CustomVerifier: Send + Sync + 'static {
    /// Returns the claims of a token. It has 5 s; a panic is a failure.
    ///
    /// # Errors
    /// [`CustomVerifierError::Refused`] for a bad token, and anything else for a failure.
    fn verify(
        &self,
        token: &BearerToken,
    ) -> impl Future<Output = Result<Map<String, Value>, CustomVerifierError>> + Send;
}

/// Why a [`CustomVerifier`] gives no claims. Every error of the standard kind becomes `Failed` by `?`; therefore this is none itself.
#[derive(Debug)]
pub enum CustomVerifierError {
    /// The token is bad: 401.
    Refused,
    /// Whether the token is good could not be found out: 503. The error goes to the log, so it must not hold the token.
    Failed(Box<dyn Error + Send + Sync>),
}

impl<E: Error + Send + Sync + 'static> From<E> for CustomVerifierError {
    fn from(error: E) -> Self {
        Self::Failed(Box::new(error))
    }
}

type Claims<'a> = Pin<Box<dyn Future<Output = Result<Map<String, Value>, CustomVerifierError>> + Send + 'a>>;

/// The trait in the form that can be stored.
trait Verify: Send + Sync {
    fn verify<'a>(&'a self, token: &'a BearerToken) -> Claims<'a>;
}

impl<V: CustomVerifier> Verify for V {
    fn verify<'a>(&'a self, token: &'a BearerToken) -> Claims<'a> {
        // Not called before it is polled, where a panic is caught.
        Box::pin(async move { CustomVerifier::verify(self, token).await })
    }
}

/// The verifier of one protected resource. Clones share it.
#[derive(Clone)]
pub(crate) struct StoredVerifier(Arc<dyn Verify>);

impl StoredVerifier {
    pub(crate) fn new(verifier: impl CustomVerifier) -> Self {
        Self(Arc::new(verifier))
    }

    /// Returns the claims of a token. A failure is never a bad token: clients throw those away.
    pub(super) async fn claims(&self, token: &BearerToken) -> Result<Map<String, Value>, VerifyError> {
        let error: Arc<dyn Error + Send + Sync> =
            match timeout(DEFAULT_DEADLINE, catch_panic(self.0.verify(token))).await {
                Ok(Some(Ok(claims))) => return Ok(claims),
                Ok(Some(Err(CustomVerifierError::Refused))) => return Err(InvalidToken::Custom.into()),
                Ok(Some(Err(CustomVerifierError::Failed(error)))) => error.into(),
                Ok(None) => Arc::from(Box::from("it panicked")),
                Err(_) => Arc::from(Box::from("it did not answer within 5 s")),
            };
        tracing::warn!(error = &*error as &dyn Error, "the custom verifier failed");
        let error = AuthorizationServerError::CustomVerifier { source: error };
        Err(VerifyError::Unavailable(error, RETRY_AFTER))
    }
}

impl fmt::Debug for StoredVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CustomVerifier")
    }
}
