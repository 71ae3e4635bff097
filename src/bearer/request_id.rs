//! A name for one request, in the answer and in the log, so that an operator finds the line behind an answer.

use std::{fmt, sync::Arc};

use aws_lc_rs::rand;

/// The id of one request. It is in the body of refusals and in the decision record, never in a challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequestId(Arc<str>);

impl RequestId {
    /// Makes a random id of 16 hexadecimal digits.
    pub(crate) fn random() -> Self {
        let mut bytes = [0; 8];
        // An id that is not random is still an id; nothing depends on its being secret.
        let _ = rand::fill(&mut bytes);
        Self(format!("{:016x}", u64::from_be_bytes(bytes)).into())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
