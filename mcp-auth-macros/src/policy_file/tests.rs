#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use super::*;

fn setting<'a>(attribute: Option<&'a LitStr>, replacement: Option<&Path>) -> Setting<'a> {
    Setting {
        attribute,
        manifest_dir: Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")),
        replacement: replacement.map(Path::to_owned),
    }
}

fn error(setting: &Setting<'_>) -> String {
    setting.load().err().unwrap().to_string()
}

#[test]
fn without_a_path_nothing_is_read() {
    assert!(setting(None, None).load().unwrap().is_none());
}

#[test]
fn a_missing_file_is_an_error_that_names_the_folder() {
    let literal = LitStr::new("policies/none.yaml", Span::call_site());
    let message = error(&setting(Some(&literal), None));
    assert!(
        message.starts_with("cannot read policy `policies/none.yaml` from the folder `"),
        "{message}"
    );
    assert!(message.contains("tests`: "), "{message}");
}

#[test]
fn the_attribute_takes_a_relative_path_and_the_override_an_absolute_one() {
    let literal = LitStr::new("/etc/policy.yaml", Span::call_site());
    assert!(error(&setting(Some(&literal), None)).contains("relative to the package's folder"));
    assert!(error(&setting(None, Some(Path::new("policy.yaml")))).contains("must be an absolute path"));
}

#[test]
fn the_tracking_constant_holds_no_absolute_path() {
    let literal = LitStr::new("policies/todo.yaml", Span::call_site());
    for setting in [
        setting(Some(&literal), None),
        setting(None, Some(Path::new("/secret/todo.yaml"))),
        setting(None, None),
    ] {
        let tokens = setting.tracking().to_string();
        assert!(tokens.contains("option_env"), "{tokens}");
        assert!(
            !tokens.contains(env!("CARGO_MANIFEST_DIR")) && !tokens.contains("/secret"),
            "{tokens}"
        );
    }
}

#[test]
fn a_long_report_is_cut_and_says_where_the_rest_is() {
    let report = "line\n".repeat(100);
    assert_eq!(first_lines(&report, "mcp-policy check").lines().count(), MAX_LINES + 1);
    assert!(first_lines(&report, "mcp-policy check").ends_with("run `mcp-policy check` on the file"));
    assert_eq!(first_lines("one\ntwo", "mcp-policy check"), "one\ntwo");
}
