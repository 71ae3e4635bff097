//! The revision changes with the meaning of a policy, and with nothing else.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::HashSet;

use mcp_auth_policy::Policy;

const LIBRARY: &str = include_str!("samples/library.yaml");

fn revision(text: &str) -> String {
    Policy::parse(text)
        .unwrap_or_else(|errors| panic!("{errors}"))
        .revision()
        .to_owned()
}

/// Replaces one place, which must be there.
fn changed(from: &str, to: &str) -> String {
    assert_eq!(LIBRARY.matches(from).count(), 1, "{from}");
    LIBRARY.replace(from, to)
}

#[test]
fn every_change_of_meaning_changes_the_revision() {
    let changes = [
        ("policy: library", "policy: books"),
        ("See every loan", "See all loans"),
        ("implies: [books:write, loans:write]", "implies: [books:write]"),
        ("scopes: [books:read, loans:own]", "scopes: [books:read]"),
        ("includes: [clerk]", "includes: [reader]"),
        ("librarian:", "boss:"),
        ("owner: borrower_id", "owner: lender_id"),
        ("about: { requires: [] }", "about: { requires: books:read }"),
        ("{ any: [books:read, books:write] }", "[books:read, books:write]"),
        (
            "{ any: [books:read, books:write] }",
            "{ any: [books:write, books:read] }",
        ),
        (
            "requires: [books:read, books:write] }",
            "requires: [books:write, books:read] }",
        ),
        ("owner_fallback: loans:own", "owner_fallback: true"),
        (", owner_fallback: loans:own", ""),
        (", object: loan, owner_fallback: loans:own", ""),
        ("list-loans", "all-loans"),
        ("operations:\n", ""),
        (
            "export: { requires: library:manage }",
            "export: { requires: loans:write }",
        ),
        (
            "advertise: [books:read, loans:own]",
            "advertise: [loans:own, books:read]",
        ),
        ("advertise: [books:read, loans:own]", "advertise: []"),
        ("advertise: [books:read, loans:own]", ""),
    ];
    let mut seen = HashSet::from([revision(LIBRARY)]);
    for (from, to) in changes {
        assert!(seen.insert(revision(&changed(from, to))), "{from} -> {to}");
    }
}

#[test]
fn spelling_comments_and_orders_without_meaning_do_not_change_it() {
    let changes = [
        ("# A policy that uses everything the language has.\n", "\n\n"),
        ("includes: [clerk]", "'includes': [ \"clerk\" ]"),
        (
            "implies: [books:write, loans:write]",
            "implies: [loans:write, books:write]",
        ),
        ("scopes: [loans:read, loans:write]", "scopes: [loans:write, loans:read]"),
        (
            "owner_fallback: [loans:own, books:read]",
            "owner_fallback: [books:read, loans:own]",
        ),
        ("owner_fallback: loans:own", "owner_fallback: [loans:own]"),
        (", owner_fallback: false", ""),
        (
            "edit-book: { requires: [books:read, books:write] }",
            "edit-book:\n    requires:\n    - books:read\n    - books:write",
        ),
        (
            "list-loans: { requires: loans:read,",
            "list-loans: { requires: [loans:read],",
        ),
    ];
    for (from, to) in changes {
        assert_eq!(revision(&changed(from, to)), revision(LIBRARY), "{from} -> {to}");
    }
    assert_eq!(revision(&LIBRARY.replace('\n', "\r\n")), revision(LIBRARY));
    let named = Policy::loader()
        .file_name("elsewhere/library.yaml")
        .parse(LIBRARY)
        .unwrap();
    assert_eq!(named.revision(), revision(LIBRARY));
}
