//! Verification of access tokens.
//!
//! A token passes when all of this holds, checked in this order:
//!
//! 1. It has at most 16 KiB and exactly three parts of strict base64url (RFC 7515 section 3.1): no padding, no stray bits, no JWE.
//! 2. Its header is a JSON object without duplicate members, has an `alg` this crate knows, no `crit`, and a `typ` that is absent, `JWT` or
//!    `at+jwt`, or by setting only the last (RFC 8725 section 3.11, RFC 9068 section 4). Keys inside the header (`jwk`, `jku`, `x5c`, `x5u`) are never looked at.
//! 3. Its claims are a JSON object without duplicate members, and `iss` is letter by letter a configured issuer that may use this `alg`.
//!    A token of anybody else causes no request to anybody.
//! 4. Its key is in the key set of that issuer and fits the algorithm; the signature is right.
//! 5. It does not show itself as an ID token, and is not bound to a key that its sender would have to prove (`cnf`).
//! 6. `exp`, `sub` and `aud` are there and every standard claim has its type; now is before `exp` and not before `nbf` or `iat`, but for the
//!    leeway.
//! 7. `aud` names this resource.
//!
//! A token that is not three parts of base64url is no JWT. One configured issuer may be asked about such tokens, by introspection or userinfo
//! (`src/remote_check/`); then its answer takes the place of the signature, and steps 5 to 7 apply to what it says. A JWT that fails is never asked
//! about, unless the issuer is asked about every token and JWTs are not verified here at all.
//!
//! A custom verifier takes the place of all this for every token of its resource; steps 5 to 7 apply to what it says too.
//!
//! A rejection is an [`InvalidToken`]; a client learns its `reason` and `description`, which repeat nothing of the token. An `iss` or `aud` that does
//! not fit is logged at `DEBUG`, the latter only of a token whose signature is right. When the keys of
//! the issuer cannot be had, the answer is [`VerifyError::Unavailable`], never a rejection: clients throw rejected tokens away.
//!
//! What a deployment can break: an issuer that gives the same audience to two resource servers makes their tokens interchangeable; a clock
//! that is wrong accepts expired tokens.

mod access_token_verifier;
mod authorization_server;
mod authorization_server_builder;
mod claims;
mod compact;
mod custom_verifier;
mod invalid_token;
mod jwt;
mod mismatch;
mod scope_claim;
mod token_rules;

use std::{fmt, time::Duration};

pub(crate) use self::custom_verifier::StoredVerifier;
pub use self::{
    access_token_verifier::{AccessTokenVerifier, AccessTokenVerifierBuilder},
    authorization_server::AuthorizationServer,
    authorization_server_builder::AuthorizationServerBuilder,
    custom_verifier::{CustomVerifier, CustomVerifierError},
    invalid_token::InvalidToken,
    scope_claim::ScopeClaim,
};
use crate::{
    error::{AuthorizationServerError, write_with_causes},
    remote::Unavailable,
};

/// Chooses the crypto backend of the JWT library: two of them in one tree make it panic at first use unless one was chosen. Whoever chose before us
/// may.
pub(crate) fn install_crypto() {
    let _already_chosen = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
}

/// Why a token gave no [`AuthInfo`](crate::AuthInfo). `Debug` is as that of [`ConfigError`](crate::ConfigError).
#[derive(Clone, thiserror::Error)]
pub enum VerifyError {
    /// The token is bad. The client needs another one: 401.
    #[error(transparent)]
    Invalid(#[from] InvalidToken),
    /// Whether the token is good cannot be known now. The client may try the same token again after that time, which can be
    /// less than a second: 503 with `Retry-After`, rounded up.
    #[error("{0}")]
    Unavailable(#[source] AuthorizationServerError, Duration),
}

impl fmt::Debug for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_with_causes(self, f)
    }
}

impl From<Unavailable> for VerifyError {
    fn from(unavailable: Unavailable) -> Self {
        Self::Unavailable(unavailable.error, unavailable.retry_after)
    }
}
