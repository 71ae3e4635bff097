//! Asking an authorization server about one token.
//!
//! What holds whichever way it is asked:
//!
//! - Concurrent requests with one token share one question, and it goes on when the first of them is cancelled.
//! - An answer is kept as long as the settings say, which by default is not at all, under a digest of the token; never the token itself.
//! - After three failures in a row nobody asks for 1 s, then one question is tried, then for 2 s, up to 30 s. Meanwhile the answer is 503.
//! - At most 64 questions are open at a time; further ones wait within their deadline.

mod answers;
mod client_authentication;
mod introspection;
mod outage;
mod userinfo;

use std::{fmt, sync::Arc, time::Duration};

use serde_json::{Map, Value};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout_at},
};

use self::{answers::Answers, outage::Outage};
pub use self::{client_authentication::ClientAuthentication, introspection::Introspection, userinfo::Userinfo};
use crate::{
    bearer_token::BearerToken, discovery::Discovery, error::AuthorizationServerError, http_client::HttpClient,
    remote::Unavailable,
};

/// Most questions that are open at a time.
const MAX_OPEN: usize = 64;

/// Longest time for which an answer may be kept.
pub(crate) const MAX_CACHE: Duration = Duration::from_secs(5 * 60);

/// What the authorization server says of a token.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The token is good, and these are its facts. Not checked yet.
    Active(Arc<Map<String, Value>>),
    /// The token is not good.
    Inactive,
}

/// How the authorization server is asked.
#[derive(Debug, Clone)]
pub(crate) enum Method {
    Introspection(Introspection),
    Userinfo(Userinfo),
}

/// The questions to one authorization server.
pub(crate) struct RemoteCheck {
    asking: Arc<Asking>,
    answers: Answers,
}

/// What a question needs that outlives the request it is asked for.
struct Asking {
    method: Method,
    issuer: String,
    discovery: Discovery,
    client: HttpClient,
    outage: Outage,
    open: Semaphore,
}

impl RemoteCheck {
    pub(crate) fn new(issuer: &str, method: Method, discovery: Discovery, client: HttpClient) -> Self {
        let keep = method.keep();
        let asking = Arc::new(Asking {
            method,
            issuer: issuer.to_owned(),
            discovery,
            client,
            outage: Outage::new(issuer),
            open: Semaphore::new(MAX_OPEN),
        });
        Self {
            asking,
            answers: Answers::new(keep),
        }
    }

    pub(crate) fn method(&self) -> &Method {
        &self.asking.method
    }

    /// Asks about a token, or takes the answer that somebody else is waiting for or that is still young enough.
    pub(crate) async fn ask(&self, token: &BearerToken) -> Result<Arc<Answer>, Unavailable> {
        let (asking, asked) = (Arc::clone(&self.asking), token.clone());
        let answer = self.answers.get(token, async move { asking.ask(&asked).await }).await;
        answer.unwrap_or_else(|| {
            Err(Unavailable {
                error: AuthorizationServerError::Interrupted {
                    issuer: self.asking.issuer.clone(),
                },
                retry_after: outage::FIRST_PAUSE,
            })
        })
    }
}

impl Asking {
    async fn ask(&self, token: &BearerToken) -> Result<Answer, Unavailable> {
        let (asked_at, deadline) = (Instant::now(), self.client.deadline());
        let metadata = self.discovery.metadata().await?;
        let failed = |error| self.outage.failed(error, asked_at);
        let url = metadata.value.endpoint(self.method.endpoint()).map_err(failed)?;
        let Ok(Ok(_permit)) = timeout_at(deadline, self.open.acquire()).await else {
            return Err(failed(self.client.timed_out(&url)));
        };
        self.outage.check()?;
        let answer = match &self.method {
            Method::Introspection(settings) => settings.ask(token, &self.issuer, &url, &self.client, deadline).await,
            Method::Userinfo(_) => userinfo::ask(token, &url, &self.client, deadline).await,
        };
        let answer = answer.map_err(failed)?;
        self.outage.over();
        Ok(answer)
    }
}

impl Method {
    /// Whether JWTs are asked about too.
    pub(crate) fn is_for_every_token(&self) -> bool {
        match self {
            Self::Introspection(settings) => settings.every_token,
            Self::Userinfo(settings) => settings.every_token,
        }
    }

    /// The member of the metadata that says where to ask.
    fn endpoint(&self) -> &'static str {
        match self {
            Self::Introspection(_) => "introspection_endpoint",
            Self::Userinfo(_) => "userinfo_endpoint",
        }
    }

    /// How long answers are kept.
    pub(crate) fn keep(&self) -> Duration {
        match self {
            Self::Introspection(settings) => settings.keep,
            Self::Userinfo(settings) => settings.keep,
        }
    }
}

impl fmt::Debug for RemoteCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteCheck")
            .field("method", self.method())
            .finish_non_exhaustive()
    }
}
