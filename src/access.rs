//! The result of a passed check, which the guarded function works with.

use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use mcp_auth_policy::Reach;

use crate::{caller::Caller, denied::Denied, guard, requirement::Requirement, sql_filter::SqlFilter};

/// Proof that the caller may run this function, and the limit under which it may.
///
/// Only `#[requires_scope]` makes one, so a store method that takes `&Access` cannot be reached unchecked. Ask it before touching data:
/// [`filter`](Self::filter) or [`sql`](Self::sql) for lists, [`check_owner`](Self::check_owner) or [`permits`](Self::permits) for one object.
///
/// # Security
/// A function that succeeds without having asked, although the caller is limited to its own objects, is refused after it ran, and an
/// error is logged. [`subject`](Self::subject) and [`owner_key`](Self::owner_key) do not count as asking: they say who calls, not what the caller may touch.
#[must_use]
pub struct Access {
    caller: Caller,
    requirement: &'static Requirement,
    /// Present if the caller is limited to its own objects.
    limit: Option<Arc<Limit>>,
}

/// What became of a caller's limit to its own objects.
#[derive(Debug, Default)]
pub(crate) struct Limit {
    /// The function asked.
    pub(crate) consulted: AtomicBool,
    /// An object was somebody else's.
    pub(crate) denied: OnceLock<Denied>,
    /// The held response waits for the function that has this limit, and not for one that called it.
    is_awaited: bool,
}

impl Limit {
    pub(crate) fn new(is_awaited: bool) -> Self {
        Self {
            is_awaited,
            ..Self::default()
        }
    }
}

/// Which objects of a list a caller may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter<'a> {
    /// Every object.
    All,
    /// Only objects whose owner is this owner key, which is never empty.
    OwnedBy(&'a str),
}

impl Access {
    /// A limited access needs a caller whose owner key is not empty; `guard` sees to that.
    pub(crate) fn new(caller: Caller, requirement: &'static Requirement, limit: Option<Arc<Limit>>) -> Self {
        Self {
            caller,
            requirement,
            limit,
        }
    }

    /// Returns the subject of the caller's access token.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.caller.subject()
    }

    /// Returns the owner of what this call creates: [`Caller::owner_key`], by which the filters below find it again.
    #[must_use]
    pub fn owner_key(&self) -> &str {
        self.caller.owner_key()
    }

    /// Returns the caller, to hand on to another guarded function.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Returns [`Reach::Own`] or [`Reach::Any`]. Does not count as asking: looking at it, in a log line for example, limits nothing.
    #[must_use]
    pub fn reach(&self) -> Reach {
        if self.limit.is_some() { Reach::Own } else { Reach::Any }
    }

    /// Returns which objects of a list the caller may see.
    #[must_use]
    pub fn filter(&self) -> Filter<'_> {
        match &self.limit {
            None => Filter::All,
            Some(limit) => {
                limit.consulted.store(true, Ordering::Release);
                Filter::OwnedBy(self.owner_key())
            }
        }
    }

    /// Returns the same filter as a condition for a SQL `WHERE`, with the owner as a bound value.
    ///
    /// `column` is the name of the owner's column, `first_placeholder` the number of the next free `$n`, counted from 1. A column that is
    /// not a plain name (`[A-Za-z_][A-Za-z0-9_]*`), or the number 0, gives a condition that no row meets, and an error in the log: nothing but
    /// a plain name is ever put into SQL text.
    pub fn sql(&self, column: &str, first_placeholder: usize) -> SqlFilter<'_> {
        SqlFilter::new(self.filter(), column, first_placeholder)
    }

    /// Lets the caller touch an object with this owner, or refuses. An empty owner belongs to nobody.
    ///
    /// # Errors
    /// [`DeniedReason::NotOwner`](crate::DeniedReason::NotOwner), which reads like "not found" to a client. Where the policy says
    /// `on_not_owner: step_up` it names the scopes that would help, if there are any; when the function then ends with an error, the client is
    /// answered HTTP 403 with a challenge.
    pub fn check_owner(&self, owner: &str) -> Result<(), Denied> {
        if self.permits(owner) {
            let is_awaited = self.limit.as_ref().is_some_and(|limit| limit.is_awaited);
            if let (true, Some(deferral)) = (is_awaited, self.caller.deferral()) {
                deferral.release();
            }
            return Ok(());
        }
        let denied = Denied::not_owner(self.requirement.name(), guard::step_up(&self.caller, self.requirement));
        self.caller.revoke(self.requirement.kind(), &denied);
        if let Some(limit) = &self.limit {
            // Of several, the first one is the answer: the function should have ended there.
            let _ = limit.denied.set(denied.clone());
        }
        Err(denied)
    }

    /// Returns whether the caller may touch an object with this owner. An empty owner belongs to nobody.
    #[must_use]
    pub fn permits(&self, owner: &str) -> bool {
        match self.filter() {
            Filter::All => true,
            Filter::OwnedBy(own) => !owner.is_empty() && owner == own,
        }
    }
}

/// Shows the operation, the caller and its limit. Does not count as asking.
impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("operation", &self.requirement.name())
            .field("subject", &self.subject())
            .field("own_objects_only", &self.limit.is_some())
            .finish_non_exhaustive()
    }
}
