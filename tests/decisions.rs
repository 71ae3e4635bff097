//! Decision records, the counters behind them, the hook, and the replacement of a policy.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::{
    io::{self, Write},
    num::NonZeroU64,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{Router, routing::get};
use common::*;
use http::{Method, StatusCode};
use mcp_auth::{
    Access, DecisionLog, Denied, McpAuth, McpAuthBuilder, OperationKind, Policy, PolicyHandle, ReloadMode,
    ReloadRefused, Verdict, requires_scope, testing::Issuer,
};
use serde_json::{Value, json};

const POLICY: &str = include_str!("../policies/todo.yaml");

fn policy(text: &str) -> Policy {
    Policy::loader().file_name("policies/todo.yaml").parse(text).unwrap()
}

/// What was written, also when the log still writes.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Written {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// The first `count` records, and no more.
    async fn records(&self, count: usize) -> Vec<Value> {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.text().lines().count() < count {
            assert!(Instant::now() < deadline, "{}", self.text());
            tokio::task::yield_now().await;
        }
        let text = self.text();
        assert_eq!(text.lines().count(), count, "{text}");
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// A server that writes its records.
async fn recording(configure: impl FnOnce(McpAuthBuilder) -> McpAuthBuilder) -> (TestServer, Written) {
    let written = Written::default();
    let log = DecisionLog::to_writer(written.clone()).unwrap();
    let server = TestServer::with(STATELESS_JSON, |builder| {
        configure(builder.policy(policy(POLICY)).decision_log(log))
    });
    (server.await, written)
}

#[tokio::test]
async fn every_call_is_one_record_with_exactly_these_members() {
    let (server, written) = recording(|builder| builder).await;
    let alice = server.token("alice", &["create:todos"]);
    let nobody = server.token("alice", &[]);
    let long = "x".repeat(5000);
    let calls = [
        (&alice, "create-todo", json!({ "content": "secret argument" })),
        (&alice, "get-todos", json!({})),
        (&nobody, "create-todo", json!({ "content": "secret argument" })),
        (&alice, "drop-table", json!({})),
        (&alice, long.as_str(), json!({})),
    ];
    for (token, tool, arguments) in &calls {
        server.call(token, tool, arguments.clone()).await;
    }
    server.send(post(&call("get-todos", json!({})))).await;
    let refused = server.call(&nobody, "create-todo", json!({})).await;
    // No decision: for everybody there is no such method.
    let prompt = json!({ "jsonrpc": "2.0", "id": 1, "method": "prompts/get", "params": { "name": "p" } });
    server.send(authorized(&alice, post(&prompt))).await;

    let mut records = written.records(7).await;
    assert_eq!(
        records[6]["request_id"],
        refused.json()["error"]["data"]["request_id"],
        "the client's answer names the record"
    );
    let revision = policy(POLICY).revision().to_owned();
    for record in &mut records {
        let time = record["time"].as_str().unwrap();
        assert!(time.starts_with("20") && time.ends_with('Z'), "{time}");
        assert_eq!(record["request_id"].as_str().unwrap().len(), 16);
        assert!(record["micros"].is_u64());
        assert_eq!(record["revision"], revision);
        for volatile in ["time", "request_id", "micros", "revision"] {
            record[volatile] = "*".into();
        }
    }
    let record = |kind: Value,
                  operation: Value,
                  subject: Value,
                  reach: &str,
                  because: &str,
                  rule: Value,
                  missing: Value| {
        let issuer = if subject.is_null() {
            Value::Null
        } else {
            server.issuer.url().into()
        };
        let client = if subject.is_null() {
            Value::Null
        } else {
            "test-client".into()
        };
        let outcome = if reach == "deny" { "deny" } else { "allow" };
        json!({
            "time": "*", "policy": "todo-manager", "revision": "*", "kind": kind, "operation": operation,
            "issuer": issuer, "subject": subject, "client": client, "reach": reach, "outcome": outcome, "because": because, "rule": rule,
            "missing": missing, "challenge": missing, "request_id": "*", "micros": "*",
        })
    };
    let (tool, alice_, none) = (json!("tool"), json!("alice"), json!([]));
    let create = json!("policies/todo.yaml:15");
    let denied = record(
        tool.clone(),
        json!("create-todo"),
        alice_.clone(),
        "deny",
        "missing-scope",
        create.clone(),
        json!(["create:todos"]),
    );
    let expected = [
        record(
            tool.clone(),
            json!("create-todo"),
            alice_.clone(),
            "any",
            "scope",
            create,
            none.clone(),
        ),
        record(
            tool.clone(),
            json!("get-todos"),
            alice_.clone(),
            "own",
            "owner",
            json!("policies/todo.yaml:16"),
            none.clone(),
        ),
        denied.clone(),
        record(
            tool.clone(),
            json!("drop-table"),
            alice_.clone(),
            "deny",
            "unknown-tool",
            Value::Null,
            none.clone(),
        ),
        record(
            tool,
            json!(""),
            alice_.clone(),
            "deny",
            "unknown-tool",
            Value::Null,
            none.clone(),
        ),
        record(
            Value::Null,
            Value::Null,
            Value::Null,
            "deny",
            "unauthenticated",
            Value::Null,
            none.clone(),
        ),
        denied,
    ];
    for (found, expected) in records.iter().zip(&expected) {
        assert_eq!(found, expected);
    }
    let members = [
        "time",
        "policy",
        "revision",
        "kind",
        "operation",
        "issuer",
        "subject",
        "client",
        "reach",
        "outcome",
        "because",
        "rule",
        "missing",
        "challenge",
        "request_id",
        "micros",
    ];
    let text = written.text();
    let line = text.lines().next().unwrap();
    let places: Vec<_> = members
        .iter()
        .map(|member| line.find(&format!("\"{member}\":")).unwrap())
        .collect();
    assert!(places.is_sorted(), "{line}");
    for secret in [
        alice.dangerous_raw_token(),
        nobody.dangerous_raw_token(),
        "secret argument",
    ] {
        assert!(!text.contains(secret));
    }
}

#[tokio::test]
async fn sampling_leaves_records_out_and_counts_everything() {
    let issuer = Issuer::start().await.unwrap();
    let written = Written::default();
    let auth = McpAuth::builder(RESOURCE)
        .authorization_server(issuer.authorization_server().unwrap())
        .policy(policy(POLICY))
        .decision_log(DecisionLog::to_writer(written.clone()).unwrap())
        .sample_denials(NonZeroU64::new(10).unwrap())
        .build()
        .unwrap();
    let app = Router::new()
        .route_service("/", transport(STATELESS_JSON, Tools::default()))
        .route_layer(auth.mcp_layer());
    let alice = issuer
        .token()
        .subject("alice")
        .audience(RESOURCE)
        .scopes(["create:todos"])
        .sign();
    for _ in 0..25 {
        send(
            &app,
            authorized(&alice, post(&call("create-todo", json!({ "content": "x" })))),
        )
        .await;
        send(&app, authorized(&alice, post(&call("drop-table", json!({}))))).await;
        send(&app, post(&call("get-todos", json!({})))).await;
    }
    let counts = auth.status().decisions();
    assert_eq!(
        (counts.allowed(), counts.denied(), counts.unauthenticated()),
        (25, 25, 25)
    );
    assert_eq!((counts.revoked(), counts.records_lost()), (0, 0));
    let records = written.records(25 + 3 + 3).await;
    let of = |because: &str| records.iter().filter(|record| record["because"] == because).count();
    assert_eq!((of("scope"), of("unknown-tool"), of("unauthenticated")), (25, 3, 3));

    let status = serde_json::to_value(auth.status()).unwrap();
    assert_eq!(status["policy"]["name"], "todo-manager");
    assert_eq!(status["policy"]["revision"], policy(POLICY).revision());
    assert_eq!(
        status["decisions"],
        json!({ "allowed": 25, "denied": 25, "revoked": 0, "unauthenticated": 25, "records_lost": 0 })
    );
}

#[tokio::test]
async fn the_hook_denies_what_is_allowed_and_allows_nothing() {
    let (server, written) = recording(|builder| {
        builder.after_decision(|view| match (view.operation(), view.caller().subject()) {
            ("create-todo", "mallory") => Verdict::Deny {
                message: "not on Sundays".into(),
            },
            ("delete-todo", _) => panic!("a hook with a mistake"),
            _ => Verdict::Keep,
        })
    })
    .await;
    let alice = server.token("alice", &["create:todos"]);
    let mallory = server.token("mallory", &["create:todos"]);
    let content = json!({ "content": "x" });
    assert_eq!(
        server.call(&alice, "create-todo", content.clone()).await.status,
        StatusCode::OK
    );
    let refused = server.call(&mallory, "create-todo", content.clone()).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(refused.challenge(), None);
    let error = &refused.json()["error"];
    assert_eq!(
        (&error["message"], &error["data"]["reason"]),
        (&json!("not on Sundays"), &json!("refused_by_server"))
    );
    let refused = server.call(&alice, "delete-todo", json!({})).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.body.contains("mistake in the server"), "{refused:?}");
    // Denied by the policy: the hook, which would keep it, is not asked.
    assert_eq!(
        server
            .call(&server.token("alice", &[]), "create-todo", content)
            .await
            .status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(server.ran(), 1);
    let because: Vec<Value> = written
        .records(4)
        .await
        .iter()
        .map(|record| record["because"].clone())
        .collect();
    assert_eq!(because, ["scope", "hook", "hook", "missing-scope"]);
}

#[requires_scope("read:todos", owner_fallback, name = "show")]
async fn show(access: Access) -> Result<&'static str, Denied> {
    access.check_owner("bob")?;
    Ok("shown")
}

#[requires_scope("read:todos", owner_fallback, name = "careless")]
async fn careless(access: Access) -> Result<String, Denied> {
    Ok(access.subject().to_owned())
}

#[tokio::test]
async fn without_a_gate_the_guard_records_and_asks_and_a_later_refusal_is_a_record_of_its_own() {
    let operations = "\noperations:\n  show: { requires: read:todos, object: todo, owner_fallback: true }\n  careless: { requires: read:todos, object: todo, owner_fallback: true }\n";
    let issuer = Issuer::start().await.unwrap();
    let written = Written::default();
    let auth = McpAuth::builder(RESOURCE)
        .authorization_server(issuer.authorization_server().unwrap())
        .policy(policy(&(POLICY.to_owned() + operations)))
        .decision_log(DecisionLog::to_writer(written.clone()).unwrap())
        .after_decision(|view| match view.caller().subject() {
            "mallory" => Verdict::Deny { message: "no".into() },
            _ => Verdict::Keep,
        })
        .build()
        .unwrap();
    let app = Router::new()
        .route("/show", get(show))
        .route("/careless", get(careless))
        .route_layer(auth.bearer_layer());
    let mut seen = Vec::new();
    for (path, subject, scopes) in [
        ("/show", "bob", &[][..]),
        ("/show", "alice", &[]),
        ("/show", "mallory", &["read:todos"]),
        ("/careless", "alice", &[]),
        ("/careless", "alice", &["read:todos"]),
    ] {
        let token = issuer.token().subject(subject).audience(RESOURCE).scopes(scopes).sign();
        let mut request = authorized(&token, request(Method::GET, String::new()));
        *request.uri_mut() = path.parse().unwrap();
        seen.push(send(&app, request).await.status.as_u16());
    }
    assert_eq!(seen, [200, 404, 403, 403, 200]);
    let records = written.records(7).await;
    let brief: Vec<_> = (records.iter())
        .map(|record| {
            let text = |member: &str| record[member].as_str().unwrap();
            (
                text("kind"),
                text("operation"),
                text("reach"),
                text("outcome"),
                text("because"),
            )
        })
        .collect();
    assert_eq!(
        brief,
        [
            ("operation", "show", "own", "allow", "owner"),
            ("operation", "show", "own", "allow", "owner"),
            ("operation", "show", "deny", "deny", "not-owner"),
            ("operation", "show", "deny", "deny", "hook"),
            ("operation", "careless", "own", "allow", "owner"),
            ("operation", "careless", "deny", "deny", "ownership-unchecked"),
            ("operation", "careless", "any", "allow", "scope"),
        ]
    );
    assert_eq!(records[1]["request_id"], records[2]["request_id"]);
    assert_eq!(records[4]["request_id"], records[5]["request_id"]);
    let counts = auth.status().decisions();
    assert_eq!((counts.allowed(), counts.denied(), counts.revoked()), (4, 1, 2));
}

#[test]
fn a_replacement_has_to_pass_what_is_required_of_it() {
    let strict = POLICY.replace("requires: create:todos", "requires: [create:todos, delete:todos]");
    let handle = PolicyHandle::from(policy(POLICY));
    handle.require_audit::<Tools>().unwrap();
    let before = handle.current();
    handle.replace(policy(&strict)).unwrap();
    assert_eq!(handle.current().revision(), policy(&strict).revision());
    assert_eq!(
        before.revision(),
        policy(POLICY).revision(),
        "who holds the old one keeps it"
    );

    for (text, expected) in [
        (
            POLICY.replace("requires: create:todos", "requires: []"),
            "`create-todo`",
        ),
        (
            POLICY.to_owned() + "  rename-todo: { requires: create:todos }\n",
            "rename-todo",
        ),
    ] {
        let refused = handle.replace(policy(&text)).unwrap_err();
        assert!(
            matches!(refused, ReloadRefused::Check(_)) && refused.to_string().contains(expected),
            "{refused}"
        );
        let status = handle.status();
        assert_eq!((status.reloads(), status.revision()), (1, policy(&strict).revision()));
        assert_eq!(status.last_error().unwrap().text(), refused.to_string());
    }
    handle.replace(policy(POLICY)).unwrap();
    let status = handle.status();
    assert_eq!((status.reloads(), status.refused(), status.last_error()), (2, 2, None));

    let narrow = PolicyHandle::new(policy(&strict), ReloadMode::NarrowOnly);
    let Err(ReloadRefused::Widens(diff)) = narrow.replace(policy(POLICY)) else {
        panic!("it widens")
    };
    let [change] = diff.changes() else { panic!("{diff}") };
    assert_eq!(
        change.to_string(),
        "create-todo  deny -> any  callers holding create:todos without delete:todos"
    );
    narrow.replace(policy(&strict)).unwrap();
}

/// Stops the request in the hook until the policy was replaced, and then has the guard decide.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_under_way_ends_on_the_policy_it_began_with() {
    let handle = PolicyHandle::from(policy(POLICY));
    let closed = POLICY.replace("requires: create:todos", "requires: [create:todos, delete:todos]");
    let (from_hook, to_hook) = (handle.clone(), policy(&closed));
    let to_hook = Mutex::new(Some(to_hook));
    let (server, written) = recording(|builder| {
        builder.policy(handle.clone()).after_decision(move |_| {
            if let Some(next) = to_hook.lock().unwrap().take() {
                from_hook.replace(next).unwrap();
            }
            Verdict::Keep
        })
    })
    .await;
    let alice = server.token("alice", &["create:todos"]);
    let content = json!({ "content": "x" });
    // Replaced between gate and guard: the guard would deny by the new policy.
    assert_eq!(
        server.call(&alice, "create-todo", content.clone()).await.status,
        StatusCode::OK
    );
    assert_eq!(server.ran(), 1);
    assert_eq!(
        server.call(&alice, "create-todo", content).await.status,
        StatusCode::FORBIDDEN
    );
    let revisions: Vec<Value> = written
        .records(2)
        .await
        .iter()
        .map(|record| record["revision"].clone())
        .collect();
    assert_eq!(revisions, [policy(POLICY).revision(), policy(&closed).revision()]);
}

#[tokio::test]
async fn a_forbidden_call_is_recorded_with_the_line_of_the_forbid_and_without_its_arguments() {
    let forbid = "forbid:\n  - { id: long, tools: [create-todo], when: { arg: { name: content, longer_than: 5, if_missing: skip } } }\n";
    let handle = PolicyHandle::from(policy(&format!("{POLICY}\n{forbid}")));
    handle.declare_arguments(OperationKind::Tool, "create-todo", ["content"]);
    let (server, written) = recording(|builder| builder.policy(handle)).await;
    let alice = server.token("alice", &["create:todos"]);
    for content in ["short", "secret argument"] {
        server.call(&alice, "create-todo", json!({ "content": content })).await;
    }
    let records = written.records(2).await;
    assert_eq!(
        (&records[0]["reach"], &records[0]["because"]),
        (&json!("any"), &json!("scope"))
    );
    assert_eq!(
        (&records[1]["reach"], &records[1]["because"]),
        (&json!("deny"), &json!("forbidden"))
    );
    let last = POLICY.lines().count() + 3;
    let rule = records[1]["rule"].to_string();
    assert!(
        rule.contains(&format!(":{last}")) || rule.contains(&format!(":{}", last - 1)),
        "{rule}"
    );
    assert!(!written.text().contains("secret argument"));
}
