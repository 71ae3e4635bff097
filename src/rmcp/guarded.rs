//! A server whose tools and prompts all state a requirement.

use std::collections::{BTreeMap, BTreeSet};

use mcp_auth_policy::OperationKind;
use rmcp::{
    ServerHandler,
    handler::server::router::{prompt::PromptRouter, tool::ToolRouter},
    model::{Prompt, Tool},
};

use super::listing::{self, Unlistable};
use crate::requirement::Requirement;

/// A server with `#[guarded]` on the impl block of its tools. Implemented by that attribute only.
#[diagnostic::on_unimplemented(
    message = "the tools of `{Self}` are not guarded",
    label = "not guarded",
    note = "put `#[mcp_auth::guarded]` on the impl block with `#[tool_router]`"
)]
pub trait Guarded {
    /// Returns the guarded blocks of the server: the one that has `parts(…)`, and those that it names.
    #[doc(hidden)]
    fn parts() -> Vec<GuardedPart>;
}

/// One impl block with `#[guarded]`: what its annotations demand, and what its routers really serve.
#[doc(hidden)]
#[derive(Debug, Clone, Default)]
pub struct GuardedPart {
    routed: &'static [Requirement],
    by_hand: &'static [Requirement],
    tools: Vec<Tool>,
    prompts: Vec<Prompt>,
}

impl GuardedPart {
    /// The requirements of methods with `#[tool]` or `#[prompt]`, which count only if a router serves them, and those of other functions.
    #[must_use]
    pub const fn new(routed: &'static [Requirement], by_hand: &'static [Requirement]) -> Self {
        Self {
            routed,
            by_hand,
            tools: Vec::new(),
            prompts: Vec::new(),
        }
    }

    /// Reads the tools out of a router.
    #[must_use]
    pub fn tools<S: Send + Sync + 'static>(mut self, router: &ToolRouter<S>) -> Self {
        self.tools.extend(router.list_all());
        self
    }

    /// Reads the prompts out of a router.
    #[must_use]
    pub fn prompts<S: Send + Sync + 'static>(mut self, router: &PromptRouter<S>) -> Self {
        self.prompts.extend(router.list_all());
        self
    }
}

/// All blocks of a server together.
#[derive(Debug, Default)]
pub(crate) struct Inventory {
    routed: Vec<&'static Requirement>,
    by_hand: Vec<&'static Requirement>,
    tools: BTreeMap<String, Tool>,
    prompts: BTreeMap<String, Prompt>,
    /// Names under which the server serves something else than the guarded function.
    replaced: Vec<(OperationKind, String)>,
}

impl Inventory {
    pub(crate) fn of<S: Guarded>() -> Self {
        let mut all = Self::default();
        for part in S::parts() {
            all.routed.extend(part.routed);
            all.by_hand.extend(part.by_hand);
            all.tools
                .extend(part.tools.into_iter().map(|tool| (tool.name.to_string(), tool)));
            all.prompts
                .extend(part.prompts.into_iter().map(|prompt| (prompt.name.clone(), prompt)));
        }
        all
    }

    /// Asks a server what it serves, instead of the routers of its blocks.
    ///
    /// # Errors
    /// All lists that cannot be read.
    pub(crate) async fn of_server<S: Guarded + ServerHandler>(server: &S) -> Result<Self, Vec<Unlistable>> {
        let mut all = Self::of::<S>();
        let (tools, prompts) = match (listing::tools(server).await, listing::prompts(server).await) {
            (Ok(tools), Ok(prompts)) => (tools, prompts),
            (tools, prompts) => return Err([tools.err(), prompts.err()].into_iter().flatten().collect()),
        };
        let tools: BTreeMap<String, Tool> = tools.into_iter().map(|tool| (tool.name.to_string(), tool)).collect();
        let prompts: BTreeMap<String, Prompt> = prompts
            .into_iter()
            .map(|prompt| (prompt.name.clone(), prompt))
            .collect();
        let other_tool = |(name, tool): (&String, &Tool)| {
            let guarded = all.tools.get(name)?;
            (guarded.input_schema != tool.input_schema).then(|| (OperationKind::Tool, name.clone()))
        };
        let other_prompt = |(name, prompt): (&String, &Prompt)| {
            let guarded = all.prompts.get(name)?;
            (guarded.arguments != prompt.arguments).then(|| (OperationKind::Prompt, name.clone()))
        };
        let replaced = tools.iter().filter_map(other_tool);
        all.replaced = replaced.chain(prompts.iter().filter_map(other_prompt)).collect();
        (all.tools, all.prompts) = (tools, prompts);
        Ok(all)
    }

    pub(super) fn replaced(&self) -> &[(OperationKind, String)] {
        &self.replaced
    }

    /// What has no `#[tool]` or `#[prompt]` is taken for served: nothing says how it is reached.
    pub(super) fn served(&self, kind: OperationKind) -> BTreeSet<&str> {
        let by_hand = self.by_hand.iter().filter(|stated| stated.kind() == kind);
        let mut names: BTreeSet<&str> = by_hand.map(|stated| stated.name()).collect();
        match kind {
            OperationKind::Tool => names.extend(self.tools.keys().map(String::as_str)),
            OperationKind::Prompt => names.extend(self.prompts.keys().map(String::as_str)),
            _ => {}
        }
        names
    }

    /// Returns whether the code says anything about this kind: then it has to say everything.
    pub(super) fn states(&self, kind: OperationKind) -> bool {
        let mut stated = self.routed.iter().chain(&self.by_hand);
        !self.served(kind).is_empty() || stated.any(|stated| stated.kind() == kind)
    }

    /// Returns the annotations that are in effect. A tool that was taken out of the router harms nobody.
    pub(super) fn requirements(&self) -> impl Iterator<Item = &'static Requirement> {
        let served = |stated: &&&Requirement| match stated.kind() {
            OperationKind::Prompt => self.prompts.contains_key(stated.name()),
            _ => self.tools.contains_key(stated.name()),
        };
        self.routed.iter().filter(served).chain(&self.by_hand).copied()
    }

    pub(super) fn tools(&self) -> impl Iterator<Item = (&str, &Tool)> {
        self.tools.iter().map(|(name, tool)| (name.as_str(), tool))
    }

    /// Returns the names of the arguments of what the routers serve. `None` for anything else.
    pub(super) fn arguments(&self, kind: OperationKind, name: &str) -> Option<BTreeSet<&str>> {
        match kind {
            OperationKind::Tool => self.tools.get(name).map(|tool| {
                let properties = tool.input_schema.get("properties").and_then(|it| it.as_object());
                properties
                    .into_iter()
                    .flat_map(|it| it.keys().map(String::as_str))
                    .collect()
            }),
            OperationKind::Prompt => self.prompts.get(name).map(|prompt| {
                let arguments = prompt.arguments.iter().flatten();
                arguments.map(|argument| argument.name.as_str()).collect()
            }),
            _ => None,
        }
    }

    /// Returns whether a tool refuses arguments that it does not name. A prompt has no schema to say so.
    pub(super) fn is_closed(&self, kind: OperationKind, name: &str) -> bool {
        let says_so = |tool: &Tool| {
            tool.input_schema
                .get("additionalProperties")
                .and_then(|more| more.as_bool())
        };
        kind == OperationKind::Prompt || self.tools.get(name).and_then(says_so) == Some(false)
    }

    /// Returns what the annotations in effect are about.
    pub(crate) fn annotated(&self) -> impl Iterator<Item = (OperationKind, String)> {
        let stated = self.requirements();
        stated.map(|stated| (stated.kind(), stated.name().to_owned()))
    }

    /// Returns every tool and prompt of the routers with its arguments.
    pub(crate) fn all_arguments(&self) -> impl Iterator<Item = (OperationKind, &str, BTreeSet<&str>)> {
        let tools = self.tools.keys().map(|name| (OperationKind::Tool, name.as_str()));
        let prompts = self.prompts.keys().map(|name| (OperationKind::Prompt, name.as_str()));
        tools
            .chain(prompts)
            .filter_map(|(kind, name)| Some((kind, name, self.arguments(kind, name)?)))
    }
}
