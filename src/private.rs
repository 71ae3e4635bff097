//! What generated code names. Not part of the public API: changes without notice.

pub use std::{string::String, vec::Vec};

pub use mcp_auth_policy::OperationKind;

#[cfg(feature = "rmcp")]
pub use crate::rmcp::{Guarded, InputSchemas, input_schemas, served_names};
pub use crate::{
    caller::Caller,
    embedded_suite::{EmbeddedSuite, FailedTest},
    from_denied::FromDenied,
    guard::{Watch, admit, permit},
    requirement::Requirement,
};

/// Runs the body of a guarded function that is not async.
///
/// A closure handed straight to an `FnOnce` parameter may give back a reborrow of what it captured; one that is only called may not.
pub fn run<R>(body: impl FnOnce() -> R) -> R {
    body()
}
