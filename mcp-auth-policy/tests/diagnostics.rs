//! Each mistake has a sample in `tests/invalid` and, beside it, the exact report that its author sees.
//!
//! After a change of wording, `UPDATE_REPORTS=1 cargo test -p mcp-auth-policy --test diagnostics` writes the reports anew.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "tests read their samples")]

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use mcp_auth_policy::{Diagnostic, Policy, PolicyErrors, suite::SuiteFile};

const TODO: &str = include_str!("../../policies/todo.yaml");
const DESK: &str = include_str!("samples/desk.yaml");

fn samples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/invalid");
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    files
}

fn report(file: &Path) -> String {
    let name = file.file_name().unwrap().to_str().unwrap();
    let bytes = fs::read(file).unwrap();
    let errors = |errors: PolicyErrors| format!("{errors}\n");
    if name.ends_with(".test.yaml") {
        let suite = SuiteFile::parse_bytes(name, &bytes).and_then(|suite| {
            let desk = suite.policy_path() == "desk.yaml";
            let policy = Policy::parse(if desk { DESK } else { TODO }).unwrap();
            suite.with_policy(&policy).map(|_| ())
        });
        return suite.map_or_else(errors, |()| String::new());
    }
    match Policy::loader().file_name(name).parse_bytes(&bytes) {
        Ok(policy) => policy
            .warnings()
            .iter()
            .map(|warning: &Diagnostic| format!("{warning}\n"))
            .collect(),
        Err(found) => errors(found),
    }
}

#[test]
fn every_mistake_is_reported_as_its_sample_says() {
    let mut wrong = String::new();
    let files = samples();
    assert!(files.len() > 50);
    for file in files {
        let expected = file.with_extension("txt");
        let found = report(&file);
        assert!(!found.is_empty(), "{} has no mistake", file.display());
        if env::var_os("UPDATE_REPORTS").is_some() {
            fs::write(&expected, &found).unwrap();
        } else if fs::read_to_string(&expected).unwrap_or_default().replace("\r\n", "\n") != found {
            wrong.push_str(&format!("--- {}\n{found}\n", file.display()));
        }
    }
    assert!(
        wrong.is_empty(),
        "reports differ from the `.txt` beside the sample:\n{wrong}"
    );
}

#[test]
fn every_finding_has_a_place_inside_its_file() {
    for file in samples() {
        let bytes = fs::read(&file).unwrap();
        let Ok(text) = std::str::from_utf8(&bytes) else {
            continue;
        };
        let Err(errors) = Policy::loader().parse(text) else {
            continue;
        };
        assert_eq!(errors.count(), errors.diagnostics().len());
        for finding in errors.diagnostics() {
            let line = text.split('\n').nth(finding.line() - 1).unwrap();
            assert!(
                (1..=line.chars().count() + 1).contains(&finding.column()),
                "{}: {finding}",
                file.display()
            );
        }
    }
}
