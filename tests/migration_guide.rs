//! The guide for people who come from Node or Python. Its Rust is compiled as documentation of the library; here is the rest.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::{fs, path::Path};

/// The guide; its folder.
fn guide() -> (String, &'static Path) {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/docs"));
    (
        fs::read_to_string(folder.join("migrating-from-mcp-auth.md")).unwrap(),
        folder,
    )
}

/// The languages of the fenced blocks in order, with their attributes.
fn fences(text: &str) -> Vec<&str> {
    let fences: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("```")).collect();
    assert!(
        fences
            .chunks(2)
            .all(|pair| matches!(pair, [opens, ""] if !opens.is_empty())),
        "a fence without end or language"
    );
    fences.into_iter().step_by(2).collect()
}

/// The text without its fenced blocks.
fn prose(text: &str) -> String {
    let outside = text.split("\n```").enumerate().filter(|(index, _)| index % 2 == 0);
    outside.map(|(_, part)| part).collect()
}

#[test]
fn every_snippet_of_the_other_libraries_is_followed_by_rust_that_is_compiled() {
    let (guide, _) = guide();
    let mut waiting = None;
    let mut rust = 0;
    for language in fences(&guide) {
        match language {
            "ts" | "python" => waiting = Some(language),
            "rust" | "rust,no_run" => {
                rust += 1;
                waiting = None;
            }
            "sh" | "yaml" | "console" => {}
            other => panic!("`{other}` is not compiled"),
        }
    }
    assert_eq!(waiting, None);
    assert!((10..=20).contains(&rust), "{rust}: each costs time to compile");
}

#[test]
fn the_contents_and_every_link_lead_somewhere() {
    let (guide, folder) = guide();
    let prose = prose(&guide);
    let anchor = |heading: &str| -> String {
        let kept = heading.to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || " -".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    let headings = |text: &str| -> Vec<String> {
        text.lines()
            .filter_map(|line| line.strip_prefix("## "))
            .map(anchor)
            .collect()
    };
    let own = headings(&prose);
    let mut contents = Vec::new();
    for link in prose.split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
        match link.split_once('#') {
            _ if link.starts_with("https://") => {}
            Some(("", heading)) => contents.push(heading.to_owned()),
            Some((file, heading)) => {
                let text = fs::read_to_string(folder.join(file)).unwrap();
                assert!(headings(&text).iter().any(|one| one == heading), "{link}");
            }
            None => assert!(folder.join(link).exists(), "{link}"),
        }
    }
    assert_eq!(contents, own);
}

#[test]
fn every_error_code_of_the_other_libraries_is_in_the_tables() {
    let (guide, _) = guide();
    for code in [
        "missing_auth_header",
        "invalid_auth_header_format",
        "missing_bearer_token",
        "invalid_issuer",
        "invalid_audience",
        "missing_required_scopes",
        "invalid_token",
        "token_verification_failed",
        "server_error",
        "invalid_server_config",
        "invalid_server_metadata",
        "missing_jwks_uri",
        "fetch_server_config_error",
    ] {
        let rows = guide.lines().filter(|line| line.starts_with('|'));
        assert!(rows.into_iter().any(|row| row.contains(&format!("`{code}`"))), "{code}");
    }
}
