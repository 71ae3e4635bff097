//! The whole way with `rmcp`'s own OAuth client: 401, metadata, registration, PKCE, token, tool call.

#![cfg(feature = "demo")]

mod common;

use common::*;
use rmcp::{
    RoleClient, ServiceExt as _,
    model::CallToolRequestParams,
    service::RunningService,
    transport::{
        AuthClient, AuthorizationRequest, StreamableHttpClientTransport, auth::OAuthState,
        streamable_http_client::StreamableHttpClientTransportConfig,
    },
};
use serde_json::json;

const REDIRECT_URI: &str = "http://127.0.0.1:4567/callback";

type Client = RunningService<RoleClient, ()>;

/// Connects without a token and gives the challenge of the 401.
async fn challenge_of(server: &Running) -> String {
    let response = server
        .post(None, &json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" }))
        .await;
    response.headers()["www-authenticate"].to_str().unwrap().to_owned()
}

/// Authorizes as a user, for the scopes that the challenge names.
async fn authorize(server: &Running, user: &str) -> AuthClient<reqwest::Client> {
    let mut oauth = OAuthState::new(&server.resource, None).await.unwrap();
    let request = AuthorizationRequest::new(REDIRECT_URI)
        .with_client_name("The test")
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

#[tokio::test]
async fn a_client_signs_in_and_is_told_who_it_is() {
    for mode in MODES {
        let server = Running::start(&["--mode", mode]).await;
        for user in ["alice", "bob", "admin"] {
            let http = authorize(&server, user).await;
            let client = connect(&server, &http).await;
            let tools = client.list_all_tools().await.unwrap();
            let names: Vec<_> = tools.iter().map(|tool| tool.name.as_ref()).collect();
            assert_eq!(names, ["whoami"]);
            let answer = client.call_tool(CallToolRequestParams::new("whoami")).await.unwrap();
            assert_eq!(answer.structured_content.unwrap()["sub"], user, "{mode}");
            client.cancel().await.unwrap();
        }
        server.stop().await;
    }
}
