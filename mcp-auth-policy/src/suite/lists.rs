//! The lists: what each principal is shown.

use super::{
    model::{Check, List, Test},
    names::find_operation,
    principals::Principals,
};
use crate::{
    Policy,
    fields::{Named, mapping, texts},
    findings::Findings,
    text::quoted_path,
    yaml::Node,
};

pub(super) fn read_lists(
    node: &Node,
    policy: &Policy,
    principals: &Principals,
    findings: &mut Findings<'_>,
) -> Vec<Test> {
    let mut tests = Vec::new();
    for entry in mapping(node, "`lists`", findings).unwrap_or_default() {
        let name = Named {
            name: entry.key.clone(),
            span: entry.key_span,
        };
        let caller = principals.find(&name, findings);
        let shown = texts(&entry.node, &quoted_path("lists", &name.name), findings).unwrap_or_default();
        let mut shown: Vec<_> = shown
            .iter()
            .filter_map(|call| find_operation(call, policy, findings))
            .collect();
        // Lists come in the order of the policy, whatever the order here.
        shown.sort_unstable_by_key(|id| id.index);
        let Some(caller) = caller else { continue };
        tests.push(Test {
            name: format!("tools/list as {}", name.name),
            span: name.span,
            check: Check::List(List { caller, shown }),
        });
    }
    tests
}
