//! Prompts, and a server whose tools and prompts stand in several impl blocks.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::sync::Arc;

use mcp_auth::{Access, Denied, Filter, Policy, PolicyHandle, audit, guarded, requires_scope, testing};
use rmcp::{
    ErrorData,
    handler::server::wrapper::Parameters,
    model::{ContentBlock, GetPromptResult, PromptMessage, Role},
    prompt, prompt_router, tool, tool_router,
};

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Book {
    title: String,
    #[allow(dead_code, reason = "only its name is read")]
    words: Option<u32>,
}

/// Its tools stand in three blocks, one of which has prompts too.
struct Library;

fn text(text: &str) -> Vec<PromptMessage> {
    vec![PromptMessage::new_text(Role::User, text)]
}

#[guarded(parts(lending, admin))]
#[prompt_router]
#[tool_router]
impl Library {
    #[tool(name = "search")]
    #[requires_scope(none)]
    fn search(&self) -> Result<String, Denied> {
        Ok("found".into())
    }

    /// Without a name of its own.
    #[prompt]
    #[requires_scope("summarise")]
    async fn summary(&self, Parameters(book): Parameters<Book>) -> Result<Vec<PromptMessage>, ErrorData> {
        Ok(text(&book.title))
    }

    #[requires_scope("read", owner_fallback)]
    #[prompt(name = "notes")]
    async fn notes_about(&self, access: Access) -> Result<GetPromptResult, ErrorData> {
        Ok(GetPromptResult::new(match access.filter() {
            Filter::All => text("everybody"),
            Filter::OwnedBy(owner) => text(owner),
        }))
    }
}

mod lending {
    use super::*;

    #[tool_router(router = lending_router, vis = "pub(super)")]
    #[guarded(part = lending)]
    impl Library {
        #[tool(name = "lend")]
        #[requires_scope("lend")]
        fn lend(&self) -> Result<String, Denied> {
            Ok("lent".into())
        }
    }
}

#[guarded(part = admin)]
#[prompt_router(router = "admin_prompts")]
impl Library {
    #[prompt(name = "audit-report")]
    #[requires_scope("read")]
    fn report(&self) -> Result<GetPromptResult, ErrorData> {
        Ok(GetPromptResult::new(text("report")))
    }
}

const POLICY: &str = "
version: 1
policy: library
scopes: { read: Read, lend: Lend, summarise: Summarise }
roles: { librarian: { scopes: [read, lend, summarise] } }
objects: { note: { owner: owner_id } }
tools:
  search: { requires: [] }
  lend: { requires: lend }
prompts:
  summary: { requires: summarise }
  notes: { requires: read, object: note, owner_fallback: true }
  audit-report: { requires: read }
";

fn policy(text: &str) -> Arc<Policy> {
    let parsed = Policy::loader().file_name("library.yaml").parse(text);
    Arc::new(parsed.unwrap_or_else(|errors| panic!("{errors}")))
}

fn findings(text: &str) -> String {
    audit::<Library>(&policy(text)).unwrap_err().to_string()
}

#[test]
fn the_audit_covers_every_block() {
    let report = audit::<Library>(&policy(POLICY)).unwrap();
    assert_eq!(report.tools(), ["lend", "search"]);
    assert_eq!(report.prompts(), ["audit-report", "notes", "summary"]);
    let routers = Library::tool_router() + Library::lending_router();
    assert_eq!(routers.list_all().len(), 2);
    assert_eq!(
        Library::prompt_router().list_all().len() + Library::admin_prompts().list_all().len(),
        3
    );
}

#[test]
fn what_a_block_and_the_policy_disagree_on_is_found() {
    for (from, to, expected) in [
        ("  lend: { requires: lend }\n", "", "`lend` (tests/rmcp_parts.rs:"),
        (
            "  lend: { requires: lend }\n",
            "  lend: { requires: read }\n",
            "`lend`: the policy at library.yaml:9 gives",
        ),
        (
            "  audit-report: { requires: read }\n",
            "",
            "is not under `prompts:` in library.yaml, so nobody may call it",
        ),
        (
            "  audit-report: { requires: read }\n",
            "  audit-report: { requires: [] }\n",
            "`audit-report`: the policy at",
        ),
        (
            "prompts:\n",
            "prompts:\n  haiku: { requires: [] }\n",
            "prompt `haiku` is declared at library.yaml:11 but not served",
        ),
    ] {
        assert!(POLICY.contains(from));
        let found = findings(&POLICY.replace(from, to));
        assert!(found.contains(expected), "{found}");
        assert!(found.starts_with("1 disagreement "), "{found}");
    }
}

#[test]
fn a_forbid_reads_only_arguments_that_the_prompt_takes() {
    let forbid = |argument: &str| {
        format!(
            "{POLICY}forbid: [{{ id: long, prompts: [summary], when: {{ arg: {{ name: {argument}, longer_than: 3, if_missing: skip }} }} }}]"
        )
    };
    assert!(audit::<Library>(&policy(&forbid("words"))).is_ok());
    let found = findings(&forbid("wrods"));
    assert!(
        found.contains("the argument `wrods` of the prompt `summary`, which it does not take; did you mean `words`?"),
        "{found}"
    );
}

#[test]
fn a_replacement_of_the_policy_is_audited_for_prompts_too() {
    let handle = PolicyHandle::from(policy(POLICY));
    handle.require_audit::<Library>().unwrap();
    let refused = handle.replace(policy(
        &POLICY.replace("summary: { requires: summarise }", "summary: { requires: [] }"),
    ));
    assert!(refused.unwrap_err().to_string().contains("`summary`"));
}

#[tokio::test]
async fn prompts_are_guarded() {
    let policy = policy(POLICY);
    let book = || {
        Parameters(Book {
            title: "Dune".into(),
            words: None,
        })
    };
    let alice = testing::caller(&policy).subject("alice");
    let nobody = alice.clone().build();
    let librarian = alice.role("librarian").build();
    assert_eq!(Library.summary(nobody.clone(), book()).await.unwrap_err().code.0, 403);
    assert_eq!(Library.summary(librarian.clone(), book()).await.unwrap(), text("Dune"));
    let words = |result: GetPromptResult| match &result.messages[0].content {
        ContentBlock::Text(text) => text.text.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(words(Library.notes_about(nobody.clone()).await.unwrap()), "alice");
    assert_eq!(
        words(Library.notes_about(librarian.clone()).await.unwrap()),
        "everybody"
    );
    assert!(Library.report(nobody).is_err());
    assert!(Library.report(librarian).is_ok());
}

/// Says that it destroys, and is open to everybody.
struct Shredder;

#[guarded]
#[tool_router]
impl Shredder {
    #[tool(name = "shred", annotations(destructive_hint = true))]
    #[requires_scope(none)]
    fn shred(&self) -> Result<String, Denied> {
        Ok(String::new())
    }

    #[tool(name = "read", annotations(destructive_hint = false))]
    #[requires_scope(none)]
    fn read(&self) -> Result<String, Denied> {
        Ok(String::new())
    }
}

#[test]
fn a_destructive_tool_that_is_open_to_every_caller_is_found() {
    let open = "version: 1\ntools: { shred: { requires: [] }, read: { requires: [] } }";
    let found = audit::<Shredder>(&policy(open)).unwrap_err().to_string();
    assert!(found.starts_with("1 disagreement"), "{found}");
    assert!(
        found.contains("tool `shred` says `destructiveHint: true`, but library.yaml:2 opens it to every caller"),
        "{found}"
    );
    let closed = "version: 1\nscopes: { shred: Shred }\nroles: { all: { scopes: [shred] } }\n\
                  tools: { shred: { requires: shred }, read: { requires: [] } }";
    assert!(audit::<Shredder>(&policy(closed)).is_ok());
}

/// Guarded functions come and go with their conditions.
struct Conditional;

#[guarded]
impl Conditional {
    #[cfg(any())]
    #[requires_scope("read", prompt = "never")]
    fn never(&self, _caller: &mcp_auth::Caller) -> Result<String, Denied> {
        Ok(String::new())
    }

    #[cfg(not(any()))]
    #[requires_scope("read", prompt = "always")]
    fn r#always(&self, _caller: &mcp_auth::Caller) -> Result<String, Denied> {
        Ok(String::new())
    }
}

#[test]
fn a_function_that_is_not_compiled_is_not_audited() {
    let text = "version: 1\nscopes: { read: Read }\nroles: { all: { scopes: [read] } }\nprompts: { always: { requires: read } }";
    assert_eq!(audit::<Conditional>(&policy(text)).unwrap().prompts(), ["always"]);
    let caller = testing::caller(&policy(text)).role("all").build();
    assert!(Conditional.always(&caller).is_ok());
}
