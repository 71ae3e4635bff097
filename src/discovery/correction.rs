//! The server's own code between the metadata that an issuer serves and its use.

use std::{error::Error, fmt, pin::Pin, sync::Arc};

use serde_json::{Map, Value};
use tokio::time::{Instant, timeout_at};

use crate::catch_panic::catch_panic;

type Corrected = Result<Map<String, Value>, Box<dyn Error + Send + Sync>>;

type Correct = dyn Fn(Map<String, Value>) -> Pin<Box<dyn Future<Output = Corrected> + Send>> + Send + Sync;

/// Corrects the members of a document. Clones share it.
#[derive(Clone)]
pub(crate) struct Correction(Arc<Correct>);

impl Correction {
    pub(crate) fn new<F, Fut, E>(correct: F) -> Self
    where
        F: Fn(Map<String, Value>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Map<String, Value>, E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let correct = Arc::new(correct);
        Self(Arc::new(move |members| {
            let correct = Arc::clone(&correct);
            // Not called before it is polled, where a panic is caught.
            Box::pin(async move { correct(members).await.map_err(Into::into) })
        }))
    }

    /// Applies the correction. The error says what is wrong.
    pub(super) async fn apply(
        &self,
        members: Map<String, Value>,
        deadline: Instant,
    ) -> Result<Map<String, Value>, String> {
        match timeout_at(deadline, catch_panic((self.0)(members))).await {
            Ok(Some(Ok(corrected))) => Ok(corrected),
            Ok(Some(Err(error))) => Err(format!("its correction failed: {error}")),
            Ok(None) => Err("its correction panicked".to_owned()),
            Err(_) => Err("its correction did not end before the deadline of the fetch".to_owned()),
        }
    }
}

impl fmt::Debug for Correction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Correction")
    }
}
