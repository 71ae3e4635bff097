//! The command line of the development authorization server.

fn main() {}
