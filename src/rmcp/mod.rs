//! What servers built with `rmcp` need: identity as a tool argument, denials as tool errors, and the start-up audit.

mod audit;
mod audit_arguments;
mod context;
mod denied;
mod guarded;
mod local;
mod tool_failure;

pub use audit::{AuditErrors, AuditFinding, AuditReport, audit};
pub use audit_arguments::ArgumentProblem;
pub use guarded::{Guarded, InputSchemas, input_schemas, served_names};
pub use local::{LocalIdentity, LocalServer};
pub use tool_failure::ToolFailure;
