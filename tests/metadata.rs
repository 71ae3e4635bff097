//! The protected resource metadata as a client sees it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode},
};
use mcp_auth::ProtectedResourceMetadata;
use serde_json::{Value, json};
use tower::ServiceExt;

const RESOURCE: &str = "https://mcp.example.com/todo";
const PATH: &str = "/.well-known/oauth-protected-resource/todo";

fn metadata(resource: &str) -> ProtectedResourceMetadata {
    ProtectedResourceMetadata::builder(resource)
        .authorization_server("https://as.example.com")
        .build()
        .unwrap()
}

async fn ask(
    metadata: &ProtectedResourceMetadata,
    method: &str,
    uri: &str,
    headers: &[(&str, &str)],
) -> (StatusCode, HeaderMap, Vec<u8>) {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = metadata
        .router()
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

#[tokio::test]
async fn the_document_says_what_is_configured_and_nothing_empty() {
    let full = ProtectedResourceMetadata::builder(RESOURCE)
        .authorization_server("https://as.example.com")
        .authorization_server("https://other.example.com/")
        .scopes_supported(["create:todos", "offline_access", "read:todos", "create:todos"])
        .resource_name("Todo manager")
        .resource_documentation("https://mcp.example.com/docs")
        .build()
        .unwrap();
    let (status, headers, body) = ask(&full, "GET", PATH, &[]).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers["content-type"], "application/json");
    assert_eq!(headers["cache-control"], "public, max-age=3600");
    assert_eq!(headers["access-control-allow-origin"], "*");
    assert_eq!(
        serde_json::from_slice::<Value>(&body).unwrap(),
        json!({
            "resource": "https://mcp.example.com/todo",
            "authorization_servers": ["https://as.example.com", "https://other.example.com/"],
            "scopes_supported": ["create:todos", "read:todos"],
            "bearer_methods_supported": ["header"],
            "resource_name": "Todo manager",
            "resource_documentation": "https://mcp.example.com/docs",
        })
    );
    let small = ProtectedResourceMetadata::builder(RESOURCE)
        .authorization_server("https://as.example.com")
        .scopes_supported(["offline_access"])
        .resource_name("")
        .build()
        .unwrap();
    assert_eq!(
        small.to_json(),
        json!({
            "resource": "https://mcp.example.com/todo",
            "authorization_servers": ["https://as.example.com"],
            "bearer_methods_supported": ["header"],
        })
    );
}

#[tokio::test]
async fn the_resource_is_exactly_as_configured_and_its_document_at_its_place() {
    let well_known = "/.well-known/oauth-protected-resource";
    for (resource, there, not_there) in [
        ("https://h.example", "", "/mcp"),
        ("https://h.example/", "", "/"),
        ("https://h.example/mcp", "/mcp", ""),
        ("https://h.example/mcp/", "/mcp/", "/mcp"),
        ("https://H.Example/:a/*b", "/:a/*b", "/x/y"),
        ("https://h.example/a?b=c", "/a?b=c", "/a"),
        ("https://h.example/%7Euser", "/%7Euser", "/~user"),
    ] {
        let metadata = metadata(resource);
        let (status, _, body) = ask(&metadata, "GET", &format!("{well_known}{there}"), &[]).await;
        assert_eq!(status, StatusCode::OK, "{resource}");
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap()["resource"], resource);
        assert_eq!(metadata.metadata_url(), format!("https://h.example{well_known}{there}"));
        let (status, _, _) = ask(&metadata, "GET", &format!("{well_known}{not_there}"), &[]).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{resource} {not_there}");
    }
}

#[tokio::test]
async fn anybody_may_read_whatever_they_send() {
    for headers in [
        [("authorization", "Bearer bad"), ("origin", "https://evil.example")],
        [("host", "evil.example"), ("x-forwarded-host", "evil.example")],
        [("mcp-protocol-version", "2026-07-28"), ("cookie", "a=b")],
    ] {
        let (status, _, body) = ask(&metadata(RESOURCE), "GET", PATH, &headers).await;
        assert_eq!(status, StatusCode::OK);
        assert!(!String::from_utf8(body).unwrap().contains("evil"));
    }
    assert_eq!(
        ask(&metadata(RESOURCE), "GET", &format!("{PATH}?cache=1"), &[]).await.0,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_head_request_has_the_headers_and_no_body() {
    let (status, headers, body) = ask(&metadata(RESOURCE), "HEAD", PATH, &[]).await;
    assert_eq!((status, body.len()), (StatusCode::OK, 0));
    assert_eq!(headers["content-type"], "application/json");
}

#[tokio::test]
async fn a_preflight_is_answered_for_any_header() {
    let wanted = [
        ("origin", "https://app.example"),
        ("access-control-request-headers", "mcp-protocol-version, x-a"),
    ];
    let (status, headers, body) = ask(&metadata(RESOURCE), "OPTIONS", PATH, &wanted).await;
    assert_eq!((status, body.len()), (StatusCode::NO_CONTENT, 0));
    assert_eq!(headers["access-control-allow-origin"], "*");
    assert_eq!(headers["access-control-allow-methods"], "GET, HEAD, OPTIONS");
    assert_eq!(headers["access-control-allow-headers"], "mcp-protocol-version, x-a");
    let (status, headers, _) = ask(&metadata(RESOURCE), "OPTIONS", PATH, &[]).await;
    assert_eq!(
        (status, headers.get("access-control-allow-headers")),
        (StatusCode::NO_CONTENT, None)
    );
}

#[tokio::test]
async fn other_methods_are_not_allowed() {
    for method in ["POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"] {
        let (status, headers, _) = ask(&metadata(RESOURCE), method, PATH, &[]).await;
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED, "{method}");
        assert_eq!(headers["allow"], "GET,HEAD,OPTIONS");
    }
}

#[test]
fn bad_settings_are_named_with_what_to_do() {
    let build = |resource: &str, issuers: &[&str], scope: &str| {
        let mut builder = ProtectedResourceMetadata::builder(resource).scopes_supported([scope]);
        for issuer in issuers {
            builder = builder.authorization_server(*issuer);
        }
        builder.build().unwrap_err().to_string()
    };
    let issuer = "https://as.example.com";
    for (message, expected) in [
        (build("", &[issuer], "a"), "resource `` is not an absolute URL"),
        (build("/mcp", &[issuer], "a"), "resource `/mcp` is not an absolute URL"),
        (
            build("urn:mcp:todo", &[issuer], "a"),
            "resource `urn:mcp:todo` is not an absolute URL",
        ),
        (
            build("http://mcp.example.com", &[issuer], "a"),
            "resource `http://mcp.example.com` uses plain http: use https",
        ),
        (
            build("https://h.example/#x", &[issuer], "a"),
            "resource `https://h.example/#x` has a fragment: remove",
        ),
        (
            build("https://me@h.example", &[issuer], "a"),
            "resource `https://…@h.example` holds a user name",
        ),
        (
            build(RESOURCE, &[], "a"),
            "resource `https://mcp.example.com/todo` names no authorization server: add",
        ),
        (
            build(RESOURCE, &["as.example.com"], "a"),
            "issuer `as.example.com` is not an absolute URL",
        ),
        (
            build(RESOURCE, &[issuer, issuer], "a"),
            "issuer `https://as.example.com` is configured twice: remove",
        ),
        (
            build(RESOURCE, &[issuer], "a b"),
            "scope `a b` is not a scope token: use",
        ),
        (build(RESOURCE, &[issuer], ""), "scope `` is not a scope token: use"),
    ] {
        assert!(message.starts_with(expected), "{message}");
    }
}
