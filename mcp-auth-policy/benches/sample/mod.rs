//! Policies of any size, and suites for them.

use std::fmt::Write as _;

/// Scopes of one role, tools of one role.
const TEN: usize = 10;
/// A policy may have 4,096.
const MAX_SCOPES: usize = 4_000;

/// The scope that a tool requires.
pub(crate) fn scope(tool: usize) -> String {
    format!("use:{:04}", tool % MAX_SCOPES)
}

pub(crate) fn tool(number: usize) -> String {
    format!("tool-{number:06}")
}

/// A policy of so many tools, each requiring one scope, half of them with an owner fallback; a role for every ten scopes; and two forbids, one
/// for everything and one that reads an argument.
pub(crate) fn policy(tools: usize) -> String {
    let scopes = tools.min(MAX_SCOPES);
    let mut text = String::from("version: 1\npolicy: sample\nscopes:\n");
    for number in 0..scopes {
        let _ = writeln!(text, "  {}: Use tool {number}", scope(number));
    }
    text.push_str("roles:\n");
    for first in (0..scopes).step_by(TEN) {
        let named: Vec<String> = (first..scopes.min(first + TEN)).map(scope).collect();
        let _ = writeln!(text, "  role-{first:04}: {{ scopes: [{}] }}", named.join(", "));
    }
    text.push_str("objects:\n  item: { owner: owner_id }\ntools:\n");
    for number in 0..tools {
        let own = if number % 2 == 1 {
            ", object: item, owner_fallback: true"
        } else {
            ""
        };
        let _ = writeln!(text, "  {}: {{ requires: {}{own} }}", tool(number), scope(number));
    }
    text + "\
forbid:
  - id: suspended
    everything: true
    when: { claim: { name: account_status, is: suspended, if_missing: skip } }
  - id: long-text
    tools: [tool-000000]
    when: { arg: { name: text, longer_than: 2000, if_missing: skip } }
"
}

/// A suite for [`policy`]: every tool for every role, a list for each, a case for each tool with an owner, invariants, and `cover: all`.
pub(crate) fn suite(tools: usize) -> String {
    let roles: Vec<usize> = (0..tools.min(MAX_SCOPES)).step_by(TEN).collect();
    let mut text = String::from(
        "\
version: 1
policy: sample.yaml
principals:
  anon: none
  empty: { scopes: [] }
  suspended: { as: role-0000, claims: { account_status: suspended } }
",
    );
    for first in &roles {
        let _ = writeln!(text, "  caller-{first:04}: {{ as: role-{first:04} }}");
    }
    text.push_str("matrix: |\n  tool | anon | empty | suspended");
    for first in &roles {
        let _ = write!(text, " | caller-{first:04}");
    }
    let mut cases = String::from("\ncases:\n");
    let mut invariants =
        String::from("invariants:\n  - { name: more scopes never mean less access, monotone: true }\n");
    for number in 0..tools {
        let (tool, scope) = (tool(number), scope(number));
        let without = if number % 2 == 1 { "own" } else { "deny" };
        let _ = write!(text, "\n  {tool} | 401 | {without} | deny");
        for first in &roles {
            let holds = (*first..first + TEN).contains(&(number % MAX_SCOPES));
            let _ = write!(text, " | {}", if holds { "any" } else { without });
        }
        let _ = writeln!(
            invariants,
            "  - {{ name: {tool} needs its scope, tool: {tool}, owner: other, needs: {scope} }}"
        );
        if number % 2 == 1 {
            let _ = writeln!(
                cases,
                "  - {{ name: {tool} of somebody else, call: {tool}, as: empty, owner: other, expect: deny, because: not-owner, challenge: [{scope}] }}"
            );
        }
    }
    for (name, length, expect) in [("too long", 2001, "deny"), ("as long as may be", 2000, "allow")] {
        let _ = writeln!(
            cases,
            "  - {{ name: {name}, call: tool-000000, as: caller-0000, args: {{ text: {{ length: {length} }} }}, expect: {expect} }}"
        );
    }
    let all: Vec<String> = (0..tools).map(tool).collect();
    let lists = format!("lists:\n  anon: []\n  suspended: []\n  empty: [{}]\n", all.join(", "));
    text + &cases + &lists + &invariants + "cover: all\n"
}
