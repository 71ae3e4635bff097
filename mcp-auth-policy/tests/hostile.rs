//! Whatever the bytes, loading ends with a policy or with an error: no panic, no long wait.

#![allow(clippy::unwrap_used, clippy::panic, clippy::string_slice, reason = "tests")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests measure time")]

use std::time::{Duration, Instant};

use mcp_auth_policy::{OperationKind, Policy, Reach, suite::SuiteFile};
use proptest::prelude::*;

const TODO: &str = include_str!("../../policies/todo.yaml");
const SUITE: &str = include_str!("../../policies/todo.test.yaml");

/// Gives the code of the first mistake, after less than a few seconds even in an unoptimised build.
fn refusal(text: &str) -> String {
    let start = Instant::now();
    let errors = Policy::parse(text)
        .map(|policy| policy.revision().to_owned())
        .unwrap_err();
    let report = errors.to_string();
    assert!(start.elapsed() < Duration::from_secs(5), "took {:?}", start.elapsed());
    assert!(report.len() < 200_000, "a report of {} bytes", report.len());
    errors.diagnostics().first().unwrap().code().to_owned()
}

#[test]
fn a_truncated_policy_never_allows_more_than_the_whole_one() {
    let whole = Policy::parse(TODO).unwrap();
    for end in 0..TODO.len() {
        let Ok(part) = Policy::loader().parse_bytes(&TODO.as_bytes()[..end]) else {
            continue;
        };
        for operation in part.operations(OperationKind::Tool) {
            let id = part.find(OperationKind::Tool, operation.name()).unwrap();
            let reach = part.decide(id, &part.grants([])).reach;
            // A cut inside a name makes another tool, or one that needs an undeclared scope; never one that is open.
            let same = whole.find(OperationKind::Tool, operation.name());
            let limit = same.map_or(Reach::Deny, |id| whole.decide(id, &whole.grants([])).reach);
            assert!(
                reach <= limit,
                "cut at byte {end}: {} reaches {reach:?}",
                operation.name()
            );
        }
    }
}

#[test]
fn a_truncated_suite_is_never_a_panic() {
    let policy = Policy::parse(TODO).unwrap();
    for end in 0..SUITE.len() {
        let file = SuiteFile::parse_bytes("todo.test.yaml", &SUITE.as_bytes()[..end]);
        let Ok(suite) = file.and_then(|file| file.with_policy(&policy)) else {
            continue;
        };
        assert!(!suite.tests().is_empty(), "cut at byte {end}");
        let _ = suite.run().to_string();
    }
}

#[test]
fn nesting_beyond_measure_is_refused_quickly() {
    let deep = 100_000;
    for text in [
        "[".repeat(deep),
        "{".repeat(deep),
        "{a: ".repeat(deep),
        "- ".repeat(deep),
        "? ".repeat(deep),
        "[{".repeat(deep),
        format!("version: 1\ntools: {}{}\n", "[".repeat(deep), "]".repeat(deep)),
    ] {
        let code = refusal(&text);
        assert!(["yaml-depth", "yaml-syntax"].contains(&code.as_str()), "{code}");
    }
}

#[test]
fn an_alias_bomb_is_refused_at_its_first_anchor() {
    let mut bomb = "version: 1\nscopes: &l0 {}\n".to_owned();
    for level in 1..20 {
        let before = vec![format!("*l{}", level - 1); 9].join(", ");
        bomb.push_str(&format!("x{level}: &l{level} [{before}]\n"));
    }
    assert_eq!(refusal(&bomb), "yaml-anchor");
}

#[test]
fn texts_that_are_not_plain_utf_8_are_refused() {
    assert_eq!(refusal(&format!("\u{feff}{TODO}")), "yaml-character");
    assert_eq!(refusal(&TODO.replace("user", "us\0er")), "yaml-character");
    assert_eq!(refusal(&TODO.replace('\n', "\r")), "yaml-character");
    assert_eq!(refusal(&TODO.replace("tools:", "tools:\u{2028}")), "yaml-character");
    assert!(Policy::parse(&TODO.replace('\n', "\r\n")).is_ok());
    let utf_16: Vec<u8> = TODO.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for bytes in [utf_16, b"version: \xff1\n".to_vec()] {
        let errors = Policy::loader().parse_bytes(&bytes).unwrap_err();
        assert!(["yaml-encoding", "yaml-character"].contains(&errors.diagnostics().first().unwrap().code()));
    }
}

#[test]
fn a_file_over_the_limit_is_refused_and_the_limit_can_be_set() {
    let large = format!("{TODO}#{}\n", " ".repeat(2 * 1024 * 1024));
    assert_eq!(refusal(&large), "yaml-too-large");
    assert!(Policy::loader().max_bytes(4 * 1024 * 1024).parse(&large).is_ok());
    let errors = Policy::loader().max_bytes(10).parse(TODO).unwrap_err();
    assert_eq!(
        errors.diagnostics().first().unwrap().message(),
        "the file is larger than the 10 bytes allowed"
    );
}

#[test]
fn a_scope_too_many_is_refused() {
    let scopes = |count: usize| {
        let lines: String = (0..count).map(|i| format!("  s{i}: Scope\n")).collect();
        format!("version: 1\nscopes:\n{lines}tools:\n  t: {{ requires: s0 }}\n")
    };
    assert!(Policy::parse(&scopes(4096)).is_ok());
    assert_eq!(refusal(&scopes(4097)), "too-many-scopes");
}

#[test]
fn a_file_full_of_mistakes_gives_a_report_of_bearable_length() {
    let mut text = "version: 1\nscopes:\n".to_owned();
    (0..4000).for_each(|i| text.push_str(&format!("  scope:number:{i}: Scope\n")));
    text.push_str("tools:\n");
    (0..12_000).for_each(|i| text.push_str(&format!("  tool-{i}: {{ requires: skope:nummer:x{i}, x: 1 }}\n")));
    let errors = Policy::parse(&text).unwrap_err();
    assert_eq!((errors.count(), errors.diagnostics().len()), (24_000, 100));
    assert!(errors.to_string().ends_with("… and 23900 more\n24000 errors"));
    assert_eq!(refusal(&text), "unknown-field");
    // One line of a megabyte, marked at its end.
    assert_eq!(
        refusal(&format!(
            "version: 1\ntools: {{ {}x: 1 }}",
            "t: {requires: []}, ".repeat(50_000)
        )),
        "duplicate-key"
    );
}

#[test]
fn a_huge_line_of_doubts_and_a_huge_matrix_take_no_quadratic_time() {
    let start = Instant::now();
    let tools: String = (0..25_000).map(|i| format!("t{i}: {{ requires: [] }}, ")).collect();
    let policy = Policy::parse(&format!("version: 1\ntools: {{ {tools} }}\n")).unwrap();
    assert_eq!(policy.warnings().len(), 100);
    let (head, row) = ("| a ".repeat(60_000), "| any ".repeat(60_000));
    let matrix = format!("matrix: |\n\n\n\n\n  tool {head}\n  create-todo {row}\n");
    let text = format!("version: 1\npolicy: todo.yaml\nprincipals: {{ a: {{ as: user }} }}\n{matrix}");
    let errors = SuiteFile::parse("huge.test.yaml", text)
        .unwrap()
        .with_policy(&Policy::parse(TODO).unwrap())
        .unwrap_err();
    let first = errors.diagnostics().first().unwrap();
    assert_eq!((first.code(), first.line(), first.column()), ("duplicate-name", 9, 14));
    assert!(start.elapsed() < Duration::from_secs(10), "took {:?}", start.elapsed());
}

#[test]
fn chains_as_long_as_the_file_are_followed_without_recursion() {
    let mut text = "version: 1\nscopes: { s: Scope }\nroles:\n  r0: { scopes: [s] }\n".to_owned();
    (1..20_000).for_each(|i| text.push_str(&format!("  r{i}: {{ includes: [r{}] }}\n", i - 1)));
    text.push_str("tools:\n  t: { requires: s }\n");
    assert_eq!(Policy::parse(&text).unwrap().scopes_of_role("r19999").unwrap(), ["s"]);
    assert_eq!(
        refusal(&text.replace("r0: { scopes: [s] }", "r0: { includes: [r19999] }")),
        "cycle"
    );
}

#[test]
fn no_message_carries_a_control_character_to_the_terminal() {
    let text = "version: 1\ntools:\n  \"\\e[31mred\\a\": { requires: \"\\e]0;title\\a\", \"\\u202e\": 1 }\n";
    let errors = Policy::parse(text).unwrap_err();
    assert_eq!(errors.count(), 3);
    assert!(
        errors
            .to_string()
            .chars()
            .all(|c| c == '\n' || !c.is_control() && c != '\u{202e}'),
        "{errors}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_of_yaml_characters_panics(text in "[-a:1{}\\[\\],&*!|>'\"%@`#? \n\t<~.]{0,80}") {
        let _ = Policy::parse(&text).map_err(|errors| errors.to_string());
        let _ = SuiteFile::parse("x.test.yaml", text);
    }

    #[test]
    fn no_change_of_a_good_file_panics(at in 0..TODO.len(), insert in "[-a:{}\\[\\],&*!|>'\"%#? \n]{0,4}", cut in 0..20_usize) {
        let mut bytes = TODO.as_bytes().to_vec();
        let end = (at + cut).min(bytes.len());
        bytes.splice(at..end, insert.into_bytes());
        let _ = Policy::loader().parse_bytes(&bytes).map_err(|errors| errors.to_string());
    }
}
