//! stub
mod access;
mod auth_info;
mod bearer_token;
mod caller;
mod denied;
mod extract;
mod from_denied;
mod guard;
mod requirement;
#[cfg(feature = "rmcp")]
mod rmcp;
mod sql_filter;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
#[cfg(feature = "testing")]
pub mod testing;

pub use mcp_auth_macros::{guarded, requires_scope};
pub use mcp_auth_policy::{Because, Decision, OperationKind, Policy, PolicyErrors, Reach};

#[cfg(feature = "rmcp")]
pub use self::rmcp::{AuditErrors, AuditFinding, AuditReport, Guarded, ToolFailure, audit};
pub use access::{Access, Filter};
pub use auth_info::AuthInfo;
pub use bearer_token::BearerToken;
pub use caller::Caller;
pub use denied::{Denied, DeniedReason};
pub use extract::MissingIdentity;
pub use from_denied::FromDenied;
pub use requirement::Requirement;
pub use sql_filter::SqlFilter;
