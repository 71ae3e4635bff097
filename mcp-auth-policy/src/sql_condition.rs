//! A reach as the condition of a SQL `WHERE`.

use crate::{Reach, is_column_name};

impl Reach {
    /// Returns the condition that keeps the objects within this reach: `(TRUE)`, `(owner_id = $1)` or `(FALSE)`.
    ///
    /// The placeholder, numbered from 1, stands for the caller's [owner key](crate::Resolved::owner_key), which is bound and never written
    /// into the text. Anything but a [plain column name](is_column_name) keeps nothing.
    ///
    /// ```
    /// use mcp_auth_policy::Reach;
    ///
    /// assert_eq!(Reach::Own.sql("owner_id", 2), "(owner_id = $2)");
    /// assert_eq!(Reach::Own.sql("1 = 1 OR owner_id", 2), "(FALSE)");
    /// ```
    #[must_use]
    pub fn sql(self, column: &str, placeholder: usize) -> String {
        match self {
            Self::Any => "(TRUE)".to_owned(),
            Self::Own if is_column_name(column) && placeholder > 0 => format!("({column} = ${placeholder})"),
            Self::Own | Self::Deny => "(FALSE)".to_owned(),
        }
    }
}
