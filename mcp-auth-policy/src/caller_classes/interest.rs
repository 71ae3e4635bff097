//! What decisions on one operation look at.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    OperationId, OperationKind, Policy,
    bits::Bits,
    claim_path::ClaimPath,
    forbid::{Condition, ForbidId, ValueAtom},
    operation::Operation,
    value_test::{Scalar, Side, ValueTest},
};

/// Everything that some policies look at when they decide one operation.
#[derive(Debug, Default)]
pub(super) struct Interest<'p> {
    /// Those that list the operation. The others deny, whatever the caller is.
    pub(super) policies: Vec<Interested<'p>>,
    /// The scopes that rules and forbids ask for, and those that the caller wants to know about.
    pub(super) scopes: Vec<String>,
    /// Scopes that a token can carry with effect: the same, and those that imply them in one of the policies only, or otherwise.
    pub(super) tokens: Vec<String>,
    pub(super) claims: BTreeMap<&'p ClaimPath, Vec<Tested<'p>>>,
    pub(super) arguments: BTreeMap<&'p ClaimPath, Vec<Tested<'p>>>,
    pub(super) clients: Vec<(&'p str, Side)>,
    issuers: BTreeSet<&'p str>,
    /// No issuer at all would not stand for all others.
    needs_issuer: bool,
}

#[derive(Debug)]
pub(super) struct Interested<'p> {
    pub(super) policy: &'p Policy,
    /// The numbers of `scopes` in this policy.
    pub(super) scopes: Vec<Option<usize>>,
    /// The roles that forbids ask for.
    pub(super) roles: BTreeSet<usize>,
}

/// A test of a value, where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tested<'p> {
    pub(super) atom: &'p ValueAtom,
    pub(super) side: Side,
}

impl<'p> Interest<'p> {
    pub(super) fn of(policies: &[(&'p Policy, Option<OperationId>)], extra: &[&str]) -> Self {
        let mut interest = Self::default();
        for (policy, id) in policies {
            if let Some(operation) = id.and_then(|id| policy.operation(id)) {
                interest.add(policy, operation);
            }
        }
        for scope in extra {
            interest.add_scope(scope);
        }
        for interested in &mut interest.policies {
            let policy = interested.policy;
            interested.scopes = (interest.scopes.iter())
                .map(|scope| policy.scope_number(scope))
                .collect();
        }
        interest.tokens = interest.effective_tokens();
        interest
    }

    fn add(&mut self, policy: &'p Policy, operation: &'p Operation) {
        let rule = &operation.rule;
        let mut scopes: BTreeSet<usize> = (rule.alternatives.iter())
            .flat_map(|alternative| alternative.scopes.iter().copied())
            .chain(rule.owner.iter().flat_map(|owner| owner.scopes.iter().copied()))
            .collect();
        let mut roles = BTreeSet::new();
        let forbids = rule.forbids.iter().chain(&policy.forbids_everything);
        for forbid in forbids.filter_map(|number| policy.forbid(ForbidId(*number))) {
            let unless = forbid.unless.iter().map(|condition| (condition, Side::Unless));
            for (condition, side) in std::iter::once((&forbid.when, Side::When)).chain(unless) {
                scopes.extend(&condition.scope_numbers);
                roles.extend(&condition.role_numbers);
                let takes_arguments = matches!(operation.kind, OperationKind::Tool | OperationKind::Prompt);
                self.add_condition(condition, side, takes_arguments);
            }
        }
        for scope in scopes {
            self.add_scope(policy.scope_name(scope).unwrap_or_default());
        }
        if let Some(issuers) = &policy.callers.issuers {
            self.needs_issuer = true;
            self.issuers.extend(issuers.keys().map(String::as_str));
        }
        self.policies.push(Interested {
            policy,
            scopes: Vec::new(),
            roles,
        });
    }

    fn add_condition(&mut self, condition: &'p Condition, side: Side, takes_arguments: bool) {
        // Every field is named: what conditions learn later does not compile until it makes classes.
        let Condition {
            scopes: _, // of `scope_numbers`
            scope_numbers: _,
            roles: _, // of `role_numbers`
            role_numbers: _,
            issuer,
            client,
            claims,
            args,
        } = condition;
        self.issuers.extend(issuer.as_deref());
        self.clients.extend(client.as_deref().map(|client| (client, side)));
        for atom in claims {
            self.claims.entry(&atom.path).or_default().push(Tested { atom, side });
            if atom.path.is("iss") {
                self.needs_issuer = true;
                self.issuers.extend(texts(&atom.test));
            }
        }
        // For others each argument is missing, whatever is sent.
        for atom in args.iter().filter(|_| takes_arguments) {
            let tested = Tested { atom, side };
            self.arguments.entry(&atom.path).or_default().push(tested);
        }
    }

    fn add_scope(&mut self, scope: &str) {
        if !self.scopes.iter().any(|known| known == scope) {
            self.scopes.push(scope.to_owned());
        }
    }

    /// A scope that gives the same scopes of interest in every policy is no better than these.
    fn effective_tokens(&self) -> Vec<String> {
        let mut tokens = self.scopes.clone();
        let Some((first, others)) = self.policies.split_first() else {
            return tokens;
        };
        if others.is_empty() {
            return tokens;
        }
        let given = |interested: &Interested<'_>, scope: &str| {
            let scope = interested.policy.scope(scope);
            interested.of_interest(scope.map(|scope| &scope.closure))
        };
        let mut seen: BTreeSet<&str> = self.scopes.iter().map(String::as_str).collect();
        for scope in self.policies.iter().flat_map(|interested| interested.policy.scopes()) {
            let name = scope.name();
            if seen.insert(name) {
                let usual = given(first, name);
                if others.iter().any(|other| given(other, name) != usual) {
                    tokens.push(name.to_owned());
                }
            }
        }
        tokens
    }

    /// Every issuer that makes a difference, and one that no policy names (`true`).
    pub(super) fn issuers(&self) -> Vec<(String, bool)> {
        let named = self.issuers.iter().map(|issuer| ((*issuer).to_owned(), false));
        // Where issuers are listed, an empty one would be mapped by `default` all the same; and the claim `iss` is never missing.
        let mut other = if self.needs_issuer { "https://other.example" } else { "" }.to_owned();
        while self.issuers.contains(other.as_str()) {
            other.push('s');
        }
        std::iter::once((other, true)).chain(named).collect()
    }
}

impl Interested<'_> {
    /// Which of the scopes of interest are in a set.
    pub(super) fn of_interest(&self, held: Option<&Bits>) -> Vec<bool> {
        let holds = |number: usize| held.is_some_and(|held| held.contains(number));
        self.scopes.iter().map(|number| number.is_some_and(holds)).collect()
    }
}

fn texts(test: &ValueTest) -> impl Iterator<Item = &str> {
    let scalars = match test {
        ValueTest::Is(scalar) => std::slice::from_ref(scalar),
        ValueTest::In(scalars) => scalars,
        _ => &[],
    };
    scalars.iter().filter_map(|scalar| match scalar {
        Scalar::Text(text) if !text.is_empty() => Some(text.as_str()),
        _ => None,
    })
}
