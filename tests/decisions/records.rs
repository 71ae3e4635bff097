//! What is recorded and counted of each call, and what the hook may change.

use super::*;

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

#[tokio::test]
async fn a_forbidden_call_is_recorded_with_the_line_of_the_forbid_and_without_its_arguments() {
    let forbid = "forbid:\n  - { id: long, tools: [create-todo], when: { arg: { name: content, longer_than: 5, if_missing: skip } } }\n";
    let text = format!("{POLICY}\n{forbid}");
    let handle = PolicyHandle::from(policy(&text));
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
    let line = text.lines().position(|line| line.contains("id: long")).unwrap() + 1;
    assert_eq!(records[1]["rule"], format!("policies/todo.yaml:{line}"));
    assert!(!written.text().contains("secret argument"));
}
