//! `mcp-policy explain`: what it says, and what it never says.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests run the binary on files"
)]

mod common;

use common::{Folder, LIBRARY, NOTES, assert_expected, transcript};
use serde_json::{Value, json};

fn folder(test: &str) -> Folder {
    let folder = Folder::new(test);
    // Most of these tests name no issuer.
    folder.write("notes.yaml", &NOTES.replace("callers:\n", "callers:\n  default: {}\n"));
    folder.write("issuers.yaml", NOTES);
    folder.write("library.yaml", LIBRARY);
    folder
}

/// Encodes as a JWT does: base64url without padding (RFC 7515 section 2).
fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let groups = bytes.chunks(3).map(|group| {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        let digits = (0..=group.len()).map(|digit| char::from(ALPHABET[(bits >> (18 - 6 * digit) & 63) as usize]));
        digits.collect::<String>()
    });
    groups.collect()
}

fn jwt(claims: &Value) -> String {
    let part = |value: &Value| base64url(value.to_string().as_bytes());
    format!("{}.{}.c2lnbmF0dXJl\n", part(&json!({"alg": "none"})), part(claims))
}

#[test]
fn each_answer_says_why_and_what_would_help() {
    let folder = folder("answers");
    let staff = r#"{"iss": "https://two.example", "sub": "s1", "scp": "read:notes", "realm": {"roles": ["staff"]}}"#;
    let suspended = r#"{"iss": "https://two.example", "sub": "s1", "scp": ["write:notes"], "realm": {"roles": ["boss"], "status": "suspended"}}"#;
    let commands: &[(&[&str], &str)] = &[
        (
            &[
                "explain",
                "policies/todo.yaml",
                "delete-todo",
                "--role",
                "user",
                "--owner",
                "other",
            ],
            "",
        ),
        (
            &[
                "explain",
                "policies/todo.yaml",
                "delete-todo",
                "--role",
                "user",
                "--owner",
                "me",
            ],
            "",
        ),
        (
            &[
                "explain",
                "policies/todo.yaml",
                "delete-todo",
                "--role",
                "user",
                "--owner",
                "absent",
            ],
            "",
        ),
        (
            &[
                "explain",
                "policies/todo.yaml",
                "delete-todo",
                "--owner",
                "me",
                "--subject",
                "",
            ],
            "",
        ),
        (&["explain", "policies/todo.yaml", "get-todos", "--role", "user"], ""),
        (
            &[
                "explain",
                "policies/todo.yaml",
                "get-todos",
                "--role",
                "admin",
                "--exit-code",
            ],
            "",
        ),
        (&["explain", "policies/todo.yaml", "create-todo", "--exit-code"], ""),
        (
            &[
                "explain",
                "policies/todo.yaml",
                "create-todo",
                "--scopes",
                "creat:todos, read:todos",
            ],
            "",
        ),
        (
            &[
                "explain",
                "policies/todo.yaml",
                "drop-tod",
                "--role",
                "user",
                "--exit-code",
            ],
            "",
        ),
        (&["explain", "policies/todo.yaml", "delete-tods"], ""),
        (&["explain", "library.yaml", "about"], ""),
        (&["explain", "library.yaml", "search"], ""),
        (&["explain", "library.yaml", "edit-book", "--role", "reader"], ""),
        (&["explain", "library.yaml", "renew-loan", "--scopes", "books:read"], ""),
        (&["explain", "library.yaml", "operation:export", "--role", "clerk"], ""),
        (
            &[
                "explain",
                "notes.yaml",
                "find-notes",
                "--issuer",
                "https://one.example",
                "--owner",
                "other",
            ],
            "",
        ),
        (&["explain", "notes.yaml", "add-note", "--scopes", "write:notes"], ""),
        (
            &[
                "explain",
                "notes.yaml",
                "add-note",
                "--scopes",
                "write:notes",
                "--arg",
                "text=abc",
            ],
            "",
        ),
        (
            &[
                "explain",
                "notes.yaml",
                "add-note",
                "--scopes",
                "write:notes",
                "--arg",
                "text=abcd",
            ],
            "",
        ),
        (
            &[
                "explain",
                "notes.yaml",
                "add-note",
                "--scopes",
                "write:notes",
                "--arg",
                "text=[1]",
            ],
            "",
        ),
        (
            &[
                "explain",
                "notes.yaml",
                "add-note",
                "--scopes",
                "write:notes",
                "--no-args",
            ],
            "",
        ),
        (
            &[
                "explain",
                "notes.yaml",
                "share-note",
                "--role",
                "manager",
                "--issuer",
                "https://two.example",
                "--arg",
                "text=1",
            ],
            "",
        ),
        (&["explain", "notes.yaml", "prompt:summarize", "--claims", "-"], staff),
        (
            &[
                "explain",
                "notes.yaml",
                "resource:notes://ann/7",
                "--claims",
                "-",
                "--client",
                "other",
            ],
            staff,
        ),
        (
            &["explain", "notes.yaml", "resource:notes://index", "--claims", "-"],
            suspended,
        ),
    ];
    assert_expected("explain.txt", &transcript(&folder, commands));
}

#[test]
fn the_json_form_has_the_same_facts() {
    let folder = folder("json");
    let json = |arguments: &[&str]| -> Value {
        let all = [arguments, &["--format", "json"]].concat();
        serde_json::from_str(&folder.out(0, &all)).unwrap()
    };
    let mut answer = json(&[
        "explain",
        "policies/todo.yaml",
        "delete-todo",
        "--role",
        "user",
        "--owner",
        "other",
    ]);
    assert_eq!(answer["revision"].take().as_str().map(str::len), Some(64));
    assert_eq!(
        answer,
        json!({
            "policy": "todo-manager", "file": "policies/todo.yaml", "revision": null, "call": "delete-todo", "reach": "deny",
            "because": "not-owner", "line": 17, "scopes": ["create:todos"], "roles": [], "forbids": [],
            "requires": [[{"scope": "delete:todos", "held": false}]], "owner": "other", "owner_fallback": [],
            "allowed_with": [["delete:todos"]], "allowed_as_owner_with": [[]],
            "challenge": {"scopes": ["delete:todos"], "missing": ["delete:todos"], "sent": false},
        })
    );
    let answer = json(&["explain", "notes.yaml", "add-note", "--scopes", "write:notes"]);
    assert_eq!(
        answer["forbids"],
        json!([
            {"id": "suspended", "line": 32, "applies": false, "why": "claim `realm.status` is missing, and `if_missing` says `skip`"},
            {"id": "long", "line": 36, "applies": null, "why": "it depends on argument `text`"},
        ])
    );
    let answer = json(&["explain", "policies/todo.yaml", "nothing"]);
    assert_eq!(
        (&answer["reach"], &answer["because"]),
        (&json!("deny"), &json!("unknown-tool"))
    );
}

#[test]
fn a_token_is_decoded_and_the_answer_says_that_nobody_verified_it() {
    let folder = folder("token");
    let claims = json!({"iss": "https://one.example", "sub": "s1", "scope": "write:notes", "exp": 0});
    for (file, input) in [("-", jwt(&claims)), ("token.jwt", String::new())] {
        folder.write("token.jwt", &jwt(&claims));
        let (code, out, err) = folder.run_with(&["explain", "notes.yaml", "add-note", "--token", file], &input);
        assert_eq!((code, err.as_str()), (0, ""));
        assert!(
            out.contains("caller    token, decoded and NOT verified -> scopes write:notes\n"),
            "{out}"
        );
    }
    let out = folder.out(
        0,
        &[
            "explain",
            "notes.yaml",
            "add-note",
            "--token",
            "token.jwt",
            "--format",
            "json",
        ],
    );
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap()["token_verified"], false);
    let out = folder.out(0, &["explain", "notes.yaml", "nothing", "--token", "token.jwt"]);
    assert!(out.contains("NOT verified"), "{out}");

    folder.write(
        "token.jwt",
        &jwt(&json!({"iss": "https://nine.example", "scope": "write:notes"})),
    );
    let out = folder.out(0, &["explain", "notes.yaml", "add-note", "--token", "token.jwt"]);
    assert!(
        out.starts_with("DENY") && out.contains("its issuer is not under `callers.issuers`"),
        "{out}"
    );
    // A token without a subject owns nothing.
    folder.write("token.jwt", &jwt(&json!({"iss": "https://one.example"})));
    let out = folder.out(
        0,
        &[
            "explain",
            "notes.yaml",
            "find-notes",
            "--token",
            "token.jwt",
            "--owner",
            "me",
        ],
    );
    assert!(
        out.starts_with("DENY") && out.contains("the caller has no subject"),
        "{out}"
    );
}

#[test]
fn what_is_no_token_and_no_claims_exits_2_and_says_what_is_wrong() {
    let folder = folder("no-token");
    let good = jwt(&json!({"sub": "s1"}));
    let table = [
        ("--token", String::new(), "holds no JWT"),
        ("--token", "Bearer".to_owned(), "holds no JWT"),
        ("--token", good.replace('.', " "), "holds no JWT"),
        ("--token", "a.b+/=.c".to_owned(), "holds no JWT"),
        ("--token", format!("e30.{}.", base64url(b"[1]")), "holds no JWT"),
        ("--token", format!("{}.x", good.trim()), "holds no JWT"),
        (
            "--token",
            jwt(&json!({"sub": 7})),
            "its claim `sub` has a wrong type or is empty",
        ),
        (
            "--token",
            jwt(&json!({"scope": {}})),
            "its claim `scope` has a wrong type or is empty",
        ),
        ("--claims", String::new(), "is not one JSON object"),
        ("--claims", "[]".to_owned(), "is not one JSON object"),
        ("--claims", "{} {}".to_owned(), "is not one JSON object"),
        (
            "--claims",
            r#"{"sub": ""}"#.to_owned(),
            "its claim `sub` has a wrong type or is empty",
        ),
    ];
    for (option, input, expected) in table {
        let (code, out, err) = folder.run_with(&["explain", "notes.yaml", "add-note", option, "-"], &input);
        assert_eq!((code, out.as_str()), (2, ""), "{input}");
        assert!(err.starts_with("error: ") && err.contains(expected), "{input}: {err}");
    }
    let nobodys = ["explain", "issuers.yaml", "add-note", "--scopes", "write:notes"];
    let (code, _, err) = folder.run(&nobodys);
    assert_eq!(code, 2);
    assert!(err.contains("say whose token it is with `--issuer`"), "{err}");
    let all: &[(&[&str], &str)] = &[
        (&["--token", "gone.jwt"], "cannot read `gone.jwt`"),
        (&["--claims", "gone.json"], "cannot read `gone.json`"),
        (&["--token", "-", "--role", "member"], "cannot be used with"),
        (&["--token", "-", "--claims", "-"], "cannot be used with"),
        (&["--arg", "text"], "NAME=VALUE"),
        (&["--arg", "text=1", "--no-args"], "cannot be used with"),
        (&["--owner", "alice"], "invalid value"),
        (&["--role", "manger"], "did you mean `manager`?"),
        (
            &["--issuer", "https://on.example"],
            "did you mean `https://one.example`?",
        ),
        (&["--role", "member", "--scopes", "write:notes"], "not both"),
        (
            &["--issuer", "https://three.example", "--scopes", "write:notes"],
            "only roles",
        ),
        (
            &[
                "--issuer",
                "https://two.example",
                "--role",
                "member",
                "--claims",
                "claims.json",
            ],
            "`realm.roles`",
        ),
    ];
    folder.write("claims.json", r#"{"realm": {"roles": "SECRET"}}"#);
    for (arguments, expected) in all {
        let (code, out, err) = folder.run(&[&["explain", "notes.yaml", "add-note"], *arguments].concat());
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}");
        assert!(
            err.contains(expected) && !err.contains("SECRET"),
            "{arguments:?}: {err}"
        );
    }
}

#[test]
fn no_claim_no_argument_and_no_token_is_ever_repeated() {
    let folder = folder("secrets");
    let secret = |name: &str| format!("SECRET-{name}");
    let claims = json!({
        "iss": secret("iss"), "sub": secret("sub"), "client_id": secret("client"), "scope": [secret("scope")], "scp": secret("scp"),
        "realm": {"roles": [secret("role")], "status": secret("status")}, secret("claim"): secret("value"),
    });
    folder.write("claims.json", &claims.to_string());
    folder.write("token.jwt", &jwt(&claims));
    let mut broken = claims.clone();
    broken["sub"] = json!([secret("sub")]);
    folder.write("broken.json", &broken.to_string());
    folder.write("broken.jwt", &jwt(&broken));
    folder.write("none.json", &format!("{{\"a\": {}}}", secret("text")));
    folder.write("none.jwt", &secret("text"));
    for call in ["add-note", "share-note", "prompt:summarize", "resource:notes://a/b"] {
        for caller in [
            ["--claims", "claims.json"],
            ["--token", "token.jwt"],
            ["--claims", "broken.json"],
            ["--token", "broken.jwt"],
            ["--claims", "none.json"],
            ["--token", "none.jwt"],
        ] {
            for format in ["human", "json"] {
                let argument = format!("text={}", secret("argument"));
                let fixed = ["explain", "notes.yaml", call, "--format", format, "--arg", &argument];
                let (_, out, err) = folder.run(&[&fixed[..], &caller].concat());
                assert!(
                    !out.contains("SECRET") && !err.contains("SECRET"),
                    "{call} {caller:?}\n{out}{err}"
                );
                let payload = jwt(&claims);
                assert!(!out.contains(payload.split('.').nth(1).unwrap()), "{out}");
            }
        }
    }
}

#[test]
fn a_challenge_is_shown_as_it_would_be_sent() {
    let folder = folder("challenge");
    let arguments = [
        "explain",
        "policies/todo.yaml",
        "delete-todo",
        "--role",
        "user",
        "--owner",
        "other",
    ];
    let hidden = folder.out(0, &arguments);
    assert!(hidden.contains("  challenge: none, "), "{hidden}");
    folder.write(
        "policies/todo.yaml",
        &format!("{}on_not_owner: step_up\n", common::TODO),
    );
    let sent = folder.out(0, &arguments);
    assert!(sent.ends_with("  challenge: scope=\"delete:todos\"\n"), "{sent}");
    let sent: Value = serde_json::from_str(&folder.out(0, &[&arguments[..], &["--format", "json"]].concat())).unwrap();
    assert_eq!(sent["challenge"]["sent"], true);
}
