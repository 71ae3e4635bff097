//! Metadata of authorization servers from somewhere else than the well-known locations, or corrected; and several resources in one process.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::{convert::Infallible, time::Duration};

use axum::{Router, body::Body, extract::Request, http::StatusCode};
use http_body_util::BodyExt as _;
use mcp_auth::{
    AccessTokenVerifier, AuthorizationServer, AuthorizationServerBuilder, AuthorizationServerError,
    AuthorizationServerMetadata, ConfigError, McpAuth, ServerType, VerifyError,
    testing::{Fault, Issuer},
};
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tower::ServiceExt as _;

const RESOURCE: &str = "http://localhost:3001";

/// Whether a token of an issuer verifies with these settings.
async fn verify(issuer: &Issuer, builder: AuthorizationServerBuilder) -> Result<(), AuthorizationServerError> {
    let verifier = AccessTokenVerifier::builder(RESOURCE)
        .authorization_server(builder.build().unwrap())
        .build()
        .unwrap();
    let token = issuer.token().audience(RESOURCE).sign();
    match verifier.verify(&token).await {
        Ok(_) => Ok(()),
        Err(VerifyError::Unavailable(error, _)) => Err(error),
        Err(VerifyError::Invalid(invalid)) => panic!("{invalid}"),
    }
}

/// Serves one document at one path.
async fn serve(path: &'static str, document: Value) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}{path}", listener.local_addr().unwrap());
    let router = Router::new().fallback(async move |request: Request| match request.uri().path() == path {
        true => Ok(document.to_string()),
        false => Err(StatusCode::NOT_FOUND),
    });
    tokio::spawn(async { axum::serve(listener, router).await });
    url
}

fn document(issuer: &Issuer) -> Value {
    json!({"issuer": issuer.url(), "jwks_uri": format!("{}/jwks", issuer.url()), "x_unknown": {"a": 1}})
}

#[tokio::test]
async fn given_metadata_is_used_and_none_is_fetched() {
    let issuer = Issuer::start().await.unwrap();
    let metadata = AuthorizationServerMetadata::from_value(document(&issuer)).unwrap();
    assert_eq!(metadata.members()["x_unknown"], json!({"a": 1}));
    let builder = AuthorizationServer::builder(issuer.url()).metadata(metadata);
    verify(&issuer, builder).await.unwrap();
    assert_eq!((issuer.metadata_fetches(), issuer.key_set_fetches()), (0, 1));
}

#[tokio::test]
async fn a_metadata_url_is_the_only_place_that_is_asked() {
    let issuer = Issuer::start().await.unwrap();
    let url = serve("/custom/metadata.json", document(&issuer)).await;
    verify(&issuer, AuthorizationServer::builder(issuer.url()).metadata_url(&url))
        .await
        .unwrap();
    let elsewhere = AuthorizationServer::builder(issuer.url()).metadata_url(url.replace("custom", "other"));
    let error = verify(&issuer, elsewhere).await.unwrap_err();
    assert!(matches!(error, AuthorizationServerError::NoMetadata { tried, .. } if tried.len() == 1));
    assert_eq!(issuer.metadata_fetches(), 0);

    let other = Issuer::start().await.unwrap();
    let error = verify(
        &issuer,
        AuthorizationServer::builder(issuer.url()).metadata_url(serve("/m", document(&other)).await),
    )
    .await;
    assert!(matches!(error, Err(AuthorizationServerError::IssuerMismatch { .. })));
}

#[tokio::test]
async fn the_last_source_counts() {
    let issuer = Issuer::start().await.unwrap();
    let builder = AuthorizationServer::builder(issuer.url())
        .metadata(AuthorizationServerMetadata::from_value(document(&issuer)).unwrap())
        .metadata_url("http://localhost:1/unused")
        .server_type(ServerType::OAuth);
    verify(&issuer, builder).await.unwrap();
    assert_eq!(issuer.metadata_fetches(), 1);
}

#[tokio::test]
async fn a_correction_comes_before_every_check() {
    let issuer = Issuer::start().await.unwrap();
    let correct = async |issuer: String, mut members: Map<String, Value>| {
        tokio::task::yield_now().await;
        members.insert("issuer".to_owned(), issuer.clone().into());
        members.insert("jwks_uri".to_owned(), format!("{issuer}/jwks").into());
        members.remove("scopes_supported");
        Ok::<_, Infallible>(members)
    };
    let builder = |source: fn(AuthorizationServerBuilder, String) -> AuthorizationServerBuilder, url: String| {
        let text = issuer.url().to_owned();
        let builder = AuthorizationServer::builder(issuer.url());
        source(builder, url).correct_metadata(move |members| correct(text.clone(), members))
    };
    // Another issuer, a missing member, and one of the wrong type.
    let wrong = json!({"issuer": "https://{tenant}.example", "scopes_supported": "a b"});
    let url = serve("/wrong", wrong).await;
    verify(&issuer, builder(AuthorizationServerBuilder::metadata_url, url))
        .await
        .unwrap();

    issuer.set_fault(Fault::WrongIssuer);
    verify(&issuer, builder(|builder, _| builder, String::new()))
        .await
        .unwrap();

    let given = |builder: AuthorizationServerBuilder, _| {
        let metadata = json!({"issuer": "https://{tenant}.example"});
        builder.metadata(AuthorizationServerMetadata::from_value(metadata).unwrap())
    };
    verify(&issuer, builder(given, String::new())).await.unwrap();
}

#[tokio::test]
async fn a_correction_that_fails_is_unavailable_and_says_so() {
    let issuer = Issuer::start().await.unwrap();
    let builder = || AuthorizationServer::builder(issuer.url()).fetch_deadline(Duration::from_secs(1));
    for (builder, expected) in [
        (
            builder().correct_metadata(async |_| Err::<Map<String, Value>, _>("the file is gone")),
            "its correction failed: the file is gone",
        ),
        (
            builder().correct_metadata(async |members: Map<String, Value>| {
                assert!(members.is_empty(), "on purpose");
                Ok::<_, Infallible>(members)
            }),
            "its correction panicked",
        ),
        (
            builder().correct_metadata(async |_| std::future::pending::<Result<_, Infallible>>().await),
            "its correction did not end before the deadline",
        ),
        (
            builder().correct_metadata(async |_| Ok::<_, Infallible>(Map::new())),
            "it has no `issuer`",
        ),
    ] {
        let error = verify(&issuer, builder).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[tokio::test]
async fn metadata_and_keys_can_be_fetched_up_front() {
    let issuer = Issuer::start().await.unwrap();
    let server = issuer.authorization_server().unwrap();
    server.resolve().await.unwrap();
    assert_eq!((issuer.metadata_fetches(), issuer.key_set_fetches()), (1, 1));

    let asked = AuthorizationServer::builder(issuer.url()).introspection(issuer.introspection().every_token());
    asked.build().unwrap().resolve().await.unwrap();
    assert_eq!((issuer.metadata_fetches(), issuer.key_set_fetches()), (2, 1));

    for fault in [Fault::Down, Fault::KeySetDown, Fault::NoKeySet] {
        issuer.set_fault(fault);
        issuer.authorization_server().unwrap().resolve().await.unwrap_err();
    }
}

#[test]
fn metadata_that_cannot_be_used_is_refused_when_built() {
    for (document, problem) in [
        (json!([]), "it is not a JSON object"),
        (json!({}), "it has no `issuer`"),
        (
            json!({"issuer": "https://as.example.com", "jwks_uri": 1}),
            "its member `jwks_uri` is not a string",
        ),
    ] {
        let error = AuthorizationServerMetadata::from_value(document)
            .unwrap_err()
            .to_string();
        assert!(error.ends_with(problem), "{error}");
    }
    let builder = || AuthorizationServer::builder("https://as.example.com");
    let other = AuthorizationServerMetadata::from_value(json!({"issuer": "https://as.example.com/"})).unwrap();
    let error = builder().metadata(other).build().unwrap_err();
    assert!(matches!(error, ConfigError::MetadataOfAnotherIssuer { .. }), "{error}");
    for (url, problem) in [
        ("as.example.com/metadata", "not an absolute URL"),
        ("http://as.example.com/metadata", "plain http"),
        ("http://localhost:8080/metadata", "although the issuer uses https"),
        ("https://as.example.com/metadata#a", "fragment"),
    ] {
        let error = builder().metadata_url(url).build().unwrap_err().to_string();
        assert!(
            error.starts_with("metadata URL `") && error.contains(problem),
            "{error}"
        );
    }
}

fn protected(resource: &str) -> McpAuth {
    let server = AuthorizationServer::new("https://as.example.com").unwrap();
    McpAuth::builder(resource).authorization_server(server).build().unwrap()
}

#[tokio::test]
async fn several_resources_share_one_router_and_no_two_one_url() {
    let resources = [
        "http://localhost:3001",
        "http://localhost:3001/mcp",
        "http://localhost:3001/mcp/",
        "http://localhost:3001/mcp?tenant=1",
        "http://localhost:3001/mcp?tenant=2",
    ];
    let auths = resources.map(protected);
    let router = McpAuth::metadata_router_of(&auths).unwrap();
    for (path, expected) in [
        ("", Some(resources[0])),
        ("/mcp", Some(resources[1])),
        ("/mcp/", Some(resources[2])),
        ("/mcp?tenant=1", Some(resources[3])),
        ("/mcp?tenant=2", Some(resources[4])),
        ("/mcp?noise", Some(resources[1])),
        ("/other", None),
    ] {
        let path = format!("/.well-known/oauth-protected-resource{path}");
        let request = Request::get(&path).body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let found: Option<Value> = serde_json::from_slice(&body).ok();
        assert_eq!(
            found.map(|document| document["resource"].clone()),
            expected.map(Value::from),
            "{path}"
        );
    }
    for (first, second) in [
        ("http://localhost:3001", "http://localhost:3001"),
        ("http://localhost:3001", "http://localhost:3001/"),
        ("http://localhost:3001/mcp?a", "http://localhost:3001/mcp?a"),
    ] {
        let error = McpAuth::metadata_router_of(&[protected(first), protected(second)]).unwrap_err();
        assert!(matches!(error, ConfigError::DuplicateResource { .. }), "{error}");
    }
}
