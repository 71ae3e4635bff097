//! "Did you mean …?" for names that come from outside the file.

use crate::{OperationKind, Policy, text::nearest};

impl Policy {
    /// Returns the declared scope nearest to a misspelt one, if one is near.
    #[must_use]
    pub fn suggest_scope(&self, name: &str) -> Option<&str> {
        nearest(name, self.scopes().map(|scope| scope.name()))
    }

    /// Returns the declared operation of this kind nearest to a misspelt one, if one is near.
    #[must_use]
    pub fn suggest_operation(&self, kind: OperationKind, name: &str) -> Option<&str> {
        nearest(name, self.operations(kind).map(|operation| operation.name()))
    }
}
