//! `cover: all`: gaps and changes that nobody notices are closed by the rows that are printed for them.

use mcp_auth_policy::{
    Policy,
    suite::{SuiteFile, TestKind},
};

use crate::{DESK, TODO, paste::paste, policy, run};

const LIBRARY: &str = include_str!("../samples/library.yaml");
const NOTES: &str = include_str!("../samples/notes.yaml");

/// The least suite that is one.
pub(crate) const START: &str = "version: 1
policy: p.yaml
principals:
  anon: none
cover: all
";

/// Pastes what is printed until nothing is; gives the suite that passes.
pub(crate) fn closed(policy: &Policy, start: &str) -> String {
    let mut suite = start.to_owned();
    for _ in 0..8 {
        let report = run(policy, &suite);
        let Some(failure) = report.failures().first() else {
            return suite;
        };
        assert!(!failure.paste().is_empty(), "{suite}{failure}\n{}", policy.canonical());
        let pasted = paste(&suite, failure);
        assert_ne!(pasted, suite, "{failure}\n{}", policy.canonical());
        suite = pasted;
    }
    panic!(
        "it takes too many rounds:\n{suite}\n{}\n{}",
        run(policy, &suite),
        policy.canonical()
    );
}

#[test]
fn the_printed_rows_close_every_gap_and_kill_every_mutant() {
    let only_alternative =
        "equivalent: `delete-loan`: `requires` without `library:manage` (3 classes of callers and arguments compared)";
    for (text, counts, notes) in [
        (TODO, "coverage 6/6 rules   mutants 12/12 killed", &[][..]),
        (DESK, "coverage 18/18 rules   mutants 29/29 killed", &[]),
        (
            LIBRARY,
            "coverage 18/18 rules   mutants 75/75 killed (1 equivalent)",
            &[only_alternative],
        ),
        (
            NOTES,
            "coverage 25/25 rules   mutants 39/39 killed (4 equivalent)",
            &[
                "equivalent: `share-note`: `requires` without `manage:notes` (138 classes of callers and arguments compared)",
                "equivalent: `operation:export`: `requires` without `read:notes` (22 classes of callers and arguments compared)",
                "equivalent: `operation:export`: `requires` with `write:notes` instead of `read:notes` (46 classes of callers and arguments compared)",
                "equivalent: role `manager`: `member` dropped from `includes` (no decision looks at it)",
            ],
        ),
    ] {
        let policy = policy(text);
        let suite = closed(&policy, START);
        let report = run(&policy, &suite);
        assert_eq!(report.summary().lines().last(), Some(counts), "{suite}");
        assert_eq!(report.notes(), notes);
    }
}

/// The policy and the suite of the language's description, but for `cases` and `cover`.
const REFERENCE: &str = "
version: 1
policy: todo-manager
scopes:
  create:todos: Create to-do items
  read:todos: Read every user's to-do items
  delete:todos: Delete any user's to-do items
  manage:todos: { about: Everything, implies: [create:todos, read:todos, delete:todos] }
roles:
  user: { scopes: [create:todos] }
  admin: { includes: [user], scopes: [read:todos, delete:todos] }
objects: { todo: { owner: owner_id } }
callers:
  default: { subject: sub, scopes: scope }
  issuers:
    https://login.example.org/realms/todo:
      subject: sub
      roles: realm_access.roles
      role_names: { todo-admins: admin, staff: user }
tools:
  create-todo: { requires: create:todos }
  get-todos: { requires: read:todos, object: todo, owner_fallback: true }
  delete-todo: { requires: delete:todos, object: todo, owner_fallback: true }
forbid:
  - id: suspended-account
    everything: true
    when: { claim: { name: account_status, is: suspended, if_missing: skip } }
    message: This account is suspended.
  - id: long-content
    tools: [create-todo]
    when: { arg: { name: content, longer_than: 2000, if_missing: skip } }
    unless: { scope: manage:todos }
";
const MATRIX: &str = "version: 1
policy: todo.yaml
principals:
  anon: none
  alice: { as: user }
  root: { as: admin }
  boss: { scopes: [manage:todos] }
  reader: { scopes: [read:todos] }
  empty: { scopes: [] }
  staff: { issuer: https://login.example.org/realms/todo, claims: { sub: s1, realm_access: { roles: [staff] } } }
  banned: { as: admin, claims: { account_status: suspended } }
matrix: |
  tool        | anon | alice | root | boss | reader | empty | staff | banned
  create-todo | 401  | any   | any  | any  | deny   | deny  | any   | deny
  get-todos   | 401  | own   | any  | any  | any    | own   | own   | deny
  delete-todo | 401  | own   | any  | any  | own    | own   | own   | deny
cover: all
";

#[test]
fn the_matrix_alone_leaves_the_forbid_on_arguments_untested() {
    let policy = policy(REFERENCE);
    let report = run(&policy, MATRIX);
    let [coverage, mutants] = report.failures() else {
        panic!("{report}")
    };
    assert_eq!(coverage.kind(), TestKind::Coverage);
    assert_eq!(
        coverage.details(),
        ["`create-todo`: no test is decided by forbid `long-content`"]
    );
    assert_eq!(
        mutants.to_string(),
        "FAILED mutants
  --> p.test.yaml:17:1
  expected  a test fails for every change of the policy that lets somebody do more or less
  actual    21/22 killed
    `create-todo`: forbid `long-content` dropped
  if the policy is right, add
    cases:
      - { name: create-todo under forbid long-content, call: create-todo, as: staff, args: { content: { length: 2001 } }, expect: deny, because: long-content }"
    );
    let suite = paste(MATRIX, mutants);
    let report = run(&policy, &suite);
    assert_eq!(
        report.to_string(),
        "p.test.yaml  matrix 24/24  cases 1/1\ncoverage 10/10 rules   mutants 22/22 killed"
    );
}

#[test]
fn a_test_that_fails_already_kills_nothing() {
    let policy = policy(REFERENCE);
    let dropped = "`create-todo`: `requires` dropped".to_owned();
    for (row, is_noticed) in [
        (
            "create-todo | 401  | any   | any  | any  | deny   | deny  | any   | deny",
            true,
        ),
        (
            "create-todo | 401  | any   | any  | any  | any    | deny  | any   | deny",
            true,
        ),
        (
            "create-todo | 401  | any   | any  | any  | any    | own   | own   | any",
            false,
        ),
    ] {
        let right = "create-todo | 401  | any   | any  | any  | deny   | deny  | any   | deny";
        let report = run(&policy, &MATRIX.replace(right, row));
        let mutants = report.failures().last().unwrap();
        assert_eq!(mutants.kind(), TestKind::Mutants);
        assert_eq!(mutants.details().contains(&dropped), !is_noticed, "{row}\n{mutants}");
    }
}

#[test]
fn an_invariant_kills_too() {
    let policy = policy(TODO);
    let start = "version: 1
policy: p.yaml
principals:
  anon: none
  root: { as: admin }
  empty: { scopes: [] }
matrix: |
  tool        | anon | root | empty
  create-todo | 401  | any  | deny
  get-todos   | 401  | any  | own
  delete-todo | 401  | any  | own
cover: all
";
    let details = |suite: &str| {
        let report = run(&policy, suite);
        let mutants = report
            .failures()
            .iter()
            .find(|failure| failure.kind() == TestKind::Mutants);
        mutants.map_or(Vec::new(), |failure| failure.details().to_vec())
    };
    let swapped = "`delete-todo`: `requires` with `read:todos` instead of `delete:todos`".to_owned();
    assert!(details(start).contains(&swapped));
    let proved = format!(
        "{start}invariants:
  - {{ name: others' items need delete:todos, tool: delete-todo, owner: other, needs: delete:todos }}
"
    );
    assert!(!details(&proved).contains(&swapped));
    // One that does not hold says nothing about a change.
    let refuted = format!(
        "{start}invariants:
  - {{ name: own items need delete:todos, tool: delete-todo, owner: me, needs: delete:todos }}
"
    );
    assert!(details(&refuted).contains(&swapped));
}

#[test]
fn a_line_that_decides_nothing_for_anybody_is_not_counted() {
    // `b` implies `a`, so that the second alternative never decides; whoever owns reaches its own, so that nobody is denied.
    let policy = policy(
        "
version: 1
scopes: { a: A, b: { about: B, implies: [a] } }
objects: { thing: { owner: owner_id } }
tools: { t: { requires: { any: [a, b] }, object: thing, owner_fallback: true } }
forbid:
  - { id: always, tools: [t], when: { claim: { name: x, is: 1, if_missing: skip } } }
  - { id: shadowed, tools: [t], when: { claim: [{ name: x, is: 1, if_missing: skip }, { name: y, is: 1, if_missing: skip }] } }
",
    );
    let suite = closed(&policy, START);
    let report = run(&policy, &suite);
    assert_eq!(
        report.to_string().lines().skip(1).collect::<Vec<_>>(),
        [
            "coverage 3/3 rules   mutants 4/4 killed (3 equivalent)",
            "  equivalent: `t`: `requires` without `b` (12 classes of callers and arguments compared)",
            "  equivalent: `t`: forbid `shadowed` dropped (12 classes of callers and arguments compared)",
            "  equivalent: scope `b`: `a` dropped from `implies` (16 classes of callers and arguments compared)",
        ],
        "{suite}"
    );
}

#[test]
fn both_tests_can_be_run_alone() {
    let policy = policy(REFERENCE);
    let file = SuiteFile::parse("p.test.yaml", MATRIX).unwrap();
    let suite = file.with_policy(&policy).unwrap();
    for name in ["coverage", "mutants"] {
        let test = suite.find_test(name).unwrap();
        assert_eq!((test.name(), test.kind().as_str(), test.line()), (name, name, 17));
        assert!(suite.run_test(test).is_err());
    }
}

#[test]
fn what_cannot_be_enumerated_is_a_gap_and_a_survivor() {
    // No text is made that long.
    let policy = policy(&REFERENCE.replace("2000", "200000000000"));
    let report = run(&policy, MATRIX);
    let [coverage, mutants] = report.failures() else {
        panic!("{report}")
    };
    for failure in [coverage, mutants] {
        let detail = failure.details().first().unwrap();
        assert!(
            detail.contains(": more than 65536 classes of callers and arguments"),
            "{detail}"
        );
    }
}

#[test]
fn rows_of_any_length_and_names_of_any_kind_can_be_pasted() {
    // Long rows, a role that is called like an owner, names that YAML takes for something else.
    let atoms: String = (0..12)
        .map(|i| format!("          - {{ name: \"https://claims.example/a-long-name-for-a-claim/that-goes-on-and-on-and-on/{i}\", is: \"yes\", if_missing: skip }}\n"))
        .collect();
    let long = "s".repeat(126);
    let policy = policy(&format!(
        "version: 1
scopes: {{ {long}: S, yes: Yes, '1': One, 'a#b': Hash }}
roles: {{ other: {{ scopes: [yes] }}, 'a | b': {{ scopes: ['1'] }}, 'no': {{ scopes: [{long}, 'a#b'] }} }}
tools:
  a: {{ requires: yes }}
  b: {{ requires: '1' }}
  c: {{ requires: [{long}, 'a#b'] }}
forbid:
  - id: 'yes: it is'
    tools: [a]
    when:
      claim:
{}
",
        atoms.replace("          -", "        -")
    ));
    let suite = closed(&policy, START);
    assert!(suite.lines().any(|line| line.len() > 1024), "{suite}");
}
