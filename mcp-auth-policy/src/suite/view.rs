//! What a policy answers to the callers of a suite.

use serde_json::{Map, Value};

use super::model::{Case, CellAnswer};
use crate::{Because, Decision, OperationId, Ownership, Policy, Reach, Resolved};

/// A policy and the callers of a suite as it sees them: the policy of the suite, or one that was changed on purpose.
#[derive(Clone, Copy)]
pub(super) struct View<'v> {
    pub(super) policy: &'v Policy,
    /// By the number of the principal; `None` for one without a token.
    pub(super) callers: &'v [Option<Resolved>],
}

/// The answer to one call.
pub(super) struct Answer {
    /// `None` for a call without a token.
    pub(super) decision: Option<Decision>,
    pub(super) challenge: Vec<String>,
}

impl<'v> View<'v> {
    /// Answers a cell of the matrix: how far the caller gets with the arguments that are best for it, as in a list.
    pub(super) fn best(self, operation: OperationId, caller: usize) -> Answer {
        let Some(caller) = self.caller(caller) else {
            return Answer::UNAUTHENTICATED;
        };
        let decision = self.policy.could_reach(operation, caller.grants());
        Answer {
            decision: Some(without_owner(decision, caller)),
            challenge: Vec::new(),
        }
    }

    /// Answers a case: one call with its arguments. Without `args` that is a call without arguments, not one with the best.
    pub(super) fn call(self, case: &Case) -> Answer {
        let Some(caller) = self.caller(case.caller) else {
            return Answer::UNAUTHENTICATED;
        };
        let decision = self.decide(case.operation, caller, &case.arguments);
        let decision = case.owner.map_or(decision, |owner| decision.on_object(owner));
        let challenge = match decision.reach {
            Reach::Deny => {
                let (id, arguments) = (case.operation, &case.arguments);
                self.policy.challenge_call(id, caller.grants(), arguments.into())
            }
            Reach::Own | Reach::Any => None,
        };
        Answer {
            decision: Some(decision),
            challenge: challenge.map(|challenge| challenge.scopes).unwrap_or_default(),
        }
    }

    /// Tells whether a list shows the operation to the caller.
    pub(super) fn lists(self, operation: OperationId, caller: usize) -> bool {
        self.caller(caller)
            .is_some_and(|caller| self.policy.is_listed(operation, caller.grants()))
    }

    fn decide(self, operation: OperationId, caller: &Resolved, arguments: &Map<String, Value>) -> Decision {
        let decision = self.policy.decide_call(operation, caller.grants(), arguments.into());
        without_owner(decision, caller)
    }

    fn caller(self, number: usize) -> Option<&'v Resolved> {
        self.callers.get(number)?.as_ref()
    }
}

/// A caller without an owner key owns nothing, so that `own` is nothing to it.
fn without_owner(decision: Decision, caller: &Resolved) -> Decision {
    if caller.owner_key().is_empty() {
        decision.on_object(Ownership::Absent)
    } else {
        decision
    }
}

impl Answer {
    const UNAUTHENTICATED: Self = Self {
        decision: None,
        challenge: Vec::new(),
    };

    pub(super) fn cell(&self) -> CellAnswer {
        self.decision.map_or(CellAnswer::Unauthenticated, |decision| {
            CellAnswer::Reached(decision.reach)
        })
    }

    pub(super) fn is_allowed(&self) -> bool {
        self.decision.is_some_and(|decision| decision.reach > Reach::Deny)
    }

    /// Returns the reason as a case writes it: a code, or the id of the forbid.
    pub(super) fn because<'p>(&self, policy: &'p Policy) -> &'p str {
        match self.decision.map(|decision| decision.because) {
            None => "unauthenticated",
            Some(Because::Forbidden(id)) => policy.forbid(id).map_or("forbidden", |forbid| forbid.id()),
            Some(because) => because.code(),
        }
    }
}
