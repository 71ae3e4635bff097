//! The whole way with `rmcp`'s own OAuth client: 401, metadata, registration, PKCE, token, tool calls, and step-up after a 403.

#![cfg(feature = "demo")]

mod common;

use common::*;
use rmcp::{
    RoleClient, ServiceExt as _,
    model::{CallToolRequestParams, CallToolResult},
    service::{RunningService, ServiceError},
    transport::{
        AuthClient, AuthorizationRequest, StreamableHttpClientTransport,
        auth::{AuthorizationCallback, OAuthState},
        streamable_http_client::{InsufficientScopeError, StreamableHttpClientTransportConfig},
    },
};
use serde_json::{Value, json};

const REDIRECT_URI: &str = "http://127.0.0.1:4567/callback";

type Client = RunningService<RoleClient, ()>;

/// Connects without a token and gives the challenge of the 401.
async fn challenge_of(server: &Running) -> String {
    let response = server
        .post(None, &json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" }))
        .await;
    response.headers()["www-authenticate"].to_str().unwrap().to_owned()
}

/// Authorizes as a user, for these scopes or for those that the challenge names.
async fn authorize(server: &Running, user: &str, scopes: &[&str]) -> AuthClient<reqwest::Client> {
    let mut oauth = OAuthState::new(&server.resource, None).await.unwrap();
    let request = AuthorizationRequest::new(REDIRECT_URI)
        .with_client_name("The test")
        .with_scopes(scopes.iter().copied())
        .with_challenge(challenge_of(server).await);
    oauth.start_authorization(request).await.unwrap();
    let callback = allow_as(user, &oauth.get_authorization_url().await.unwrap()).await;
    oauth.handle_callback_url(callback.as_str()).await.unwrap();
    AuthClient::new(reqwest::Client::new(), oauth.into_authorization_manager().unwrap())
}

async fn connect(server: &Running, http: &AuthClient<reqwest::Client>) -> Client {
    let config = StreamableHttpClientTransportConfig::with_uri(server.resource.as_str());
    ().serve(StreamableHttpClientTransport::with_client(http.clone(), config))
        .await
        .unwrap()
}

async fn call_tool(client: &Client, name: &'static str, arguments: Value) -> Result<CallToolResult, ServiceError> {
    let arguments = arguments.as_object().unwrap().clone();
    client
        .call_tool(CallToolRequestParams::new(name).with_arguments(arguments))
        .await
}

/// The scopes that a 403 asked for.
fn asked_for(error: &ServiceError) -> Option<String> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<InsufficientScopeError>() {
            return error.get_required_scope().map(str::to_owned);
        }
        cause = match error.downcast_ref::<ServiceError>() {
            Some(ServiceError::TransportSend(error)) => Some(&*error.error),
            _ => error.source(),
        };
    }
    None
}

#[tokio::test]
async fn a_client_signs_in_and_works_with_its_own_items() {
    let database = Database::new();
    let server = Running::start(&database).await;
    let http = authorize(&server, "alice", &[]).await;
    let client = connect(&server, &http).await;
    let mut tools: Vec<_> = client
        .list_all_tools()
        .await
        .unwrap()
        .into_iter()
        .map(|tool| tool.name)
        .collect();
    tools.sort();
    assert_eq!(tools, ["create-todo", "delete-todo", "get-todos"]);
    let created = call_tool(&client, "create-todo", json!({ "content": "Buy milk" }))
        .await
        .unwrap();
    assert_eq!(created.structured_content.unwrap()["ownerId"], "alice");
    let listed = call_tool(&client, "get-todos", json!({})).await.unwrap();
    assert_eq!(listed.structured_content.unwrap()["todos"][0]["content"], "Buy milk");
    client.cancel().await.unwrap();
    server.stop().await;
}

#[tokio::test]
async fn a_403_leads_to_a_step_up_after_which_the_call_succeeds() {
    let database = Database::new();
    let server = Running::start(&database).await;
    let http = authorize(&server, "admin", &["read:todos"]).await;
    let client = connect(&server, &http).await;
    let refused = call_tool(&client, "create-todo", json!({ "content": "Buy milk" }))
        .await
        .unwrap_err();
    let scope = asked_for(&refused).unwrap_or_else(|| panic!("no step-up asked for: {refused:?}"));
    // What is missing, and what this client of an older version would lose by asking for that alone.
    assert_eq!(scope, "create:todos read:todos");

    let callback = {
        let manager = http.auth_manager.lock().await;
        let url = manager.request_scope_upgrade(&scope).await.unwrap();
        AuthorizationCallback::from_redirect_url(allow_as("admin", &url).await.as_str()).unwrap()
    };
    let manager = http.auth_manager.lock().await;
    manager
        .exchange_code_for_token_with_issuer(&callback.code, &callback.csrf_token, callback.issuer.as_deref())
        .await
        .unwrap();
    drop(manager);

    // A refused request may have ended the connection; a client connects again.
    let client = connect(&server, &http).await;
    let created = call_tool(&client, "create-todo", json!({ "content": "Buy milk" }))
        .await
        .unwrap();
    assert_eq!(created.structured_content.unwrap()["ownerId"], "admin");
    let listed = call_tool(&client, "get-todos", json!({})).await.unwrap();
    assert_eq!(
        listed.structured_content.unwrap()["todos"].as_array().unwrap().len(),
        1,
        "what was granted before stays"
    );
    server.stop().await;
}
