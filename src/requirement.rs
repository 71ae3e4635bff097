//! What an annotation in the code demands.

use mcp_auth_policy::{Annotation, OperationKind};

/// One `#[requires_scope(…)]`, as the guard and the start-up audit read it.
#[derive(Debug, Clone, Copy)]
pub struct Requirement {
    kind: OperationKind,
    name: &'static str,
    alternatives: &'static [&'static [&'static str]],
    owner_fallback: bool,
    file: &'static str,
    line: u32,
}

impl Requirement {
    /// Called by generated code only.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(
        kind: OperationKind,
        name: &'static str,
        alternatives: &'static [&'static [&'static str]],
        owner_fallback: bool,
        file: &'static str,
        line: u32,
    ) -> Self {
        Self {
            kind,
            name,
            alternatives,
            owner_fallback,
            file,
            line,
        }
    }

    /// Returns whether the function is a tool or another operation.
    #[must_use]
    pub fn kind(&self) -> OperationKind {
        self.kind
    }

    /// Returns the name by which the policy knows the function.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the alternatives, of which the caller needs one: all scopes of it. An empty alternative is open to every authenticated caller.
    #[must_use]
    pub fn alternatives(&self) -> &'static [&'static [&'static str]] {
        self.alternatives
    }

    /// Returns whether a caller without the scopes reaches its own objects.
    #[must_use]
    pub fn has_owner_fallback(&self) -> bool {
        self.owner_fallback
    }

    /// Returns the source file and line of the annotation.
    #[must_use]
    pub fn location(&self) -> (&'static str, u32) {
        (self.file, self.line)
    }

    pub(crate) fn annotation(&self) -> Annotation<'static> {
        Annotation {
            requires: self.alternatives,
            owner_fallback: self.owner_fallback,
        }
    }
}
