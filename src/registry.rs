//! Every annotated function of the program that is no tool, prompt or resource.
//!
//! The linker puts the table together, so there is nothing to forget, and nothing runs before `main`. A crate that the program never refers to is not in
//! it, but neither can anybody call its functions.

use crate::requirement::Requirement;

/// Filled by generated code only.
#[linkme::distributed_slice]
pub static OPERATIONS: [Requirement];
