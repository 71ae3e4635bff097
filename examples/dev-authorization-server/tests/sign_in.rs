//! What the sign-in client believes, and what not.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at what it did not expect"
)]

mod common;

use std::collections::HashMap;

use axum::{
    Json, Router,
    extract::RawQuery,
    http::StatusCode,
    response::IntoResponse,
    routing::{get, post},
};
use common::{RESOURCE, claims, start};
use dev_authorization_server::{SignIn, SignInError, bind_loopback, sign_in};
use serde_json::{Value, json};
use url::form_urlencoded;

#[tokio::test]
async fn signing_in_takes_one_call() {
    let server = start().await;
    let request = |user: &str, scopes: &[&str]| SignIn {
        issuer: server.issuer.clone(),
        resource: Some(RESOURCE.to_owned()),
        user: user.to_owned(),
        scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
    };
    let token = sign_in(&request("admin", &["read:todos", "create:todos"]))
        .await
        .unwrap();
    assert_eq!(token.scopes(), ["create:todos", "read:todos"]);
    assert_eq!(claims(token.dangerous_raw_token())["sub"], "admin");
    assert!(!format!("{token:?}").contains(token.dangerous_raw_token()));
    assert_eq!(
        sign_in(&request("alice", &[])).await.unwrap().scopes(),
        ["create:todos"]
    );

    let error = sign_in(&request("carol", &[])).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no demo user `carol`: choose one of alice, bob, admin, nobody"
    );
    let elsewhere = SignIn {
        resource: Some("http://localhost:9".to_owned()),
        ..request("alice", &[])
    };
    let error = sign_in(&elsewhere).await.unwrap_err();
    assert!(
        matches!(&error, SignInError::Refused { error, .. } if error == "invalid_target"),
        "{error}"
    );
}

#[tokio::test]
async fn only_servers_of_this_machine_are_asked() {
    for issuer in [
        "https://issuer.example",
        "http://issuer.example",
        "https://localhost:3002",
        "localhost:3002",
        "",
    ] {
        let request = SignIn {
            issuer: issuer.to_owned(),
            ..SignIn::default()
        };
        assert!(
            matches!(sign_in(&request).await, Err(SignInError::Issuer(_))),
            "{issuer}"
        );
    }
}

#[tokio::test]
async fn an_answer_to_another_request_or_from_another_server_is_refused() {
    for (parameter, value) in [
        ("redirect_uri", "http://127.0.0.1/callback/elsewhere"),
        ("redirect_uri", "http://evil.example/callback"),
        ("state", "another"),
        ("state", ""),
        ("iss", "http://localhost:1"),
        ("iss", ""),
    ] {
        let request = SignIn {
            issuer: forging_server(parameter, value).await,
            user: "alice".to_owned(),
            ..SignIn::default()
        };
        let error = sign_in(&request).await.unwrap_err();
        assert!(
            matches!(error, SignInError::Mismatch(mismatch) if mismatch == parameter),
            "{parameter}={value}: {error}"
        );
    }
}

#[tokio::test]
async fn metadata_of_another_issuer_is_refused() {
    for (member, value) in [
        ("issuer", "http://localhost:1"),
        ("token_endpoint", "https://evil.example/token"),
    ] {
        let request = SignIn {
            issuer: forging_server(member, value).await,
            ..SignIn::default()
        };
        let error = sign_in(&request).await.unwrap_err();
        assert!(
            error.to_string().contains("it is that of another issuer"),
            "{member}: {error}"
        );
    }
}

/// Starts a server that is right in everything but one member of its metadata or one part of its authorization response.
async fn forging_server(name: &'static str, value: &'static str) -> String {
    let listener = bind_loopback(0).await.unwrap().into_iter().next().unwrap();
    let issuer = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
    let mut metadata = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "registration_endpoint": format!("{issuer}/register"),
    });
    if let Some(member) = metadata.get_mut(name) {
        *member = json!(value);
    }
    let iss = issuer.clone();
    let authorize = async move |RawQuery(query): RawQuery| {
        let query = query.unwrap_or_default();
        let request: HashMap<String, String> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let mut answer = HashMap::from([
            ("redirect_uri", request["redirect_uri"].as_str()),
            ("state", &request["state"]),
            ("iss", &iss),
        ]);
        answer.insert(name, value);
        let answer = format!(
            "{}?code=c&state={}&iss={}",
            answer["redirect_uri"], answer["state"], answer["iss"]
        );
        (StatusCode::SEE_OTHER, [("location", answer)]).into_response()
    };
    let router: Router = Router::new()
        .route(
            "/.well-known/oauth-authorization-server",
            get(async move || Json::<Value>(metadata)),
        )
        .route("/register", post(async || Json(json!({ "client_id": "c" }))))
        .route("/authorize", get(authorize));
    tokio::spawn(async move { axum::serve(listener, router).await });
    issuer
}
