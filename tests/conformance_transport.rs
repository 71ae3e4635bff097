//! Rows F and E of `docs/conformance.md` that no other test shows: the form of what passes the gate on its way back.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod common;

use axum::Router;
use common::{
    library::{NOBODY, Server},
    *,
};
use http::StatusCode;
use mcp_auth::{Access, McpAuth, Policy, ToolFailure, guarded, requires_scope, testing::Issuer};
use rmcp::{
    ServerHandler, tool, tool_handler, tool_router,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
    },
};
use serde_json::json;

/// A tool whose every object belongs to somebody else.
#[derive(Clone)]
struct Elsewhere;

#[guarded(policy = "policies/todo.yaml")]
#[tool_router]
impl Elsewhere {
    #[tool(name = "create-todo")]
    #[requires_scope("create:todos")]
    async fn create_todo(&self, _access: Access) -> Result<String, ToolFailure> {
        Ok("created".to_owned())
    }

    #[tool(name = "get-todos")]
    #[requires_scope("read:todos", owner_fallback)]
    async fn get_todos(&self, access: Access) -> Result<String, ToolFailure> {
        Ok(format!("{:?}", access.filter()))
    }

    #[tool(name = "delete-todo")]
    #[requires_scope("delete:todos", owner_fallback)]
    async fn delete_todo(&self, access: Access) -> Result<String, ToolFailure> {
        access.check_owner("bob")?;
        Ok("deleted".to_owned())
    }
}

#[tool_handler]
impl ServerHandler for Elsewhere {}

#[tokio::test]
async fn a_tool_error_has_the_form_of_the_version_of_its_request() {
    let issuer = Issuer::start().await.unwrap();
    let auth = McpAuth::builder(RESOURCE)
        .authorization_server(issuer.authorization_server().unwrap())
        .policy(Policy::parse(include_str!("../policies/todo.yaml")).unwrap())
        .build()
        .unwrap();
    let config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true);
    let service = StreamableHttpService::new(|| Ok(Elsewhere), LocalSessionManager::default().into(), config);
    let app = Router::new().route_service("/", service).route_layer(auth.mcp_layer());
    let token = issuer
        .token()
        .subject("alice")
        .audience(RESOURCE)
        .scopes(["create:todos"])
        .sign();
    for (tool, is_error) in [("delete-todo", true), ("create-todo", false)] {
        let ask = || call(tool, json!({}));
        let old = send(&app, authorized(&token, post(&ask()))).await;
        let new = send(&app, modern(&token, ask())).await;
        for (answer, result_type) in [(old, None), (new, Some("complete"))] {
            assert_eq!(
                (answer.status, answer.challenge()),
                (StatusCode::OK, None),
                "{answer:?}"
            );
            let result = &answer.json()["result"];
            assert_eq!(result["isError"].as_bool().unwrap_or_default(), is_error, "{answer:?}");
            assert_eq!(
                result.get("resultType").and_then(|kind| kind.as_str()),
                result_type,
                "{answer:?}"
            );
        }
    }
}

#[tokio::test]
async fn every_page_of_a_filtered_list_is_private() {
    for mode in [SIX_MODES[3], SIX_MODES[4]] {
        let server = Server::start(mode, "visibility: granted\n").await;
        for cursor in [json!({}), json!({ "cursor": "2" }), json!({ "cursor": "made up" })] {
            let answer = server.ask(NOBODY, "tools/list", cursor.clone()).await;
            assert!(
                answer.body.contains(r#""cacheScope":"private""#),
                "{cursor}: {answer:?}"
            );
            assert!(!answer.body.contains("shred"), "{cursor}: {answer:?}");
        }
    }
}
