//! The decision: a fixed, total order of questions, a few comparisons of words each.

use serde_json::{Map, Value};

use crate::{
    Arguments, Because, Decision, ForbidId, Grants, OperationId, OperationKind, Policy, Reach,
    grants::Granted,
    operation::{Operation, Rule},
};

/// How a forbid counts that depends on arguments nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IfUnknown {
    Forbid,
    Allow,
}

impl Policy {
    /// Decides one call without looking at its arguments, in constant time in the number of tools and without allocation.
    ///
    /// The order is fixed: an unknown operation denies; a forbid that matches denies; a met `requires` gives `any`; an owner
    /// fallback gives `own`; all else denies. An id or grants of another policy deny. So does a forbid that depends on
    /// arguments: see [`decide_call`](Self::decide_call) for a call, and [`could_reach`](Self::could_reach) for a list.
    pub fn decide(&self, id: OperationId, grants: &Grants) -> Decision {
        self.decide_call(id, grants, Arguments::Unknown)
    }

    /// Decides one call, its arguments included.
    pub fn decide_call(&self, id: OperationId, grants: &Grants, arguments: Arguments<'_>) -> Decision {
        self.decide_if(id, grants, arguments, IfUnknown::Forbid)
    }

    /// Decides how far this caller would get with the arguments that are best for it: what a list shows.
    ///
    /// Each forbid that depends on arguments counts as not matching.
    pub fn could_reach(&self, id: OperationId, grants: &Grants) -> Decision {
        self.decide_if(id, grants, Arguments::Unknown, IfUnknown::Allow)
    }

    fn decide_if(&self, id: OperationId, grants: &Grants, arguments: Arguments<'_>, unknown: IfUnknown) -> Decision {
        let Some(operation) = self.operation(id) else {
            return Decision::UNKNOWN;
        };
        let Some(granted) = grants.of(self.id()) else {
            return Decision::MISSING;
        };
        self.decide_granted(operation, granted, arguments, unknown)
    }

    pub(crate) fn decide_granted(
        &self,
        operation: &Operation,
        granted: &Granted,
        arguments: Arguments<'_>,
        unknown: IfUnknown,
    ) -> Decision {
        match self.first_forbid(operation, granted, arguments, unknown) {
            Some(forbid) => Decision::forbidden(forbid),
            None => operation.rule.decide(granted.held.words()),
        }
    }

    /// Finds the first forbid, in the order of the file, that matches.
    fn first_forbid(
        &self,
        operation: &Operation,
        granted: &Granted,
        arguments: Arguments<'_>,
        unknown: IfUnknown,
    ) -> Option<ForbidId> {
        let none;
        let arguments: Option<&Map<String, Value>> = match (operation.kind, arguments) {
            (OperationKind::Resource | OperationKind::Operation, _) => {
                none = Map::new();
                Some(&none)
            }
            (_, Arguments::Known(arguments)) => Some(arguments),
            (_, Arguments::Unknown) => None,
        };
        let matches = |forbid: &&u32| {
            let number = usize::try_from(**forbid).unwrap_or(usize::MAX);
            if granted.forbidden.contains(number) {
                return true;
            }
            granted.depends.contains(number)
                && self.forbids.get(number).is_none_or(|forbid| {
                    let matches = forbid.matches(granted.settled(number), granted.held.words(), arguments);
                    matches.unwrap_or(unknown == IfUnknown::Forbid)
                })
        };
        let named = operation.rule.forbids.iter().find(matches);
        let general = self.forbids_everything.iter().find(matches);
        named.into_iter().chain(general).min().copied().map(ForbidId)
    }

    /// Returns the line of the rule that decides, counted from 1: the forbid, `requires`, or `owner_fallback` where that gives
    /// `own`. The arguments are those that are best for the caller.
    ///
    /// `None` if the policy does not list the operation.
    #[must_use]
    pub fn deciding_line(&self, id: OperationId, grants: &Grants) -> Option<usize> {
        self.line_of(id, self.could_reach(id, grants))
    }

    /// Returns the line of the rule that a decision of this policy came from. `None` if the policy does not list the operation.
    #[must_use]
    pub fn line_of(&self, id: OperationId, decision: Decision) -> Option<usize> {
        let operation = self.operation(id)?;
        match decision.because {
            Because::Forbidden(forbid) => Some(self.forbid(forbid)?.line),
            because => Some(operation.line_of(because)),
        }
    }

    /// Returns whether a decision on this operation may depend on the arguments of the call.
    #[must_use]
    pub fn reads_arguments(&self, id: OperationId) -> bool {
        self.argument_forbids(id).next().is_some()
    }

    /// Returns the forbids on this operation that read arguments, in no particular order.
    pub fn argument_forbids(&self, id: OperationId) -> impl Iterator<Item = &crate::Forbid> {
        let takes_arguments =
            |operation: &&Operation| matches!(operation.kind, OperationKind::Tool | OperationKind::Prompt);
        let operation = self.operation(id).filter(takes_arguments);
        let named = operation.into_iter().flat_map(|operation| &*operation.rule.forbids);
        let general = operation.into_iter().flat_map(|_| &*self.forbids_everything);
        named
            .chain(general)
            .filter_map(|number| self.forbid(ForbidId(*number)))
            .filter(|forbid| forbid.reads_arguments())
    }

    /// Returns the forbids that an operation is subject to, in the order of the file.
    pub(crate) fn forbids_on(&self, operation: &Operation) -> Vec<ForbidId> {
        let numbers = operation.rule.forbids.iter().chain(&self.forbids_everything);
        let mut forbids: Vec<ForbidId> = numbers.copied().map(ForbidId).collect();
        forbids.sort_unstable();
        forbids
    }
}

impl Operation {
    /// Returns the line of the rule that gives a reason, if that is no forbid.
    pub(crate) fn line_of(&self, because: Because) -> usize {
        match (because, &self.rule.owner) {
            (Because::Owner | Because::NotOwner | Because::OwnerUnknown, Some(owner)) => owner.line,
            _ => self.rule.requires_line,
        }
    }
}

impl Rule {
    pub(crate) fn decide(&self, held: &[u64]) -> Decision {
        for alternative in &self.alternatives {
            if alternative.mask.is_held(held) {
                let because = if alternative.scopes.is_empty() {
                    Because::Open
                } else {
                    Because::Scope
                };
                return Decision {
                    reach: Reach::Any,
                    because,
                };
            }
        }
        match &self.owner {
            Some(owner) if owner.mask.is_held(held) => Decision::OWN,
            _ => Decision::MISSING,
        }
    }
}
