//! What servers built with `rmcp` need: identity as a tool argument, denials as tool errors, and the start-up audit.

mod audit;
mod audit_arguments;
mod audit_finding;
mod context;
mod denied;
mod guarded;
mod listing;
mod local;
mod tool_failure;

pub(crate) use audit::audit_inventory;
#[cfg(feature = "registry")]
pub use audit::audit_operations;
pub use audit::{AuditErrors, AuditReport, audit, audit_server};
pub use audit_arguments::ArgumentProblem;
pub use audit_finding::AuditFinding;
pub use context::caller_of;
pub(crate) use guarded::Inventory;
pub use guarded::{Guarded, GuardedPart};
pub use local::{LocalIdentity, LocalServer};
pub use tool_failure::ToolFailure;
