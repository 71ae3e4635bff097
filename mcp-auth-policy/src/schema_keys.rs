//! The JSON Schema of policies has the keys that reading takes, and no others.

use serde_json::Value;

use crate::{read, read_callers, read_forbid, read_operation, text};

/// Compares the keys under `properties` of each place in a schema with what reading takes there, and demands a description of each.
pub(crate) fn assert_keys(schema: &str, places: &[(&str, &[&str])]) {
    let schema: Value = serde_json::from_str(schema).unwrap();
    for (place, known) in places {
        let properties = schema.pointer(place).and_then(|at| at["properties"].as_object());
        let properties = properties.unwrap_or_else(|| panic!("{place} has no properties"));
        let (mut found, mut known): (Vec<&str>, Vec<&str>) =
            (properties.keys().map(String::as_str).collect(), known.to_vec());
        found.sort_unstable();
        known.sort_unstable();
        assert_eq!(found, known, "{place}");
        assert_eq!(schema.pointer(place).unwrap()["additionalProperties"], false, "{place}");
        for (key, property) in properties {
            let target = property["$ref"]
                .as_str()
                .and_then(|target| schema.pointer(target.strip_prefix('#')?));
            let described = [Some(property), target]
                .into_iter()
                .flatten()
                .any(|at| at["description"].is_string());
            assert!(described, "{place}/{key} has no description");
        }
    }
}

pub(crate) fn words(schema: &str, place: &str) -> Vec<String> {
    let schema: Value = serde_json::from_str(schema).unwrap();
    let words = schema
        .pointer(place)
        .and_then(Value::as_array)
        .unwrap_or_else(|| panic!("{place}"));
    words.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

const POLICY: &str = include_str!("../schema/mcp-policy.schema.json");

#[test]
fn the_schema_has_the_keys_that_a_policy_has() {
    assert_keys(
        POLICY,
        &[
            ("", read::KNOWN),
            ("/properties/scopes/additionalProperties/anyOf/1", read::SCOPE),
            ("/properties/roles/additionalProperties", read::ROLE),
            ("/properties/objects/additionalProperties", read::OBJECT),
            ("/properties/callers", read_callers::CALLERS),
            ("/definitions/mapping", read_callers::MAPPING),
            ("/definitions/operation", read_operation::OPERATION),
            (
                "/definitions/operation/properties/requires/anyOf/2",
                read_operation::REQUIRES,
            ),
            ("/definitions/forbid", read_forbid::FORBID),
            ("/definitions/condition", read_forbid::ATOMS),
            ("/definitions/claim_test", read_forbid::VALUE_ATOM),
            ("/definitions/argument_test", read_forbid::VALUE_ATOM),
        ],
    );
    assert_eq!(
        words(POLICY, "/definitions/forbid/properties/id/allOf/1/not/enum"),
        read_forbid::RESERVED
    );
    let column = "/properties/objects/additionalProperties/properties/owner/not/enum";
    assert_eq!(words(POLICY, column), text::VALUE_WORDS);
}

/// Wherever a word is one of a few, reading takes each of them and lists no other.
#[test]
fn the_schema_has_the_words_that_a_policy_has() {
    let places = [
        ("/properties/visibility/enum", "visibility: WORD"),
        ("/properties/on_not_owner/enum", "on_not_owner: WORD"),
        (
            "/properties/callers/properties/owner_key/enum",
            "callers: { owner_key: WORD }",
        ),
        (
            "/definitions/mapping/properties/combine/enum",
            "callers: { default: { scopes: scope, roles: groups, combine: WORD } }",
        ),
        (
            "/definitions/if_missing/enum",
            "forbid: [{ id: x, everything: true, when: { claim: { name: n, is: 1, if_missing: WORD } } }]",
        ),
    ];
    for (place, text) in places {
        let words = words(POLICY, place);
        let parse = |word: &str| {
            let text = format!("version: 1\ntools: {{}}\n{}\n", text.replace("WORD", word));
            crate::Policy::parse(&text)
                .map(|_| ())
                .map_err(|errors| errors.to_string())
        };
        for word in &words {
            parse(word).unwrap_or_else(|errors| panic!("{place}: {errors}"));
        }
        let listed: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
        let errors = parse("xxxxxxxxxxxx").unwrap_err();
        assert!(
            errors.contains(&format!("known here: {}", listed.join(", "))),
            "{place}: {errors}"
        );
    }
}
