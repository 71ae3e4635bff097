//! A to-do MCP server whose tools are protected by a YAML policy: the example to copy.
//!
//! Read [`tools`] first: that is what a tool author writes. [`server`] shows the lines that put authentication in front of it, and
//! [`verification`] how access tokens are verified.

pub mod listen;
pub mod policy;
pub mod server;
pub mod settings;
pub mod store;
pub mod tools;
pub mod verification;
