//! The start-up audit: all disagreements between tools and policy in one error.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use mcp_auth::{Access, AuditFinding, Caller, Denied, Policy, audit, guarded, requires_scope};
use rmcp::{
    handler::server::{
        router::tool::{ToolRoute, ToolRouter},
        wrapper::Parameters,
    },
    tool, tool_router,
};

struct Server;

#[guarded]
#[tool_router]
impl Server {
    #[tool(name = "good")]
    #[requires_scope("read")]
    fn good(&self) -> Result<String, Denied> {
        Ok(String::new())
    }

    #[tool(name = "misspelt")]
    #[requires_scope("raed", "write")]
    fn misspelt(&self) -> Result<String, Denied> {
        Ok(String::new())
    }

    #[tool(name = "forgoten")]
    #[requires_scope("read")]
    fn undeclared(&self) -> Result<String, Denied> {
        Ok(String::new())
    }

    #[tool(name = "looser")]
    #[requires_scope("read", "write")]
    fn looser(&self) -> Result<String, Denied> {
        Ok(String::new())
    }

    #[allow(dead_code, reason = "only audited")]
    #[requires_scope("read", name = "export")]
    fn export(&self, access: Access) -> Result<String, Denied> {
        Ok(format!("{:?}", access.reach()))
    }

    #[allow(dead_code, reason = "only audited")]
    #[requires_scope(none)]
    fn helper(&self, _caller: &Caller) -> Result<(), Denied> {
        Ok(())
    }
}

const POLICY: &str = "
version: 1
policy: audit
scopes:
  read: Read
  write: Write
roles:
  writer: { scopes: [read, write] }
objects:
  note: { owner: owner_id }
tools:
  good: { requires: read }
  misspelt: { requires: [read, write] }
  looser: { requires: read }
  forgotten: { requires: read }
operations:
  export: { requires: read, object: note, owner_fallback: true }
";

#[test]
fn every_disagreement_is_found_at_once() {
    let policy = Policy::loader()
        .file_name("audit.yaml")
        .parse(POLICY)
        .unwrap_or_else(|errors| panic!("{errors}"));
    let errors = audit::<Server>(&policy).unwrap_err();
    let kinds: Vec<&str> = errors
        .findings()
        .iter()
        .map(|finding| match finding {
            AuditFinding::UnknownScope { .. } => "unknown scope",
            AuditFinding::Undeclared { .. } => "undeclared",
            AuditFinding::Looser { .. } => "looser",
            AuditFinding::Unserved { .. } => "unserved",
            _ => "other",
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "unknown scope",
            "undeclared",
            "looser",
            "looser",
            "undeclared",
            "unserved"
        ]
    );
    let text = errors.to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "6 disagreements between the server and its policy:");
    for (line, parts) in lines[1..].iter().zip([
        [
            "`misspelt` at ",
            "rmcp_audit.rs:",
            "needs the scope `raed`, which audit.yaml does not declare; did you mean `read`?",
        ],
        [
            "`forgoten` (",
            "rmcp_audit.rs:",
            "is not under `tools:` in audit.yaml, so nobody may call it; did you mean `forgotten`?",
        ],
        [
            "`looser`: the policy at audit.yaml:",
            "a caller with only `read` every object",
            "tighten the policy or change the annotation",
        ],
        [
            "`export`: the policy at audit.yaml:",
            "a caller without scopes its own objects",
            "nothing; tighten",
        ],
        [
            "`helper` (",
            "rmcp_audit.rs:",
            "is not under `operations:` in audit.yaml, so nobody may call it; add it there",
        ],
        [
            "tool `forgotten` is declared at audit.yaml:",
            "but not served",
            "remove it there",
        ],
    ]) {
        for part in parts {
            assert!(line.contains(part), "`{part}` not in: {line}");
        }
    }
}

/// `Guarded` can be implemented by hand; the audit then finds what the attribute would have refused.
#[test]
fn a_served_tool_without_a_requirement_is_found() {
    struct ByHand;
    impl mcp_auth::Guarded for ByHand {
        fn parts() -> Vec<mcp_auth::__private::GuardedPart> {
            let route = |name: &'static str| {
                let tool = rmcp::model::Tool::new(name, "", std::sync::Arc::default());
                ToolRoute::new_dyn(tool, |_| {
                    Box::pin(async { Err(rmcp::ErrorData::internal_error("", None)) })
                })
            };
            let router = ToolRouter::<Self>::new()
                .with_route(route("good"))
                .with_route(route("goood"));
            vec![mcp_auth::__private::GuardedPart::new(&[], &[]).tools(&router)]
        }
    }
    let policy = Policy::loader().file_name("audit.yaml").parse(POLICY).unwrap();
    let text = audit::<ByHand>(&policy).unwrap_err().to_string();
    assert!(
        text.contains("tool `good` is served but states no requirement; add `#[requires_scope(…)]`"),
        "{text}"
    );
    assert!(text.contains("`goood` is not under `tools:`"), "{text}");
    assert_eq!(text.matches("not served").count(), 3, "{text}");
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct Closed {
    #[allow(dead_code, reason = "only its schema is read")]
    content: String,
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Open {
    #[allow(dead_code, reason = "only its schema is read")]
    content: String,
}

struct WithArguments;

#[guarded]
#[tool_router]
impl WithArguments {
    #[tool(name = "closed")]
    #[requires_scope("read")]
    fn closed(&self, _parameters: Parameters<Closed>) -> Result<String, Denied> {
        Ok(String::new())
    }

    #[tool(name = "open")]
    #[requires_scope("read")]
    fn open(&self, _parameters: Parameters<Open>) -> Result<String, Denied> {
        Ok(String::new())
    }
}

#[test]
fn a_forbid_reads_only_arguments_that_the_tool_takes_under_no_other_name() {
    let audit = |tool: &str, argument: &str| {
        let text = format!(
            "version: 1\nscopes: {{ read: Read }}\ntools: {{ closed: {{ requires: read }}, open: {{ requires: read }} }}\n\
             forbid: [{{ id: long, tools: [{tool}], when: {{ arg: {{ name: {argument}, longer_than: 5, if_missing: skip }} }} }}]"
        );
        let policy = Policy::loader().file_name("audit.yaml").parse(&text).unwrap();
        audit::<WithArguments>(&policy)
            .map(|_| ())
            .map_err(|errors| errors.to_string())
    };
    assert_eq!(audit("closed", "content"), Ok(()));
    let misspelt = audit("closed", "contnet").unwrap_err();
    assert!(
        misspelt.contains("reads the argument `contnet` of the tool `closed`")
            && misspelt.contains("did you mean `content`?"),
        "{misspelt}"
    );
    let open = audit("open", "content").unwrap_err();
    assert!(
        open.contains("audit.yaml:4") && open.contains("deny_unknown_fields"),
        "{open}"
    );
}
