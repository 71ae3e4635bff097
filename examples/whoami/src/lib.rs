//! An MCP server that tells callers who they are: the smallest one behind `mcp-auth`.
//!
//! Read [`tools`] first: that is what a tool author writes. [`server`] shows the lines that put authentication in front of it, and
//! [`verification`] the three ways to find out who calls.

pub mod listen;
pub mod policy;
pub mod server;
pub mod settings;
pub mod tools;
pub mod verification;
