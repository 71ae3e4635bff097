//! Test support for servers built with this crate.

mod caller;

pub use caller::{CallerBuilder, caller};
