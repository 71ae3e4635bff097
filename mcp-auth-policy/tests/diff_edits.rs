//! `Policy::diff` names exactly the callers who reach further or less far than before.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use mcp_auth_policy::{Direction, Policy};

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

/// The difference that one edit makes: `+` and what is wider, `-` and what is narrower.
fn edited(text: &str, from: &str, to: &str) -> Vec<String> {
    assert!(text.contains(from) || from == to, "{from}");
    let diff = policy(&text.replacen(from, to, 1)).diff(&policy(text));
    let sign = |direction: Direction| match direction {
        Direction::Wider => "+",
        Direction::Narrower => "-",
    };
    let changes = diff.changes().iter();
    changes
        .map(|change| format!("{} {change}", sign(change.direction())))
        .collect()
}

type Row = (&'static str, &'static str, &'static [&'static str]);

#[test]
fn an_edit_of_rules_and_scopes_names_the_callers_by_their_scopes() {
    let table: &[Row] = &[
        ("# nothing", "# nothing", &[]),
        ("read: Read", "read: Read it all", &[]),
        (
            "  list: { requires: read, object: note, owner_fallback: true }\n",
            "",
            &[
                "- list  own -> deny  callers without read",
                "- list  any -> deny  callers holding read",
            ],
        ),
        (
            "list: { requires: read,",
            "list: { requires: [read, write],",
            &["- list  any -> own  callers holding read without write"],
        ),
        (
            "list: { requires: read, object: note, owner_fallback: true }",
            "list: { requires: read }",
            &["- list  own -> deny  callers without read"],
        ),
        (
            "owner_fallback: true }",
            "owner_fallback: audit }",
            &["- list  own -> deny  callers without read or audit"],
        ),
        (
            "list: { requires: read,",
            "list: { requires: [],",
            &["+ list  own -> any  callers without read"],
        ),
        (
            "list: { requires: read,",
            "list: { requires: write,",
            &[
                "+ list  own -> any  callers holding write without read",
                "- list  any -> own  callers holding read without write",
            ],
        ),
        (
            "list: { requires: read,",
            "list: { requires: { any: [read, audit] },",
            &["+ list  own -> any  callers holding audit without read"],
        ),
        (
            "edit: { requires: [read, write]",
            "edit: { requires: read",
            &["+ edit  own -> any  callers holding read without write"],
        ),
        (
            "owner_fallback: read",
            "owner_fallback: true",
            &["+ edit  deny -> own  callers without read"],
        ),
        (
            "owner_fallback: read",
            "owner_fallback: write",
            &[
                "+ edit  deny -> own  callers holding write without read",
                "- edit  own -> deny  callers holding read without write",
            ],
        ),
        (
            "implies: [write]",
            "implies: [write, read]",
            &[
                "+ list  own -> any  callers holding admin without read",
                "+ edit  deny -> any  callers holding admin without read",
                "+ drop  deny -> any  callers holding audit and admin without read",
            ],
        ),
        (
            "about: Everything, implies: [write]",
            "about: Everything",
            &[
                "- edit  any -> own  callers holding read and admin without write",
                "- drop  any -> deny  callers holding read and audit and admin without write",
            ],
        ),
        (
            "audit: Audit",
            "audit: { about: Audit, implies: [read] }",
            &[
                "+ list  own -> any  callers holding audit without read",
                "+ edit  deny -> own  callers holding audit without read or write",
                "+ edit  deny -> any  callers holding write and audit without read",
                "+ drop  deny -> any  callers holding write and audit without read",
            ],
        ),
        (
            "  about: {",
            "  purge: { requires: audit }\n  about: {",
            &["+ purge  deny -> any  callers holding audit"],
        ),
        (
            "{ any: [admin, audit] }",
            "admin",
            &["- wipe  any -> deny  callers holding audit without admin"],
        ),
        (
            "{ any: [admin, audit] }",
            "[write, audit]",
            &[
                "- wipe  any -> deny  callers holding admin without audit",
                "- wipe  any -> deny  callers holding audit without write",
            ],
        ),
        (
            "{ any: [admin, audit] }",
            "{ any: [write, audit] }",
            &["+ wipe  deny -> any  callers holding write without admin or audit"],
        ),
        (
            "[read, write, audit]",
            "[read, audit]",
            &["+ drop  deny -> any  callers holding read and audit without write"],
        ),
        (
            "requires: []",
            "requires: read",
            &["- about  any -> deny  callers without read"],
        ),
        (
            "read: Read\n",
            "read: Read\n  super: { about: New, implies: [read] }\n",
            &[
                "+ list  own -> any  callers holding super without read",
                "+ edit  deny -> own  callers holding super without read or write",
                "+ edit  deny -> any  callers holding write and super without read",
                "+ drop  deny -> any  callers holding write and audit and super without read",
            ],
        ),
        (
            "read: Read\n",
            "read: Read\n  one: { about: New, implies: [read] }\n  two: { about: New, implies: [read] }\n",
            &[
                "+ list  own -> any  callers holding one of one, two without read",
                "+ edit  deny -> own  callers holding one of one, two without read or write",
                "+ edit  deny -> any  callers holding write and one of one, two without read",
                "+ drop  deny -> any  callers holding write and audit and one of one, two without read",
            ],
        ),
        ("holder_id", "payer_id", &[]),
        (
            "note: { owner: owner_id }",
            "note: { owner: editor_id }",
            &[
                "+ list  own -> own  callers without read, who own by note.editor_id instead of note.owner_id",
                "+ edit  own -> own  callers holding read without write, who own by note.editor_id instead of note.owner_id",
            ],
        ),
        (
            "list: { requires: read, object: note",
            "list: { requires: read, object: card",
            &["+ list  own -> own  callers without read, who own by card.holder_id instead of note.owner_id"],
        ),
    ];
    for (from, to, expected) in table {
        assert_eq!(edited(OLD, from, to), *expected, "{from} -> {to}");
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
  - { id: long, tools: [edit], when: { arg: { name: text, longer_than: 100, if_missing: deny } } }
visibility: obtainable
on_not_owner: hide
";

#[test]
fn an_edit_of_callers_forbids_and_sections_names_whom_it_concerns() {
    let table: &[Row] = &[
        (
            "roles: groups",
            "roles: teams",
            &[
                "+ edit  deny -> own  callers holding read without write without role editor in claim groups with role editor in claim teams, unless forbidden as before",
                "+ edit  deny -> any  callers holding write without role editor in claim groups with role editor in claim teams, unless forbidden as before",
                "- edit  own -> deny  callers holding read without write with role editor in claim groups without role editor in claim teams, unless forbidden as before",
                "- edit  any -> deny  callers holding write with role editor in claim groups without role editor in claim teams, unless forbidden as before",
                "+ resource:note://{id}  deny -> any  callers holding read without role editor in claim groups with role editor in claim teams",
                "- resource:note://{id}  any -> deny  callers holding read with role editor in claim groups without role editor in claim teams",
            ],
        ),
        (
            "roles: groups",
            "roles: groups, combine: union",
            &[
                "+ edit  deny -> own  callers holding read without write without role editor, unless forbidden as before",
                "+ edit  deny -> any  callers holding write without role editor, unless forbidden as before",
                "+ edit  deny -> any  callers without read or write with role editor, unless forbidden as before",
                "+ edit  deny -> any  callers holding admin whose claim frozen is true or of another type, unless forbidden as before",
                "+ edit  own -> any  callers holding read without write with role editor, unless forbidden as before",
                "+ resource:note://{id}  deny -> any  callers holding read without role editor",
                "+ resource:note://{id}  deny -> any  callers without read with role editor",
                "+ resource:note://secret  deny -> any  callers holding admin",
            ],
        ),
        (
            "callers: { default",
            "callers: { owner_key: issuer_and_subject, default",
            &[
                "+ callers.owner_key  subject -> issuer_and_subject  other objects may count as one's own: not proved to be narrower",
            ],
        ),
        ("callers: { default", "callers: { owner_key: subject, default", &[]),
        (
            "callers: { default: { scopes: scope, roles: groups } }",
            "",
            &[
                "+ edit  deny -> own  callers holding read without write without role editor, unless forbidden as before",
                "+ edit  deny -> any  callers holding write without role editor, unless forbidden as before",
                "+ edit  deny -> any  callers holding admin whose claim frozen is true or of another type, unless forbidden as before",
                "+ resource:note://{id}  deny -> any  callers holding read without role editor",
                "+ resource:note://secret  deny -> any  callers holding admin",
            ],
        ),
        (
            "default: {",
            "default: { subject: user_id,",
            &[
                "+ callers.default.subject  sub -> user_id  other objects may count as one's own: not proved to be narrower",
            ],
        ),
        (
            "callers: { default: {",
            "callers: { issuers: { 'https://one': {}, 'https://two': {} }, default: {",
            &[
                "+ edit  deny -> own  callers of https://one or https://two holding read without write without role editor, unless forbidden as before",
                "+ edit  deny -> any  callers of https://one or https://two holding write without role editor, unless forbidden as before",
                "+ edit  deny -> any  callers of https://one or https://two holding admin whose claim frozen is true or of another type, unless forbidden as before",
                "- edit  own -> deny  callers of any other issuer holding read without write with role editor, unless forbidden as before",
                "- edit  any -> deny  callers of any other issuer holding write with role editor, unless forbidden as before",
                "+ resource:note://{id}  deny -> any  callers of https://one or https://two holding read without role editor",
                "- resource:note://{id}  any -> deny  callers of any other issuer holding read with role editor",
                "+ resource:note://secret  deny -> any  callers of https://one or https://two holding admin",
            ],
        ),
        (
            "scopes: [read, write] }",
            "scopes: [read, write, admin] }",
            &[
                "+ edit  deny -> any  callers holding admin with role editor whose claim frozen is true or of another type, unless forbidden as before",
                "+ resource:note://secret  deny -> any  callers holding admin with role editor",
            ],
        ),
        (
            "roles: { editor",
            "roles: { chief: { scopes: [admin] }, editor",
            &[
                "+ edit  deny -> any  callers holding write with role chief without role editor, unless forbidden as before",
                "+ edit  deny -> any  callers holding admin with role chief whose claim frozen is true or of another type, unless forbidden as before",
                "+ resource:note://secret  deny -> any  callers holding admin with role chief",
            ],
        ),
        (
            "implies: [write] }",
            "implies: [read, write] }",
            &["+ resource:note://{id}  deny -> any  callers holding admin without read with role editor"],
        ),
        (
            "implies: [write] }",
            "implies: [] }",
            &[
                "- edit  any -> deny  callers holding admin without read or write with role editor, unless forbidden as before",
                "- edit  any -> own  callers holding read and admin without write with role editor, unless forbidden as before",
            ],
        ),
        (
            "  - { id: frozen, tools: [edit], when: { claim: { name: frozen, is: true, if_missing: skip } }, unless: { scope: admin } }\n",
            "",
            &[
                "+ edit  deny -> own  callers holding read without write with role editor whose claim frozen is true or of another type, unless forbidden as before",
                "+ edit  deny -> any  callers holding write with role editor whose claim frozen is true or of another type, unless forbidden as before",
            ],
        ),
        (
            "unless: { scope: admin }",
            "unless: { scope: write }",
            &[
                "+ edit  deny -> any  callers holding write with role editor whose claim frozen is true or of another type, unless forbidden as before",
            ],
        ),
        (
            "is: true",
            "is: false",
            &[
                "+ edit  deny -> own  callers holding read without write with role editor whose claim frozen is true, unless forbidden as before",
                "+ edit  deny -> any  callers holding write with role editor whose claim frozen is true, unless forbidden as before",
                "- edit  own -> deny  callers holding read without write with role editor whose claim frozen is false, unless forbidden as before",
                "- edit  any -> deny  callers holding write with role editor whose claim frozen is false, unless forbidden as before",
            ],
        ),
        (
            "if_missing: skip",
            "if_missing: deny",
            &[
                "- edit  own -> deny  callers holding read without write with role editor whose claim frozen is missing, unless forbidden as before",
                "- edit  any -> deny  callers holding write with role editor whose claim frozen is missing, unless forbidden as before",
            ],
        ),
        (
            "if_missing: deny",
            "if_missing: skip",
            &[
                "+ edit  deny -> own  callers holding read without write with role editor whose argument text is missing, unless forbidden as before",
                "+ edit  deny -> any  callers holding write with role editor whose argument text is missing, unless forbidden as before",
            ],
        ),
        (
            "100",
            "200",
            &[
                "+ edit  deny -> own  callers holding read without write with role editor whose argument text is of 101 to 200 characters, unless forbidden as before",
                "+ edit  deny -> any  callers holding write with role editor whose argument text is of 101 to 200 characters, unless forbidden as before",
            ],
        ),
        (
            "100",
            "50",
            &[
                "- edit  own -> deny  callers holding read without write with role editor whose argument text is of 51 to 100 characters, unless forbidden as before",
                "- edit  any -> deny  callers holding write with role editor whose argument text is of 51 to 100 characters, unless forbidden as before",
            ],
        ),
        ("id: frozen,", "id: cold, message: Too cold,", &[]),
        (
            "forbid:\n",
            "forbid:\n  - { id: all, everything: true }\n",
            &[
                "- edit  own -> deny  callers holding read without write with role editor, unless forbidden as before",
                "- edit  any -> deny  callers holding write with role editor, unless forbidden as before",
                "- resource:note://{id}  any -> deny  callers holding read with role editor",
            ],
        ),
        (
            "forbid:\n",
            "forbid:\n  - { id: app, everything: true, when: { client: evil } }\n",
            &[
                "- edit  own -> deny  callers holding read without write with role editor whose client is evil or missing, unless forbidden as before",
                "- edit  any -> deny  callers holding write with role editor whose client is evil or missing, unless forbidden as before",
                "- resource:note://{id}  any -> deny  callers holding read with role editor whose client is evil or missing",
            ],
        ),
        (
            "forbid:\n",
            "forbid:\n  - { id: n, tools: [edit], when: { arg: [{ name: n, min: 5, if_missing: skip }, { name: n, max: 10, if_missing: skip }] } }\n",
            &[
                "- edit  own -> deny  callers holding read without write with role editor whose argument n is at least 5 and at most 10 or of another type, unless forbidden as before",
                "- edit  any -> deny  callers holding write with role editor whose argument n is at least 5 and at most 10 or of another type, unless forbidden as before",
            ],
        ),
        (
            "forbid:\n",
            "forbid:\n  - { id: mode, resources: ['note://{id}'], when: { claim: { name: mode, in: [a, b, 3], if_missing: deny } } }\n",
            &[
                "- resource:note://{id}  any -> deny  callers holding read with role editor whose claim mode is a, b, 3, missing or of another type",
            ],
        ),
        (
            "forbid:\n",
            "forbid:\n  - { id: acr, resources: ['note://{id}'], when: { claim: { name: acr, present: false } } }\n",
            &[
                "- resource:note://{id}  any -> deny  callers holding read with role editor whose claim acr is missing or null",
            ],
        ),
        (
            "forbid:\n",
            "forbid:\n  - { id: three, tools: [edit], when: { role: editor, issuer: 'https://three' } }\n",
            &[
                "- edit  own -> deny  callers of https://three holding read without write with role editor, unless forbidden as before",
                "- edit  any -> deny  callers of https://three holding write with role editor, unless forbidden as before",
            ],
        ),
        (
            "forbid:\n",
            "forbid:\n  - { id: args, resources: ['note://{id}'], when: { arg: { name: x, is: y, if_missing: skip } } }\n",
            &[],
        ),
        (
            "  'note://secret': { requires: admin }\n",
            "",
            &["+ resource:note://secret  deny -> any  callers holding read with role editor"],
        ),
        // A URI of a template gets a rule of its own.
        (
            "resources:\n",
            "resources:\n  'note://open': { requires: [] }\n",
            &[
                "+ resource:note://open  deny -> any  callers without role editor",
                "+ resource:note://open  deny -> any  callers without read",
            ],
        ),
        (
            "resources:\n",
            "resources:\n  'card://{id}': { requires: read }\n",
            &["+ resource:card://{id}  deny -> any  callers holding read with role editor"],
        ),
        (
            "'note://{id}': { requires: read }",
            "'note://{id}': { requires: [read, write] }",
            &["- resource:note://{id}  any -> deny  callers holding read without write with role editor"],
        ),
        ("'note://{id}'", "'note://{key}'", &[]),
        (
            "'note://{id}'",
            "'note://x{id}'",
            &["- resource:note://{id}  any -> deny  callers holding read with role editor"],
        ),
        (
            "visibility: obtainable",
            "visibility: all",
            &["+ visibility  obtainable -> all  what lists show to everybody"],
        ),
        (
            "visibility: obtainable",
            "visibility: granted",
            &["- visibility  obtainable -> granted  what lists show to everybody"],
        ),
        (
            "on_not_owner: hide",
            "on_not_owner: step_up",
            &["+ on_not_owner  hide -> step_up  whether callers hear that an object of somebody else exists"],
        ),
    ];
    for (from, to, expected) in table {
        assert_eq!(edited(SECTIONS, from, to), *expected, "{from} -> {to}");
    }
}
