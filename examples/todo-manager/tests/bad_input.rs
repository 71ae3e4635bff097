//! What an operator gets wrong ends in one clear message, and in an exit code when the server cannot run.

#![cfg(feature = "demo")]

mod common;

use std::{fs, net::TcpListener, path::Path, process::Stdio, time::Duration};

use common::*;
use serde_json::json;
use tokio::{io::AsyncReadExt as _, process::Command, time::timeout};

const POLICY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies/todo.yaml");

/// Runs the program with nothing of this environment, until it ends by itself.
async fn run(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> (bool, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_todo-manager"));
    program
        .args(arguments)
        .env_clear()
        .envs(variables.iter().copied())
        .current_dir(folder)
        .kill_on_drop(true);
    let output = timeout(Duration::from_secs(20), program.output())
        .await
        .expect("it ends by itself")
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    (output.status.success(), text)
}

#[tokio::test]
async fn every_mistake_ends_in_one_message_that_says_what_where_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let invalid = folder.path().join("invalid.yaml");
    fs::write(
        &invalid,
        fs::read_to_string(POLICY)
            .unwrap()
            .replace("requires: read:todos", "requires: raed:todos"),
    )
    .unwrap();
    let invalid = invalid.to_str().unwrap();
    let unserved = folder.path().join("unserved.yaml");
    fs::write(
        &unserved,
        fs::read_to_string(POLICY).unwrap() + "  rename-todo: { requires: create:todos }\n",
    )
    .unwrap();
    let unserved = unserved.to_str().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let busy = taken.local_addr().unwrap().port().to_string();

    // Arguments, environment, and parts of the message.
    type Row<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a [&'a str]);
    let table: &[Row<'_>] = &[
        (
            &["--policy", "absent.yaml"],
            &[],
            &["cannot read the policy `absent.yaml`", "--policy", "MCP_AUTH_POLICY"],
        ),
        (&["--policy", "."], &[], &["cannot read the policy `.`"]),
        (
            &["--policy", invalid],
            &[],
            &[
                "unknown-scope",
                "`raed:todos`",
                "invalid.yaml:",
                "did you mean `read:todos`?",
            ],
        ),
        (&["--policy", unserved], &[], &["rename-todo", "unserved.yaml:"]),
        (
            &["--port", &busy],
            &[],
            &["cannot listen on 127.0.0.1", &busy, "--port"],
        ),
        (
            &[
                "--port",
                "0",
                "--database",
                "sqlite:///no/such/folder/todos.db?mode=rwc",
            ],
            &[],
            &["cannot open the database", "/no/such/folder", "DATABASE_URL"],
        ),
        (
            &["--port", "0"],
            &[("DATABASE_URL", "postgres://u:hunter2@db/todos")],
            &["cannot open the database", "only `sqlite:`"],
        ),
        (
            &[
                "--port",
                "0",
                "--issuer",
                "https://login.example.com",
                "--resource",
                "localhost:3001",
            ],
            &[],
            &["resource `localhost:3001`", "absolute URL"],
        ),
        (
            &["--port", "0", "--issuer", "login.example.com"],
            &[],
            &["issuer `login.example.com`", "absolute URL"],
        ),
        (
            &["--port", "0", "--issuer", "http://login.example.com"],
            &[],
            &["issuer `http://login.example.com`", "https"],
        ),
        (
            &["--port", "0"],
            &[("MCP_AUTH_ISUER", "https://login.example.com")],
            &["`MCP_AUTH_ISUER`", "MCP_AUTH_ISSUER"],
        ),
        (
            &["--port", "0"],
            &[("mcp_auth_issuer", "https://login.example.com")],
            &["`mcp_auth_issuer`", "MCP_AUTH_ISSUER"],
        ),
        (
            &["--port", "0", "--bind", "0.0.0.0"],
            &[],
            &["development authorization server", "0.0.0.0", "--issuer"],
        ),
        (
            &["--port", "0", "--resource", "https://todos.example.com"],
            &[],
            &["https://todos.example.com", "not on this machine", "--issuer"],
        ),
        (
            &["--port", "0"],
            &[("MCP_AUTH_ISSUER", "")],
            &["issuer ``", "absolute URL"],
        ),
        (
            &[
                "--port",
                "0",
                "--issuer",
                "https://login.example.com",
                "--required-scopes",
                "a b",
            ],
            &[],
            &["`a b`", "scope token"],
        ),
        (
            &[
                "--port",
                "0",
                "--resource",
                "http://localhost:3001,http://127.0.0.1:3001",
            ],
            &[],
            &["http://127.0.0.1:3001", "same path", "--resource"],
        ),
        (&["--port", "70000"], &[], &["70000", "--port"]),
        (&["--mode", "guess"], &[], &["guess", "jwt", "introspection"]),
        (
            &["--port", "0", "--mode", "userinfo"],
            &[],
            &["learns neither scopes", "--mode introspection", "MCP_AUTH_MODE"],
        ),
        (
            &["--check"],
            &[("MCP_AUTH_MODE", "userinfo")],
            &["learns neither scopes"],
        ),
        (
            &["--port", "0"],
            &[("MCP_AUTH_INSECURE_NO_AUDIENCE_CHECK", "true")],
            &["`MCP_AUTH_INSECURE_NO_AUDIENCE_CHECK`", "known are MCP_AUTH_BIND"],
        ),
        (
            &[
                "--port",
                "0",
                "--mode",
                "introspection",
                "--issuer",
                "https://login.example.com",
            ],
            &[],
            &["--introspection-client-id", "MCP_AUTH_INTROSPECTION_CLIENT_SECRET"],
        ),
        (
            &["--port", "0", "--mode", "introspection"],
            &[("MCP_AUTH_INTROSPECTION_CLIENT_SECRET", "hunter2")],
            &["--introspection-client-id"],
        ),
        (
            &["--port", "0", "--mode", "introspection"],
            &[
                ("MCP_AUTH_INTROSPECTION_CLIENT_ID", "rs\n"),
                ("MCP_AUTH_INTROSPECTION_CLIENT_SECRET", "hunter2"),
            ],
            &["client", "printable"],
        ),
    ];
    for (arguments, variables, expected) in table {
        let (ran, text) = run(folder.path(), arguments, variables).await;
        assert!(!ran, "{arguments:?} {variables:?}: {text}");
        for part in *expected {
            assert!(
                text.contains(part),
                "{arguments:?} {variables:?}: `{part}` is not in\n{text}"
            );
        }
        assert!(text.matches("error").count() >= 1, "{text}");
        assert!(!text.contains("hunter2") && !text.contains("panicked"), "{text}");
    }
}

#[tokio::test]
async fn help_names_every_flag_and_variable() {
    let folder = tempfile::tempdir().unwrap();
    let secret = [("MCP_AUTH_INTROSPECTION_CLIENT_SECRET", "hunter2")];
    let (ran, text) = run(folder.path(), &["--help"], &secret).await;
    assert!(ran, "{text}");
    for (flag, variable) in [
        ("--port", "PORT"),
        ("--bind", "MCP_AUTH_BIND"),
        ("--issuer", "MCP_AUTH_ISSUER"),
        ("--server-type", "MCP_AUTH_SERVER_TYPE"),
        ("--mode", "MCP_AUTH_MODE"),
        ("--resource", "MCP_AUTH_RESOURCE"),
        ("--audience", "MCP_AUTH_AUDIENCE"),
        ("--required-scopes", "MCP_AUTH_REQUIRED_SCOPES"),
        ("--introspection-client-id", "MCP_AUTH_INTROSPECTION_CLIENT_ID"),
        ("--introspection-client-secret", "MCP_AUTH_INTROSPECTION_CLIENT_SECRET"),
        ("--policy", "MCP_AUTH_POLICY"),
        ("--reload", "MCP_AUTH_RELOAD"),
        ("--decision-log", "MCP_AUTH_DECISION_LOG"),
        ("--database", "DATABASE_URL"),
        ("--allowed-origins", "MCP_AUTH_ALLOWED_ORIGINS"),
        ("--allowed-hosts", "MCP_AUTH_ALLOWED_HOSTS"),
        ("--log-format", "MCP_AUTH_LOG_FORMAT"),
    ] {
        assert!(
            text.contains(&format!("{flag} <")) && text.contains(&format!("[env: {variable}")),
            "{flag}: {text}"
        );
    }
    assert!(text.contains("--check") && !text.contains("hunter2"), "{text}");
    // Known, to be refused with the reason; not offered.
    assert!(text.contains("introspection") && !text.contains("userinfo"), "{text}");
}

#[tokio::test]
async fn a_check_loads_and_audits_without_listening() {
    let folder = tempfile::tempdir().unwrap();
    let (ran, text) = run(folder.path(), &["--check", "--policy", POLICY], &[]).await;
    assert!(ran, "{text}");
    assert!(text.starts_with("ok: policy `todo-manager`"), "{text}");
    assert!(!folder.path().join("todos.db").exists());
}

#[tokio::test]
async fn an_issuer_that_is_down_is_no_reason_not_to_start() {
    let database = Database::new();
    // Nobody listens there once the listener is dropped.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let issuer = format!("http://127.0.0.1:{port}");
    let server = Running::with(&settings(&database.url(), &["--issuer", &issuer])).await;
    // Shaped like a token of that issuer; its keys would be needed to refuse it.
    let token = mcp_auth::testing::Issuer::start()
        .await
        .unwrap()
        .token()
        .audience(&server.resource)
        .claim("iss", issuer)
        .sign();
    let response = server
        .post(Some(token.dangerous_raw_token()), &call("get-todos", json!({})))
        .await;
    assert_eq!(response.status(), 503);
    assert!(response.headers().contains_key("retry-after"));
    assert!(!response.headers().contains_key("www-authenticate"));
    server.stop().await;
}

#[cfg(unix)]
#[tokio::test]
async fn sigterm_and_ctrl_c_end_the_server_in_order() {
    for signal in ["TERM", "INT"] {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Command::new(env!("CARGO_BIN_EXE_todo-manager"))
            .args(["--port", "0", "--policy", POLICY])
            .env_clear()
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut banner = [0; 16];
        timeout(
            Duration::from_secs(20),
            server.stdout.as_mut().unwrap().read_exact(&mut banner),
        )
        .await
        .unwrap()
        .unwrap();
        assert!(banner.starts_with(b"todo-manager"));
        let id = server.id().unwrap().to_string();
        assert!(
            std::process::Command::new("/bin/kill")
                .args(["-s", signal, &id])
                .status()
                .unwrap()
                .success()
        );
        let status = timeout(Duration::from_secs(15), server.wait())
            .await
            .expect("it ends")
            .unwrap();
        assert!(status.success(), "{signal}: {status:?}");
    }
}
