//! Why a policy did not come into force.

use std::{error::Error, fmt};

use mcp_auth_policy::Widening;

/// A policy was not put in force; the old one stays.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReloadRefused {
    /// It lets callers in further than the policy in force, and only narrower ones may replace that.
    Widens(Vec<Widening>),
    /// A registered check refuses it, such as the audit of the served tools.
    Check(Box<dyn Error + Send + Sync>),
}

impl fmt::Display for ReloadRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Widens(widenings) => {
                let count = widenings.len();
                let word = if count == 1 { "operation" } else { "operations" };
                write!(
                    f,
                    "the new policy widens {count} {word}, and a reload may only narrow; restart the server to put it in force:"
                )?;
                widenings.iter().try_for_each(|widening| write!(f, "\n- {widening}"))
            }
            Self::Check(error) => write!(f, "{error}"),
        }
    }
}

impl Error for ReloadRefused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Widens(_) => None,
            // Its text is already in this one's.
            Self::Check(error) => error.source(),
        }
    }
}
