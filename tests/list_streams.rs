//! In a session, `rmcp` leads an answer by the id of its request. A client that gives two requests the same id gets the list on the stream of the
//! other one, which shows no more than its own would.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod common;

use std::time::Duration;

use axum::{Router, response::Response};
use common::{RESOURCE, authorized, call, open_session, post, with_header};
use http_body_util::BodyExt as _;
use mcp_auth::{McpAuth, Policy, testing::Issuer};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ListToolsResult, PaginatedRequestParams,
        ServerCapabilities, ServerConfig,
    },
    service::RequestContext,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
    },
};
use serde_json::json;
use tower::ServiceExt as _;

const POLICY: &str = "
version: 1
scopes: { read:secrets: Read what is locked away }
visibility: granted
tools:
  search: { requires: [] }
  shred: { requires: 'read:secrets' }
";

/// A server that takes a moment for a list, and longer for a call.
#[derive(Debug, Clone)]
struct Slow;

impl ServerHandler for Slow {
    fn get_info(&self) -> ServerConfig {
        let mut config = ServerConfig::default();
        config.capabilities = ServerCapabilities::builder().enable_tools().build();
        config
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let tools = ["search", "shred"].map(|name| json!({ "name": name, "inputSchema": {} }));
        Ok(serde_json::from_value(json!({ "tools": tools })).unwrap())
    }

    async fn call_tool(
        &self,
        _: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        tokio::time::sleep(Duration::from_millis(600)).await;
        let result: CallToolResult = serde_json::from_value(json!({ "content": [] })).unwrap();
        Ok(result.into())
    }
}

/// What arrives until nothing does any more.
async fn events(response: Response) -> String {
    let mut body = response.into_body();
    let mut text = String::new();
    while let Ok(Some(Ok(frame))) = tokio::time::timeout(Duration::from_secs(1), body.frame()).await {
        text += &frame
            .into_data()
            .map_or(String::new(), |data| String::from_utf8_lossy(&data).into_owned());
    }
    text
}

#[tokio::test]
async fn a_list_on_the_stream_of_another_request_is_filtered_too() {
    let issuer = Issuer::start().await.unwrap();
    let auth = McpAuth::builder(RESOURCE)
        .authorization_server(issuer.authorization_server().unwrap())
        .policy(Policy::parse(POLICY).unwrap_or_else(|errors| panic!("{errors}")))
        .build()
        .unwrap();
    let service = StreamableHttpService::new(
        || Ok(Slow),
        LocalSessionManager::default().into(),
        StreamableHttpServerConfig::default(),
    );
    let app = Router::new().route_service("/", service).route_layer(auth.mcp_layer());
    let token = issuer
        .token()
        .subject("alice")
        .audience(RESOURCE)
        .scopes(["other"])
        .sign();
    let session = open_session(&app, &token).await;
    let ask = |message| {
        let request = with_header(authorized(&token, post(&message)), "mcp-session-id", &session);
        app.clone().oneshot(request)
    };
    let called = call("search", json!({}));
    let list = ask(json!({ "jsonrpc": "2.0", "id": called["id"], "method": "tools/list" }))
        .await
        .unwrap();
    let called = ask(called).await.unwrap();
    let (list, called) = tokio::join!(events(list), events(called));
    let both = format!("{list}{called}");
    assert!(!both.contains("shred"), "{both}");
    // The transport does mix them up.
    assert!(called.contains("search"), "{both}");
}
