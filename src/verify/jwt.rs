//! A JWT of a known issuer, verified with the issuer's keys.

use tokio::time::Instant;

use super::{AuthorizationServer, InvalidToken, VerifyError, compact::Signed};
use crate::key_set::{Candidates, KeySet, VerificationKey};

/// Checks what the header claims against the issuer's settings, and the signature against its keys.
pub(super) async fn check_signature(
    token: &Signed<'_>,
    server: &AuthorizationServer,
    arrived: Instant,
) -> Result<(), VerifyError> {
    let rules = server.rules();
    if !rules.algorithms.contains(&token.algorithm) {
        return Err(InvalidToken::Algorithm.into());
    }
    if rules.require_at_jwt && !token.is_at_jwt {
        return Err(InvalidToken::Type.into());
    }
    let mut set = server.key_set().current().await?;
    // Ends with a set that was asked for after the token arrived, at the latest: nothing newer is needed then.
    while let Err(invalid) = check_with(&set.value, token) {
        match invalid {
            InvalidToken::UnknownKey => match server.key_set().newer_than(&set, arrived).await? {
                Some(newer) => set = newer,
                None => return Err(invalid.into()),
            },
            _ => return Err(invalid.into()),
        }
    }
    Ok(())
}

fn check_with(set: &KeySet, token: &Signed<'_>) -> Result<(), InvalidToken> {
    let verifies = |key: &&VerificationKey| key.verifies(token.algorithm, token.signature, token.signing_input);
    match set.candidates(token.kid.as_deref(), token.algorithm) {
        Candidates::Keys(keys) if keys.iter().any(verifies) => Ok(()),
        Candidates::Keys(_) => Err(InvalidToken::Signature),
        Candidates::Unknown => Err(InvalidToken::UnknownKey),
        Candidates::OtherAlgorithm => Err(InvalidToken::KeyForOtherAlgorithm),
        Candidates::Ambiguous => Err(InvalidToken::AmbiguousKey),
    }
}

#[cfg(test)]
mod tests;
