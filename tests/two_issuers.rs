//! Two issuers that give out the same subject: two people, whatever their tokens have in common.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod common;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, routing::get};
use common::*;
use http::{Method, StatusCode};
use mcp_auth::{
    Access, AuthInfo, AuthorizationServer, BearerToken, ConfigError, McpAuth, Policy, ToolFailure, guarded,
    requires_scope,
    testing::{Issuer, TokenBuilder},
};
use rmcp::{
    ServerHandler,
    handler::server::wrapper::Parameters,
    tool, tool_handler, tool_router,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
    },
};
use serde_json::json;

const TODO: &str = include_str!("../policies/todo.yaml");

/// To-do items by number, each with its owner.
#[derive(Debug, Clone, Default)]
struct Todos(Arc<Mutex<Vec<Option<String>>>>);

#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
struct TodoId {
    id: usize,
}

#[guarded(policy = "policies/todo.yaml")]
#[tool_router]
impl Todos {
    #[tool(name = "create-todo")]
    #[requires_scope("create:todos")]
    async fn create_todo(&self, access: Access) -> Result<String, ToolFailure> {
        let mut todos = self.0.lock().unwrap();
        todos.push(Some(access.owner_key().to_owned()));
        Ok((todos.len() - 1).to_string())
    }

    /// The numbers of what the caller may see.
    #[tool(name = "get-todos")]
    #[requires_scope("read:todos", owner_fallback)]
    async fn get_todos(&self, access: Access) -> Result<String, ToolFailure> {
        let todos = self.0.lock().unwrap();
        let seen = |(id, owner): (usize, &Option<String>)| {
            let owner = owner.as_deref()?;
            access.permits(owner).then_some(id)
        };
        // Asked also when there is none.
        let _ = access.filter();
        Ok(format!(
            "{:?}",
            todos.iter().enumerate().filter_map(seen).collect::<Vec<_>>()
        ))
    }

    #[tool(name = "delete-todo")]
    #[requires_scope("delete:todos", owner_fallback)]
    async fn delete_todo(
        &self,
        access: Access,
        Parameters(TodoId { id }): Parameters<TodoId>,
    ) -> Result<String, ToolFailure> {
        let mut todos = self.0.lock().unwrap();
        let not_found = || ToolFailure::text("not found");
        let todo = todos.get_mut(id).ok_or_else(not_found)?;
        access.check_owner(todo.as_deref().unwrap_or_default())?;
        *todo = None;
        Ok("deleted".to_owned())
    }
}

#[tool_handler]
impl ServerHandler for Todos {}

/// Why a tool did not run.
#[derive(Debug, PartialEq)]
enum No {
    Permission,
    /// No scope would help this caller, so that the tool is hidden.
    SuchTool,
}

/// A to-do server that trusts two issuers.
struct Server {
    one: Issuer,
    two: Issuer,
    app: Router,
}

impl Server {
    /// In the policy, `ONE` and `TWO` stand for the issuers.
    async fn start(mode: Mode, callers: &str) -> Self {
        let (one, two) = (Issuer::start().await.unwrap(), Issuer::start().await.unwrap());
        let callers = callers.replace("ONE", one.url()).replace("TWO", two.url());
        let policy = Policy::parse(&format!("{TODO}{callers}")).unwrap_or_else(|errors| panic!("{errors}"));
        let auth = McpAuth::builder(RESOURCE)
            .authorization_server(one.authorization_server().unwrap())
            .authorization_server(two.authorization_server().unwrap())
            .policy(policy)
            .build()
            .unwrap();
        let todos = Todos::default();
        let config = StreamableHttpServerConfig::default()
            .with_legacy_session_mode(mode.sessions)
            .with_json_response(mode.json);
        let tools =
            StreamableHttpService::new(move || Ok(todos.clone()), LocalSessionManager::default().into(), config);
        let seal = auth.seal().clone();
        let sealed = seal.clone();
        let routes = Router::new()
            .route(
                "/seal",
                get(async move |info: AuthInfo| sealed.seal(&info, "upload", b"7", Duration::from_secs(60))),
            )
            .route(
                "/open",
                get(
                    async move |info: AuthInfo, text: String| match seal.open(&info, "upload", &text) {
                        Some(value) => String::from_utf8(value).unwrap(),
                        None => "closed".to_owned(),
                    },
                ),
            )
            .route(
                "/who",
                get(async |info: AuthInfo| format!("{} {}", info.issuer(), info.subject())),
            )
            .layer(auth.bearer_layer());
        let app = Router::new()
            .route_service("/", tools)
            .route_layer(auth.mcp_layer())
            .merge(routes);
        Self { one, two, app }
    }

    /// Calls a tool and returns the text of its answer, or why there is none.
    async fn call(&self, token: &BearerToken, tool: &str, arguments: serde_json::Value) -> Result<String, No> {
        let answer = send(&self.app, authorized(token, post(&call(tool, arguments)))).await;
        match (answer.status, answer.json()["result"]["content"][0]["text"].as_str()) {
            (StatusCode::OK, Some(text)) => Ok(text.to_owned()),
            (StatusCode::OK, None) => Err(No::SuchTool),
            (StatusCode::FORBIDDEN, _) => Err(No::Permission),
            _ => panic!("{answer:?}"),
        }
    }

    async fn create(&self, token: &BearerToken) -> Result<String, No> {
        self.call(token, "create-todo", json!({})).await
    }

    async fn list(&self, token: &BearerToken) -> Result<String, No> {
        self.call(token, "get-todos", json!({})).await
    }

    async fn delete(&self, token: &BearerToken, id: usize) -> String {
        self.call(token, "delete-todo", json!({ "id": id })).await.unwrap()
    }

    async fn get(&self, token: &BearerToken, path: &str, body: &str) -> String {
        let mut request = request(Method::GET, body.to_owned());
        *request.uri_mut() = path.parse().unwrap();
        let answer = send(&self.app, authorized(token, request)).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.body
    }
}

/// Everything but the issuer is the same.
fn alice(issuer: &Issuer) -> TokenBuilder {
    issuer
        .token()
        .subject("alice")
        .audience(RESOURCE)
        .scopes(["create:todos"])
}

const SEPARATE: &str = "\ncallers: { owner_key: issuer_and_subject }\n";

#[tokio::test]
async fn equal_subjects_of_two_issuers_do_not_reach_each_others_objects() {
    let server = Server::start(STATELESS_JSON, SEPARATE).await;
    let (first, second) = (alice(&server.one).sign(), alice(&server.two).sign());
    assert_eq!(server.create(&first).await.as_deref(), Ok("0"));
    assert_eq!(server.create(&second).await.as_deref(), Ok("1"));
    assert_eq!(server.list(&first).await.as_deref(), Ok("[0]"));
    assert_eq!(server.list(&second).await.as_deref(), Ok("[1]"));
    // Somebody else's object reads like one that does not exist.
    assert_eq!(server.delete(&second, 0).await, "not found");
    assert_eq!(server.delete(&second, 7).await, "not found");
    assert_eq!(server.list(&first).await.as_deref(), Ok("[0]"), "it is still there");
    assert_eq!(server.delete(&first, 0).await, "deleted");
    assert_eq!(server.delete(&second, 1).await, "deleted");
}

/// What `owner_key: subject` means, for issuers that know the same people under the same names.
#[tokio::test]
async fn by_setting_equal_subjects_are_one_owner() {
    let server = Server::start(STATELESS_JSON, "\ncallers: { owner_key: subject }\n").await;
    let (first, second) = (alice(&server.one).sign(), alice(&server.two).sign());
    server.create(&first).await.unwrap();
    assert_eq!(server.list(&second).await.as_deref(), Ok("[0]"));
    assert_eq!(server.delete(&second, 0).await, "deleted");
}

/// Sessions and seals know the issuer, whatever the owner key is.
#[tokio::test]
async fn sessions_and_seals_of_equal_subjects_are_separate() {
    for callers in [SEPARATE, "\ncallers: { owner_key: subject }\n"] {
        let server = Server::start(MODES[2], callers).await;
        let (first, second) = (alice(&server.one).sign(), alice(&server.two).sign());
        let session = open_session(&server.app, &first).await;
        let sealed = server.get(&first, "/seal", "").await;
        for (token, status, opened) in [
            (&first, StatusCode::OK, "7"),
            (&second, StatusCode::NOT_FOUND, "closed"),
            (&first, StatusCode::OK, "7"),
        ] {
            let ping = post(&json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" }));
            let ping = with_header(authorized(token, ping), "mcp-session-id", &session);
            assert_eq!(send(&server.app, ping).await.status, status);
            assert_eq!(server.get(token, "/open", &sealed).await, opened);
        }
    }
}

/// Fifty names at two issuers, each with good and bad tokens, all at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_gets_anothers_identity_in_a_crowd() {
    let server = Server::start(STATELESS_JSON, SEPARATE).await;
    let mut crowd = Vec::new();
    for number in 0..1000 {
        let (issuer, other) = match number % 2 {
            0 => (&server.one, &server.two),
            _ => (&server.two, &server.one),
        };
        let name = format!("user-{}", number / 2 % 50);
        let good = alice(issuer).subject(&name);
        let (token, expected) = match number % 5 {
            0 => (good.forged_by(other), None),
            1 => (good.claim("exp", 1), None),
            _ => (good, Some(format!("{} {name}", issuer.url()))),
        };
        let mut request = authorized(&token.sign(), request(Method::GET, ""));
        *request.uri_mut() = "/who".parse().unwrap();
        let app = server.app.clone();
        crowd.push(tokio::spawn(async move {
            let answer = send(&app, request).await;
            match expected {
                Some(expected) => assert_eq!((answer.status, answer.body), (StatusCode::OK, expected)),
                None => assert_eq!(answer.status, StatusCode::UNAUTHORIZED),
            }
        }));
    }
    for request in crowd {
        request.await.unwrap();
    }
}

#[tokio::test]
async fn each_issuers_claims_are_read_as_the_policy_says_for_it() {
    let callers = "
callers:
  owner_key: issuer_and_subject
  issuers:
    ONE: { subject: sub, scopes: scope }
    TWO: { subject: oid, roles: groups, role_names: { todo-admins: admin, staff: user } }
";
    let server = Server::start(STATELESS_JSON, callers).await;
    let one = |scopes: &[&str]| alice(&server.one).scopes(scopes).claim("oid", "bob");
    let two = |groups: &[&str]| alice(&server.two).claim("oid", "bob").claim("groups", groups);

    let admin = "todo-admins";
    // At the first issuer groups mean nothing, at the second scopes do not.
    for (token, creates) in [
        (one(&["create:todos"]).claim("groups", [admin]), Ok("0".to_owned())),
        (one(&[]).claim("groups", [admin]), Err(No::Permission)),
        (two(&["staff"]), Ok("1".to_owned())),
        (two(&[admin]), Ok("2".to_owned())),
        (two(&["user", "others"]), Err(No::SuchTool)),
        (two(&[]).scopes(["create:todos"]), Err(No::SuchTool)),
    ] {
        assert_eq!(server.create(&token.sign()).await, creates, "{token:?}");
    }
    for (token, sees) in [
        // `alice` of the first, `bob` of the second.
        (one(&["create:todos"]), "[0]"),
        (one(&["read:todos"]), "[0, 1, 2]"),
        (two(&["staff"]), "[1, 2]"),
        (two(&["staff"]).scopes(["read:todos"]), "[1, 2]"),
        (two(&["staff"]).subject("somebody else"), "[1, 2]"),
        (two(&["staff"]).claim("oid", "alice"), "[]"),
        (two(&[admin]), "[0, 1, 2]"),
    ] {
        assert_eq!(server.list(&token.sign()).await.as_deref(), Ok(sees), "{token:?}");
    }
    // Whoever has no name owns nothing, and is refused where only the own is allowed.
    let nobody = two(&["staff"]).without_claim("oid").sign();
    assert_eq!(server.list(&nobody).await, Err(No::Permission));
}

/// DESIGN: nothing about a second issuer is guessed.
#[tokio::test]
async fn a_second_issuer_that_the_policy_does_not_provide_for_stops_the_start() {
    let build = |issuers: &[&str], callers: &str| {
        let mut builder = McpAuth::builder(RESOURCE).policy(Policy::parse(&format!("{TODO}{callers}")).unwrap());
        for issuer in issuers {
            builder = builder.authorization_server(AuthorizationServer::new(*issuer).unwrap());
        }
        match builder.build() {
            Ok(_) => None,
            Err(ConfigError::IssuersAndPolicy { problem, .. }) => Some(problem),
            Err(other) => panic!("{other}"),
        }
    };
    let (one, two) = ("https://one.example", "https://two.example");
    let both = "{ https://one.example: {}, https://two.example: {} }";
    for (issuers, callers, expected) in [
        (&[one] as &[&str], String::new(), None),
        (&[one, two], String::new(), Some("`callers.owner_key` is not written")),
        (
            &[one, two],
            format!("\ncallers: {{ issuers: {both} }}\n"),
            Some("`callers.owner_key` is not written"),
        ),
        (
            &[one, two],
            format!("\ncallers: {{ issuers: {both}, owner_key: subject }}\n"),
            None,
        ),
        (
            &[one, two],
            "\ncallers: { issuers: { https://one.example: {} }, owner_key: subject }\n".to_owned(),
            Some("issuer `https://two.example` is not under `callers.issuers`"),
        ),
        (
            &[one, two],
            "\ncallers: { default: {}, issuers: { https://one.example: {} }, owner_key: subject }\n".to_owned(),
            Some("issuer `https://two.example` is not under `callers.issuers`"),
        ),
        // A slash makes another issuer.
        (
            &["https://one.example/"],
            "\ncallers: { issuers: { https://one.example: {} } }\n".to_owned(),
            Some("issuer `https://one.example/` is not under `callers.issuers`"),
        ),
    ] {
        let found = build(issuers, &callers);
        match (&found, expected) {
            (None, None) => {}
            (Some(problem), Some(expected)) => assert!(problem.contains(expected), "{callers}: {problem}"),
            _ => panic!("{callers}: {found:?}"),
        }
    }
}
