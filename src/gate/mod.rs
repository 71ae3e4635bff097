//! The tool gate: the policy's answer before the transport sees the request.
//!
//! What passes: `tools/call` of a tool that the policy lets this caller reach, wholly or for its own objects, and what any authenticated caller
//! may ask ([`message`] has the table). What a rejection looks like: HTTP 403 with the complete set of scopes that would do, in a JSON-RPC error
//! with the request's id; clients turn that into a step-up authorization. A tool that the policy does not list is answered by the transport itself,
//! exactly as if it did not exist.
//!
//! The gate is not the authority: the guard that `#[requires_scope]` puts into the tool decides again, with the same snapshot of the policy. The
//! gate exists because only here, before the response head, can a denial still become an HTTP status.
//!
//! It also binds legacy sessions to their principal ([`crate::session`]).

mod layer;
mod message;
mod service;

pub use self::{layer::McpGateLayer, service::McpGate};
