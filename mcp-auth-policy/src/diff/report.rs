//! A difference for people and for machines.

use std::fmt::{self, Write as _};

use serde::Serialize;

use super::{Change, Diff, Direction, Example};
use crate::text::printable;

/// The whole difference as JSON.
#[derive(Serialize)]
struct Json<'d> {
    wider: usize,
    narrower: usize,
    changes: &'d [Change],
}

impl Diff {
    /// Returns a JSON object with the counts `wider` and `narrower` and the list `changes`, without a line break.
    #[must_use]
    pub fn to_json(&self) -> String {
        let json = Json {
            wider: self.of_direction(Direction::Wider).count(),
            narrower: self.of_direction(Direction::Narrower).count(),
            changes: &self.changes,
        };
        // Texts and numbers always become JSON.
        serde_json::to_string(&json).unwrap_or_default()
    }
}

/// One line for each change, a second one with an example for each that widens, and a line with the counts.
impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("no caller reaches further or less far");
        }
        for change in &self.changes {
            let word = match change.direction {
                Direction::Wider => "WIDER",
                Direction::Narrower => "NARROWER",
            };
            writeln!(f, "{word:<8}  {change}")?;
            if let (Some(example), Direction::Wider) = (&change.example, change.direction) {
                writeln!(f, "          e.g. {example}")?;
            }
        }
        let count = |direction: Direction| self.of_direction(direction).count();
        write!(
            f,
            "{} wider, {} narrower",
            count(Direction::Wider),
            count(Direction::Narrower)
        )
    }
}

/// One line: what, from where to where, and for whom.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  ", printable(&self.name))?;
        if self.is_proved || self.kind.is_none() {
            write!(f, "{} -> {}  ", self.old, self.new)?;
        }
        f.write_str(&self.callers)
    }
}

impl fmt::Display for Example {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = match &self.scopes {
            Some(scopes) => format!("token [{}]", scopes.join(", ")),
            None => format!("token {}", self.principal),
        };
        if let Some(arguments) = &self.args {
            let _ = write!(text, ", arguments {arguments}");
        }
        match self.owner {
            Some("other") => text.push_str(", item of somebody else"),
            Some(_) => text.push_str(", own item"),
            None => {}
        }
        f.write_str(&text)
    }
}
