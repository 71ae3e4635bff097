//! The ownership filter as SQL.

use std::borrow::Cow;

use mcp_auth_policy::is_column_name;

use crate::access::Filter;

/// A condition for a SQL `WHERE` that keeps the objects a caller may touch.
///
/// ```ignore
/// let owner = access.sql("owner_id", 2);
/// let text = format!("DELETE FROM todos WHERE id = $1 AND {} RETURNING id", owner.clause());
/// let mut query = sqlx::query(&text).bind(id);
/// if let Some(owner) = owner.bind() {
///     query = query.bind(owner);
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct SqlFilter<'a> {
    clause: Cow<'static, str>,
    bind: Option<&'a str>,
}

impl<'a> SqlFilter<'a> {
    pub(crate) fn new(filter: Filter<'a>, column: &str, placeholder: usize) -> Self {
        if !is_column_name(column) || placeholder == 0 {
            tracing::error!(
                column,
                placeholder,
                "`Access::sql` needs a plain column name and a placeholder number from 1; the query will find nothing"
            );
            return Self {
                clause: "(FALSE)".into(),
                bind: None,
            };
        }
        match filter {
            Filter::All => Self {
                clause: "(TRUE)".into(),
                bind: None,
            },
            Filter::OwnedBy(owner) => Self {
                clause: format!("({column} = ${placeholder})").into(),
                bind: Some(owner),
            },
        }
    }

    /// Returns the condition in parentheses: `(TRUE)`, or `(owner_id = $2)`.
    #[must_use]
    pub fn clause(&self) -> &str {
        &self.clause
    }

    /// Returns the value for the placeholder, if the condition has one.
    #[must_use]
    pub fn bind(&self) -> Option<&'a str> {
        self.bind
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_bound_and_never_written_into_the_text() {
        let filter = SqlFilter::new(Filter::OwnedBy("x' OR '1'='1"), "owner_id", 2);
        assert_eq!(
            (filter.clause(), filter.bind()),
            ("(owner_id = $2)", Some("x' OR '1'='1"))
        );
        let filter = SqlFilter::new(Filter::All, "owner_id", 1);
        assert_eq!((filter.clause(), filter.bind()), ("(TRUE)", None));
    }

    #[test]
    fn anything_but_a_plain_column_finds_nothing() {
        for column in [
            "",
            "1",
            "a b",
            "a;",
            "a.b",
            "a)",
            "a--",
            "\"a\"",
            "é",
            "a\0",
            "a = a OR b",
        ] {
            for filter in [Filter::All, Filter::OwnedBy("alice")] {
                let filter = SqlFilter::new(filter, column, 1);
                assert_eq!((filter.clause(), filter.bind()), ("(FALSE)", None), "{column:?}");
            }
        }
        assert_eq!(SqlFilter::new(Filter::All, "owner_id", 0).clause(), "(FALSE)");
        for column in ["a", "_", "Owner_1"] {
            assert_eq!(SqlFilter::new(Filter::All, column, 1).clause(), "(TRUE)", "{column:?}");
        }
    }
}
