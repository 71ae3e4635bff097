//! The tool gate: the policy's answer before the transport sees the request.
//!
//! What passes: a call of a tool, prompt or resource that the policy lets this caller reach, wholly or for its own objects, and what any
//! authenticated caller may ask ([`message`] has the table). What a rejection looks like: HTTP 403 with the complete set of scopes that would do, in a
//! JSON-RPC error with the request's id; clients turn that into a step-up authorization. What the policy does not list, or does not show to this
//! caller, is answered exactly as if it did not exist, unless the forbid that denies it has a message for the caller. Lists are filtered on the way
//! out ([`list_filter`]), and a denial that only the tool can find is still turned into an HTTP status ([`hold`]).
//!
//! The gate is not the authority: the guard that `#[requires_scope]` puts into the tool decides again, with the same snapshot of the policy. The
//! gate exists because only here, before the response head, can a denial still become an HTTP status.
//!
//! It also binds legacy sessions to their principal ([`crate::session`]), and ends streams with the token that opened them ([`expiry`]).

mod admit;
mod answer;
mod confirm;
mod decide;
mod expiry;
mod hold;
mod layer;
mod list_filter;
mod message;
mod service;
mod sse;

#[cfg(feature = "rmcp")]
pub(crate) use self::{
    decide::{NO_SUCH_TOOL, Refused, decide, decide_for_good, exists, is_shown, needs_guard, with_arguments},
    message::{Ask, Message, Target},
};
pub use self::{layer::McpGateLayer, service::McpGate};
