//! The check at the top of a guarded function: the authority, which nothing in front of it replaces.

use std::sync::{Arc, atomic::Ordering};

use mcp_auth_policy::{Challenge, Decision, OnNotOwner, OperationId, Reach};

use crate::{
    access::{Access, Limit},
    as_owner::AsOwner,
    caller::Caller,
    decision_record::Stage,
    deferral::Deferral,
    denied::{Denied, DeniedReason},
    requirement::Requirement,
};

/// Remembers an [`Access`] after the function consumed it, to see whether it was consulted, and what the function ended with.
#[derive(Debug)]
pub struct Watch {
    limit: Option<Arc<Limit>>,
    requirement: &'static Requirement,
    caller: Caller,
    /// The held response waits for this function.
    is_awaited: bool,
}

/// Checks a function that takes an `Access`.
///
/// # Errors
/// The denial of the stricter of policy and annotation.
pub fn admit(caller: &Caller, requirement: &'static Requirement) -> Result<(Access, Watch), Denied> {
    let reach = settled_reach(caller, requirement)?;
    let is_awaited = caller.deferral().is_some_and(Deferral::enter);
    let limit = match reach {
        Reach::Any => None,
        Reach::Own => Some(Arc::new(Limit::new(is_awaited))),
        Reach::Deny => return Err(Denied::new(requirement.name(), DeniedReason::MissingScope)),
    };
    let watch = Watch {
        limit: limit.clone(),
        requirement,
        caller: caller.clone(),
        is_awaited,
    };
    Ok((Access::new(caller.clone(), requirement, limit), watch))
}

/// Checks a function without an `Access`, which therefore cannot keep to the caller's own objects.
///
/// # Errors
/// As [`admit`], and if the policy limits the caller to its own objects.
pub fn permit(caller: &Caller, requirement: &'static Requirement) -> Result<(), Denied> {
    match settled_reach(caller, requirement)? {
        Reach::Any => Ok(()),
        Reach::Own => Err(unchecked(
            caller,
            requirement,
            "takes no `access: Access`, so it cannot keep to the caller's own objects",
        )),
        Reach::Deny => Err(Denied::new(requirement.name(), DeniedReason::MissingScope)),
    }
}

/// Tells whether it matters who owns the object. Does not count as asking.
#[must_use]
pub fn is_limited(access: &Access) -> bool {
    access.reach() == Reach::Own
}

/// Checks the owner that `owner = …` gave. No owner is nobody's.
///
/// # Errors
/// As [`Access::check_owner`].
pub fn check_owner<O: AsOwner + ?Sized>(access: &Access, owner: &O) -> Result<(), Denied> {
    access.check_owner(owner.as_owner().unwrap_or_default())
}

impl Watch {
    /// Refuses a function that succeeded without consulting its limited `Access`.
    pub(crate) fn verdict(&self) -> Result<(), Denied> {
        match &self.limit {
            Some(limit) if !limit.consulted.load(Ordering::Acquire) => Err(unchecked(
                &self.caller,
                self.requirement,
                "ended without asking its `Access` (`filter`, `sql`, `check_owner` or `permits`)",
            )),
            _ => Ok(()),
        }
    }

    /// Notes that the function failed. If it had been refused an object, that is why.
    pub(crate) fn failed(&self) {
        let Some(deferral) = self.caller.deferral() else { return };
        let own = self.limit.as_ref().and_then(|limit| limit.denied.get());
        if self.is_awaited {
            if let Some(denied) = own.or_else(|| deferral.noted()) {
                deferral.deny(denied.clone());
            }
        } else if let Some(denied) = own {
            deferral.note(denied.clone());
        }
    }
}

/// The function has ended, panicked or was dropped: nothing it does can change the response any more.
impl Drop for Watch {
    fn drop(&mut self) {
        if let (true, Some(deferral)) = (self.is_awaited, self.caller.deferral()) {
            deferral.release();
        }
    }
}

/// Finds the scopes that would let a caller act on other people's objects, if the policy wants it to hear of them.
pub(crate) fn step_up(caller: &Caller, requirement: &'static Requirement) -> Option<Challenge> {
    let policy = caller.policy();
    if policy.on_not_owner() != OnNotOwner::StepUp {
        return None;
    }
    let operation = policy.find(requirement.kind(), requirement.name())?;
    let arguments = caller.arguments(requirement.kind(), requirement.name());
    let challenge = policy.challenge_call(operation, caller.grants(), arguments)?;
    let grants = policy.with_scopes(caller.grants(), challenge.scopes.iter().map(String::as_str));
    let annotated = policy.decide_annotation(&requirement.annotation(), &grants);
    (annotated == Reach::Any).then_some(challenge)
}

/// Returns the reach as the hook left it, counted and recorded.
fn settled_reach(caller: &Caller, requirement: &'static Requirement) -> Result<Reach, Denied> {
    if let (Some(trail), Some(operation)) = (
        caller.trail(),
        caller.policy().find(requirement.kind(), requirement.name()),
    ) {
        trail.note_guard(operation);
    }
    let decision = effective_reach(caller, requirement);
    let settled = caller.settle(Stage::Guard, requirement.kind(), requirement.name(), decision);
    if let (Err(denied), Some(deferral)) = (&settled, caller.deferral()) {
        deferral.refuse(denied.clone());
    }
    settled
}

/// Returns the reach that both the policy and the annotation allow, which is not `Deny`.
fn effective_reach(caller: &Caller, requirement: &'static Requirement) -> Result<Reach, Denied> {
    let policy = caller.policy();
    let Some(operation) = policy.find(requirement.kind(), requirement.name()) else {
        return Err(Denied::new(requirement.name(), DeniedReason::UnknownOperation));
    };
    let arguments = caller.arguments(requirement.kind(), requirement.name());
    let decision = policy.decide_call(operation, caller.grants(), arguments);
    let annotated = policy.decide_annotation(&requirement.annotation(), caller.grants());
    match decision.reach.min(annotated) {
        Reach::Any => Ok(Reach::Any),
        // An empty owner key owns nothing: it would match objects whose owner was never set.
        Reach::Own if caller.owner_key().is_empty() => Err(Denied::new(requirement.name(), DeniedReason::OwnerUnknown)),
        Reach::Own => Ok(Reach::Own),
        Reach::Deny => Err(match decision.because.into() {
            reason @ (DeniedReason::UnknownOperation | DeniedReason::OwnerUnknown) => {
                Denied::new(requirement.name(), reason)
            }
            _ => missing_scope(caller, operation, requirement, decision),
        }),
    }
}

/// Finds scopes that would really open this function: for the policy and for the annotation.
fn missing_scope(
    caller: &Caller,
    operation: OperationId,
    requirement: &'static Requirement,
    decision: Decision,
) -> Denied {
    let policy = caller.policy();
    let arguments = caller.arguments(requirement.kind(), requirement.name());
    let from_policy = policy
        .challenge_call(operation, caller.grants(), arguments)
        .map(|challenge| challenge.scopes);
    // Where code and policy demand different scopes, both sets are needed.
    let with_annotation = requirement.alternatives().iter().map(|alternative| {
        let mut scopes = from_policy.clone().unwrap_or_default();
        for scope in *alternative {
            if !scopes.iter().any(|known| known == scope) {
                scopes.push((*scope).to_owned());
            }
        }
        scopes
    });
    let helps = |scopes: &Vec<String>| {
        let grants = policy.with_scopes(caller.grants(), scopes.iter().map(String::as_str));
        let annotated = policy.decide_annotation(&requirement.annotation(), &grants);
        let decision = policy.decide_call(operation, &grants, arguments);
        decision.reach.min(annotated) > Reach::Deny
    };
    let lacks = |scope: &&String| !policy.holds(caller.grants(), scope);
    let missing = |scopes: &[String]| -> Vec<String> { scopes.iter().filter(lacks).cloned().collect() };
    let chosen = from_policy
        .clone()
        .filter(helps)
        .or_else(|| with_annotation.filter(helps).min_by_key(|scopes| missing(scopes).len()));
    match chosen {
        Some(scopes) => {
            let missing = missing(&scopes);
            Denied::missing_scopes_of(requirement.name(), Challenge { scopes, missing })
        }
        None if decision.reach == Reach::Deny => Denied::because(requirement.name(), decision.because, policy),
        None => Denied::new(requirement.name(), DeniedReason::MissingScope),
    }
}

/// A mistake in the server's code, not of the caller: loud in every build.
fn unchecked(caller: &Caller, requirement: &'static Requirement, what: &str) -> Denied {
    let (file, line) = requirement.location();
    tracing::error!(
        operation = requirement.name(),
        file,
        line,
        "refused: the caller may reach only its own objects, but the function {what}"
    );
    let denied = Denied::new(requirement.name(), DeniedReason::OwnershipUnchecked);
    caller.revoke(requirement.kind(), &denied);
    if let Some(deferral) = caller.deferral() {
        deferral.deny(denied.clone());
    }
    denied
}
