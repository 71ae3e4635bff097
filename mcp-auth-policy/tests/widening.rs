//! `Policy::widenings` names exactly the operations that somebody can use further than before.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use mcp_auth_policy::{Policy, Reach, WideningCause};
use proptest::prelude::*;

const OLD: &str = "
version: 1
scopes:
  read: Read
  write: Write
  admin: { about: Everything, implies: [write] }
  audit: Audit
objects:
  note: { owner: owner_id }
  card: { owner: holder_id }
tools:
  list: { requires: read, object: note, owner_fallback: true }
  edit: { requires: [read, write], object: note, owner_fallback: read }
  drop: { requires: [read, write, audit] }
  wipe: { requires: { any: [admin, audit] } }
  about: { requires: [] }
";

fn policy(text: &str) -> Policy {
    Policy::parse(text).unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn each_edit_gives_exactly_its_widenings() {
    use Reach::{Any, Deny, Own};
    // From, to, and for each widened operation: name, example, reach before and after.
    type Row = (
        &'static str,
        &'static str,
        &'static [(&'static str, &'static [&'static str], Reach, Reach)],
    );
    let table: &[Row] = &[
        ("# nothing", "# nothing", &[]),
        ("read: Read", "read: Read it all", &[]),
        (
            "  list: { requires: read, object: note, owner_fallback: true }\n",
            "",
            &[],
        ),
        ("list: { requires: read,", "list: { requires: [read, write],", &[]),
        (
            "list: { requires: read, object: note, owner_fallback: true }",
            "list: { requires: read }",
            &[],
        ),
        ("owner_fallback: true }", "owner_fallback: audit }", &[]),
        (
            "list: { requires: read,",
            "list: { requires: [],",
            &[("list", &[], Own, Any)],
        ),
        (
            "list: { requires: read,",
            "list: { requires: write,",
            &[("list", &["write"], Own, Any)],
        ),
        (
            "list: { requires: read,",
            "list: { requires: { any: [read, audit] },",
            &[("list", &["audit"], Own, Any)],
        ),
        (
            "edit: { requires: [read, write]",
            "edit: { requires: read",
            &[("edit", &["read"], Own, Any)],
        ),
        (
            "owner_fallback: read",
            "owner_fallback: true",
            &[("edit", &[], Deny, Own)],
        ),
        (
            "owner_fallback: read",
            "owner_fallback: write",
            &[("edit", &["write"], Deny, Own)],
        ),
        (
            "implies: [write]",
            "implies: [write, read]",
            &[
                ("list", &["admin"], Own, Any),
                ("edit", &["admin"], Deny, Any),
                ("drop", &["admin", "audit"], Deny, Any),
            ],
        ),
        ("about: Everything, implies: [write]", "about: Everything", &[]),
        (
            "audit: Audit",
            "audit: { about: Audit, implies: [read] }",
            &[
                ("list", &["audit"], Own, Any),
                ("edit", &["audit", "write"], Deny, Any),
                ("drop", &["audit", "write"], Deny, Any),
            ],
        ),
        (
            "  about: {",
            "  purge: { requires: audit }\n  about: {",
            &[("purge", &["audit"], Deny, Any)],
        ),
        ("{ any: [admin, audit] }", "admin", &[]),
        ("{ any: [admin, audit] }", "[write, audit]", &[]),
        (
            "{ any: [admin, audit] }",
            "{ any: [write, audit] }",
            &[("wipe", &["write"], Deny, Any)],
        ),
        (
            "[read, write, audit]",
            "[read, audit]",
            &[("drop", &["read", "audit"], Deny, Any)],
        ),
        // A scope that only the new policy knows: tokens may carry it already.
        (
            "read: Read\n",
            "read: Read\n  super: { about: New, implies: [read] }\n",
            &[
                ("list", &["super"], Own, Any),
                ("edit", &["super", "write"], Deny, Any),
                ("drop", &["super", "write", "audit"], Deny, Any),
            ],
        ),
        // Whose one's own objects are is decided by another column, or for other objects.
        ("holder_id", "payer_id", &[]),
        (
            "note: { owner: owner_id }",
            "note: { owner: editor_id }",
            &[("list", &[], Own, Own), ("edit", &["read"], Own, Own)],
        ),
        (
            "list: { requires: read, object: note",
            "list: { requires: read, object: card",
            &[("list", &[], Own, Own)],
        ),
    ];
    let old = policy(OLD);
    for (from, to, expected) in table {
        let new = policy(&OLD.replacen(from, to, 1));
        let widenings = new.widenings(&old);
        let found: Vec<_> = (widenings.iter())
            .map(|w| {
                (
                    w.name.as_str(),
                    w.example_scopes.iter().map(String::as_str).collect::<Vec<_>>(),
                    w.old_reach,
                    w.new_reach,
                )
            })
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(name, scopes, old, new)| (*name, scopes.to_vec(), *old, *new))
            .collect();
        assert_eq!(found, expected, "{from} -> {to}");
        for widening in &widenings {
            let cause = if widening.old_reach < widening.new_reach {
                WideningCause::Reach
            } else {
                WideningCause::Ownership
            };
            assert_eq!(widening.cause, cause, "{from} -> {to}");
        }
    }
}

#[test]
fn what_is_too_much_to_prove_counts_as_widened() {
    let scopes: String = (0..13).map(|n| format!("  s{n}: S\n")).collect();
    let implying = |n: usize, on: bool| {
        if on {
            format!("  t{n}: {{ about: T, implies: [s{n}] }}\n")
        } else {
            format!("  t{n}: T\n")
        }
    };
    let text = |on: bool| {
        let more: String = (0..13).map(|n| implying(n, on)).collect();
        let all: Vec<_> = (0..13).map(|n| format!("s{n}")).collect();
        // Everything that the implications can add is allowed already, but only trying all of it shows that.
        let any: Vec<_> = (0..13).flat_map(|n| [format!("s{n}"), format!("t{n}")]).collect();
        format!(
            "version: 1\nscopes:\n{scopes}{more}tools:\n  x: {{ requires: {} }}\n",
            if on {
                format!("[{}]", all.join(", "))
            } else {
                format!("{{ any: [{}] }}", any.join(", "))
            }
        )
    };
    let widenings = policy(&text(true)).widenings(&policy(&text(false)));
    assert_eq!(widenings.len(), 1);
    assert_eq!(widenings[0].cause, WideningCause::Unproved);
}

const SCOPES: [&str; 4] = ["a", "b", "c", "d"];

/// A policy with one tool: which scope implies which later one, what is required (all or any), and the owner fallback.
fn arbitrary() -> impl Strategy<Value = String> {
    let set = || proptest::collection::vec(any::<bool>(), 4);
    let implies = proptest::collection::vec(any::<bool>(), 6);
    (implies, any::<bool>(), set(), proptest::option::of(set())).prop_map(|(implies, all, requires, owner)| {
        let names = |set: &[bool]| {
            let on = SCOPES.iter().zip(set).filter(|(_, on)| **on);
            format!("[{}]", on.map(|(name, _)| *name).collect::<Vec<_>>().join(", "))
        };
        let mut edges = implies.into_iter();
        let mut text = "version: 1\nscopes:\n".to_owned();
        for (at, scope) in SCOPES.iter().enumerate() {
            let implied: Vec<bool> = (0..4).map(|other| other > at && edges.next().unwrap()).collect();
            text += &format!("  {scope}: {{ about: S, implies: {} }}\n", names(&implied));
        }
        let requires = if all || !requires.contains(&true) {
            names(&requires)
        } else {
            format!("{{ any: {} }}", names(&requires))
        };
        let owner = match owner {
            Some(set) if set.contains(&true) => format!(", object: o, owner_fallback: {}", names(&set)),
            Some(_) => ", object: o, owner_fallback: true".to_owned(),
            None => String::new(),
        };
        text + &format!("objects: {{ o: {{ owner: o }} }}\ntools:\n  t: {{ requires: {requires}{owner} }}\n")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn it_agrees_with_trying_every_scope_set(old in arbitrary(), new in arbitrary()) {
        let (old, new) = (policy(&old), policy(&new));
        let reach = |policy: &Policy, scopes: &[&str]| {
            let id = policy.find(mcp_auth_policy::OperationKind::Tool, "t").unwrap();
            policy.decide(id, &policy.grants(scopes.iter().copied())).reach
        };
        let further = (0..16_u32).any(|bits| {
            let held: Vec<_> = (SCOPES.iter().enumerate()).filter(|(n, _)| bits & (1 << n) != 0).map(|(_, s)| *s).collect();
            reach(&new, &held) > reach(&old, &held)
        });
        let widenings: Vec<_> = new.widenings(&old).into_iter().filter(|w| w.cause == WideningCause::Reach).collect();
        prop_assert_eq!(!widenings.is_empty(), further);
        for widening in widenings {
            let held: Vec<_> = widening.example_scopes.iter().map(String::as_str).collect();
            prop_assert_eq!(reach(&old, &held), widening.old_reach);
            prop_assert!(reach(&new, &held) > widening.old_reach);
        }
    }
}

const SECTIONS: &str = "
version: 1
scopes: { read: Read, write: Write, admin: { about: All, implies: [write] } }
roles: { editor: { scopes: [read, write] } }
callers: { default: { scopes: scope, roles: groups } }
objects: { note: { owner: owner_id } }
tools:
  edit: { requires: write, object: note, owner_fallback: read }
resources:
  'note://{id}': { requires: read }
  'note://secret': { requires: admin }
forbid:
  - { id: frozen, tools: [edit], when: { claim: { name: frozen, is: true, if_missing: skip } }, unless: { scope: admin } }
visibility: obtainable
on_not_owner: hide
";

#[test]
fn a_section_that_is_not_plainly_narrower_counts_as_widened() {
    let old = policy(SECTIONS);
    // From, to, and the names of the findings.
    let table: &[(&str, &str, &[&str])] = &[
        ("version", "version", &[]),
        // callers
        ("roles: groups", "roles: teams", &["callers"]),
        ("roles: groups", "roles: groups, combine: union", &["callers"]),
        (
            "callers: { default",
            "callers: { owner_key: issuer_and_subject, default",
            &["callers"],
        ),
        (
            "callers: { default: { scopes: scope, roles: groups } }",
            "",
            &["callers"],
        ),
        // roles and scopes
        ("scopes: [read, write] }", "scopes: [read, write, admin] }", &["roles"]),
        (
            "roles: { editor",
            "roles: { chief: { scopes: [admin] }, editor",
            &["roles"],
        ),
        (
            "implies: [write] }",
            "implies: [read, write] }",
            &["scopes", "note://{id}"],
        ),
        ("implies: [write] }", "implies: [] }", &["scopes"]),
        // forbid: removed, narrowed, changed; more forbids, another id, another message
        (
            "  - { id: frozen, tools: [edit], when: { claim: { name: frozen, is: true, if_missing: skip } }, unless: { scope: admin } }",
            "  []",
            &["forbid frozen"],
        ),
        (
            "unless: { scope: admin }",
            "unless: { scope: write }",
            &["forbid frozen"],
        ),
        ("is: true", "is: false", &["forbid frozen"]),
        ("if_missing: skip", "if_missing: deny", &["forbid frozen"]),
        ("id: frozen,", "id: cold, message: Too cold,", &[]),
        ("forbid:\n", "forbid:\n  - { id: all, everything: true }\n", &[]),
        // resources: gone, so that the template takes its URI; new; narrower
        ("  'note://secret': { requires: admin }\n", "", &["resources"]),
        (
            "resources:\n",
            "resources:\n  'card://{id}': { requires: read }\n",
            &["card://{id}"],
        ),
        (
            "'note://{id}': { requires: read }",
            "'note://{id}': { requires: [read, write] }",
            &[],
        ),
        // what lists and refusals tell
        ("visibility: obtainable", "visibility: all", &["visibility"]),
        ("visibility: obtainable", "visibility: granted", &[]),
        ("on_not_owner: hide", "on_not_owner: step_up", &["on_not_owner"]),
    ];
    for (from, to, expected) in table {
        assert!(SECTIONS.contains(from), "{from}");
        let new = policy(&SECTIONS.replacen(from, to, 1));
        let widenings = new.widenings(&old);
        let names: Vec<_> = widenings.iter().map(|widening| widening.name.as_str()).collect();
        assert_eq!(names, *expected, "{from} -> {to}");
        for widening in widenings.iter().filter(|widening| widening.kind.is_none()) {
            assert_eq!(widening.cause, WideningCause::Unproved);
            assert!(widening.to_string().contains("not proved"), "{widening}");
        }
    }
    let told = policy(&SECTIONS.replace("hide", "step_up"));
    assert_eq!(old.widenings(&told), [], "hiding again only narrows");
}

#[test]
fn a_forbid_that_stays_does_not_look_like_a_widening() {
    let forbidden = "forbid: [{ id: frozen, everything: true, when: { scope: write } }]";
    let old = policy(&format!("{OLD}{forbidden}"));
    let new = policy(&format!("{OLD}{forbidden}").replace(
        "drop: { requires: [read, write, audit] }",
        "drop: { requires: [read, write, audit, admin] }",
    ));
    assert_eq!(new.widenings(&old), []);
}
