//! Which tests of a suite are wanted.

use std::str::FromStr;

use super::{
    invariants::Invariant,
    model::{Check, Suite, Test},
    names::name_of,
};
use crate::{
    OperationId,
    text::{nearest, quoted},
};

const KEYS: [&str; 3] = ["tool", "as", "name"];

/// A choice of tests, from a text such as `tool=delete-todo,as=alice`.
///
/// `tool` is the name of a tool as the suite writes it, `as` a principal, and `name` a part of the test's name. A key that is there
/// several times wants any of its values; of different keys all must fit. Tests that are about no single tool or principal fit none.
///
/// ```
/// use mcp_auth_policy::suite::Filter;
///
/// assert!("tool=delete-todo,tool=get-todos,as=alice".parse::<Filter>().is_ok());
/// assert_eq!("tol=get-todos".parse::<Filter>().unwrap_err(), "a filter has no `tol`; did you mean `tool`?");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    tools: Vec<String>,
    principals: Vec<String>,
    names: Vec<String>,
}

impl FromStr for Filter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut filter = Self::default();
        let mut last: Option<&mut Vec<String>> = None;
        for part in text.split(',') {
            let Some((key, value)) = part.split_once('=') else {
                // A comma in a name.
                let values = last.as_mut().and_then(|values| values.last_mut());
                let value = values
                    .ok_or_else(|| format!("{} is no filter; write `tool=…`, `as=…` or `name=…`", quoted(part)))?;
                value.push(',');
                value.push_str(part);
                continue;
            };
            let values = match key.trim() {
                "tool" => &mut filter.tools,
                "as" => &mut filter.principals,
                "name" => &mut filter.names,
                other => {
                    let help = nearest(other, KEYS).map_or("write `tool`, `as` or `name`".to_owned(), |key| {
                        format!("did you mean `{key}`?")
                    });
                    return Err(format!("a filter has no {}; {help}", quoted(other)));
                }
            };
            values.push(value.to_owned());
            last = Some(values);
        }
        Ok(filter)
    }
}

impl Filter {
    /// Adds what another filter wants.
    pub fn extend(&mut self, other: Self) {
        self.tools.extend(other.tools);
        self.principals.extend(other.principals);
        self.names.extend(other.names);
    }

    /// Returns whether it wants this test of a suite.
    #[must_use]
    pub fn wants(&self, test: &Test, suite: &Suite<'_>) -> bool {
        let (operations, caller) = match &test.check {
            Check::Cell(cell) => (std::slice::from_ref(&cell.operation), Some(cell.caller)),
            Check::Case(case) => (std::slice::from_ref(&case.operation), Some(case.caller)),
            Check::List(list) => (&[][..], Some(list.caller)),
            Check::Invariant(Invariant::Needs { operations, .. } | Invariant::Never { operations, .. }) => {
                (operations.as_slice(), None)
            }
            Check::Invariant(Invariant::Monotone) | Check::Coverage | Check::Mutants => (&[][..], None),
        };
        let is_wanted = |id: &OperationId| self.tools.contains(&name_of(*id, suite.policy));
        let principal = || caller.and_then(|number| suite.principals.get(number));
        (self.tools.is_empty() || operations.iter().any(is_wanted))
            && (self.principals.is_empty()
                || principal().is_some_and(|principal| self.principals.contains(&principal.name)))
            && (self.names.is_empty() || self.names.iter().any(|part| test.name().contains(part)))
    }
}
