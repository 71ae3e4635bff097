//! Keeps `docs/conformance.md` and `docs/parity.md` from going stale: every row is there, and every test it names is a test that runs.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::{collections::BTreeMap, fs, path::Path};

/// The rows of `docs/conformance.md`: the letter, and how many there are.
const CONFORMANCE: [(&str, usize); 12] = [
    ("P", 26),
    ("C", 22),
    ("T", 21),
    ("S", 7),
    ("H", 17),
    ("L", 9),
    ("F", 11),
    ("E", 7),
    ("K", 6),
    ("D", 10),
    // What went wrong elsewhere.
    ("V", 26),
    ("W", 11),
];

/// The rows of `docs/parity.md`: the section, and how many features it has.
const PARITY: [(&str, usize); 12] = [
    ("1.", 11),
    ("2.", 16),
    ("3.", 12),
    ("4.", 2),
    ("5.", 15),
    ("6.", 28),
    ("7.", 12),
    ("8.", 5),
    ("9.", 3),
    ("10.", 8),
    ("11.", 4),
    ("12.", 11),
];

/// How the last cell of a row without a test begins.
const REASONS: [&str; 3] = ["Not applicable: ", "Not offered: ", "Not yet: "];

#[test]
fn every_row_of_the_conformance_tables_has_a_test_or_a_reason() {
    let expected = CONFORMANCE.iter().flat_map(|(letter, count)| {
        let ids = 1..=*count;
        ids.map(move |number| format!("{letter}{number:02}"))
    });
    check("docs/conformance.md", 4, &expected.collect::<Vec<_>>());
}

#[test]
fn every_feature_of_the_other_libraries_has_a_test_or_a_reason() {
    let expected = PARITY.iter().flat_map(|(section, count)| {
        let ids = 1..=*count;
        ids.map(move |number| format!("{section}{number}"))
    });
    check("docs/parity.md", 6, &expected.collect::<Vec<_>>());
}

/// Some advisories are about versions: these are past them.
#[test]
fn the_dependencies_are_past_their_advisories() {
    let lock = fs::read_to_string(in_repository("Cargo.lock")).unwrap();
    let mut versions: BTreeMap<&str, Vec<Vec<u64>>> = BTreeMap::new();
    for package in lock.split("[[package]]").skip(1) {
        let text = |key: &str| {
            let (_, rest) = package.split_once(&format!("{key} = \"")).unwrap();
            rest.split('"').next().unwrap()
        };
        let version = text("version")
            .split(['.', '-', '+'])
            .map_while(|part| part.parse().ok());
        versions.entry(text("name")).or_default().push(version.collect());
    }
    for (name, least) in [("h2", [0, 4, 16]), ("rmcp", [1, 4, 0]), ("jsonwebtoken", [10, 3, 0])] {
        let found = &versions[name];
        assert!(
            found.iter().all(|version| version.as_slice() >= least.as_slice()),
            "`{name}` {found:?} is older than {least:?}, which mends an advisory: run `cargo update -p {name}`"
        );
    }
    for (name, instead) in [
        ("rsa", "aws-lc-rs"),
        ("serde_yaml", "saphyr-parser"),
        ("serde_yml", "saphyr-parser"),
    ] {
        assert!(
            !versions.contains_key(name),
            "`{name}` has an open advisory: use {instead}"
        );
    }
}

/// One row of a table, and where it stands.
struct Row {
    line: usize,
    id: String,
    cells: Vec<String>,
}

/// Compares a document with its list of rows, and its tests with the sources. All mistakes at once.
fn check(document: &str, columns: usize, expected: &[String]) {
    let text = fs::read_to_string(in_repository(document)).unwrap();
    let rows = rows(&text);
    let mut mistakes = Vec::new();
    for id in expected {
        match rows.iter().filter(|row| row.id == *id).count() {
            1 => {}
            0 => mistakes.push(format!(
                "{document}: row {id} is missing: add it, with a test or a reason"
            )),
            _ => mistakes.push(format!("{document}: row {id} is there more than once: keep one")),
        }
    }
    for row in rows {
        let Row { line, id, cells } = &row;
        let here = format!("{document}:{line}: row {id}");
        if !expected.contains(id) {
            mistakes.push(format!(
                "{here} is not in the list of this test: correct the id, or the count here"
            ));
        }
        if cells.len() != columns {
            mistakes.push(format!(
                "{here} has {} cells and not {columns}: write `\\|` inside a cell",
                cells.len()
            ));
            continue;
        }
        if cells.iter().any(String::is_empty) {
            mistakes.push(format!(
                "{here} has an empty cell: write `-` where there is nothing to say"
            ));
        }
        let last = cells.last().unwrap();
        let tests = named_tests(last);
        if tests.is_empty() && !REASONS.iter().any(|reason| last.starts_with(reason)) {
            mistakes.push(format!(
                "{here} names no test: name one, or begin the cell with one of {REASONS:?}"
            ));
        }
        mistakes.extend(tests.into_iter().filter_map(|test| {
            let problem = problem(test)?;
            Some(format!("{here} names the test `{test}`, which {problem}"))
        }));
    }
    assert!(mistakes.is_empty(), "\n{}\n", mistakes.join("\n"));
}

/// The rows of all tables: those whose first cell is an id, and not a heading or a rule.
fn rows(text: &str) -> Vec<Row> {
    let lines = text.lines().enumerate();
    lines
        .filter_map(|(index, line)| {
            let inner = line
                .trim()
                .strip_prefix('|')?
                .strip_suffix('|')?
                .replace(r"\|", "\u{0}");
            let cells: Vec<_> = inner
                .split('|')
                .map(|cell| cell.replace('\u{0}', "|").trim().to_owned())
                .collect();
            let id = cells.first()?.clone();
            let is_id = id.bytes().any(|byte| byte.is_ascii_digit());
            is_id.then_some(Row {
                line: index + 1,
                id,
                cells,
            })
        })
        .collect()
}

/// What is written as code and has `::` in it.
fn named_tests(cell: &str) -> Vec<&str> {
    let code = cell.split('`').skip(1).step_by(2);
    code.filter(|code| code.contains("::")).collect()
}

/// What is wrong with the name of a test: `file::test` for a file of `tests/`, `path/to/file.rs::test` for any other.
fn problem(name: &str) -> Option<String> {
    let (file, test) = name.rsplit_once("::")?;
    let path = if file.ends_with(".rs") {
        file.to_owned()
    } else {
        format!("tests/{file}.rs")
    };
    let Ok(source) = fs::read_to_string(in_repository(&path)) else {
        return Some(format!("is in no file: there is no `{path}`"));
    };
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let declares = |line: &&str| {
        let rest = line.strip_prefix("async ").unwrap_or(line);
        rest.strip_prefix("fn ")
            .and_then(|rest| rest.strip_prefix(test))
            .is_some_and(|rest| rest.starts_with('('))
    };
    let Some(at) = lines.iter().position(declares) else {
        return Some(format!(
            "`{path}` does not have: was it renamed? Say what shows this row now"
        ));
    };
    let attributes: Vec<_> = lines[..at]
        .iter()
        .rev()
        .take_while(|line| line.starts_with(['#', '/']))
        .collect();
    let is = |begin: &str| attributes.iter().any(|line| line.starts_with(begin));
    if !is("#[test]") && !is("#[tokio::test") {
        return Some(format!("`{path}` has, but not as a test: name one"));
    }
    is("#[ignore").then(|| "is ignored: let it run, or name another".to_owned())
}

fn in_repository(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn stale_names_are_found() {
    let found = |name: &str| problem(name).unwrap_or_default();
    assert_eq!(found("conformance_document::stale_names_are_found"), "");
    assert_eq!(found("src/bearer/challenge.rs::golden_challenges"), "");
    assert!(found("no_such_file::a").contains("no `tests/no_such_file.rs`"));
    assert!(found("conformance_document::no_such_test").contains("was it renamed?"));
    assert!(found("conformance_document::stale_names").contains("was it renamed?"));
    assert!(found("conformance_document::problem").contains("not as a test"));
    let table = "| ID | b |\n|---|---|\n| P01 | `a::b`, `c` and `d/e.rs::f` |\n| P02 | x \\| y |";
    let rows = rows(table);
    assert_eq!(
        rows.iter().map(|row| (row.line, &*row.id)).collect::<Vec<_>>(),
        [(3, "P01"), (4, "P02")]
    );
    assert_eq!(named_tests(&rows[0].cells[1]), ["a::b", "d/e.rs::f"]);
    assert_eq!(rows[1].cells[1], "x | y");
}
