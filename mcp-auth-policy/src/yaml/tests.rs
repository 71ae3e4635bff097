//! The tree against a second, independent YAML reader.

#![allow(clippy::panic, reason = "tests")]

use proptest::{collection::vec, prelude::*};

use super::{Node, Value, check_text, parse};
use crate::{findings::Findings, source::Source};

fn read(text: &str) -> Result<Node, String> {
    let source = Source::new("test.yaml", text);
    let mut findings = Findings::new(&source);
    let root = if check_text(text, usize::MAX, &mut findings) {
        parse(text, &mut findings)
    } else {
        None
    };
    match root {
        Some(root) if findings.is_empty() => Ok(root),
        _ => Err(findings.into_errors().to_string()),
    }
}

/// Demands that both readers saw the same. Where ours says "a number", the other may say text: see `scalar`.
fn assert_same(ours: &Node, other: &serde_yaml::Value, text: &str) {
    use serde_yaml::Value as Other;
    match (&ours.value, other) {
        (Value::Null, Other::Null) | (Value::Number(_), Other::Number(_)) => {}
        (Value::Bool(ours), Other::Bool(other)) => assert_eq!(ours, other, "{text}"),
        (Value::Number(ours) | Value::Text(ours), Other::String(other)) => assert_eq!(ours, other, "{text}"),
        (Value::List(ours), Other::Sequence(other)) => {
            assert_eq!(ours.len(), other.len(), "{text}");
            ours.iter()
                .zip(other)
                .for_each(|(ours, other)| assert_same(ours, other, text));
        }
        (Value::Map(ours), Other::Mapping(other)) => {
            assert_eq!(ours.len(), other.len(), "{text}");
            for (ours, (key, other)) in ours.iter().zip(other) {
                assert_eq!(Some(ours.key.as_str()), key.as_str(), "{text}");
                assert_same(&ours.node, other, text);
            }
        }
        (ours, other) => panic!("{ours:?} is not {other:?} in\n{text}"),
    }
}

#[test]
fn the_sample_files_are_read_alike() {
    for text in [
        include_str!("../../../policies/todo.yaml"),
        include_str!("../../../policies/todo.test.yaml"),
        include_str!("../../tests/samples/library.yaml"),
    ] {
        let ours = read(text).unwrap_or_else(|report| panic!("{report}"));
        assert_same(&ours, &serde_yaml::from_str(text).unwrap_or_default(), text);
    }
}

#[test]
fn scalars_are_what_the_core_schema_says() {
    let table = [
        ("x", "text"),
        ("create:todos", "text"),
        ("yes", "text"),
        ("on", "text"),
        ("'1'", "text"),
        ("\"true\"", "text"),
        ("1.2.3", "text"),
        ("-", "a list"),
        ("inf", "text"),
        ("0x", "text"),
        ("1_000", "text"),
        ("", "nothing"),
        ("~", "nothing"),
        ("Null", "nothing"),
        ("TRUE", "true or false"),
        ("tRUE", "text"),
        ("1", "a number"),
        ("-1.5e3", "a number"),
        ("0x1F", "a number"),
        (".5", "a number"),
        (".inf", "a number"),
        ("007", "a number"),
    ];
    for (text, kind) in table {
        let root =
            read(&format!("a: {text}\n").replace(": -\n", ":\n  -\n")).unwrap_or_else(|report| panic!("{report}"));
        let Value::Map(entries) = &root.value else {
            panic!("{text}")
        };
        assert_eq!(
            entries.first().map(|entry| entry.node.value.kind()),
            Some(kind),
            "{text}"
        );
    }
}

#[test]
fn a_key_that_was_given_already_is_found_wherever_both_stand() {
    for keys in [2, 7, 8, 9, 10, 25] {
        for first in 0..keys - 1 {
            for second in first + 1..keys {
                let line = |number: usize| match number == second {
                    true => format!("key-{first}: again\n"),
                    false => format!("key-{number}: value\n"),
                };
                let text: String = (0..keys).map(line).collect();
                let report = read(&text).err().unwrap_or_default();
                let found = format!("the key `key-{first}` was given already in line {}", first + 1);
                assert!(report.contains(&found) && report.ends_with("1 error"), "{text}{report}");
            }
        }
    }
}

#[test]
fn a_large_mapping_of_equal_keys_is_read_quickly() {
    let distinct: String = (0..20_000).map(|number| format!("key-{number}: value\n")).collect();
    let report = read(&(distinct.clone() + &distinct)).err().unwrap_or_default();
    assert!(report.ends_with("20000 errors"), "{report}");
    let report = read(&"same: value\n".repeat(40_000)).err().unwrap_or_default();
    assert!(report.ends_with("39999 errors"), "{report}");
}

/// Documents as people write them, and some that only people who test parsers write.
fn document() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![
        "[a-z][a-z:._/-]{0,8}[a-z]",
        "[0-9+.x_-]{1,5}",
        "\"([a-z :#{}-]|\\\\n){0,8}\"",
        "'[a-z :#{}]{0,8}'",
        Just("null".to_owned()),
        Just("True".to_owned()),
        Just("~".to_owned()),
        Just("é ü".to_owned()),
    ];
    let leaf = scalar.clone();
    let flow = leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
            vec(("[a-z]{1,6}", inner), 0..4)
                .prop_map(|entries| entries
                    .into_iter()
                    .map(|(key, value)| format!("{key}: {value}"))
                    .collect::<Vec<_>>())
                .prop_map(|entries| format!("{{ {} }}", entries.join(", "))),
        ]
    });
    let block = prop_oneof![
        flow.clone(),
        flow.clone()
            .prop_map(|value| format!("\n  nested: {value}\n  more: # comment\n    - {value}\n    - x")),
        vec(flow, 1..4).prop_map(|items| items.iter().map(|item| format!("\n- {item}")).collect()),
        Just("|\n  line one\n\n   line two # no comment".to_owned()),
        Just(">-\n  folded\n  text".to_owned()),
        Just("plain text\n  goes on".to_owned()),
    ];
    vec(("[a-z][a-z-]{0,6}[a-z]", block), 1..6).prop_map(|entries| {
        entries
            .into_iter()
            .map(|(key, value)| format!("{key}: {value}\n"))
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_we_read_another_reader_reads_alike(text in document()) {
        if let Ok(ours) = read(&text) {
            match serde_yaml::from_str(&text) {
                Ok(other) => assert_same(&ours, &other, &text),
                Err(error) => panic!("only one reader takes this: {error}\n{text}"),
            }
        }
    }

    #[test]
    fn noise_in_a_mapping_is_refused_or_read_alike(noise in "[a-c:1{}\\[\\],|>'\"# \n-]{0,40}") {
        // A lone scalar at the top and `{?}` are left out: readers differ on them, and no policy has them.
        let text = format!("key: {noise}\n");
        if let (Ok(ours), Ok(other)) = (read(&text), serde_yaml::from_str(&text)) {
            assert_same(&ours, &other, &text);
        }
    }
}
