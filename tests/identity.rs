//! Where a plain axum server finds the identity of a request, and where the token is not.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use axum::{Router, body::Body, extract::Request, routing::get};
use common::{Answer, RESOURCE, authorized, send};
use http::{Method, StatusCode};
use mcp_auth::{AuthInfo, Caller, McpAuth, McpAuthBuilder, Policy, testing::Issuer};

const POLICY: &str = "version: 1\nscopes: { \"read:notes\": Read }\ntools: { read: { requires: \"read:notes\" } }";

async fn setup(configure: impl FnOnce(McpAuthBuilder) -> McpAuthBuilder) -> (Issuer, Router) {
    let issuer = Issuer::start().await.unwrap();
    let builder = McpAuth::builder(RESOURCE)
        .authorization_server(issuer.authorization_server().unwrap())
        .policy(Policy::parse(POLICY).unwrap());
    let auth = configure(builder).build().unwrap();
    let name = |caller: Option<&str>| caller.unwrap_or("nobody").to_owned();
    let routes = Router::new()
        .route("/info", get(async |info: AuthInfo| info.subject().to_owned()))
        .route(
            "/caller",
            get(async |caller: Caller| caller.auth().subject().to_owned()),
        )
        .route(
            "/optional",
            get(async move |info: Option<AuthInfo>| name(info.as_ref().map(AuthInfo::subject))),
        )
        .route(
            "/optional-caller",
            get(async move |caller: Option<Caller>| name(caller.as_ref().map(|caller| caller.auth().subject()))),
        )
        .route(
            "/extensions",
            get(async move |request: Request| name(request.extensions().get().map(AuthInfo::subject))),
        )
        .route(
            "/header",
            get(async |request: Request| format!("{:?}", request.headers().get("authorization"))),
        )
        .route(
            "/token",
            get(async |info: AuthInfo| {
                let token = info.dangerous_token();
                format!(
                    "{info:?} {token:?} {}",
                    token.map_or("gone", |token| token.dangerous_raw_token())
                )
            }),
        );
    let protected = routes.clone().layer(auth.bearer_layer());
    (
        issuer,
        Router::new().nest("/protected", protected).nest("/public", routes),
    )
}

async fn answer(app: &Router, path: &str, token: Option<&mcp_auth::BearerToken>) -> Answer {
    let request = http::Request::builder()
        .method(Method::GET)
        .uri(path)
        .header("host", "localhost:3001");
    let request = request.body(Body::empty()).unwrap();
    send(
        app,
        match token {
            Some(token) => authorized(token, request),
            None => request,
        },
    )
    .await
}

#[tokio::test]
async fn every_way_to_the_identity_leads_to_the_same_caller() {
    let (issuer, app) = setup(|builder| builder).await;
    let token = issuer.token().subject("alice").audience(RESOURCE).sign();
    for (path, unprotected) in [
        ("info", None),
        ("caller", None),
        ("optional", Some("nobody")),
        ("optional-caller", Some("nobody")),
        ("extensions", Some("nobody")),
    ] {
        let found = answer(&app, &format!("/protected/{path}"), Some(&token)).await;
        assert_eq!((found.status, &*found.body), (StatusCode::OK, "alice"), "{path}");
        let refused = answer(&app, &format!("/protected/{path}"), None).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{path}");
        // Without the layer a token is a text that nobody has looked at.
        let public = answer(&app, &format!("/public/{path}"), Some(&token)).await;
        match unprotected {
            Some(body) => assert_eq!((public.status, &*public.body), (StatusCode::OK, body), "{path}"),
            None => assert_eq!(public.status, StatusCode::INTERNAL_SERVER_ERROR, "{path}"),
        }
    }
}

#[tokio::test]
async fn the_token_is_gone_behind_the_layer_unless_it_is_asked_for() {
    for kept in [false, true] {
        let (issuer, app) = setup(|builder| if kept { builder.dangerous_keep_token() } else { builder }).await;
        let token = issuer.token().subject("alice").audience(RESOURCE).sign();
        assert_eq!(answer(&app, "/protected/header", Some(&token)).await.body, "None");
        let body = answer(&app, "/protected/token", Some(&token)).await.body;
        let (printed, raw) = body.rsplit_once(' ').unwrap();
        assert_eq!(raw == token.dangerous_raw_token(), kept);
        assert_eq!(raw == "gone", !kept);
        for part in token.dangerous_raw_token().split('.') {
            assert!(!printed.contains(part), "{printed}");
        }
    }
}
