//! The bearer layer: the door of a protected resource.
//!
//! What passes: a request whose `Host` and `Origin` are this server's, that carries exactly one bearer token (RFC 6750 section 2.1), whose token
//! verifies for this resource, and whose token has the scopes that every request needs. The verified facts travel in the request's extensions as
//! [`AuthInfo`](crate::AuthInfo) and, if there is a policy, as [`Caller`](crate::Caller).
//!
//! What a rejection looks like: see the table of statuses and challenges in `ARCHITECTURE.md`. Challenges are built in one place.
//!
//! What a deployment can break: a reverse proxy that rewrites `Host` makes every request a foreign one (forward the public host, or allow the
//! internal one); a router that nests the protected service under another path than the resource's leaves parts of it unprotected.

mod challenge;
mod layer;
mod refusal;
mod request_id;
mod resource;
mod service;
mod token;

pub use self::{layer::BearerAuthLayer, service::BearerAuth};
pub(crate) use self::{request_id::RequestId, resource::ProtectedResource};
