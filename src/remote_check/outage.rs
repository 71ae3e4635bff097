//! When an authorization server that fails is left alone.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::StatusCode;
use tokio::time::Instant;

use crate::{error::AuthorizationServerError, remote::Unavailable};

/// Failures in a row from which on there is a pause. One lost connection must not refuse everybody else's requests.
const FAILURES_BEFORE_PAUSE: u32 = 3;

/// The first pause. Doubles with each further failure.
pub(super) const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The failures of one authorization server. The lock is never held across an `.await`.
pub(super) struct Outage {
    issuer: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    failures: u32,
    counted_at: Option<Instant>,
    /// The last failure, and when asking is worth it again.
    pause: Option<(AuthorizationServerError, Instant)>,
}

impl Outage {
    pub(super) fn new(issuer: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            state: Mutex::default(),
        }
    }

    /// Whether a question may be asked now. After a pause only one caller may, until its question is answered or a second has gone by.
    pub(super) fn check(&self) -> Result<(), Unavailable> {
        let mut state = self.state();
        let Some((error, retry_at)) = &mut state.pause else {
            return Ok(());
        };
        let now = Instant::now();
        if *retry_at <= now {
            *retry_at = now + FIRST_PAUSE;
            return Ok(());
        }
        Err(Unavailable {
            error: error.clone(),
            retry_after: *retry_at - now,
        })
    }

    /// Notes an answer.
    pub(super) fn over(&self) {
        *self.state() = State::default();
    }

    /// Notes the failure of a question that began at a time, and says when to ask again.
    pub(super) fn failed(&self, error: AuthorizationServerError, asked_at: Instant) -> Unavailable {
        if may_be_of_this_token_alone(&error) {
            return Unavailable {
                error,
                retry_after: FIRST_PAUSE,
            };
        }
        let mut state = self.state();
        // Questions that were open together fail together: that is one failure.
        if state.counted_at.is_none_or(|counted_at| counted_at <= asked_at) {
            state.failures = state.failures.saturating_add(1);
            state.counted_at = Some(Instant::now());
        }
        let doublings = state.failures.saturating_sub(FAILURES_BEFORE_PAUSE).min(5);
        let pause = LONGEST_PAUSE.min(FIRST_PAUSE * 2_u32.saturating_pow(doublings));
        if state.failures >= FAILURES_BEFORE_PAUSE {
            state.pause = Some((error.clone(), Instant::now() + pause));
        }
        tracing::warn!(
            issuer = self.issuer,
            error = &error as &dyn std::error::Error,
            failures = state.failures,
            "cannot ask the authorization server about a token"
        );
        Unavailable {
            error,
            retry_after: pause,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No code panics under this lock; if one did, the state would still be whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the token in question may be why the server answers so: then it says nothing about other tokens, and whoever sends such tokens must
/// not shut out everybody else.
fn may_be_of_this_token_alone(error: &AuthorizationServerError) -> bool {
    let AuthorizationServerError::BadStatus { status, .. } = error else {
        return false;
    };
    [
        StatusCode::BAD_REQUEST,
        StatusCode::PAYLOAD_TOO_LARGE,
        StatusCode::URI_TOO_LONG,
        StatusCode::UNPROCESSABLE_ENTITY,
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
    ]
    .contains(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(status: StatusCode) -> AuthorizationServerError {
        AuthorizationServerError::BadStatus {
            url: "https://as.example.com/introspect".to_owned(),
            status,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_begin_at_the_third_failure_and_double_up_to_thirty_seconds() {
        let outage = Outage::new("https://as.example.com");
        let fail = || outage.failed(error(StatusCode::BAD_GATEWAY), Instant::now());
        for _ in 0..2 {
            fail();
            assert!(outage.check().is_ok());
        }
        for seconds in [1, 2, 4, 8, 16, 30, 30] {
            let pause = Duration::from_secs(seconds);
            assert_eq!(fail().retry_after, pause);
            assert_eq!(outage.check().unwrap_err().retry_after, pause);
            tokio::time::advance(pause).await;
            assert!(outage.check().is_ok(), "one may try");
            assert!(outage.check().is_err(), "and only one");
        }
        outage.over();
        assert!(outage.check().is_ok());
        fail();
        assert!(outage.check().is_ok(), "counting begins anew");
    }

    #[tokio::test(start_paused = true)]
    async fn questions_that_fail_together_are_one_failure() {
        let outage = Outage::new("https://as.example.com");
        for pause in [0, 0, 1, 2] {
            let together = Instant::now();
            tokio::time::advance(Duration::from_millis(1)).await;
            for _ in 0..64 {
                outage.failed(error(StatusCode::BAD_GATEWAY), together);
            }
            let retry_after = outage.check().err().map(|unavailable| unavailable.retry_after);
            assert_eq!(retry_after, (pause > 0).then(|| Duration::from_secs(pause)));
            tokio::time::advance(Duration::from_secs(pause)).await;
        }
    }

    #[test]
    fn one_token_that_the_server_chokes_on_is_no_outage() {
        let outage = Outage::new("https://as.example.com");
        for status in [400, 413, 414, 422, 431] {
            for _ in 0..10 {
                outage.failed(error(StatusCode::from_u16(status).unwrap()), Instant::now());
                assert!(outage.check().is_ok());
            }
        }
    }
}
