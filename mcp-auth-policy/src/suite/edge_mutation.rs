//! Mistakes in what a token gives: an edge of `implies` or `includes` that is missing, scopes and roles combined the other way.

use serde_json::Value;

use crate::{
    Policy,
    bits::Bits,
    callers::{Mapping, ScopeSource},
    compile::closures,
    graph,
    text::quoted,
};

/// A change of what tokens give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum EdgeMutation {
    /// A scope does not imply another: their numbers.
    Implies(usize, usize),
    /// A role does not include another: their numbers.
    Includes(usize, usize),
    /// The other of intersection and union, for the default mapping or an issuer.
    Combine(Option<String>),
}

/// The edges as they are written.
pub(super) struct Edges {
    implies: Vec<Vec<usize>>,
    includes: Vec<Vec<usize>>,
    /// The own scopes of each role.
    role_scopes: Vec<Vec<usize>>,
}

impl Edges {
    /// Reads them from the canonical form: the compiled policy knows only what follows from them.
    pub(super) fn of(policy: &Policy) -> Self {
        let canonical: Value = serde_json::from_str(policy.canonical()).unwrap_or_default();
        let names = |section: &str, name: &str, key: &str| -> Vec<&str> {
            let entry = canonical.get(section).and_then(|section| section.get(name));
            let listed = entry.and_then(|entry| entry.get(key)?.as_array());
            listed.into_iter().flatten().filter_map(Value::as_str).collect()
        };
        let scopes = |names: Vec<&str>| names.into_iter().filter_map(|name| policy.scope_number(name)).collect();
        let roles = |names: Vec<&str>| {
            let numbers = names.into_iter().map(|name| policy.role_numbers.get(name).copied());
            numbers.flatten().collect()
        };
        Self {
            implies: (policy.scopes.iter())
                .map(|scope| scopes(names("scopes", &scope.name, "implies")))
                .collect(),
            includes: (policy.roles.iter())
                .map(|role| roles(names("roles", &role.name, "includes")))
                .collect(),
            role_scopes: (policy.roles.iter())
                .map(|role| scopes(names("roles", &role.name, "scopes")))
                .collect(),
        }
    }

    /// Lists all changes.
    pub(super) fn mutations(&self, policy: &Policy) -> Vec<EdgeMutation> {
        let edges = |lists: &[Vec<usize>]| -> Vec<(usize, usize)> {
            let lists = lists.iter().enumerate();
            lists
                .flat_map(|(from, to)| to.iter().map(move |to| (from, *to)))
                .collect()
        };
        let implies = edges(&self.implies)
            .into_iter()
            .map(|(from, to)| EdgeMutation::Implies(from, to));
        let includes = edges(&self.includes)
            .into_iter()
            .map(|(from, to)| EdgeMutation::Includes(from, to));
        let has_both = |mapping: &Mapping| mapping.roles.is_some() && !matches!(mapping.scopes, ScopeSource::Nothing);
        let mut issuers: Vec<&String> = (policy.callers.issuers.iter().flatten())
            .filter(|(_, mapping)| has_both(mapping))
            .map(|(issuer, _)| issuer)
            .collect();
        issuers.sort_unstable();
        let default = policy
            .callers
            .default
            .iter()
            .filter(|mapping| has_both(mapping))
            .map(|_| None);
        let combine = default.chain(issuers.into_iter().map(|issuer| Some(issuer.clone())));
        implies
            .chain(includes)
            .chain(combine.map(EdgeMutation::Combine))
            .collect()
    }
}

impl EdgeMutation {
    /// Changes a policy that is equal to the original.
    pub(super) fn apply(&self, edges: &Edges, twin: &mut Policy) {
        let without = |lists: &[Vec<usize>], from: usize, to: usize| {
            let mut lists = lists.to_vec();
            if let Some(list) = lists.get_mut(from) {
                list.retain(|other| *other != to);
            }
            lists
        };
        match self {
            Self::Implies(from, to) => set_scopes(&without(&edges.implies, *from, *to), twin),
            Self::Includes(from, to) => set_roles(&without(&edges.includes, *from, *to), edges, twin),
            Self::Combine(issuer) => {
                let mapping = match issuer {
                    Some(issuer) => twin
                        .callers
                        .issuers
                        .as_mut()
                        .and_then(|issuers| issuers.get_mut(issuer)),
                    None => twin.callers.default.as_mut(),
                };
                if let Some(mapping) = mapping {
                    mapping.union = !mapping.union;
                }
            }
        }
    }

    /// Takes the change back.
    pub(super) fn undo(&self, edges: &Edges, twin: &mut Policy, original: &Policy) {
        match self {
            Self::Combine(_) => self.apply(edges, twin),
            Self::Implies(..) | Self::Includes(..) => {
                twin.scopes.clone_from(&original.scopes);
                twin.roles.clone_from(&original.roles);
            }
        }
    }

    /// Says what was changed.
    pub(super) fn describe(&self, policy: &Policy) -> String {
        let scope = |number: &usize| quoted(policy.scope_name(*number).unwrap_or_default());
        let role = |number: &usize| {
            quoted(
                policy
                    .roles
                    .get(*number)
                    .map(|role| role.name.as_str())
                    .unwrap_or_default(),
            )
        };
        match self {
            Self::Implies(from, to) => format!("scope {}: {} dropped from `implies`", scope(from), scope(to)),
            Self::Includes(from, to) => format!("role {}: {} dropped from `includes`", role(from), role(to)),
            Self::Combine(issuer) => {
                let (whose, mapping) = match issuer {
                    Some(issuer) => (format!("issuer {}", quoted(issuer)), policy.callers.mapping(issuer)),
                    None => ("`callers.default`".to_owned(), policy.callers.default.as_ref()),
                };
                let other = if mapping.is_some_and(|mapping| mapping.union) {
                    "intersection"
                } else {
                    "union"
                };
                format!("{whose}: `combine: {other}`")
            }
        }
    }

    /// Says what holds instead, as a test's name.
    pub(super) fn truth(&self, policy: &Policy) -> String {
        let scope = |number: &usize| policy.scope_name(*number).unwrap_or_default();
        let role = |number: &usize| {
            policy
                .roles
                .get(*number)
                .map(|role| role.name.as_str())
                .unwrap_or_default()
        };
        match self {
            Self::Implies(from, to) => format!("{} implies {}", scope(from), scope(to)),
            Self::Includes(from, to) => format!("{} includes {}", role(from), role(to)),
            Self::Combine(issuer) => {
                let mapping = policy.callers.mapping(issuer.as_deref().unwrap_or_default());
                let how = if mapping.is_some_and(|mapping| mapping.union) {
                    "add up"
                } else {
                    "limit each other"
                };
                match issuer {
                    Some(issuer) => format!("scopes and roles of {issuer} {how}"),
                    None => format!("scopes and roles {how}"),
                }
            }
        }
    }
}

fn set_scopes(implies: &[Vec<usize>], twin: &mut Policy) {
    let order = graph::order(implies).nodes;
    let sets = closures(twin.scopes.len(), implies, &order, |scope, set| set.insert(scope));
    for (scope, closure) in twin.scopes.iter_mut().zip(sets) {
        scope.closure = closure;
    }
    close_roles(twin);
}

fn set_roles(includes: &[Vec<usize>], edges: &Edges, twin: &mut Policy) {
    let order = graph::order(includes).nodes;
    let own = |role: usize, set: &mut Bits| {
        let scopes = edges.role_scopes.get(role).into_iter().flatten();
        scopes.for_each(|scope| set.insert(*scope));
    };
    let scopes = closures(twin.scopes.len(), includes, &order, own);
    let included = closures(twin.roles.len(), includes, &order, |role, set| set.insert(role));
    for ((role, scopes), included) in twin.roles.iter_mut().zip(scopes).zip(included) {
        role.scopes = scopes;
        role.included = included;
    }
    close_roles(twin);
}

fn close_roles(twin: &mut Policy) {
    for role in &mut twin.roles {
        let mut closure = Bits::empty(twin.scopes.len());
        let held = twin
            .scopes
            .iter()
            .enumerate()
            .filter(|(number, _)| role.scopes.contains(*number));
        held.for_each(|(_, scope)| closure.extend(&scope.closure));
        role.closure = closure;
    }
}
