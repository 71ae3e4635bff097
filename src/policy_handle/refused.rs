//! Why a policy did not come into force.

use std::{error::Error, fmt};

use mcp_auth_policy::{Diff, Direction};

/// A policy was not put in force; the old one stays. `Debug` shows what `Display` shows, since that is what a `main` that returns an error prints.
#[non_exhaustive]
pub enum ReloadRefused {
    /// It lets callers in further than the policy in force, and only narrower ones may replace that.
    Widens(Diff),
    /// A registered check refuses it, such as the audit of the served tools.
    Check(Box<dyn Error + Send + Sync>),
}

impl fmt::Display for ReloadRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Widens(diff) => {
                let wider = || diff.of_direction(Direction::Wider);
                let count = wider().count();
                let word = if count == 1 { "place" } else { "places" };
                write!(
                    f,
                    "the new policy widens access in {count} {word}, and a reload may only narrow; restart the server to put it in force:"
                )?;
                wider().try_for_each(|change| {
                    write!(f, "\n- {change}")?;
                    change.line().map_or(Ok(()), |line| write!(f, " (line {line})"))
                })
            }
            Self::Check(error) => write!(f, "{error}"),
        }
    }
}

impl fmt::Debug for ReloadRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
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
