//! What a policy answers to the callers of a suite.

use super::model::{Case, Cell, CellAnswer, List};
use crate::{Because, Decision, OperationId, Ownership, Policy, Reach, Resolved};

/// A policy and the callers of a suite as it sees them: the policy of the suite, or one that was changed on purpose.
#[derive(Clone, Copy)]
pub(super) struct View<'v> {
    pub(super) policy: &'v Policy,
    /// By the number of the principal; `None` for one without a token.
    pub(super) callers: &'v [Option<Resolved>],
}

impl<'v> View<'v> {
    /// Decides a cell of the matrix: how far the caller gets with the arguments that are best for it, as in a list. `None` without a
    /// token.
    pub(super) fn best(self, operation: OperationId, caller: usize) -> Option<Decision> {
        let caller = self.caller(caller)?;
        let decision = self.policy.could_reach(operation, caller.grants());
        Some(without_owner(decision, caller))
    }

    /// Says what a cell of the matrix has to say.
    pub(super) fn best_cell(self, operation: OperationId, caller: usize) -> CellAnswer {
        let decision = self.best(operation, caller);
        decision.map_or(CellAnswer::Unauthenticated, |decision| {
            CellAnswer::Reached(decision.reach)
        })
    }

    /// Decides the call of a case, whoever owns the object. Without `args` that is a call without arguments, not one with the best.
    pub(super) fn call(self, case: &Case) -> Option<Decision> {
        let caller = self.caller(case.caller)?;
        let arguments = (&case.arguments).into();
        let decision = self.policy.decide_call(case.operation, caller.grants(), arguments);
        Some(without_owner(decision, caller))
    }

    /// Decides the call of a case on its object.
    pub(super) fn call_on_object(self, case: &Case) -> Option<Decision> {
        let decision = self.call(case)?;
        Some(case.owner.map_or(decision, |owner| decision.on_object(owner)))
    }

    /// Returns the scopes that the caller of a denied case is asked for.
    pub(super) fn challenge(self, case: &Case) -> Vec<String> {
        let denied = self
            .call_on_object(case)
            .filter(|decision| decision.reach == Reach::Deny);
        let caller = self.caller(case.caller).filter(|_| denied.is_some());
        let challenge = caller.and_then(|caller| {
            let arguments = (&case.arguments).into();
            self.policy.challenge_call(case.operation, caller.grants(), arguments)
        });
        challenge.map(|challenge| challenge.scopes).unwrap_or_default()
    }

    /// Tells whether a list shows the operation to the caller.
    pub(super) fn lists(self, operation: OperationId, caller: usize) -> bool {
        self.caller(caller)
            .is_some_and(|caller| self.policy.is_listed(operation, caller.grants()))
    }

    /// Tells whether a cell says what the policy answers.
    pub(super) fn agrees_with_cell(self, cell: &Cell) -> bool {
        self.best_cell(cell.operation, cell.caller) == cell.answer
    }

    /// Tells whether a case says what the policy answers.
    pub(super) fn agrees_with_case(self, case: &Case) -> bool {
        let decision = self.call_on_object(case);
        case.allow == is_allowed(decision)
            && (case.because.as_ref()).is_none_or(|because| because == reason(decision, self.policy))
            && (case.challenge.as_ref()).is_none_or(|challenge| *challenge == self.challenge(case))
    }

    /// Tells whether a list says about this operation what the policy answers.
    pub(super) fn agrees_with_list(self, list: &List, operation: OperationId) -> bool {
        let is_listed = list.shown.binary_search_by_key(&operation.index, |id| id.index).is_ok();
        self.lists(operation, list.caller) == is_listed
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

pub(super) fn is_allowed(decision: Option<Decision>) -> bool {
    decision.is_some_and(|decision| decision.reach > Reach::Deny)
}

/// Returns the reason as a case writes it: a code, or the id of the forbid.
pub(super) fn reason(decision: Option<Decision>, policy: &Policy) -> &str {
    match decision.map(|decision| decision.because) {
        None => "unauthenticated",
        Some(Because::Forbidden(id)) => policy.forbid(id).map_or("forbidden", |forbid| forbid.id()),
        Some(because) => because.code(),
    }
}
