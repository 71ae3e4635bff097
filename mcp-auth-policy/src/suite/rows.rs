//! Principals and cases to be pasted into a suite.

use std::collections::{HashMap, HashSet};

use super::{
    model::{Case, Suite},
    names::name_of,
    paste,
    principals::is_principal_name,
    token::TokenSketch,
    view::{View, is_allowed, reason},
    witness::Witness,
};
use crate::{Ownership, Resolved};

/// Collects rows that fit into one suite: its principals are used where they are the same callers, and no name is taken twice.
pub(super) struct Rows<'s> {
    suite: &'s Suite<'s>,
    /// What the suite has; looked at when there is a row to add.
    taken: Option<Taken>,
    principals: Vec<String>,
    /// Calls that are there already, without their names.
    calls: HashSet<String>,
    cases: Vec<String>,
}

/// What a suite has already, and the rows that were added.
struct Taken {
    /// What principals say about their tokens, with their names.
    tokens: HashMap<String, String>,
    /// Names of tests and principals.
    names: HashSet<String>,
}

impl Taken {
    fn of(suite: &Suite<'_>) -> Self {
        let tests = suite.tests.iter().map(|test| test.name().to_owned());
        let principals = suite.principals.iter();
        let tokens = principals.filter_map(|principal| {
            let token = token_row(principal.token.as_ref()?);
            Some((token, principal.name.clone()))
        });
        Self {
            tokens: tokens.collect(),
            names: tests.chain(suite.principals().map(str::to_owned)).collect(),
        }
    }

    /// Gives the name, or the name with a number, that nothing in the suite has.
    fn free(&mut self, name: &str) -> String {
        let numbered = (2..).map(|number| format!("{name} {number}"));
        let mut names = std::iter::once(name.to_owned()).chain(numbered);
        let free = names.find(|name| !self.names.contains(name)).unwrap_or_default();
        self.names.insert(free.clone());
        free
    }
}

impl<'s> Rows<'s> {
    pub(super) fn new(suite: &'s Suite<'s>) -> Self {
        Self {
            suite,
            taken: None,
            principals: Vec::new(),
            calls: HashSet::new(),
            cases: Vec::new(),
        }
    }

    fn taken(&mut self) -> &mut Taken {
        self.taken.get_or_insert_with(|| Taken::of(self.suite))
    }

    /// Adds the call of a witness as a case that says what the policy answers, by a principal that is granted the same.
    pub(super) fn add(&mut self, title: &str, witness: &Witness) {
        let granted = witness.token.resolve("caller", self.suite.policy).ok();
        let same = |caller: &Resolved| {
            let granted = granted.as_ref();
            granted.is_some_and(|granted| granted.grants() == caller.grants() && owns(granted) == owns(caller))
        };
        let mut callers = self.suite.principals.iter().zip(&self.suite.callers);
        let known = callers.find(|(_, caller)| caller.as_ref().is_some_and(same));
        let known = known.map(|(principal, _)| principal.name.clone());
        self.add_as(known, title, witness);
    }

    /// Adds the call of a witness by a principal with this very token.
    pub(super) fn add_exactly(&mut self, title: &str, witness: &Witness) {
        self.add_as(None, title, witness);
    }

    fn add_as(&mut self, principal: Option<String>, title: &str, witness: &Witness) {
        if witness.token.resolve("caller", self.suite.policy).is_err() {
            return;
        }
        let principal = principal.unwrap_or_else(|| self.principal(&witness.token));
        let Ok(caller) = witness.token.resolve(&principal, self.suite.policy) else {
            return;
        };
        let call = self.call(&principal, witness, caller);
        if self.calls.insert(call.clone()) {
            let name = self.taken().free(title);
            self.cases.push(format!("- {{ name: {}, {call} }}", paste::text(&name)));
        }
    }

    /// Writes a case without its name.
    fn call(&self, principal: &str, witness: &Witness, caller: Resolved) -> String {
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
        let decision = View { policy, callers }.call_on_object(&case);
        let mut row = format!(
            "call: {}, as: {}",
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
        let expect = if is_allowed(decision) { "allow" } else { "deny" };
        let because = paste::text(reason(decision, policy));
        row.push_str(&format!(", expect: {expect}, because: {because}"));
        row
    }

    /// Finds a principal with this token, or adds one.
    fn principal(&mut self, token: &TokenSketch) -> String {
        let row = token_row(token);
        if let Some(name) = self.taken().tokens.get(&row) {
            return name.clone();
        }
        let name = self.taken().free(&nickname(token));
        self.principals.push(format!("{}: {row}", paste::text(&name)));
        self.taken().tokens.insert(row, name.clone());
        name
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

/// Names a principal after what it has.
fn nickname(token: &TokenSketch) -> String {
    let has_more =
        !token.issuer.is_empty() || !token.claims.is_empty() || token.client.is_some() || token.subject.is_some();
    let name = match (&token.role, token.scopes.as_deref()) {
        _ if has_more => None,
        (Some(role), None) => Some(role.clone()),
        (None, Some([])) => Some("no scopes".to_owned()),
        (None, Some([scope])) => Some(format!("only {scope}")),
        _ => None,
    };
    let name = name.filter(|name| is_principal_name(name));
    name.unwrap_or_else(|| "caller".to_owned())
}

fn owns(caller: &Resolved) -> bool {
    !caller.owner_key().is_empty()
}
