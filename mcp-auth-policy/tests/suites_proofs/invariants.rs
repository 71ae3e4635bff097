//! Invariants: proved over every caller, or refuted by one that can be pasted into the suite.

use mcp_auth_policy::{Policy, suite::Failure};

use crate::{DESK, TODO, paste::paste, policy, run};

const SUITE: &str = "version: 1
policy: p.yaml
principals:
  anon: none
cases:
  - { name: without a token, call: TOOL, as: anon, owner: absent, expect: deny }
";

/// Runs one invariant. If it is refuted, pastes the counterexample and runs that too.
pub(crate) fn failure_of(policy: &Policy, tool: &str, invariant: &str) -> Option<Failure> {
    let cases = SUITE.replace("TOOL", tool);
    let suite = format!("{cases}invariants:\n  - {{ name: claimed, {invariant} }}\n");
    let report = run(policy, &suite);
    let failure = report.failures().first()?.clone();
    assert_eq!((report.failures().len(), failure.name()), (1, "claimed"));
    if !failure
        .details()
        .iter()
        .any(|detail| detail.contains("could not be proved"))
    {
        let pasted = paste(&cases, &failure);
        assert!(
            pasted.len() > cases.len(),
            "nothing to paste: {failure}\n{}",
            policy.canonical()
        );
        let report = run(policy, &pasted);
        assert!(report.is_ok(), "{pasted}{report}\n{}", policy.canonical());
    }
    Some(failure)
}

fn details(text: &str, tool: &str, invariant: &str) -> Vec<String> {
    let failure = failure_of(&policy(text), tool, invariant);
    failure.map_or(Vec::new(), |failure| failure.details().to_vec())
}

#[test]
fn what_holds_for_every_caller_passes() {
    for (text, tool, invariant) in [
        (
            TODO,
            "delete-todo",
            "tool: delete-todo, owner: other, needs: delete:todos",
        ),
        (
            TODO,
            "get-todos",
            "tools: [get-todos], owner: other, needs: [read:todos]",
        ),
        (TODO, "delete-todo", "tool: create-todo, needs: create:todos"),
        (
            TODO,
            "delete-todo",
            "as: user, owner: other, never: [get-todos, delete-todo]",
        ),
        (TODO, "delete-todo", "monotone: true"),
        (
            DESK,
            "read-ticket",
            "tools: [read-ticket, \"resource:desk://{year}/{id}\"], owner: other, needs: read:desk",
        ),
        (DESK, "read-ticket", "tool: answer, needs: write:desk"),
        (
            DESK,
            "read-ticket",
            "tool: close-ticket, owner: other, needs: write:desk",
        ),
        (DESK, "read-ticket", "as: reader, owner: other, never: close-ticket"),
        (DESK, "read-ticket", "as: writer, never: [purge]"),
        (DESK, "read-ticket", "monotone: true"),
    ] {
        assert_eq!(details(text, tool, invariant), [""; 0], "{invariant}");
    }
}

#[test]
fn what_does_not_hold_is_refuted_by_a_caller_that_can_be_pasted() {
    for (text, tool, invariant, expected) in [
        (
            TODO,
            "delete-todo",
            "tool: delete-todo, owner: me, needs: delete:todos",
            &["`delete-todo`: own (owner)"][..],
        ),
        (
            TODO,
            "delete-todo",
            "tool: get-todos, owner: other, needs: [read:todos, delete:todos]",
            &["`get-todos`: any (scope)"],
        ),
        (
            TODO,
            "delete-todo",
            "as: user, owner: me, never: [get-todos, create-todo]",
            &["`get-todos`: own (owner)", "`create-todo`: any (scope)"],
        ),
        (
            TODO,
            "delete-todo",
            "as: admin, owner: other, never: [delete-todo]",
            &["`delete-todo`: any (scope)"],
        ),
        (
            DESK,
            "read-ticket",
            "tool: close-ticket, owner: me, needs: write:desk",
            &["`close-ticket`: own (owner)"],
        ),
        (
            DESK,
            "read-ticket",
            "tool: answer, needs: manage:desk",
            &["`answer`: any (scope)"],
        ),
        (
            DESK,
            "read-ticket",
            "tool: \"resource:desk://{year}/{id}\", needs: write:desk",
            &["`resource:desk://{year}/{id}`: any (scope)"],
        ),
        (
            DESK,
            "read-ticket",
            "as: chief, never: purge",
            &["`purge`: any (scope)"],
        ),
    ] {
        assert_eq!(details(text, tool, invariant), expected, "{invariant}");
    }
}

#[test]
fn a_counterexample_is_a_principal_and_a_case() {
    let suite = format!(
        "{}invariants:\n  - {{ name: only admins delete, tool: delete-todo, owner: other, needs: [delete:todos, read:todos] }}\n",
        SUITE.replace("TOOL", "delete-todo")
    );
    let report = run(&policy(TODO), &suite);
    assert_eq!(
        report.failures().first().unwrap().to_string(),
        "FAILED only admins delete
  --> p.test.yaml:8:5
  expected  nobody without `delete:todos` and `read:todos` may call `delete-todo` on what belongs to others
  actual    somebody does
    `delete-todo`: any (scope)
  what the policy answers now, to be seen in the suite
    principals:
      only delete:todos: { scopes: [delete:todos] }
    cases:
      - { name: only admins delete (delete-todo), call: delete-todo, as: only delete:todos, owner: other, expect: allow, because: scope }"
    );
}

/// Tools whose forbids look at everything that a forbid can look at.
const FORBIDS: &str = "
version: 1
scopes: { a: A, b: B, all: { about: All, implies: [a, b] } }
roles: { user: { scopes: [a] }, boss: { includes: [user], scopes: [b] } }
callers:
  owner_key: issuer_and_subject
  issuers:
    https://plain.example: { subject: sub }
    https://claim.example: { scopes: scp, roles: realm.groups, role_names: { 'the users': user, bosses: boss } }
    https://roles.example: { roles: groups }
tools:
  claims: { requires: a }
  numbers: { requires: a }
  roles: { requires: a }
  clients: { requires: a }
  args: { requires: a }
  lower: { requires: a }
forbid:
  - { id: f1, tools: [claims], when: { claim: [{ name: x.y, is: \"yes\", if_missing: deny }, { name: z, in: [1, two], if_missing: skip }] } }
  - { id: f2, tools: [numbers], when: { claim: { name: level, max: 3.5, if_missing: deny } } }
  - { id: f3, tools: [roles], when: { issuer: https://claim.example }, unless: { role: boss } }
  - { id: f4, tools: [clients], when: { claim: { name: sub, present: true } }, unless: { client: good } }
  - { id: f5, tools: [args], when: { arg: { name: long text, max: 5, if_missing: deny } }, unless: { arg: { name: other, longer_than: 100, if_missing: skip } } }
  - { id: f6, tools: [lower], when: { scope: b } }
";

#[test]
fn counterexamples_carry_claims_clients_roles_and_arguments() {
    for tool in ["claims", "numbers", "roles", "clients", "args", "lower"] {
        let found = details(FORBIDS, "claims", &format!("tool: {tool}, needs: all"));
        assert_eq!(found, [format!("`{tool}`: any (scope)")]);
    }
    let found = details(
        FORBIDS,
        "claims",
        "as: user, never: [claims, numbers, clients, args, lower, roles]",
    );
    assert_eq!(found.len(), 6);
    assert_eq!(details(FORBIDS, "claims", "as: boss, never: lower"), [""; 0]);
    assert_eq!(
        details(FORBIDS, "claims", "monotone: true"),
        ["`lower`: any (scope) becomes deny (f6) with `b`"]
    );
}

#[test]
fn what_cannot_be_proved_fails_and_says_why() {
    let names: Vec<String> = (0..17).map(|n| format!("s{n}")).collect();
    let scopes: String = names.iter().map(|name| format!("  {name}: S\n")).collect();
    let wide = format!(
        "version: 1\nscopes:\n{scopes}tools:\n  t: {{ requires: {{ any: [{}] }} }}\n  u: {{ requires: s0 }}\n",
        names.join(", ")
    );
    for invariant in ["tools: [t, u], needs: s0", "monotone: true"] {
        let found = details(&wide, "t", invariant);
        let [detail] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert!(
            detail.starts_with("`t`: could not be proved: more than 65536 classes of callers and arguments"),
            "{detail}"
        );
    }
    let tested = "version: 1
scopes: { a: A, b: B }
tools: { t: { requires: a } }
forbid: [{ id: odd, tools: [t], when: { claim: { name: scope, is: a b, if_missing: skip } } }]
";
    assert_eq!(
        details(tested, "t", "monotone: true"),
        [
            "`t`: could not be proved: forbid `odd` tests the claim that scopes are read from, which another scope changes"
        ]
    );
    assert_eq!(details(tested, "t", "tool: t, needs: a"), [""; 0]);
    assert_eq!(details(tested, "t", "tool: t, needs: b"), ["`t`: any (scope)"]);
}
