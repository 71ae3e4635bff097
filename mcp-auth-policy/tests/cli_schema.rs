//! The JSON Schemas: what `schema` prints, which files they take, and which mistakes they see.
//!
//! After a change of a schema, `UPDATE_SCHEMAS=1 cargo test -p mcp-auth-policy --test cli_schema` writes the copies beside the policies.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests read their samples"
)]

mod common;

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use common::Folder;
use jsonschema::Validator;
use mcp_auth_policy::{Policy, suite::SuiteFile};
use serde_json::Value;

const POLICY: &str = include_str!("../schema/mcp-policy.schema.json");
const SUITE: &str = include_str!("../schema/mcp-policy-test.schema.json");

/// Invalid files that no schema can tell from valid ones, by what their mistakes are about.
const UNSEEN: &[&str] = &[
    // Names that are not declared, and what follows from other parts of the file.
    "cycle.yaml",
    "overlapping-templates.yaml",
    "unknown-issuer.yaml",
    "unknown-object.yaml",
    "unknown-role.yaml",
    "unknown-scope.yaml",
    // The text of a matrix.
    "invalid-cell.test.yaml",
    "matrix-not-literal.test.yaml",
    "missing-cell.test.yaml",
    "missing-column.test.yaml",
    "missing-row.test.yaml",
    // Names from the policy, or from elsewhere in the suite.
    "conflicting-fields.test.yaml",
    "duplicate-name-of-cover.test.yaml",
    "duplicate-name.test.yaml",
    "unknown-issuer.test.yaml",
    "unknown-operation.test.yaml",
    "unknown-principal.test.yaml",
    "unknown-role.test.yaml",
    // The length of what a short form stands for.
    "text-too-long-together.test.yaml",
];

fn validator(schema: &str) -> Validator {
    let schema: Value = serde_json::from_str(schema).unwrap();
    assert!(jsonschema::draft7::meta::is_valid(&schema));
    jsonschema::draft7::new(&schema).unwrap()
}

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    files
}

fn name(file: &Path) -> &str {
    file.file_name().unwrap().to_str().unwrap()
}

/// The mistakes that the schema of its kind of file finds, or `None` if it is no YAML that an editor could judge.
fn mistakes(file: &Path, policy: &Validator, suite: &Validator) -> Option<Vec<String>> {
    let text = fs::read_to_string(file).ok()?;
    let value: Value = serde_yaml::from_str(&text).ok()?;
    let schema = if name(file).ends_with(".test.yaml") {
        suite
    } else {
        policy
    };
    let errors = schema.iter_errors(&value);
    Some(
        errors
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect(),
    )
}

#[test]
fn every_good_file_is_good_to_the_schemas() {
    let (policy, suite) = (validator(POLICY), validator(SUITE));
    let mut files: Vec<PathBuf> = ["../policies", "tests/samples"].into_iter().flat_map(files).collect();
    let warnings = self::files("tests/invalid")
        .into_iter()
        .filter(|file| name(file).starts_with("warning-"));
    files.extend(warnings);
    assert!(files.len() > 12);
    for file in files {
        let mistakes = mistakes(&file, &policy, &suite).unwrap();
        assert!(mistakes.is_empty(), "{}: {mistakes:#?}", file.display());
    }
}

#[test]
fn every_mistake_of_shape_is_one_to_the_schemas() {
    let (policy, suite) = (validator(POLICY), validator(SUITE));
    let mut unseen = Vec::new();
    for file in files("tests/invalid") {
        let name = name(&file).to_owned();
        // What YAML itself forbids, or only our reader does.
        if name.starts_with("yaml-") || name.starts_with("duplicate-key") || name.starts_with("warning-") {
            continue;
        }
        match mistakes(&file, &policy, &suite) {
            Some(mistakes) if mistakes.is_empty() => unseen.push(name),
            _ => {}
        }
    }
    let mut expected: Vec<&str> = UNSEEN.to_vec();
    expected.sort_unstable();
    assert_eq!(unseen, expected);
}

/// One change to a good file, and whether our reader and the schema take it.
#[test]
fn the_schema_and_the_reader_agree_on_small_changes() {
    let policy = validator(POLICY);
    let good = "
version: 1
policy: p
scopes: { a: A, b: { about: B, implies: [a] } }
roles: { user: { scopes: [a], includes: [] } }
objects: { thing: { owner: owner_id } }
callers: { default: { scopes: scope, roles: [realm, roles], combine: intersection, role_names: { x: user } } }
tools: { t: { requires: { any: [a, b] }, object: thing, owner_fallback: [a] } }
resources: { 'x://{y}/z': { requires: [] } }
forbid: [{ id: f, tools: t, when: { claim: { name: c, is: 1, if_missing: skip } }, unless: { scope: a }, message: M }]
";
    let changes = [
        ("", "", true),
        ("policy: p", "policy: ' p'", false),
        ("policy: p", "policy: \"p\\tq\"", false),
        ("{ a: A,", "{ 'a b': A, a: A,", false),
        ("{ a: A,", "{ a: A, 'x\"': A,", false),
        ("{ a: A,", "{ a: '',", false),
        ("implies: [a]", "implies: a", false),
        ("implies: [a]", "implies: [a, a]", false),
        ("owner: owner_id", "owner: user", false),
        ("owner: owner_id", "owner: 1st", false),
        ("owner: owner_id", "owner: '_Owner9'", true),
        ("combine: intersection", "combine: union", true),
        ("scopes: scope, roles", "roles", false),
        ("roles: [realm, roles], combine: intersection, ", "", false),
        ("roles: [realm, roles]", "roles: []", false),
        ("roles: [realm, roles]", "roles: a..b", false),
        ("roles: [realm, roles]", "roles: 'https://x/..y'", true),
        ("default: { scopes", "default: { subject: email, scopes", false),
        ("default: { scopes", "default: { subject: profile.upn, scopes", false),
        (
            "default: { scopes",
            "default: { subject: 'https://x/email', scopes",
            true,
        ),
        ("default: { scopes", "default: { dangerous_subject: email, scopes", true),
        (
            "default: { scopes",
            "default: { subject: sub, dangerous_subject: email, scopes",
            false,
        ),
        ("{ any: [a, b] }", "a", true),
        ("{ any: [a, b] }", "[]", true),
        ("{ any: [a, b] }", "{ any: [] }", false),
        ("{ any: [a, b] }", "{ any: a }", false),
        ("{ any: [a, b] }", "true", false),
        ("object: thing, ", "", false),
        ("object: thing, owner_fallback: [a]", "owner_fallback: false", true),
        ("owner_fallback: [a]", "owner_fallback: []", false),
        ("owner_fallback: [a]", "owner_fallback: a", true),
        ("tools: { t:", "tools: { 't t':", false),
        ("x://{y}/z", "x://y", true),
        ("x://{y}/z", "x://{y}{z}", false),
        ("x://{y}/z", "x://{y/z}", false),
        ("x://{y}/z", "x:", false),
        ("x://{y}/z", "//y", false),
        ("x://{y}/z", "x://a|b", false),
        ("id: f", "id: missing-scope", false),
        ("tools: t,", "", false),
        ("tools: t,", "everything: true,", true),
        ("tools: t,", "everything: false, tools: t,", false),
        ("tools: t,", "everything: true, tools: t,", false),
        ("tools: t,", "tools: [],", false),
        ("unless: { scope: a }", "unless: {}", false),
        ("is: 1, if_missing: skip", "is: 1", false),
        ("is: 1, if_missing: skip", "present: true", true),
        ("is: 1, if_missing: skip", "is: 1, present: true", false),
        ("is: 1, if_missing: skip", "is: 1, min: 1, if_missing: skip", false),
        ("is: 1, if_missing: skip", "is: [1], if_missing: skip", false),
        ("is: 1, if_missing: skip", "in: [], if_missing: skip", false),
        ("is: 1, if_missing: skip", "in: [1, x, true], if_missing: deny", true),
        ("is: 1, if_missing: skip", "longer_than: -1, if_missing: skip", false),
        ("is: 1, if_missing: skip", "longer_than: 1.5, if_missing: skip", false),
        ("is: 1, if_missing: skip", "min: '1', if_missing: skip", false),
        ("message: M", "message: ''", false),
    ];
    for (from, to, expected) in changes {
        assert!(good.contains(from), "{from}");
        let text = good.replacen(from, to, 1);
        let read = Policy::parse(&text);
        assert_eq!(read.is_ok(), expected, "the reader on {to}: {read:?}");
        let value: Value = serde_yaml::from_str(&text).unwrap();
        assert_eq!(policy.is_valid(&value), expected, "the schema on {to}");
    }
}

#[test]
fn the_test_schema_and_the_reader_agree_on_small_changes() {
    let (policy, suite) = (Policy::parse(common::TODO).unwrap(), validator(SUITE));
    let good = "
version: 1
policy: todo.yaml
principals: { anon: none, alice: { as: user }, bob: { scopes: [read:todos], client: app, claims: { x: [1] } } }
cases:
  - { name: c, call: delete-todo, as: alice, owner: alice, args: { id: 1 }, expect: allow, because: owner, challenge: none }
lists: { alice: [create-todo, get-todos, delete-todo] }
invariants:
  - { name: i, tool: delete-todo, owner: other, needs: delete:todos }
  - { name: j, as: user, owner: other, never: [delete-todo] }
  - { name: k, monotone: true }
";
    let changes = [
        ("", "", true),
        ("policy: todo.yaml", "policy: ''", false),
        ("anon: none", "anon: nobody", false),
        ("anon: none", "other: none", false),
        ("anon: none", "'a|b': none", false),
        ("alice: { as: user }", "alice: { issuer: 'https://x' }", false),
        ("client: app", "client: 1", false),
        ("client: app", "subject: ''", true),
        ("claims: { x: [1] }", "claims: [x]", false),
        ("claims: { x: [1] }", "claims: { sub: 7 }", false),
        ("claims: { x: [1] }", "claims: { sub: '' }", false),
        (
            "claims: { x: [1] }",
            "claims: { x: { length: 3 }, y: [{ length: 0 }], z: { length: 1, other: x } }",
            true,
        ),
        ("claims: { x: [1] }", "claims: { x: [{ length: -1 }] }", false),
        ("args: { id: 1 }", "args: { id: { in: { length: 1048577 } } }", false),
        ("args: { id: 1 }", "args: { length: x }", true),
        ("name: c, ", "", false),
        ("expect: allow", "expect: yes", false),
        ("challenge: none", "challenge: [delete:todos, delete:todos]", false),
        ("challenge: none", "challenge: nothing", false),
        ("args: { id: 1 }", "args: 1", false),
        (
            "lists: { alice: [create-todo, get-todos, delete-todo] }",
            "lists: { alice: create-todo }",
            false,
        ),
        ("tool: delete-todo, owner: other, needs", "owner: other, needs", false),
        ("tool: delete-todo,", "tools: [delete-todo], tool: delete-todo,", false),
        ("tool: delete-todo,", "tools: [delete-todo],", true),
        ("owner: other, needs", "owner: absent, needs", false),
        ("as: user, owner: other, never", "owner: other, never", false),
        (
            "as: user, owner: other, never",
            "as: user, tool: get-todos, owner: other, never",
            false,
        ),
        ("needs: delete:todos", "needs: delete:todos, as: user", false),
        ("monotone: true", "monotone: false", false),
        ("monotone: true", "monotone: true, as: user", false),
        ("name: k, monotone: true", "name: k", false),
    ];
    for (from, to, expected) in changes {
        assert!(good.contains(from), "{from}");
        let text = good.replacen(from, to, 1);
        let read = SuiteFile::parse("x.test.yaml", &text).and_then(|file| file.with_policy(&policy).map(|_| ()));
        assert_eq!(read.is_ok(), expected, "the reader on {to}: {read:?}");
        let value: Value = serde_yaml::from_str(&text).unwrap();
        assert_eq!(suite.is_valid(&value), expected, "the schema on {to}");
    }
}

#[test]
fn the_verb_prints_the_schemas_and_the_copies_beside_the_policies_are_current() {
    let folder = Folder::new("schema");
    assert_eq!(folder.out(0, &["schema"]), POLICY);
    assert_eq!(folder.out(0, &["schema", "policy"]), POLICY);
    assert_eq!(folder.out(0, &["schema", "test"]), SUITE);
    assert_eq!(folder.run(&["schema", "suite"]).0, 2);
    for (name, text) in [("mcp-policy", POLICY), ("mcp-policy-test", SUITE)] {
        let copy = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../policies/{name}.schema.json"));
        if env::var_os("UPDATE_SCHEMAS").is_some() {
            fs::write(&copy, text).unwrap();
        }
        assert!(
            fs::read_to_string(&copy).unwrap().replace("\r\n", "\n") == text,
            "{} is stale",
            copy.display()
        );
    }
    let header = |schema: &str| format!("# yaml-language-server: $schema=./{schema}.schema.json\n");
    assert!(common::TODO.starts_with(&header("mcp-policy")));
    assert!(common::SUITE.starts_with(&header("mcp-policy-test")));
}
