//! A call that is answered by something else than its guarded function is refused, in every mode.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod common;

use axum::Router;
use common::{Answer, RESOURCE, SIX_MODES, client_request, send};
use mcp_auth::{
    AuditFinding, Denied, LocalIdentity, LocalServer, McpAuth, OperationKind, Policy, PolicyHandle, ToolFailure,
    guarded, requires_scope, testing::Issuer,
};
use rmcp::{
    ServerHandler, ServiceExt as _,
    handler::server::{
        router::tool::{ToolRoute, ToolRouter},
        wrapper::Parameters,
    },
    model::{CallToolRequestParams, CallToolResult, ContentBlock},
    tool, tool_handler, tool_router,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
    },
};
use serde_json::{Value, json};

const POLICY: &str = "
version: 1
policy: notes
scopes: { write: Write }
roles: { writer: { scopes: [write] } }
tools:
  guarded: { requires: write }
  replaced: { requires: write }
  failing: { requires: write }
";

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Note {
    text: String,
}

#[derive(Clone)]
struct Server {
    router: ToolRouter<Self>,
}

#[guarded]
#[tool_router]
impl Server {
    #[tool(name = "guarded")]
    #[requires_scope("write")]
    async fn guarded(&self, Parameters(note): Parameters<Note>) -> Result<String, ToolFailure> {
        Ok(note.text)
    }

    #[tool(name = "replaced")]
    #[requires_scope("write")]
    async fn replaced(&self) -> Result<String, Denied> {
        Ok("never called".into())
    }

    #[tool(name = "failing")]
    #[requires_scope("write")]
    async fn failing(&self) -> Result<String, ToolFailure> {
        Err(ToolFailure::text("failed"))
    }
}

#[tool_handler(router = self.router)]
impl ServerHandler for Server {}

impl Server {
    /// Serves another function under the name of a guarded one, with the same arguments: no audit can tell.
    fn new() -> Self {
        let tool = Self::replaced_tool_attr();
        let route = ToolRoute::new_dyn(tool, |_| {
            Box::pin(async { Ok(CallToolResult::success(vec![ContentBlock::text("unguarded secret")]).into()) })
        });
        Self {
            router: Self::tool_router().with_route(route),
        }
    }
}

async fn call(
    policy: &PolicyHandle,
    (mode, version): (common::Mode, &'static str),
    tool: &str,
    arguments: Value,
) -> Answer {
    let issuer = Issuer::start().await.unwrap();
    let auth = McpAuth::builder(RESOURCE)
        .authorization_server(issuer.authorization_server().unwrap())
        .policy(policy.clone())
        .build()
        .unwrap();
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(mode.sessions)
        .with_json_response(mode.json);
    let service = StreamableHttpService::new(|| Ok(Server::new()), LocalSessionManager::default().into(), config);
    let app = Router::new().route_service("/", service).route_layer(auth.mcp_layer());
    let token = issuer
        .token()
        .subject("alice")
        .audience(RESOURCE)
        .scopes(["write"])
        .sign();
    let params = json!({ "name": tool, "arguments": arguments });
    let message = json!({ "jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params });
    send(&app, client_request(&app, mode, version, &token, message).await).await
}

#[tokio::test]
async fn only_the_guarded_function_answers_a_call() {
    let policy = PolicyHandle::from(Policy::parse(POLICY).unwrap());
    policy.require_audit_of(&Server::new()).await.unwrap();
    for mode in SIX_MODES {
        let answer = call(&policy, mode, "guarded", json!({ "text": "mine" })).await;
        assert!(answer.body.contains("mine"), "{mode:?} {answer:?}");
        let answer = call(&policy, mode, "replaced", json!({})).await;
        assert!(!answer.body.contains("secret"), "{mode:?} {answer:?}");
        assert!(
            answer.body.contains("-32603") && answer.body.contains(r#""id":7"#),
            "{mode:?} {answer:?}"
        );
        // What fails before or after the guard keeps its own words.
        let answer = call(&policy, mode, "guarded", json!({ "text": 7 })).await;
        assert!(
            answer.body.contains("failed to deserialize parameters"),
            "{mode:?} {answer:?}"
        );
        let answer = call(&policy, mode, "failing", json!({})).await;
        assert!(answer.body.contains("failed"), "{mode:?} {answer:?}");
    }
}

/// Prompts and resources that nothing in the code mentions.
#[tokio::test]
async fn what_only_owners_reach_needs_a_function_that_knows_them() {
    let own = "requires: write, object: note, owner_fallback: true";
    let more = format!(
        "objects: {{ note: {{ owner: o }} }}\nprompts: {{ sum: {{ {own} }} }}\nresources: {{ 'n://{{id}}': {{ {own} }}, 'n://all': {{ requires: write }} }}\n"
    );
    let policy = PolicyHandle::from(Policy::parse(&format!("{POLICY}{more}")).unwrap());
    let errors = policy.require_audit_of(&Server::new()).await.unwrap_err();
    let kinds: Vec<_> = errors
        .findings()
        .iter()
        .map(|finding| match finding {
            AuditFinding::OwnershipUnchecked { kind, name, .. } => (*kind, name.as_str()),
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(
        kinds,
        [(OperationKind::Prompt, "sum"), (OperationKind::Resource, "n://{id}")]
    );
    assert!(
        errors
            .to_string()
            .contains("resource `n://{id}` at policy:12 limits callers to their own objects"),
        "{errors}"
    );
}

/// A hand-written server without annotations is guarded by the gate alone.
#[tokio::test]
async fn without_an_audit_nothing_is_known_to_be_guarded() {
    let policy = PolicyHandle::from(Policy::parse(POLICY).unwrap());
    for mode in SIX_MODES {
        let answer = call(&policy, mode, "replaced", json!({})).await;
        assert!(answer.body.contains("secret"), "{mode:?} {answer:?}");
    }
}

#[tokio::test]
async fn only_the_guarded_function_answers_a_local_call() {
    let policy = PolicyHandle::from(Policy::parse(POLICY).unwrap());
    policy.require_audit_of(&Server::new()).await.unwrap();
    let alice = LocalIdentity::new("alice").scopes(["write"]);
    let server = LocalServer::new(Server::new(), &alice, policy).unwrap();
    let (near, far) = tokio::io::duplex(1 << 16);
    tokio::spawn(async move { server.serve(far).await.unwrap().waiting().await });
    let client = ().serve(near).await.unwrap();
    let call = |tool: &'static str, arguments: Value| {
        let params = CallToolRequestParams::new(tool).with_arguments(arguments.as_object().cloned().unwrap());
        client.call_tool(params)
    };
    assert!(call("guarded", json!({ "text": "mine" })).await.is_ok());
    assert!(call("failing", json!({})).await.is_ok());
    let refused = call("replaced", json!({})).await.unwrap_err().to_string();
    assert!(refused.contains("-32603"), "{refused}");
}
