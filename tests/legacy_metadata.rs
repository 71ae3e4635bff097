//! The metadata of an authorization server, served again for clients of MCP 2025-03-26.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::convert::Infallible;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode},
    routing::post,
};
use mcp_auth::{
    AuthorizationServer, AuthorizationServerMetadata, McpAuth,
    testing::{Fault, Issuer},
};
use serde_json::{Value, json};
use tower::ServiceExt;

const PATH: &str = "/.well-known/oauth-authorization-server";
const RESOURCE: &str = "http://localhost:3001/mcp";

async fn ask(router: &Router, method: &str, headers: &[(&str, &str)]) -> (StatusCode, HeaderMap, Vec<u8>) {
    let mut request = Request::builder().method(method).uri(PATH);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = router
        .clone()
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    let (head, body) = response.into_parts();
    (
        head.status,
        head.headers,
        to_bytes(body, 1 << 20).await.unwrap().to_vec(),
    )
}

fn with(document: Value) -> Router {
    let metadata = AuthorizationServerMetadata::from_value(document).unwrap();
    let server = AuthorizationServer::builder(metadata.issuer())
        .metadata(metadata.clone())
        .build();
    server.unwrap().legacy_metadata_router()
}

#[tokio::test]
async fn the_document_is_the_issuers_with_every_member() {
    let document = json!({
        "issuer": "https://as.example.com/tenant",
        "token_endpoint": "https://as.example.com/token",
        "authorization_response_iss_parameter_supported": true,
        "client_id_metadata_document_supported": true,
        "end_session_endpoint": "https://as.example.com/end",
        "x_unknown": {"a": [1, null]},
    });
    let (status, headers, body) = ask(&with(document.clone()), "GET", &[("origin", "https://any.example")]).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), document);
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(headers["cache-control"], "public, max-age=3600");
    assert_eq!(headers["access-control-allow-origin"], "*");
    let (status, headers, body) = ask(&with(document), "HEAD", &[]).await;
    assert_eq!((status, body.len()), (StatusCode::OK, 0));
    assert_eq!(headers["content-type"], "application/json");
}

#[tokio::test]
async fn it_is_fetched_once_and_served_as_corrected() {
    let issuer = Issuer::start().await.unwrap();
    let builder = AuthorizationServer::builder(issuer.url()).correct_metadata(async |mut members| {
        members.insert("registration_endpoint".to_owned(), "http://localhost:9/register".into());
        Ok::<_, Infallible>(members)
    });
    let router = builder.build().unwrap().legacy_metadata_router();
    assert_eq!(issuer.metadata_fetches(), 0);
    for _ in 0..3 {
        let (_, _, body) = ask(&router, "GET", &[]).await;
        let document: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(document["issuer"], issuer.url());
        assert_eq!(document["registration_endpoint"], "http://localhost:9/register");
    }
    assert_eq!(issuer.metadata_fetches(), 1);
}

#[tokio::test]
async fn an_issuer_out_of_reach_is_503_with_retry_after_and_nothing_else() {
    let issuer = Issuer::start().await.unwrap();
    for fault in [Fault::Down, Fault::NotJson, Fault::WrongIssuer] {
        issuer.set_fault(fault);
        let router = issuer.authorization_server().unwrap().legacy_metadata_router();
        for _ in 0..2 {
            let (status, headers, body) = ask(&router, "GET", &[("origin", "https://any.example")]).await;
            assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{fault:?}");
            assert_eq!(headers["retry-after"], "1");
            assert_eq!(headers["cache-control"], "no-store");
            assert_eq!(headers["access-control-allow-origin"], "*");
            assert_eq!(headers["content-type"], "application/json");
            assert!(!headers.contains_key("www-authenticate"));
            let description = "The authorization server cannot be reached; try again later";
            assert_eq!(
                serde_json::from_slice::<Value>(&body).unwrap(),
                json!({"error_description": description, "reason": "authorization_server_unavailable"})
            );
        }
    }
    assert_eq!(issuer.metadata_fetches(), 3, "a failure is not asked for again at once");
}

#[tokio::test]
async fn a_preflight_is_answered_and_other_methods_are_not_allowed() {
    let router = with(json!({"issuer": "https://as.example.com"}));
    let wanted = [
        ("origin", "https://app.example"),
        ("access-control-request-headers", "mcp-protocol-version"),
    ];
    let (status, headers, _) = ask(&router, "OPTIONS", &wanted).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(headers["access-control-allow-origin"], "*");
    assert_eq!(headers["access-control-allow-methods"], "GET, HEAD, OPTIONS");
    assert_eq!(headers["access-control-allow-headers"], "mcp-protocol-version");
    for method in ["POST", "PUT", "PATCH", "DELETE", "TRACE"] {
        let (status, headers, _) = ask(&router, method, &[]).await;
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_eq!(headers["allow"], "GET,HEAD,OPTIONS");
    }
}

#[tokio::test]
async fn it_is_there_only_if_asked_for_and_stands_beside_a_protected_server() {
    let issuer = Issuer::start().await.unwrap();
    let other = Issuer::start().await.unwrap();
    let (shown, hidden) = (
        issuer.authorization_server().unwrap(),
        other.authorization_server().unwrap(),
    );
    let auth = McpAuth::builder(RESOURCE)
        .authorization_server(hidden)
        .authorization_server(shown.clone())
        .build()
        .unwrap();
    let protected = Router::new()
        .route("/mcp", post(async || "mcp"))
        .route_layer(auth.bearer_layer())
        .merge(auth.metadata_router());
    assert_eq!(ask(&protected, "GET", &[]).await.0, StatusCode::NOT_FOUND);
    let (status, _, body) = ask(
        &protected.merge(shown.legacy_metadata_router()),
        "GET",
        &[("authorization", "Bearer bad")],
    )
    .await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap()["issuer"], issuer.url());
    assert_eq!(other.metadata_fetches(), 0);
}
