//! What generated code names. Not part of the public API: changes without notice.

pub use std::{vec, vec::Vec};

pub use mcp_auth_policy::OperationKind;

#[cfg(feature = "rmcp")]
pub use crate::rmcp::{Guarded, GuardedPart, caller_of};
pub use crate::{
    access::Access,
    caller::Caller,
    embedded_suite::{EmbeddedSuite, FailedTest},
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

/// Enters a function into the table of operations, if there is one.
#[cfg(feature = "registry")]
#[doc(hidden)]
#[macro_export]
macro_rules! __register {
    ($requirement:expr) => {
        const _: () = {
            #[$crate::__private::linkme::distributed_slice($crate::__private::OPERATIONS)]
            #[linkme(crate = $crate::__private::linkme)]
            static OPERATION: $crate::__private::Requirement = $requirement;
        };
    };
}

/// Without the feature `registry` there is no table.
#[cfg(not(feature = "registry"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __register {
    ($requirement:expr) => {};
}

pub use crate::__register as register;
#[cfg(feature = "registry")]
pub use crate::registry::OPERATIONS;
#[cfg(feature = "registry")]
pub use linkme;
