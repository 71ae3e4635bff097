//! How much is enumerated for one run of a suite.

use std::cell::Cell;

use crate::{
    OperationId, Policy,
    caller_classes::{CallerClasses, MAX_CLASSES},
};

/// Classes of callers that one run may look at, over all operations.
const MOST: usize = 1 << 20;

/// What an enumeration counts at least: finding out what to enumerate takes time too.
const LEAST: usize = 32;

/// What is left of the classes that may be looked at: a suite of many invariants about a policy of many forbids ends in seconds.
pub(super) struct Effort(Cell<usize>);

impl Effort {
    pub(super) fn new() -> Self {
        Self(Cell::new(MOST))
    }

    /// Enumerates the classes of an operation that these policies tell apart; the first policy is the one that the id is of.
    ///
    /// Classes that are not [mapped](crate::caller_classes::CallerClass::is_mapped) are to be passed over: a server does not start with an issuer that the policy
    /// does not list, and a suite cannot name it.
    ///
    /// # Errors
    /// Says why that is too much.
    pub(super) fn classes<'p>(
        &self,
        policies: &[&'p Policy],
        operation: OperationId,
        scopes: &[&str],
    ) -> Result<CallerClasses<'p>, String> {
        let named = policies.first().and_then(|policy| policy.operation(operation));
        let Some(named) = named else {
            return Err("the policy does not list it".to_owned());
        };
        let too_much =
            || format!("more than {MOST} classes of callers and arguments would have to be tried in one run");
        if self.0.get() == 0 {
            return Err(too_much());
        }
        let classes = CallerClasses::of(policies, named.kind(), named.name(), scopes);
        // Finding out that there are too many takes about as long as trying them.
        let count = classes.as_ref().map_or(MAX_CLASSES, |classes| classes.len().max(LEAST));
        let left = self.0.get().checked_sub(count);
        self.0.set(left.unwrap_or_default());
        let classes = classes.map_err(|error| error.to_string())?;
        left.is_some().then_some(classes).ok_or_else(too_much)
    }
}
