//! A running server on a free port, and a client that takes every step by hand.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops at what it did not expect"
)]

use std::{collections::HashMap, future, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use dev_authorization_server::{Builder, DemoUser, DevelopmentAuthorizationServer, ScopeDescription, bind_loopback};
use reqwest::{Client, RequestBuilder, Response, header, redirect};
use serde_json::{Value, json};
use url::Url;

pub const RESOURCE: &str = "http://localhost:3001";
pub const REDIRECT_URI: &str = "http://localhost:6274/callback";
/// Of RFC 7636 appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

pub struct Server {
    pub issuer: String,
    pub http: Client,
    pub running: DevelopmentAuthorizationServer,
}

/// The sign-in page as a browser holds it.
pub struct Page {
    pub html: String,
    pub cookie: String,
    pub request_id: String,
    pub content_security_policy: String,
}

pub async fn start() -> Server {
    start_with(|builder| builder).await
}

pub async fn start_with(change: impl FnOnce(Builder) -> Builder) -> Server {
    start_at("", change).await
}

/// Starts a server whose issuer has a path.
pub async fn start_at(path: &str, change: impl FnOnce(Builder) -> Builder) -> Server {
    let listeners = bind_loopback(0).await.unwrap();
    let port = listeners.first().unwrap().local_addr().unwrap().port();
    let builder = builder(port).issuer(format!("http://localhost:{port}{path}"));
    let server = change(builder).build().unwrap();
    let issuer = server.issuer().to_owned();
    let running = server.clone();
    tokio::spawn(async move { server.serve(listeners, future::pending()).await });
    let http = Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .build()
        .unwrap();
    Server { issuer, http, running }
}

pub fn builder(port: u16) -> Builder {
    let user = |subject: &str, scopes: &[&str]| DemoUser {
        subject: subject.to_owned(),
        name: subject.to_uppercase(),
        scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
    };
    DevelopmentAuthorizationServer::builder()
        .issuer(format!("http://localhost:{port}"))
        .resource(RESOURCE)
        .scope(ScopeDescription {
            name: "create:todos".to_owned(),
            about: Some("Create to-do items".to_owned()),
        })
        .user(user("alice", &["create:todos"]))
        .user(user("bob", &["create:todos"]))
        .user(user("admin", &["create:todos", "read:todos", "delete:todos"]))
        .user(user("nobody", &[]))
}

impl Server {
    pub fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}{path}", self.issuer))
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(format!("{}{path}", self.issuer))
    }

    pub async fn register(&self, metadata: &Value) -> Value {
        let response = self.post("/register").json(metadata).send().await.unwrap();
        assert_eq!(response.status(), 201);
        response.json().await.unwrap()
    }

    pub async fn client(&self) -> String {
        let client = self
            .register(&json!({ "client_name": "Test", "redirect_uris": [REDIRECT_URI] }))
            .await;
        client["client_id"].as_str().unwrap().to_owned()
    }

    /// A complete authorization request with some parameters replaced, or removed by an empty value.
    pub fn authorization_url(&self, client_id: &str, changes: &[(&str, &str)]) -> Url {
        let query = [
            ("response_type", "code"),
            ("client_id", client_id),
            ("redirect_uri", REDIRECT_URI),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("state", "state-1"),
            ("resource", RESOURCE),
        ];
        let mut url = Url::parse(&format!("{}/authorize", self.issuer)).unwrap();
        url.query_pairs_mut().extend_pairs(changed(&query, changes));
        url
    }

    pub async fn authorize(&self, client_id: &str, changes: &[(&str, &str)]) -> Response {
        self.http
            .get(self.authorization_url(client_id, changes))
            .send()
            .await
            .unwrap()
    }

    pub async fn page(&self, client_id: &str, changes: &[(&str, &str)]) -> Page {
        let response = self.authorize(client_id, changes).await;
        assert_eq!(response.status(), 200);
        let header = |name| response.headers().get(name).unwrap().to_str().unwrap().to_owned();
        let (set_cookie, content_security_policy) =
            (header(header::SET_COOKIE), header(header::CONTENT_SECURITY_POLICY));
        let html = response.text().await.unwrap();
        let (_, rest) = html.split_once("name=\"request\" value=\"").unwrap();
        Page {
            request_id: rest.split_once('"').unwrap().0.to_owned(),
            cookie: set_cookie.split_once(';').unwrap().0.to_owned(),
            content_security_policy,
            html,
        }
    }

    /// The form as a browser sends it.
    pub fn form(&self, page: &Page, user: &str, decision: &str) -> RequestBuilder {
        self.post("/authorize")
            .header(header::COOKIE, &page.cookie)
            .header(
                header::ORIGIN,
                Url::parse(&self.issuer).unwrap().origin().ascii_serialization(),
            )
            .header("sec-fetch-site", "same-origin")
            .form(&[
                ("request", page.request_id.as_str()),
                ("user", user),
                ("decision", decision),
            ])
    }

    pub async fn code(&self, client_id: &str, user: &str, changes: &[(&str, &str)]) -> String {
        let page = self.page(client_id, changes).await;
        let response = self.form(&page, user, "allow").send().await.unwrap();
        returned(&response)["code"].clone()
    }

    /// A complete token request with some parameters replaced, or removed by an empty value.
    pub async fn token(&self, client_id: &str, code: &str, changes: &[(&str, &str)]) -> Response {
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", client_id),
            ("redirect_uri", REDIRECT_URI),
            ("code", code),
            ("code_verifier", VERIFIER),
        ];
        self.post("/token").form(&changed(&form, changes)).send().await.unwrap()
    }

    /// A client that registered for refresh tokens.
    pub async fn refreshing_client(&self) -> String {
        let metadata =
            json!({ "redirect_uris": [REDIRECT_URI], "grant_types": ["authorization_code", "refresh_token"] });
        self.register(&metadata).await["client_id"].as_str().unwrap().to_owned()
    }

    /// The token response of a sign-in.
    pub async fn sign_in(&self, client_id: &str, user: &str, changes: &[(&str, &str)]) -> Value {
        let code = self.code(client_id, user, changes).await;
        let response = self.token(client_id, &code, &[]).await;
        assert_eq!(response.status(), 200);
        response.json().await.unwrap()
    }

    /// A refresh request with some parameters replaced, or removed by an empty value.
    pub async fn refresh(&self, client_id: &str, refresh_token: &str, changes: &[(&str, &str)]) -> Response {
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", client_id),
            ("refresh_token", refresh_token),
        ];
        self.post("/token").form(&changed(&form, changes)).send().await.unwrap()
    }

    pub async fn revoke(&self, client_id: &str, token: &str) -> Response {
        let form = [("client_id", client_id), ("token", token)];
        self.post("/revoke").form(&form).send().await.unwrap()
    }

    /// What introspection answers to the resource server `rs` with the secret `rs-secret`.
    pub async fn introspect(&self, token: &str) -> Value {
        let request = self.post("/introspect").basic_auth("rs", Some("rs-secret"));
        let response = request.form(&[("token", token)]).send().await.unwrap();
        assert_eq!(response.status(), 200);
        response.json().await.unwrap()
    }

    pub async fn userinfo(&self, token: &str) -> Response {
        self.get("/userinfo").bearer_auth(token).send().await.unwrap()
    }

    pub async fn claims(&self, user: &str, changes: &[(&str, &str)]) -> Value {
        let client_id = self.client().await;
        let code = self.code(&client_id, user, changes).await;
        let answer: Value = self.token(&client_id, &code, &[]).await.json().await.unwrap();
        claims(answer["access_token"].as_str().unwrap())
    }
}

/// The parameters that the client gets back in the redirect.
pub fn returned(response: &Response) -> HashMap<String, String> {
    assert_eq!(response.status(), 303);
    let location = response.headers()[header::LOCATION].to_str().unwrap();
    assert!(location.starts_with(REDIRECT_URI), "{location}");
    Url::parse(location).unwrap().query_pairs().into_owned().collect()
}

pub async fn oauth_error(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    (status, body["error"].as_str().unwrap().to_owned())
}

/// The claims of a token, without looking at its signature.
pub fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

fn changed<'a>(parameters: &[(&'a str, &'a str)], changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let kept = parameters
        .iter()
        .filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    kept.chain(changes.iter().filter(|(_, value)| !value.is_empty()))
        .copied()
        .collect()
}

/// Moves the clock of the server, which runs in this test's runtime.
pub async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}
