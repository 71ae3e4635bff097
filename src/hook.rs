//! A last word of the server's own code on calls that the policy allows.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use mcp_auth_policy::Reach;

use crate::caller::Caller;

/// A call that is about to be allowed, as [`McpAuthBuilder::after_decision`](crate::McpAuthBuilder::after_decision) shows it.
#[derive(Debug, Clone, Copy)]
pub struct DecisionView<'a> {
    pub(crate) caller: &'a Caller,
    pub(crate) kind: &'static str,
    pub(crate) operation: &'a str,
    pub(crate) reach: Reach,
    pub(crate) because: &'static str,
}

impl<'a> DecisionView<'a> {
    /// Returns who calls, and under which policy.
    #[must_use]
    pub fn caller(&self) -> &'a Caller {
        self.caller
    }

    /// Returns what is called: `tool` or `operation`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// Returns the name of the tool or operation.
    #[must_use]
    pub fn operation(&self) -> &'a str {
        self.operation
    }

    /// Returns what the call may touch: [`Reach::Own`] or [`Reach::Any`].
    #[must_use]
    pub fn reach(&self) -> Reach {
        self.reach
    }

    /// Returns why it was allowed: `open`, `scope` or `owner`.
    #[must_use]
    pub fn because(&self) -> &'static str {
        self.because
    }
}

/// What the hook says of an allowed call. There is no word for allowing: it can only narrow.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// The decision of the policy stands.
    Keep,
    /// The call is denied.
    Deny {
        /// What the client and the model behind it are told.
        message: String,
    },
}

/// The hook of one protected resource.
#[derive(Clone)]
pub(crate) struct Hook(Arc<dyn Fn(&DecisionView<'_>) -> Verdict + Send + Sync>);

impl Hook {
    pub(crate) fn new(hook: impl Fn(&DecisionView<'_>) -> Verdict + Send + Sync + 'static) -> Self {
        Self(Arc::new(hook))
    }

    /// Asks the hook. One that panics has not said that the call is fine, so the call is denied.
    pub(crate) fn ask(&self, view: &DecisionView<'_>) -> Result<(), String> {
        match catch_unwind(AssertUnwindSafe(|| (self.0)(view))) {
            Ok(Verdict::Keep) => Ok(()),
            Ok(Verdict::Deny { message }) => Err(message),
            Err(_) => {
                tracing::error!(
                    operation = view.operation,
                    "refused: the `after_decision` hook panicked"
                );
                Err(format!(
                    "`{}` was refused because of a mistake in the server; trying again does not help",
                    view.operation
                ))
            }
        }
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook")
    }
}
