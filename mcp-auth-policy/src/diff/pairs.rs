//! Which operation of one policy answers the calls that another operation of the other one answered.

use crate::{
    OperationId, OperationKind, Policy,
    operation::Operation,
    uri_template::{ResourceName, UriTemplate},
};

/// Calls that one operation of each policy answers.
pub(super) struct Pair {
    pub(super) name: String,
    pub(super) old: Option<OperationId>,
    pub(super) new: Option<OperationId>,
}

/// Pairs all operations, those of the new policy first.
pub(super) fn pairs(old: &Policy, new: &Policy) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for kind in OperationKind::ALL {
        if kind == OperationKind::Resource {
            pairs.extend(of_resources(old, new));
            continue;
        }
        let name = |operation: &Operation| super::call_name(kind, operation.name());
        pairs.extend(new.operations(kind).map(|operation| Pair {
            name: name(operation),
            old: old.find(kind, operation.name()),
            new: new.find(kind, operation.name()),
        }));
        let gone = old.operations(kind);
        let gone = gone.filter(|operation| new.find(kind, operation.name()).is_none());
        pairs.extend(gone.map(|operation| Pair {
            name: name(operation),
            old: old.find(kind, operation.name()),
            new: None,
        }));
    }
    pairs
}

/// A resource and the URIs it is for.
struct Resource<'p> {
    name: &'p str,
    id: Option<OperationId>,
    template: Option<UriTemplate>,
}

/// A URI belongs to the resource that is written so, else to a template; so it may belong to another one than before although both are still there.
fn of_resources(old: &Policy, new: &Policy) -> Vec<Pair> {
    let (olds, news) = (resources(old), resources(new));
    let mut pairs = Vec::new();
    for new_one in &news {
        let Some(template) = &new_one.template else {
            pairs.push(pair(new_one.name, old.find_resource(new_one.name), new_one.id));
            continue;
        };
        if let Some(same) = old.find(OperationKind::Resource, new_one.name) {
            // No other template of the old policy overlaps with it.
            pairs.push(pair(new_one.name, Some(same), new_one.id));
            continue;
        }
        let overlapping: Vec<&Resource<'_>> = (olds.iter())
            .filter(|old_one| (old_one.template.as_ref()).is_some_and(|other| template.overlaps(other)))
            .collect();
        for old_one in &overlapping {
            pairs.push(pair(new_one.name, old_one.id, new_one.id));
        }
        if !is_within(template, &olds) {
            // Some of its URIs may not have been listed.
            pairs.push(pair(new_one.name, None, new_one.id));
        }
    }
    for old_one in &olds {
        let is_gone = match &old_one.template {
            Some(template) => !is_within(template, &news),
            None => new.find(OperationKind::Resource, old_one.name).is_none(),
        };
        if is_gone {
            // The name of a template is no URI and not found: some of its URIs may not be listed any more.
            pairs.push(pair(old_one.name, old_one.id, new.find_resource(old_one.name)));
        }
    }
    pairs
}

fn is_within(template: &UriTemplate, resources: &[Resource<'_>]) -> bool {
    let mut templates = resources.iter().filter_map(|resource| resource.template.as_ref());
    templates.any(|other| template.is_within(other))
}

fn resources(policy: &Policy) -> Vec<Resource<'_>> {
    let resources = policy.operations(OperationKind::Resource);
    resources
        .map(|resource| Resource {
            name: resource.name(),
            id: policy.find(OperationKind::Resource, resource.name()),
            template: match ResourceName::parse(resource.name()) {
                Ok(ResourceName::Template(template)) => Some(template),
                _ => None,
            },
        })
        .collect()
}

fn pair(name: &str, old: Option<OperationId>, new: Option<OperationId>) -> Pair {
    Pair {
        name: super::call_name(OperationKind::Resource, name),
        old,
        new,
    }
}
