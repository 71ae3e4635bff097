//! All that one audit found.

use std::fmt;

use super::AuditFinding;

/// Every finding of one audit. `Debug` shows what `Display` shows, since that is what a `main` that returns an error prints.
#[derive(Clone, PartialEq, Eq)]
pub struct AuditErrors(Vec<AuditFinding>);

impl AuditErrors {
    pub(crate) fn new(findings: Vec<AuditFinding>) -> Self {
        Self(findings)
    }

    /// Fails if there is any finding.
    pub(crate) fn check(findings: Vec<AuditFinding>) -> Result<(), Self> {
        if findings.is_empty() {
            Ok(())
        } else {
            Err(Self::new(findings))
        }
    }

    /// Returns the findings: of the served tools, then of the annotations, then of the policy.
    #[must_use]
    pub fn findings(&self) -> &[AuditFinding] {
        &self.0
    }
}

impl fmt::Display for AuditErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        let word = if count == 1 { "disagreement" } else { "disagreements" };
        write!(f, "{count} {word} between the server and its policy:")?;
        self.0.iter().try_for_each(|finding| write!(f, "\n- {finding}"))
    }
}

impl fmt::Debug for AuditErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for AuditErrors {}
