//! What a suite proves about every caller: invariants, and `cover: all`.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod cover;
#[path = "../language/generate.rs"]
#[allow(dead_code, reason = "another test needs the rest")]
mod generate;
mod invariants;
mod paste;
mod random;

/// What the generator takes from its home.
mod naive {
    use serde_json::{Map, Value};

    #[derive(Debug)]
    pub(crate) struct Token {
        pub(crate) issuer: String,
        pub(crate) client: Option<String>,
        pub(crate) scopes: Vec<String>,
        pub(crate) claims: Map<String, Value>,
    }
}

use mcp_auth_policy::{
    Policy,
    suite::{Report, SuiteFile},
};

const DESK: &str = include_str!("../samples/desk.yaml");
const TODO: &str = include_str!("../../../policies/todo.yaml");

fn policy(text: &str) -> Policy {
    let policy = Policy::loader().file_name("p.yaml").parse(text);
    policy.unwrap_or_else(|errors| panic!("{errors}"))
}

fn run(policy: &Policy, suite: &str) -> Report {
    let file = SuiteFile::parse("p.test.yaml", suite).unwrap_or_else(|errors| panic!("{suite}\n{errors}"));
    let suite = file
        .with_policy(policy)
        .unwrap_or_else(|errors| panic!("{suite}\n{errors}"));
    suite.run()
}
