//! What generated code names. Not part of the public API: changes without notice.

pub use std::{vec, vec::Vec};

pub use mcp_auth_policy::OperationKind;

#[cfg(feature = "rmcp")]
pub use crate::rmcp::{Guarded, GuardedPart, caller_of};
pub use crate::{
    access::Access,
    caller::Caller,
    from_denied::FromDenied,
    guard::{Watch, admit, check_owner, is_limited, permit},
    requirement::Requirement,
};

/// Runs the body of a guarded function that is not async.
///
/// A closure handed straight to an `FnOnce` parameter may give back a reborrow of what it captured; one that is only called may not.
pub fn run<R>(body: impl FnOnce() -> R) -> R {
    body()
}
