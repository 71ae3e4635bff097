//! Rows P of `docs/conformance.md` that no other test shows: the protected resource metadata as clients look for it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod common;

use axum::{Router, routing::any};
use common::*;
use http::{Method, StatusCode, header};
use mcp_auth::{AuthorizationServer, ConfigError, McpAuth, McpAuthBuilder};
use serde_json::{Value, json};
use url::Url;

fn builder(resource: &str) -> McpAuthBuilder {
    McpAuth::builder(resource).authorization_server(AuthorizationServer::new("https://as.example.com").unwrap())
}

/// A server at the path of its resource.
fn app(auth: &McpAuth) -> Router {
    let resource = Url::parse(auth.metadata().resource()).unwrap();
    Router::new()
        .route(resource.path(), any(async || "reached"))
        .route_layer(auth.mcp_layer())
        .merge(auth.metadata_router())
}

async fn get(app: &Router, target: &str) -> Answer {
    let mut request = request(Method::GET, "");
    *request.uri_mut() = target.parse().unwrap();
    send(app, request).await
}

/// The metadata URL of a challenge, as clients find it in the text.
fn metadata_url(answer: &Answer) -> Url {
    let challenge = answer.challenge().unwrap();
    let (_, rest) = challenge.split_once("resource_metadata=\"").unwrap();
    Url::parse(rest.split('"').next().unwrap()).unwrap()
}

#[tokio::test]
async fn challenge_and_well_known_place_lead_to_one_document_that_names_the_called_url() {
    for (resource, target, well_known) in [
        ("http://localhost:3001", "/", ""),
        ("http://localhost:3001/mcp", "/mcp", "/mcp"),
        ("http://localhost:3001/mcp/", "/mcp/", "/mcp/"),
        ("http://localhost:3001/a/b/mcp", "/a/b/mcp", "/a/b/mcp"),
        ("http://localhost:3001/mcp?tenant=1", "/mcp?tenant=1", "/mcp?tenant=1"),
    ] {
        let app = app(&builder(resource).build().unwrap());
        for method in [Method::POST, Method::GET] {
            let mut request = request(method, "");
            *request.uri_mut() = target.parse().unwrap();
            let refused = send(&app, request).await;
            assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{resource}");
            // Clients discard a metadata URL of another origin, and one that is not absolute.
            let url = metadata_url(&refused);
            assert_eq!(url.origin(), Url::parse(resource).unwrap().origin(), "{resource}");

            let inserted = format!("/.well-known/oauth-protected-resource{well_known}");
            let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
            assert_eq!(format!("{}{query}", url.path()), inserted, "RFC 9728 section 3.1");
            let document = get(&app, &inserted).await;
            assert_eq!(document.status, StatusCode::OK, "{resource}");
            assert_eq!(document.json()["resource"], resource, "letter by letter");
        }
        // Where clients look last there is the document of a resource without a path, or none.
        let root = get(&app, "/.well-known/oauth-protected-resource").await;
        let has_path = well_known.starts_with('/');
        assert_eq!(root.status == StatusCode::NOT_FOUND, has_path, "{resource}");
        assert_eq!(root.status == StatusCode::OK, !has_path, "{resource}");
    }
}

#[tokio::test]
async fn what_a_proxy_says_about_host_and_scheme_moves_no_address() {
    let auth = builder("http://localhost:3001").build().unwrap();
    let app = app(&auth);
    let expected = send(&app, post(&json!({}))).await;
    for (name, value) in [
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-port", "444"),
        ("x-forwarded-prefix", "/evil"),
        ("x-original-host", "evil.example"),
        ("forwarded", "host=evil.example;proto=https"),
    ] {
        let answer = send(&app, with_header(post(&json!({})), name, value)).await;
        assert_eq!(answer.challenge(), expected.challenge(), "{name}");
        let mut request = with_header(request(Method::GET, ""), name, value);
        *request.uri_mut() = "/.well-known/oauth-protected-resource".parse().unwrap();
        assert_eq!(send(&app, request).await.json(), auth.metadata().to_json(), "{name}");
    }
    let mut foreign = post(&json!({}));
    foreign
        .headers_mut()
        .insert(header::HOST, "evil.example".parse().unwrap());
    let answer = send(&app, foreign).await;
    assert_eq!((answer.status, answer.challenge()), (StatusCode::FORBIDDEN, None));
}

#[tokio::test]
async fn only_the_document_itself_may_be_kept() {
    let app = app(&builder("http://localhost:3001/mcp").build().unwrap());
    let found = get(&app, "/.well-known/oauth-protected-resource/mcp").await;
    let kept = found.headers["cache-control"].to_str().unwrap().to_owned();
    let (_, seconds) = kept.split_once("max-age=").unwrap();
    assert!(seconds.parse::<u32>().unwrap() <= 3600, "{kept}");
    assert!(!kept.contains("no-store"), "{kept}");
    for elsewhere in ["", "/mcp/", "/other"] {
        let missing = get(&app, &format!("/.well-known/oauth-protected-resource{elsewhere}")).await;
        assert_eq!(missing.status, StatusCode::NOT_FOUND, "{elsewhere}");
        assert!(!missing.headers.contains_key("cache-control"), "{elsewhere}");
    }
}

#[tokio::test]
async fn every_member_of_the_configuration_is_published_and_none_that_promises_too_much() {
    let further = [
        ("resource_name#de", json!("Aufgaben")),
        ("resource_documentation#de", json!("https://mcp.example.com/hilfe")),
        ("resource_policy_uri", json!("https://mcp.example.com/policy")),
        ("resource_tos_uri", json!("https://mcp.example.com/terms")),
        ("jwks_uri", json!("https://mcp.example.com/jwks")),
        ("resource_signing_alg_values_supported", json!(["ES256"])),
        ("authorization_details_types_supported", json!(["todo_access"])),
        ("signed_metadata", json!("eyJhbGciOiJFUzI1NiJ9.e30.AA")),
        ("x_of_our_own", json!({ "a": [1, false] })),
    ];
    let builder = builder(RESOURCE)
        .resource_name("Todos")
        .resource_documentation("https://mcp.example.com/help")
        .scopes_supported(["create:todos"]);
    let builder = further.iter().fold(builder, |builder, (name, value)| {
        builder.metadata_member(*name, value.clone())
    });
    let found = get(&app(&builder.build().unwrap()), "/.well-known/oauth-protected-resource").await;
    let mut expected = json!({
        "resource": RESOURCE,
        "authorization_servers": ["https://as.example.com"],
        "scopes_supported": ["create:todos"],
        "bearer_methods_supported": ["header"],
        "resource_name": "Todos",
        "resource_documentation": "https://mcp.example.com/help",
    });
    for (name, value) in further {
        expected[name] = value;
    }
    // Nothing else: no DPoP, no mutual TLS, which nobody checks here.
    assert_eq!(found.json(), expected);
}

#[test]
fn a_member_that_would_mislead_clients_is_refused_when_built() {
    for (name, value, expected) in [
        ("resource", json!("https://evil.example"), "has a setting of its own"),
        (
            "authorization_servers",
            json!(["https://evil.example"]),
            "has a setting of its own",
        ),
        (
            "scopes_supported",
            json!(["offline_access"]),
            "has a setting of its own",
        ),
        (
            "bearer_methods_supported",
            json!(["header", "query"]),
            "has a setting of its own",
        ),
        ("resource_name", json!("x"), "has a setting of its own"),
        (
            "dpop_bound_access_tokens_required",
            json!(true),
            "which this server does not check",
        ),
        (
            "dpop_signing_alg_values_supported",
            json!(["ES256"]),
            "which this server does not check",
        ),
        (
            "tls_client_certificate_bound_access_tokens",
            json!(true),
            "which this server does not check",
        ),
        ("resource_policy_uri", Value::Null, "is empty"),
        ("x_empty", json!(""), "is empty"),
        ("x_empty", json!([]), "is empty"),
        ("x_empty", json!({}), "is empty"),
        ("jwks_uri", json!("http://mcp.example.com/jwks"), "plain http"),
        ("resource_tos_uri#de", json!("/terms"), "not an absolute URL"),
        ("resource_policy_uri", json!(7), "is not a URL"),
        (
            "resource_signing_alg_values_supported",
            json!(["ES256", "none"]),
            "lists `none`",
        ),
    ] {
        let error = builder(RESOURCE)
            .metadata_member(name, value)
            .build()
            .unwrap_err()
            .to_string();
        let begin = format!("the protected resource metadata member `{name}` ");
        assert!(error.starts_with(&begin) && error.contains(expected), "{error}");
    }
}

#[tokio::test]
async fn offline_access_is_never_published_and_never_demanded() {
    let auth = builder(RESOURCE)
        .scopes_supported(["offline_access", "create:todos"])
        .build()
        .unwrap();
    let app = app(&auth);
    let document = get(&app, "/.well-known/oauth-protected-resource").await;
    assert_eq!(document.json()["scopes_supported"], json!(["create:todos"]));
    let refused = send(&app, post(&json!({}))).await;
    assert!(
        refused
            .challenge()
            .unwrap()
            .starts_with(r#"Bearer scope="create:todos", "#)
    );
    let error = builder(RESOURCE)
        .required_scopes(["offline_access"])
        .build()
        .unwrap_err();
    assert!(matches!(error, ConfigError::OfflineAccess { .. }), "{error}");
}
