//! A decision allocates nothing, whoever calls what. The benchmarks count the rest.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "../benches/measure/allocations.rs"]
mod allocations;
#[path = "../benches/sample/mod.rs"]
#[allow(dead_code, reason = "the benchmarks use the rest")]
mod sample;

use std::hint::black_box;

use allocations::allocations;
use mcp_auth_policy::{Arguments, Grants, OperationKind, Ownership, Policy, TokenFacts};
use serde_json::json;

/// Everything on which a decision can depend: alternatives, owner fallbacks, forbids on scopes, claims and arguments, each kind of operation.
const POLICY: &str = "
version: 1
scopes: { read: Read, write: Write, manage: { about: Both, implies: [read, write] } }
roles: { staff: { scopes: [read] } }
objects: { note: { owner: owner_id } }
tools:
  open: { requires: [] }
  any: { requires: { any: [read, write] } }
  all: { requires: [read, write], object: note, owner_fallback: read }
prompts:
  ask: { requires: read }
resources:
  'notes://{owner}/{id}': { requires: read, object: note, owner_fallback: true }
operations:
  export: { requires: manage }
forbid:
  - { id: suspended, everything: true, when: { claim: { name: status, is: suspended, if_missing: skip } } }
  - { id: writers, tools: [any], when: { scope: write }, unless: { scope: manage } }
  - { id: long, tools: [open, all], when: { arg: { name: text, longer_than: 3, if_missing: deny } } }
";

fn callers(policy: &Policy) -> Vec<Grants> {
    let scopes: Vec<String> = policy.scopes().map(|scope| scope.name().to_owned()).collect();
    let mut callers = vec![policy.grants([])];
    for scope in scopes.iter().take(10) {
        callers.push(policy.grants([scope.as_str()]));
    }
    for status in ["active", "suspended"] {
        let claims = json!({ "status": status, "account_status": status });
        let facts = TokenFacts {
            issuer: "https://issuer.example",
            subject: "alice",
            client_id: None,
            scopes: &scopes,
            claims: claims.as_object().unwrap(),
        };
        callers.push(policy.resolve(&facts).grants().clone());
    }
    callers
}

#[test]
fn no_decision_allocates() {
    let (other, sample) = (Policy::parse(POLICY).unwrap(), sample::policy(1_000));
    let sample = Policy::parse(&sample).unwrap_or_else(|errors| panic!("{errors}"));
    let texts = [
        json!({ "text": "ab" }),
        json!({ "text": "abcd" }),
        json!({ "text": 7 }),
        json!({}),
    ];
    for policy in [&other, &sample] {
        for grants in callers(policy).iter().chain(&callers(&other)) {
            for kind in OperationKind::ALL {
                for operation in policy.operations(kind) {
                    let name = operation.name();
                    let count = allocations(|| {
                        let id = black_box(policy.find(kind, name)).unwrap();
                        for owner in [Ownership::Caller, Ownership::Other, Ownership::Absent] {
                            let _ = black_box(policy.decide(id, grants).on_object(owner));
                        }
                        for arguments in &texts {
                            let arguments = Arguments::Known(arguments.as_object().unwrap());
                            let decision = black_box(policy.decide_call(id, grants, arguments));
                            black_box(policy.line_of(id, decision));
                        }
                        let _ = black_box(policy.could_reach(id, grants));
                        black_box((policy.reads_arguments(id), grants.clone()));
                    });
                    assert_eq!(count, 0, "{name} {grants:?}");
                }
            }
        }
    }
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(black_box(vec![1_u8]))), 1);
    assert_eq!(allocations(|| drop(black_box(String::new()))), 0);
}
