//! Small random policies, valid by construction.

use std::fmt::Write as _;

use proptest::{collection::vec, option, prelude::*, sample::subsequence};

const SCOPES: [&str; 5] = ["a:read", "a:write", "b", "c/d", "e.f"];
const ROLES: [&str; 3] = ["user", "admin", "auditor"];

#[derive(Debug, Clone)]
pub(crate) struct Sketch {
    /// For each scope, those it implies: only later ones, so that there is no cycle. Roles likewise.
    implies: Vec<Vec<&'static str>>,
    roles: Vec<(Vec<&'static str>, Vec<&'static str>)>,
    tools: Vec<Tool>,
    operations: Vec<Tool>,
}

#[derive(Debug, Clone)]
struct Tool {
    requires: Vec<&'static str>,
    any: bool,
    owner: Option<Vec<&'static str>>,
}

pub(crate) fn sketch() -> impl Strategy<Value = Sketch> {
    let some = |names: &'static [&'static str]| subsequence(names, 0..=names.len().min(2));
    let implies = (
        some(&SCOPES[1..]),
        some(&SCOPES[2..]),
        some(&SCOPES[3..]),
        some(&SCOPES[4..]),
    )
        .prop_map(|(a, b, c, d)| vec![a, b, c, d, Vec::new()]);
    let roles = (
        some(&SCOPES),
        some(&ROLES[1..]),
        some(&SCOPES),
        some(&ROLES[2..]),
        some(&SCOPES),
    )
        .prop_map(|(a, ai, b, bi, c)| vec![(a, ai), (b, bi), (c, Vec::new())]);
    let some_or_none = option::of(some(&SCOPES));
    let tool = (
        subsequence(&SCOPES[..], 0..=3).prop_shuffle(),
        any::<bool>(),
        some_or_none,
    )
        .prop_map(|(requires, any, owner)| Tool { requires, any, owner });
    (implies, roles, vec(tool.clone(), 1..4), vec(tool, 0..2)).prop_map(|(implies, roles, tools, operations)| Sketch {
        implies,
        roles,
        tools,
        operations,
    })
}

impl Sketch {
    pub(crate) fn to_yaml(&self) -> String {
        self.write(false)
    }

    /// The same policy with every mapping in the reverse order, other spacing and comments.
    pub(crate) fn to_yaml_reversed(&self) -> String {
        self.write(true)
    }

    fn write(&self, reversed: bool) -> String {
        let scopes = SCOPES.iter().zip(&self.implies).map(|(name, implies)| {
            if implies.is_empty() {
                return format!("{name}: About {name}");
            }
            fields(
                &format!("{name}: "),
                vec![format!("about: About {name}"), format!("implies: {}", list(implies))],
                reversed,
            )
        });
        let roles = ROLES.iter().zip(&self.roles).map(|(name, (scopes, includes))| {
            let parts = vec![
                format!("scopes: {}", list(scopes)),
                format!("includes: {}", list(includes)),
            ];
            fields(&format!("{name}: "), parts, reversed)
        });
        let tools = self
            .tools
            .iter()
            .enumerate()
            .map(|(i, tool)| tool.write(&format!("t{i}: "), reversed));
        let operations = self
            .operations
            .iter()
            .enumerate()
            .map(|(i, tool)| tool.write(&format!("o{i}: "), reversed));
        let sections = vec![
            "version: 1".to_owned(),
            section("scopes", scopes.collect(), reversed),
            section("roles", roles.collect(), reversed),
            section("objects", vec!["thing: { owner: owner_id }".to_owned()], reversed),
            section("tools", tools.collect(), reversed),
            section("operations", operations.collect(), reversed),
        ];
        ordered(sections, reversed).join("\n")
    }
}

impl Tool {
    fn write(&self, name: &str, reversed: bool) -> String {
        let requires = if self.any && !self.requires.is_empty() {
            format!("requires: {{ any: {} }}", list(&self.requires))
        } else {
            format!("requires: {}", list(&self.requires))
        };
        let mut parts = vec![requires];
        if let Some(owner) = &self.owner {
            parts.push("object: thing".to_owned());
            parts.push(if owner.is_empty() {
                "owner_fallback: true".to_owned()
            } else {
                format!("owner_fallback: {}", list(owner))
            });
        }
        fields(name, parts, reversed)
    }
}

fn section(name: &str, entries: Vec<String>, reversed: bool) -> String {
    if entries.is_empty() {
        return format!("{name}: {{}}");
    }
    let mut text = format!("{name}:");
    for entry in ordered(entries, reversed) {
        let _ = write!(text, "\n{}{entry}", if reversed { "# a comment\n     " } else { "  " });
    }
    text
}

fn fields(name: &str, parts: Vec<String>, reversed: bool) -> String {
    format!("{name}{{ {} }}", ordered(parts, reversed).join(", "))
}

fn ordered(mut parts: Vec<String>, reversed: bool) -> Vec<String> {
    if reversed {
        parts.reverse();
    }
    parts
}

fn list(names: &[&str]) -> String {
    format!("[{}]", names.join(", "))
}
