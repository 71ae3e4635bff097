//! What servers built with `rmcp` need: identity as a tool argument, denials as tool errors, and the start-up audit.

mod audit;
mod audit_arguments;
mod context;
mod denied;
mod guarded;
mod listing;
mod local;
mod tool_failure;

pub use audit::{AuditReport, audit, audit_server};
pub(crate) use audit::{audit_inventory, unlistable};
pub use context::caller_of;
pub(crate) use guarded::Inventory;
pub use guarded::{Guarded, GuardedPart};
pub use local::{LocalIdentity, LocalServer};
pub use tool_failure::ToolFailure;
