//! Principals of a suite: the token that each stands for, and what the policy makes of it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use mcp_auth_policy::{
    Policy, PolicyErrors,
    suite::{Report, SuiteFile},
};

const POLICY: &str = include_str!("samples/desk.yaml");

fn run(policy: &Policy, suite: &str) -> Result<Report, PolicyErrors> {
    let text = format!("version: 1\npolicy: desk.yaml\n{suite}");
    Ok(SuiteFile::parse("desk.test.yaml", text)?.with_policy(policy)?.run())
}

/// Gives what a principal reaches with each tool, as the matrix would say it.
fn reaches(principal: &str) -> String {
    let policy = Policy::parse(POLICY).unwrap();
    let tools = [
        "read-ticket",
        "close-ticket",
        "answer",
        "purge",
        "resource:desk://{year}/{id}",
    ];
    let rows: String = tools.iter().map(|tool| format!("  {tool} | 401\n")).collect();
    let suite = format!("principals:\n  who: {principal}\nmatrix: |\n  tool | who\n{rows}");
    let report = run(&policy, &suite).unwrap_or_else(|errors| panic!("{errors}"));
    let found = report
        .failures()
        .iter()
        .map(|failure| failure.actual().split(' ').next().unwrap());
    found.collect::<Vec<_>>().join(" ")
}

#[test]
fn a_token_carries_what_its_issuer_would_put_into_it() {
    for (principal, expected) in [
        ("{ as: reader }", "any own deny deny any"),
        ("{ as: writer }", "any any any deny any"),
        ("{ as: chief }", "any any any any any"),
        ("{ scopes: [] }", "own deny deny deny deny"),
        ("{ scopes: [manage:desk] }", "own any any any deny"),
        // An issuer of scopes alone.
        ("{ issuer: https://scopes.example, as: writer }", "any any any deny any"),
        (
            "{ issuer: https://scopes.example, scopes: [read:desk] }",
            "any own deny deny any",
        ),
        (
            "{ issuer: https://scopes.example, claims: { scope: read:desk openid } }",
            "any own deny deny any",
        ),
        (
            "{ issuer: https://scopes.example, claims: { scope: [read:desk, openid] } }",
            "any own deny deny any",
        ),
        (
            "{ issuer: https://scopes.example, claims: { roles: [chief] } }",
            "own deny deny deny deny",
        ),
        // An issuer of roles alone calls them by its own names.
        ("{ issuer: https://roles.example, as: writer }", "any any any deny any"),
        ("{ issuer: https://roles.example, as: chief }", "any any any any any"),
        (
            "{ issuer: https://roles.example, claims: { realm: { roles: [staff] } } }",
            "any any any deny any",
        ),
        (
            "{ issuer: https://roles.example, claims: { realm: { roles: [writer] } } }",
            "own deny deny deny deny",
        ),
        (
            "{ issuer: https://roles.example, as: writer, claims: { realm: { id: 1 } } }",
            "any any any deny any",
        ),
        // Scopes and roles limit each other ...
        ("{ issuer: https://both.example, as: writer }", "any any any deny any"),
        (
            "{ issuer: https://both.example, as: chief, scopes: [read:desk] }",
            "any own deny deny any",
        ),
        (
            "{ issuer: https://both.example, as: reader, scopes: [manage:desk] }",
            "own deny deny deny deny",
        ),
        (
            "{ issuer: https://both.example, scopes: [read:desk] }",
            "own deny deny deny deny",
        ),
        (
            "{ issuer: https://both.example, scopes: [read:desk], claims: { groups: [reader] } }",
            "any own deny deny any",
        ),
        // ... or add up.
        (
            "{ issuer: https://union.example, as: reader, scopes: [write:desk] }",
            "any any any deny any",
        ),
    ] {
        // Without a client the forbid on one would stand.
        let principal = principal.replacen('{', "{ client: desktop,", 1);
        assert_eq!(reaches(&principal), expected, "{principal}");
    }
}

#[test]
fn claims_and_clients_reach_the_forbids() {
    for (principal, expected) in [
        (
            "{ as: chief, claims: { status: suspended } }",
            "deny deny deny deny deny",
        ),
        // A token that names no client could be anybody's.
        ("{ as: chief, claims: { status: active } }", "any any any deny any"),
        ("{ as: chief, client: kiosk }", "any any any deny any"),
        ("{ as: chief, client: desktop }", "any any any any any"),
        ("{ as: chief, claims: { client_id: kiosk } }", "any any any deny any"),
        ("{ as: chief, claims: { azp: kiosk } }", "any any any deny any"),
        (
            "{ as: chief, client: desktop, claims: { azp: kiosk } }",
            "any any any any any",
        ),
    ] {
        assert_eq!(reaches(principal), expected, "{principal}");
    }
}

#[test]
fn a_caller_without_a_subject_owns_nothing() {
    assert_eq!(reaches("{ scopes: [], subject: \"\" }"), "deny deny deny deny deny");
    assert_eq!(
        reaches("{ issuer: https://mail.example, scopes: [] }"),
        "own deny deny deny deny"
    );
    let nobody = "{ issuer: https://mail.example, scopes: [], subject: \"\" }";
    assert_eq!(reaches(nobody), "deny deny deny deny deny");
    let strange = "{ issuer: https://mail.example, scopes: [], claims: { contact: { email: 7 } } }";
    assert_eq!(reaches(strange), "deny deny deny deny deny");
}

#[test]
fn the_owner_of_an_object_is_a_subject_and_not_a_name() {
    let policy = Policy::parse(POLICY).unwrap();
    let principals = "principals:
  ann: { issuer: https://scopes.example, scopes: [] }
  ann-too: { issuer: https://scopes.example, scopes: [], subject: ann }
  ann-three: { issuer: https://scopes.example, scopes: [], claims: { sub: ann } }
  other-ann: { issuer: https://mail.example, scopes: [], subject: ann }
  nobody: { issuer: https://mail.example, scopes: [], subject: \"\" }
  anon: none
";
    for (caller, owner, because) in [
        ("ann", "ann", "owner"),
        ("ann", "ann-too", "owner"),
        ("ann", "ann-three", "owner"),
        ("ann-three", "ann", "owner"),
        ("ann", "other-ann", "not-owner"),
        ("other-ann", "ann", "not-owner"),
        ("ann", "nobody", "owner-unknown"),
        ("ann", "anon", "owner-unknown"),
        ("nobody", "nobody", "owner-unknown"),
        ("nobody", "ann", "owner-unknown"),
        ("nobody", "other", "owner-unknown"),
        ("ann", "other", "not-owner"),
        ("anon", "ann", "unauthenticated"),
    ] {
        let expect = if because == "owner" { "allow" } else { "deny" };
        let case = format!(
            "cases:\n  - {{ name: x, call: read-ticket, as: {caller}, owner: {owner}, expect: {expect}, because: {because} }}\n"
        );
        let report = run(&policy, &format!("{principals}{case}")).unwrap();
        assert!(report.is_ok(), "{report}");
    }
}

#[test]
fn without_listed_issuers_every_issuer_will_do() {
    let policy = Policy::parse(
        "version: 1\nscopes: { s: S }\nroles: { r: { scopes: [s] } }\ncallers: { default: { roles: groups } }\ntools: { t: { requires: s } }\n",
    )
    .unwrap();
    let suite = "principals:
  plain: { as: r }
  issued: { issuer: https://any.example, as: r }
  scoped: { claims: { scope: s } }
matrix: |
  tool | plain | issued | scoped
  t    | any   | any    | deny
";
    let report = run(&policy, suite).unwrap();
    assert!(report.is_ok(), "{report}");
}
