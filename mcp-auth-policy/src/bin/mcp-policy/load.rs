//! Loads the one policy that a verb is about.

use std::path::Path;

use mcp_auth_policy::Policy;

use crate::{files, outcome::Outcome, paint};

/// A policy and the lines that it was read from.
pub(crate) struct Loaded {
    pub(crate) policy: Policy,
    pub(crate) lines: Vec<String>,
}

impl Loaded {
    /// Returns the text of a line, counted from 1, without the spaces around it.
    pub(crate) fn line(&self, number: usize) -> &str {
        let line = number.checked_sub(1).and_then(|index| self.lines.get(index));
        line.map(|line| line.trim()).unwrap_or_default()
    }
}

/// Loads a policy. Its mistakes go to standard error: standard output belongs to what was asked for.
pub(crate) fn policy(file: &Path, outcome: &mut Outcome) -> Option<Loaded> {
    outcome.files += 1;
    let bytes = match files::read(file) {
        Ok(bytes) => bytes,
        Err(error) => {
            outcome.complain(format!("cannot read `{}`: {error}", files::shown(file)));
            return None;
        }
    };
    match Policy::loader().file_name(files::shown(file)).parse_bytes(&bytes) {
        Ok(policy) => Some(Loaded {
            policy,
            // A policy that loads is UTF-8, and its lines end at `\n` only.
            lines: (String::from_utf8_lossy(&bytes).trim_end().split('\n'))
                .map(|line| line.trim_end().to_owned())
                .collect(),
        }),
        Err(errors) => {
            outcome.invalid = true;
            outcome.complaints.push_str(&paint::errors(&errors));
            None
        }
    }
}
