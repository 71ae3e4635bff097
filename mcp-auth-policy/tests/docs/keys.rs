//! The last section of the guide lists every key, and no other: those of the JSON Schemas that the program prints.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    process::Command,
};

use serde_json::Value;

use crate::guide;

/// Every key of a schema by its path, `*` for names of one's own, with its default where the schema has one.
fn keys(of: &str) -> BTreeMap<String, Option<String>> {
    let output = Command::new(env!("CARGO_BIN_EXE_mcp-policy"))
        .args(["schema", of])
        .output()
        .unwrap();
    let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut keys = BTreeMap::new();
    collect(&schema, &schema, "", &mut keys);
    keys
}

fn collect(root: &Value, node: &Value, path: &str, keys: &mut BTreeMap<String, Option<String>>) {
    if let Some(target) = node["$ref"].as_str().and_then(|target| target.strip_prefix('#')) {
        collect(root, root.pointer(target).unwrap(), path, keys);
    }
    for (key, value) in node["properties"].as_object().into_iter().flatten() {
        let path = alike(&format!("{path}.{key}"));
        let default = value
            .get("default")
            .map(|default| default.as_str().map_or(default.to_string(), str::to_owned));
        keys.insert(path.clone(), default);
        // What stands in claims are names of issuers, and no keys.
        if key != "claims" {
            collect(root, value, &path, keys);
        }
    }
    for (key, step) in [("additionalProperties", ".*"), ("items", "")] {
        if node[key].is_object() {
            collect(root, &node[key], &format!("{path}{step}"), keys);
        }
    }
    for alternative in ["anyOf", "oneOf", "allOf"]
        .iter()
        .flat_map(|key| node[key].as_array().into_iter().flatten())
    {
        collect(root, alternative, path, keys);
    }
}

/// What the section says once for several keys.
fn alike(path: &str) -> String {
    let mut path = path.replace(".unless.", ".when.").replace(".when.arg.", ".when.claim.");
    for section in [".prompts", ".resources", ".operations"] {
        path = path.replace(section, ".tools");
    }
    path.replace(".callers.default.", ".callers.issuers.*.")
}

/// The rows of the table under a heading: each key, and what stands in the second column.
fn rows(heading: &str) -> BTreeMap<String, String> {
    let text = fs::read_to_string(guide()).unwrap();
    let (_, section) = text.split_once(&format!("\n### {heading}\n")).unwrap();
    let section = section.split("\n#").next().unwrap();
    let mut rows = BTreeMap::new();
    for row in section.lines().filter(|line| line.starts_with("| `")) {
        let mut cells = row.trim_matches('|').split(" | ").map(str::trim);
        let (keys, default) = (cells.next().unwrap(), cells.next().unwrap());
        let is_name = |part: &str| part.chars().all(|c| c.is_ascii_uppercase());
        for key in keys.split(", ") {
            let parts = key
                .trim_matches('`')
                .split('.')
                .map(|part| if is_name(part) { "*" } else { part });
            let path = format!(".{}", parts.collect::<Vec<_>>().join("."));
            assert_eq!(rows.insert(path, default.to_owned()), None, "{key} has two rows");
        }
    }
    rows
}

#[test]
fn the_last_section_lists_every_key_of_both_files_and_its_default() {
    for (of, heading) in [("policy", "In a policy"), ("test", "In a suite")] {
        let (keys, rows) = (keys(of), rows(heading));
        // A key with keys of its own needs no row: theirs say it. `lists.NAME` says what `lists` is.
        let known: BTreeSet<&str> = keys.keys().map(String::as_str).collect();
        let has_own = |key: &str| known.iter().any(|other| other.starts_with(&format!("{key}.")));
        let is_listed = |key: &str| rows.contains_key(key) || rows.contains_key(&format!("{key}.*"));
        let missing: Vec<_> = known.iter().filter(|key| !is_listed(key) && !has_own(key)).collect();
        assert!(missing.is_empty(), "{heading}: no row for {missing:?}");
        let unknown = |key: &&String| !known.contains(key.strip_suffix(".*").unwrap_or(key));
        let unknown: Vec<_> = rows.keys().filter(unknown).collect();
        assert!(unknown.is_empty(), "{heading}: there is no such key as {unknown:?}");
        for (key, default) in &keys {
            if let (Some(default), Some(shown)) = (default, rows.get(key)) {
                assert_eq!(shown.trim_matches('`'), default, "the default of {key}");
            }
        }
    }
}
