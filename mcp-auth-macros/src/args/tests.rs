#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::str::FromStr;

use super::*;

fn parse(text: &str) -> Result<Args, Vec<String>> {
    Args::parse(TokenStream::from_str(text).unwrap())
        .map_err(|errors| errors.into_iter().map(|error| error.to_string()).collect())
}

/// The arguments, the alternatives, `owner_fallback`, and the name with the section it belongs to.
type Accepted = (
    &'static str,
    &'static [&'static [&'static str]],
    bool,
    Option<(&'static str, &'static str)>,
);

#[test]
fn the_grammar_accepts() {
    let table: &[Accepted] = &[
        (r#""a""#, &[&["a"]], false, None),
        (r#""a", "b""#, &[&["a", "b"]], false, None),
        (r#""a", "b","#, &[&["a", "b"]], false, None),
        (r#"any("a", "b")"#, &[&["a"], &["b"]], false, None),
        (r#"any("a", "b",), owner_fallback"#, &[&["a"], &["b"]], true, None),
        ("none", &[&[]], false, None),
        (r#""a", owner_fallback"#, &[&["a"]], true, None),
        (r#"owner_fallback, "a""#, &[&["a"]], true, None),
        (
            r#""a", name = "export""#,
            &[&["a"]],
            false,
            Some(("operations", "export")),
        ),
        (
            r#"name = "export", none"#,
            &[&[]],
            false,
            Some(("operations", "export")),
        ),
        (r#""a", tool = "t""#, &[&["a"]], false, Some(("tools", "t"))),
        (r#""a", prompt = "p""#, &[&["a"]], false, Some(("prompts", "p"))),
        (
            r#""a", resource = "x://{y}""#,
            &[&["a"]],
            false,
            Some(("resources", "x://{y}")),
        ),
        (
            r#""a", owner_fallback, owner = todo(&id).await?.owner"#,
            &[&["a"]],
            true,
            None,
        ),
        (
            r#""a", owner_fallback, access = access, crate = crate::auth"#,
            &[&["a"]],
            true,
            None,
        ),
        (r#""read:todos", policy = "p.yaml""#, &[&["read:todos"]], false, None),
    ];
    for (text, alternatives, owner_fallback, name) in table {
        let args = parse(text).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
        assert_eq!(args.requires.alternatives(), *alternatives, "{text}");
        assert_eq!(args.owner_fallback.is_some(), *owner_fallback, "{text}");
        let given = args.name.map(|(kind, name)| (kind.section(), name.value()));
        assert_eq!(given, name.map(|(kind, name)| (kind, name.to_owned())), "{text}");
    }
}

#[test]
fn the_grammar_refuses_and_says_why() {
    let table: &[(&str, &[&str])] = &[
        ("", &["which scopes?"]),
        ("owner_fallback", &["which scopes?"]),
        (r#""""#, &["a scope cannot be empty"]),
        (r#""a b""#, &["one scope per literal"]),
        ("\"a\u{e9}\"", &["is not a scope token"]),
        (r#""a", "a""#, &["scope `a` is written twice"]),
        (r#"any("a")"#, &["at least two"]),
        (r#"any("a", "a")"#, &["scope `a` is written twice"]),
        (r#"any("a", "b"), any("c", "d")"#, &["`any(…)` is written twice"]),
        (r#""a", any("b", "c")"#, &["not both"]),
        ("any", &["unknown option `any`"]),
        (r#"none, "a""#, &["remove it or the scopes"]),
        ("none, owner_fallback", &["has no effect"]),
        ("none, none", &["`none` is written twice"]),
        (
            r#""a", owner_fallback, owner_fallback"#,
            &["`owner_fallback` is written twice"],
        ),
        (r#""a", name = """#, &["cannot be empty"]),
        (r#""a", owner = todo.owner"#, &["add `owner_fallback`"]),
        ("none, owner = todo.owner", &["has no effect"]),
        (
            r#""a", owner_fallback, owner = a, owner = b"#,
            &["`owner` is written twice"],
        ),
        (r#""a", access = a, access = b"#, &["`access` is written twice"]),
        (r#""a", name = "x", name = "y""#, &["`name` is written twice"]),
        (r#""a", tool = "x", prompt = "y""#, &["one function is one operation"]),
        (r#""a", resource = """#, &["cannot be empty"]),
        (r#""a", owner_fallbak"#, &["unknown option `owner_fallbak`"]),
        (r#""a", 7"#, &["expected a scope"]),
        (r#""a" "b""#, &["expected `,`"]),
        (r#""a", name"#, &["expected `=`"]),
        // Every mistake at once.
        (
            r#""a b", colour = 7 + 3, """#,
            &["unknown option `colour`", "one scope per literal", "cannot be empty"],
        ),
    ];
    for (text, expected) in table {
        let Err(errors) = parse(text) else {
            panic!("{text}: accepted")
        };
        assert_eq!(errors.len(), expected.len(), "{text}: {errors:?}");
        for (error, expected) in errors.iter().zip(*expected) {
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}

#[test]
fn unreadable_arguments_let_nobody_in() {
    assert!(Args::unreadable().requires.alternatives().is_empty());
}
