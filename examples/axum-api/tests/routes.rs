//! The routes over HTTP, with tokens of an issuer inside the test.

use std::slice;

use axum::http::StatusCode;
use axum_api::{Note, POLICY, app};
use mcp_auth::{Policy, testing::Issuer};
use reqwest::{Client, Method, Response};
use serde_json::Value;
use tokio::net::TcpListener;

struct Api {
    url: String,
    issuer: Issuer,
}

impl Api {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let issuer = Issuer::start().await.unwrap();
        let app = app(&url, issuer.url(), Policy::parse(POLICY).unwrap()).unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, issuer }
    }

    fn token(&self, subject: &str, scope: &str) -> String {
        let token = self
            .issuer
            .token()
            .audience(&self.url)
            .subject(subject)
            .scopes(scope.split(" "))
            .sign();
        token.dangerous_raw_token().to_owned()
    }

    async fn send(&self, method: Method, path: &str, token: Option<&str>, body: &'static str) -> Response {
        let mut request = Client::new().request(method, format!("{}{path}", self.url)).body(body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        request.send().await.unwrap()
    }

    async fn add(&self, token: &str, text: &'static str) -> Note {
        let response = self.send(Method::POST, "/notes", Some(token), text).await;
        assert_eq!(response.status(), StatusCode::CREATED);
        response.json().await.unwrap()
    }

    async fn list(&self, token: &str) -> Vec<Note> {
        let response = self.send(Method::GET, "/notes", Some(token), "").await;
        assert_eq!(response.status(), StatusCode::OK);
        response.json().await.unwrap()
    }

    async fn delete(&self, token: &str, id: u64) -> StatusCode {
        let path = format!("/notes/{id}");
        self.send(Method::DELETE, &path, Some(token), "").await.status()
    }
}

#[tokio::test]
async fn users_reach_their_own_notes_and_who_has_the_scope_everybodys() {
    let api = Api::start().await;
    let (alice, bob) = (api.token("alice", "write:notes"), api.token("bob", "write:notes"));
    let admin = api.token("admin", "write:notes read:notes delete:notes");
    let milk = api.add(&alice, "Buy milk").await;
    let keys = api.add(&bob, "Find keys").await;
    assert_eq!((milk.owner.as_str(), milk.text.as_str()), ("alice", "Buy milk"));
    assert_eq!(api.list(&alice).await, slice::from_ref(&milk));
    assert_eq!(api.list(&bob).await, slice::from_ref(&keys));
    assert_eq!(api.list(&admin).await, [milk.clone(), keys.clone()]);

    // Somebody else's note and a missing one answer alike.
    assert_eq!(api.delete(&alice, keys.id).await, StatusCode::NOT_FOUND);
    assert_eq!(api.delete(&alice, 99).await, StatusCode::NOT_FOUND);
    assert_eq!(api.list(&bob).await, slice::from_ref(&keys));
    assert_eq!(api.delete(&admin, keys.id).await, StatusCode::OK);
    assert_eq!(api.delete(&alice, milk.id).await, StatusCode::OK);
    assert!(api.list(&admin).await.is_empty());
}

#[tokio::test]
async fn without_a_token_every_route_is_401_and_says_where_to_get_one() {
    let api = Api::start().await;
    let metadata_url = format!("{}/.well-known/oauth-protected-resource", api.url);
    for (method, path) in [
        (Method::GET, "/notes"),
        (Method::POST, "/notes"),
        (Method::DELETE, "/notes/1"),
    ] {
        let response = api.send(method.clone(), path, None, "").await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{method} {path}");
        let challenge = response.headers()["www-authenticate"].to_str().unwrap();
        assert!(
            challenge.contains(&format!(r#"resource_metadata="{metadata_url}""#)),
            "{challenge}"
        );
    }
    let metadata: Value = reqwest::get(metadata_url).await.unwrap().json().await.unwrap();
    assert_eq!(metadata["authorization_servers"][0], api.issuer.url());
}

#[tokio::test]
async fn a_missing_scope_is_403_naming_it_and_nothing_happens() {
    let api = Api::start().await;
    let reader = api.token("alice", "read:notes");
    let response = api.send(Method::POST, "/notes", Some(&reader), "x").await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    let challenge = response.headers()["www-authenticate"].to_str().unwrap();
    assert!(
        challenge.starts_with(r#"Bearer error="insufficient_scope", scope="write:notes"#),
        "{challenge}"
    );
    assert!(api.list(&reader).await.is_empty());
}

#[tokio::test]
async fn a_policy_that_the_annotations_disagree_with_serves_nothing() {
    for (from, to, expected) in [
        ("  add-note:", "  add-notes:", "is not under `operations:`"),
        ("  add-note:", "  add-notes:", "operation `add-notes` is declared at"),
        ("requires: read:notes", "requires: []", "`list-notes`: the policy at"),
    ] {
        let changed = POLICY.replace(from, to);
        assert_ne!(changed, POLICY, "{from}");
        let policy = Policy::parse(&changed).unwrap();
        let error = app("http://localhost:3001", "http://localhost:3002", policy)
            .unwrap_err()
            .to_string();
        assert!(error.contains(expected), "{error}");
    }
}
