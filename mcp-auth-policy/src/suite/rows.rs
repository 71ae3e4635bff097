//! Principals and cases to be pasted into a suite.

use std::collections::{HashMap, HashSet};

use super::{
    model::{Case, Suite},
    names::name_of,
    paste,
    token::TokenSketch,
    view::View,
    witness::Witness,
};
use crate::{Ownership, Resolved};

/// Collects rows that fit into one suite: its principals are used where they are the same callers, and no name is taken twice.
pub(super) struct Rows<'s> {
    suite: &'s Suite<'s>,
    /// What principals say about their tokens, with their names.
    named: HashMap<String, String>,
    names: HashSet<String>,
    principals: Vec<String>,
    cases: Vec<String>,
}

impl<'s> Rows<'s> {
    pub(super) fn new(suite: &'s Suite<'s>) -> Self {
        let principals = suite.principals.iter();
        let tokens =
            principals.filter_map(|principal| Some((token_row(principal.token.as_ref()?), principal.name.clone())));
        Self {
            suite,
            named: tokens.collect(),
            names: suite
                .tests
                .iter()
                .map(|test| test.name().to_owned())
                .chain(suite.principals().map(str::to_owned))
                .collect(),
            principals: Vec::new(),
            cases: Vec::new(),
        }
    }

    /// Adds the call of a witness as a case that says what the policy answers.
    pub(super) fn add(&mut self, title: &str, witness: &Witness) {
        let principal = self.principal(&witness.token);
        let Ok(caller) = witness.token.resolve(&principal, self.suite.policy) else {
            return;
        };
        let title = self.free(title);
        self.cases.push(self.case_row(&title, &principal, witness, caller));
    }

    fn case_row(&self, title: &str, principal: &str, witness: &Witness, caller: Resolved) -> String {
        let case = Case {
            operation: witness.operation,
            caller: 0,
            owner: witness.owner,
            arguments: witness.arguments.clone(),
            allow: true,
            because: None,
            challenge: None,
        };
        let policy = self.suite.policy;
        let callers = &[Some(caller)];
        let answer = View { policy, callers }.call(&case);
        let mut row = format!(
            "- {{ name: {}, call: {}, as: {}",
            paste::text(title),
            paste::text(&name_of(witness.operation, policy)),
            paste::text(principal)
        );
        if let Some(owner) = witness.owner {
            let owner = match owner {
                Ownership::Caller => principal,
                Ownership::Other => "other",
                Ownership::Absent => "absent",
            };
            row.push_str(&format!(", owner: {}", paste::text(owner)));
        }
        if !witness.arguments.is_empty() {
            row.push_str(&format!(", args: {}", paste::mapping(&witness.arguments)));
        }
        let expect = if answer.is_allowed() { "allow" } else { "deny" };
        let because = paste::text(answer.because(policy));
        row.push_str(&format!(", expect: {expect}, because: {because} }}"));
        row
    }

    /// Finds a principal with this token, or adds one.
    fn principal(&mut self, token: &TokenSketch) -> String {
        let row = token_row(token);
        if let Some(name) = self.named.get(&row) {
            return name.clone();
        }
        let name = self.free("caller");
        self.principals.push(format!("{}: {row}", paste::text(&name)));
        self.named.insert(row, name.clone());
        name
    }

    /// Gives the name, or the name with a number, that nothing in the suite has.
    fn free(&mut self, name: &str) -> String {
        let numbered = (2..).map(|number| format!("{name} {number}"));
        let mut names = std::iter::once(name.to_owned()).chain(numbered);
        let free = names.find(|name| !self.names.contains(name)).unwrap_or_default();
        self.names.insert(free.clone());
        free
    }

    /// Returns the rows, each section under its key.
    pub(super) fn text(&self) -> String {
        let mut lines = Vec::new();
        for (key, rows) in [("principals:", &self.principals), ("cases:", &self.cases)] {
            if !rows.is_empty() {
                lines.push(key.to_owned());
                lines.extend(rows.iter().map(|row| format!("  {row}")));
            }
        }
        lines.join("\n")
    }
}

/// Writes a token as a principal does.
fn token_row(token: &TokenSketch) -> String {
    let mut members = Vec::new();
    let mut member = |key: &str, text: &Option<String>| {
        members.extend(text.as_ref().map(|text| format!("{key}: {}", paste::text(text))));
    };
    member(
        "issuer",
        &Some(token.issuer.clone()).filter(|issuer| !issuer.is_empty()),
    );
    member("as", &token.role);
    member("client", &token.client);
    member("subject", &token.subject);
    members.extend(
        token
            .scopes
            .as_ref()
            .map(|scopes| format!("scopes: {}", paste::list(scopes))),
    );
    if !token.claims.is_empty() || token.role.is_none() && token.scopes.is_none() {
        members.push(format!("claims: {}", paste::mapping(&token.claims)));
    }
    format!("{{ {} }}", members.join(", "))
}
