//! `mcp-policy matrix`: the tables in each form, and the one that is kept beside a policy.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests run the binary on files"
)]

mod common;

use std::fs;

use common::{Folder, LIBRARY, NOTES, TODO, assert_expected};
use mcp_auth_policy::Policy;
use serde_json::Value;

fn folder(test: &str) -> Folder {
    let folder = Folder::new(test);
    folder.write("notes.yaml", NOTES);
    folder.write("library.yaml", LIBRARY);
    folder
}

#[test]
fn every_form_of_the_tables_is_as_expected() {
    let folder = folder("forms");
    for (name, arguments) in [
        ("todo.md", &["policies/todo.yaml"][..]),
        ("notes.md", &["notes.yaml"]),
        ("library-by-scope.md", &["library.yaml", "--by", "scope"]),
        (
            "library-by-role.md",
            &["library.yaml", "--by", "role", "--format", "md"],
        ),
        ("notes.json", &["notes.yaml", "--format", "json"]),
        ("notes.html", &["notes.yaml", "--format", "html"]),
    ] {
        let found = folder.out(0, &[&["matrix"], arguments].concat());
        assert_expected(&format!("matrix/{name}"), &found);
    }
    let both = folder.out(0, &["matrix", "notes.yaml", "--format", "json"]);
    let one = folder.out(0, &["matrix", "notes.yaml", "--format", "json", "--by", "scope"]);
    let tables = |text: &str| serde_json::from_str::<Value>(text).unwrap()["tables"].clone();
    assert_eq!(tables(&both).get(1), tables(&one).get(0));
    let (_, out, _) = folder.run_with(&["matrix", "-"], TODO);
    assert!(out.contains("# Who may do what: `todo-manager`"), "{out}");
}

#[test]
fn a_kept_table_is_checked_and_a_changed_permission_is_one_changed_row() {
    let folder = folder("golden");
    let check = ["matrix", "policies/todo.yaml", "--check"];
    let (code, out, err) = folder.run(&check);
    assert_eq!((code, err.as_str()), (1, ""));
    let rewrite = "rewrite it with: mcp-policy matrix policies/todo.yaml --write\n";
    assert!(
        out.ends_with(&format!("policies/todo.matrix.md  stale\n{rewrite}")),
        "{out}"
    );

    let write = ["matrix", "policies/todo.yaml", "--write"];
    assert_eq!(folder.out(0, &write), "wrote policies/todo.matrix.md\n");
    assert_eq!(
        folder.read("policies/todo.matrix.md"),
        folder.out(0, &["matrix", "policies/todo.yaml"])
    );
    assert_eq!(folder.out(0, &check), "policies/todo.matrix.md  ok\n");
    // Line ends of another system, comments and the order of keys change nothing.
    folder.write(
        "policies/todo.matrix.md",
        &folder.read("policies/todo.matrix.md").replace('\n', "\r\n"),
    );
    folder.write("policies/todo.yaml", &format!("# a comment\n{TODO}"));
    assert_eq!(folder.out(0, &check), "policies/todo.matrix.md  ok\n");
    folder.out(0, &write);

    let changed = TODO.replace(
        "user: { scopes: [create:todos] }",
        "user: { scopes: [create:todos, read:todos] }",
    );
    folder.write("policies/todo.yaml", &changed);
    let out = folder.out(1, &check);
    let lines = |sign: char| out.lines().filter(|line| line.starts_with(sign)).collect::<Vec<_>>();
    assert_eq!(
        lines('-'),
        [
            "--- policies/todo.matrix.md",
            "-| `get-todos`      | own      | any      |"
        ]
    );
    assert_eq!(
        lines('+'),
        [
            "+++ what the policy says",
            "+| `get-todos`      | any      | any      |"
        ]
    );
    assert_eq!(folder.out(0, &write), "wrote policies/todo.matrix.md\n");
    assert_eq!(folder.out(0, &check), "policies/todo.matrix.md  ok\n");
}

#[test]
fn the_table_of_this_repository_is_current() {
    let folder = Folder::new("repository");
    let kept = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../policies/todo.matrix.md")).unwrap();
    assert_eq!(
        kept.replace("\r\n", "\n"),
        folder.out(0, &["matrix", "policies/todo.yaml"])
    );
}

#[test]
fn what_cannot_be_checked_or_written_exits_2() {
    let folder = folder("refused");
    for option in ["--check", "--write"] {
        let (code, _, err) = folder.run_with(&["matrix", "-", option], TODO);
        assert_eq!(code, 2);
        assert!(err.contains("beside standard input"), "{err}");
        assert_eq!(folder.run(&["matrix", "gone.yaml", option]).0, 2);
        assert_eq!(folder.run(&["matrix", "notes.yaml", option, "--format", "md"]).0, 2);
        fs::create_dir_all(folder.0.join("notes.matrix.md")).unwrap();
        assert_eq!(folder.run(&["matrix", "notes.yaml", option]).0, 2);
    }
    assert_eq!(folder.run(&["matrix", "notes.yaml", "--check", "--write"]).0, 2);
    folder.write("broken.yaml", "version: 2\n");
    let (code, out, err) = folder.run(&["matrix", "broken.yaml"]);
    assert_eq!((code, out.as_str()), (3, ""));
    assert!(err.contains("error[unsupported-version]"), "{err}");
}

#[test]
fn a_table_nobody_could_read_is_refused() {
    let folder = Folder::new("huge");
    let scopes: String = (0..1000).map(|number| format!("  s{number}: x\n")).collect();
    let tools: String = (0..1000)
        .map(|number| format!("  t{number}: {{ requires: s{number} }}\n"))
        .collect();
    folder.write("huge.yaml", &format!("version: 1\nscopes:\n{scopes}tools:\n{tools}"));
    let (code, out, err) = folder.run(&["matrix", "huge.yaml"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("1001000 cells"), "{err}");
    assert_eq!(folder.run(&["matrix", "huge.yaml", "--by", "role"]).0, 0);
}

/// A policy whose every text is an attack on the page.
fn hostile() -> String {
    let evil = r#"</td></pre></title></style><script>alert(1)</script><img src=x onerror=alert(1)>"' onmouseover='x' `|*_[x](y)&lt;"#;
    let quoted = format!("'{}'", evil.replace('\'', "''"));
    let scope = "a<script>'|`&gt;";
    format!(
        "# {evil}
version: 1
policy: {quoted}
scopes: {{ \"{scope}\": {quoted} }}
roles: {{ {quoted}: {{ scopes: [\"{scope}\"] }} }}
objects: {{ {quoted}: {{ owner: owner_id }} }}
tools: {{ t: {{ requires: \"{scope}\", object: {quoted}, owner_fallback: true }} }} # {evil}
forbid: [{{ id: {quoted}, tools: [t], when: {{ claim: {{ name: {quoted}, is: {quoted}, if_missing: skip }}, client: {quoted} }}, message: {quoted} }}]
"
    )
}

#[test]
fn no_text_of_a_policy_becomes_markup() {
    let folder = Folder::new("hostile");
    let policy = hostile();
    Policy::parse(&policy).unwrap_or_else(|errors| panic!("{errors}"));
    folder.write("h.yaml", &policy);
    let html = folder.out(0, &["matrix", "h.yaml", "--format", "html"]);
    let tags = html.split('<').skip(1);
    let tags = tags.map(|rest| rest.split(['>', ' ', '\n']).next().unwrap());
    let known = [
        "!doctype", "html", "head", "meta", "title", "style", "body", "header", "h1", "span", "dl", "div", "dt", "i",
        "dd", "p", "main", "section", "h2", "table", "caption", "thead", "tr", "td", "th", "tbody", "code", "wbr",
        "small", "a", "sup", "em", "ol", "li", "q", "footer",
    ];
    for tag in tags {
        let name = tag.trim_start_matches('/');
        assert!(known.contains(&name), "{tag}");
    }
    assert!(html.contains("&lt;script&gt;alert(1)"), "the text is there, escaped");
    // Attributes are never left: each tag has an even number of quotes, and none begins with `on`.
    for tag in html.split('<').skip(1).map(|rest| rest.split('>').next().unwrap()) {
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        let names = tag.split('"').step_by(2).flat_map(str::split_whitespace);
        assert!(names.skip(1).all(|name| !name.starts_with("on")), "{tag}");
    }
    let markdown = folder.out(0, &["matrix", "h.yaml"]);
    for line in markdown.lines().filter(|line| line.starts_with('|')) {
        let bars = line.replace("\\|", "").matches('|').count();
        assert!([3, 4].contains(&bars), "{line}");
    }
}

#[test]
fn the_page_needs_nothing_else() {
    let folder = folder("page");
    let html = folder.out(0, &["matrix", "notes.yaml", "--format", "html"]);
    for outside in ["<script", "<link", "<img", "src=", "@import", "url(", "javascript:"] {
        assert!(!html.contains(outside), "{outside}");
    }
    let (style, body) = html.split_once("</style>").unwrap();
    let style = style.split("<style>").nth(1).unwrap();
    assert!(
        !style.contains("http") && !body.contains("href=\"http"),
        "nothing is fetched or led to"
    );
    // Every answer leads to a line that is there, and says it by word and not by colour alone.
    for target in body
        .split("href=\"#")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
    {
        assert!(body.contains(&format!("id=\"{target}\"")), "{target}");
    }
    assert_eq!(body.matches("<td class=").count(), 7 * 2 + 7 * 4);
    for word in ["any", "own", "deny"] {
        let cells = body.matches(&format!("<td class=\"{word}\">")).count();
        assert_eq!(body.matches(&format!("<i></i>{word}</a>")).count(), cells, "{word}");
    }
    let own = "title=\"own: the required scopes are missing, but an owner may&#10;notes.yaml:21&#10;find-notes: { requires: read:notes, object: note, \
               owner_fallback: true }&#10;deny where forbid `suspended` applies (notes.yaml:31)\"";
    assert!(body.contains(own));
    for needed in [
        "<html lang=\"en\">",
        "<caption>",
        "scope=\"col\"",
        "scope=\"row\"",
        "scope=\"rowgroup\"",
        "name=\"viewport\"",
    ] {
        assert!(html.contains(needed), "{needed}");
    }
    let revision = Policy::parse(NOTES).unwrap().revision().to_owned();
    assert!(body.contains(&revision) && style.contains("prefers-color-scheme: dark"));
}
