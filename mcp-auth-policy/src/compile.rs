//! A linked document, which has no mistakes left, to the policy that decides.

use std::collections::HashMap;

use crate::{
    Policy,
    bits::{Bits, Mask},
    canonical::{canonical, revision},
    compile_forbids,
    document::{Document, OperationEntry},
    fields::Named,
    link::{Linked, LinkedOperation},
    lint::lint,
    operation::{Alternative, Operation, OperationKind, OwnerRule, Role, Rule, Scope},
    policy::{Indexes, PolicyId},
    resources::Templates,
    source::Source,
};

pub(crate) fn compile(document: Document, linked: Linked, source: &Source<'_>) -> Policy {
    let canonical = canonical(&document);
    let advertised = advertised(&document, &linked);
    let owners: HashMap<&str, &str> = (document.objects.iter())
        .filter_map(|object| Some((object.id.name.as_str(), object.owner.as_deref()?)))
        .collect();
    let mut operations = Vec::new();
    for kind in OperationKind::ALL {
        let entries = document.operations.get(kind).iter().zip(linked.operations.get(kind));
        operations.extend(entries.map(|(entry, rule)| operation(kind, entry, rule, &owners)));
    }
    let indexes = Indexes {
        tools: indexes(&operations, OperationKind::Tool),
        prompts: indexes(&operations, OperationKind::Prompt),
        resources: indexes(&operations, OperationKind::Resource),
        operations: indexes(&operations, OperationKind::Operation),
    };
    let scope_numbers = numbers(document.scopes.iter().map(|scope| scope.id.name.as_str()));
    let role_numbers = numbers(document.roles.iter().map(|role| role.id.name.as_str()));
    let forbids = document.forbids.iter();
    let forbids = forbids
        .map(|entry| compile_forbids::forbid(entry, &scope_numbers, &role_numbers))
        .collect();
    let forbids_everything = compile_forbids::distribute(&document.forbids, &indexes, &mut operations);
    let scopes = scopes(&document, &linked);
    let file_name = source.file().to_string();
    let mut policy = Policy {
        id: PolicyId::next(),
        name: document.name.clone().unwrap_or_else(|| stem(&file_name).to_owned()),
        file_name,
        revision: revision(&canonical),
        canonical,
        roles: roles(&document, &linked, &scopes),
        scopes,
        scope_numbers,
        callers: compile_forbids::callers(&document.callers, &role_numbers),
        role_numbers,
        objects: document.objects.len(),
        templates: templates(&document, &indexes),
        indexes,
        operations,
        forbids,
        forbids_everything,
        visibility: document.visibility,
        on_not_owner: document.on_not_owner,
        advertised,
        warnings: Vec::new(),
    };
    policy.warnings = lint(&policy, &document, &linked, source);
    policy
}

fn scopes(document: &Document, linked: &Linked) -> Vec<Scope> {
    let closures = closures(
        document.scopes.len(),
        &linked.implies,
        &linked.scope_order,
        |scope, set| set.insert(scope),
    );
    let named = document.scopes.iter().zip(closures);
    named
        .map(|(entry, closure)| Scope {
            name: entry.id.name.clone(),
            about: entry.about.clone(),
            line: entry.id.span.line,
            closure,
        })
        .collect()
}

fn roles(document: &Document, linked: &Linked, scopes: &[Scope]) -> Vec<Role> {
    let own = |role: usize, set: &mut Bits| {
        linked
            .role_scopes
            .get(role)
            .into_iter()
            .flatten()
            .for_each(|scope| set.insert(*scope));
    };
    let sets = closures(document.scopes.len(), &linked.includes, &linked.role_order, own);
    let included = closures(
        document.roles.len(),
        &linked.includes,
        &linked.role_order,
        |role, set| {
            set.insert(role);
        },
    );
    let named = document.roles.iter().zip(sets).zip(included);
    named
        .map(|((entry, own), included)| {
            let mut closure = Bits::empty(scopes.len());
            let held = scopes.iter().enumerate().filter(|(number, _)| own.contains(*number));
            held.for_each(|(_, scope)| closure.extend(&scope.closure));
            Role {
                name: entry.id.name.clone(),
                scopes: own,
                closure,
                included,
            }
        })
        .collect()
}

fn templates(document: &Document, indexes: &Indexes) -> Templates {
    let mut templates = Templates::default();
    for entry in &document.operations.resources {
        match (&entry.template, indexes.resources.get(&entry.id.name)) {
            (Some(template), Some(index)) => {
                // Loading has refused templates that overlap.
                let _ = templates.insert(template, *index);
            }
            (None, _) => templates.except(&entry.id.name),
            (Some(_), None) => {}
        }
    }
    templates
}

/// Gives each node its own members and those of all nodes it points to; `order` has every node after those.
pub(crate) fn closures(
    members: usize,
    edges: &[Vec<usize>],
    order: &[usize],
    own: impl Fn(usize, &mut Bits),
) -> Vec<Bits> {
    let mut sets = vec![Bits::empty(members); edges.len()];
    for node in order {
        let mut set = Bits::empty(members);
        own(*node, &mut set);
        for target in edges
            .get(*node)
            .into_iter()
            .flatten()
            .filter_map(|target| sets.get(*target))
        {
            set.extend(target);
        }
        if let Some(place) = sets.get_mut(*node) {
            *place = set;
        }
    }
    sets
}

fn operation(
    kind: OperationKind,
    entry: &OperationEntry,
    linked: &LinkedOperation,
    owners: &HashMap<&str, &str>,
) -> Operation {
    let alternatives = linked.alternatives.iter();
    let names = |scopes: &[Named]| scopes.iter().map(|scope| scope.name.clone()).collect();
    let owner = linked.owner_fallback.as_ref().zip(entry.owner_fallback.as_ref());
    let object = entry.object.as_ref().map(|object| object.name.clone());
    Operation {
        kind,
        name: entry.id.name.clone(),
        line: entry.id.span.line,
        owner_column: object
            .as_deref()
            .and_then(|name| owners.get(name))
            .map(|column| (*column).to_owned()),
        object,
        requires: (entry.requires.alternatives.iter()).map(|all| names(all)).collect(),
        owner_fallback: (entry.owner_fallback.as_ref()).map(|written| names(&written.scopes)),
        rule: Rule {
            alternatives: alternatives
                .map(|all| Alternative {
                    mask: Mask::new(all),
                    scopes: all.clone(),
                })
                .collect(),
            owner: owner.map(|(scopes, written)| OwnerRule {
                mask: Mask::new(scopes),
                scopes: scopes.clone(),
                line: written.span.line,
            }),
            forbids: Box::default(),
            requires_line: entry.requires.span.line,
        },
    }
}

fn advertised(document: &Document, linked: &Linked) -> Vec<usize> {
    if let Some(chosen) = &linked.advertise {
        return chosen.clone();
    }
    let mut used = Bits::empty(document.scopes.len());
    for operation in linked.operations.iter() {
        let scopes = operation.alternatives.iter().chain(&operation.owner_fallback).flatten();
        scopes.for_each(|scope| used.insert(*scope));
    }
    (0..document.scopes.len())
        .filter(|scope| used.contains(*scope))
        .collect()
}

fn numbers<'d>(names: impl Iterator<Item = &'d str>) -> HashMap<String, usize> {
    names
        .enumerate()
        .map(|(number, name)| (name.to_owned(), number))
        .collect()
}

fn indexes(operations: &[Operation], kind: OperationKind) -> HashMap<String, u32> {
    let of_kind = (0_u32..)
        .zip(operations)
        .filter(|(_, operation)| operation.kind == kind);
    let mut indexes = HashMap::with_capacity(of_kind.clone().count());
    indexes.extend(of_kind.map(|(index, operation)| (operation.name.clone(), index)));
    indexes
}

/// The name of a file without its folders and extension.
fn stem(file_name: &str) -> &str {
    let name = file_name.rsplit(['/', '\\']).next().unwrap_or(file_name);
    name.strip_suffix(".yaml")
        .or_else(|| name.strip_suffix(".yml"))
        .unwrap_or(name)
}
