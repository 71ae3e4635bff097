//! What a policy declares: scopes, roles, and the tools and operations that require them.

use crate::{
    bits::{Bits, Mask},
    policy::PolicyId,
};

/// What is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OperationKind {
    /// An MCP tool, from `tools:`.
    Tool,
    /// An MCP prompt, from `prompts:`.
    Prompt,
    /// An MCP resource, from `resources:`: one URI, or a template for many.
    Resource,
    /// A function or handler that is no MCP tool, from `operations:`.
    Operation,
}

impl OperationKind {
    /// Every kind, in the order of the sections of a policy.
    pub const ALL: [Self; 4] = [Self::Tool, Self::Prompt, Self::Resource, Self::Operation];

    /// Returns the word for messages: `tool`, `prompt`, `resource` or `operation`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tool => "tool",
            Self::Prompt => "prompt",
            Self::Resource => "resource",
            Self::Operation => "operation",
        }
    }

    /// Returns the key of its section in a policy: `tools`, `prompts`, `resources` or `operations`.
    #[must_use]
    pub fn section(self) -> &'static str {
        match self {
            Self::Tool => "tools",
            Self::Prompt => "prompts",
            Self::Resource => "resources",
            Self::Operation => "operations",
        }
    }
}

/// Names an operation of the one policy that gave it out; every other policy denies it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OperationId {
    pub(crate) policy: PolicyId,
    pub(crate) index: u32,
}

/// One tool, prompt, resource or operation as declared.
#[derive(Debug, Clone)]
pub struct Operation {
    pub(crate) kind: OperationKind,
    pub(crate) name: String,
    pub(crate) line: usize,
    pub(crate) object: Option<String>,
    pub(crate) owner_column: Option<String>,
    pub(crate) requires: Vec<Vec<String>>,
    pub(crate) owner_fallback: Option<Vec<String>>,
    pub(crate) rule: Rule,
}

/// The compiled part of an operation, all that a decision reads.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    /// Any of these gives `any`.
    pub(crate) alternatives: Box<[Alternative]>,
    /// Holding this gives `own`.
    pub(crate) owner: Option<OwnerRule>,
    /// The forbids that name the operation, in the order of the file.
    pub(crate) forbids: Box<[u32]>,
    pub(crate) requires_line: usize,
}

#[derive(Debug, Clone)]
pub(crate) struct Alternative {
    pub(crate) mask: Mask,
    /// Numbers of the scopes in the order written.
    pub(crate) scopes: Vec<usize>,
}

#[derive(Debug, Clone)]
pub(crate) struct OwnerRule {
    pub(crate) mask: Mask,
    pub(crate) scopes: Vec<usize>,
    pub(crate) line: usize,
}

impl Operation {
    /// Returns the name as in the file.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns what is called.
    #[must_use]
    pub fn kind(&self) -> OperationKind {
        self.kind
    }

    /// Returns the kind of object that the operation acts on, a name from `objects:`.
    #[must_use]
    pub fn object(&self) -> Option<&str> {
        self.object.as_deref()
    }

    /// Returns the column that holds the owner of the object. A plain SQL name: letters, digits and `_`.
    #[must_use]
    pub fn owner_column(&self) -> Option<&str> {
        self.owner_column.as_deref()
    }

    /// Returns the alternatives of `requires`, the scopes of each as written. One empty alternative means `requires: []`.
    #[must_use]
    pub fn requires(&self) -> &[Vec<String>] {
        &self.requires
    }

    /// Returns whether an owner may act without the required scopes.
    #[must_use]
    pub fn has_owner_fallback(&self) -> bool {
        self.rule.owner.is_some()
    }

    /// Returns the scopes that an owner must hold at least, as written; none of them for `owner_fallback: true`. `None` if an owner may do no more
    /// than others.
    #[must_use]
    pub fn owner_fallback(&self) -> Option<&[String]> {
        self.owner_fallback.as_deref()
    }

    /// Returns the line of the declaration, counted from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    pub(crate) fn is_open(&self) -> bool {
        self.rule
            .alternatives
            .iter()
            .any(|alternative| alternative.scopes.is_empty())
    }
}

/// One declared scope.
#[derive(Debug, Clone)]
pub struct Scope {
    pub(crate) name: String,
    pub(crate) about: Option<String>,
    pub(crate) line: usize,
    /// The scope and all that it implies.
    pub(crate) closure: Bits,
}

impl Scope {
    /// Returns the scope token.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns what the scope allows, in the words of the policy's author.
    #[must_use]
    pub fn about(&self) -> Option<&str> {
        self.about.as_deref()
    }

    /// Returns the line of the declaration, counted from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }
}

/// One declared role.
#[derive(Debug, Clone)]
pub(crate) struct Role {
    pub(crate) name: String,
    /// Its own scopes and those of the roles it includes, not closed under `implies`.
    pub(crate) scopes: Bits,
    /// The same, closed under `implies`.
    pub(crate) closure: Bits,
    /// The role and all that it includes.
    pub(crate) included: Bits,
}
