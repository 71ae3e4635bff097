//! What an operator gets wrong ends in one clear message, and in an exit code when the server cannot run.

#![cfg(feature = "demo")]

mod common;

use std::{fs, net::TcpListener, path::Path, process::Stdio, time::Duration};

use common::*;
use serde_json::json;
use tokio::{io::AsyncReadExt as _, process::Command, time::timeout};

/// Runs the program with nothing of this environment, until it ends by itself.
async fn run(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> (bool, String) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_whoami"));
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
            .replace("requires: []", "requires: opnid"),
    )
    .unwrap();
    let invalid = invalid.to_str().unwrap();
    let unserved = folder.path().join("unserved.yaml");
    fs::write(
        &unserved,
        fs::read_to_string(POLICY).unwrap() + "  rename: { requires: openid }\n",
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
            &["unknown-scope", "`opnid`", "invalid.yaml:", "did you mean `openid`?"],
        ),
        (&["--policy", unserved], &[], &["rename", "unserved.yaml:"]),
        (
            &["--port", &busy],
            &[],
            &["cannot listen on 127.0.0.1", &busy, "--port"],
        ),
        (
            &[
                "--port",
                "0",
                "--mode",
                "jwt",
                "--issuer",
                "https://login.example.com",
                "--resource",
                "localhost:3001",
            ],
            &[],
            &["resource `localhost:3001`", "absolute URL"],
        ),
        (
            &["--port", "0", "--mode", "jwt", "--issuer", "login.example.com"],
            &[],
            &["issuer `login.example.com`", "absolute URL"],
        ),
        (
            &["--port", "0", "--mode", "jwt", "--issuer", "http://login.example.com"],
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
            &["--port", "0", "--resource", "https://whoami.example.com"],
            &[],
            &["https://whoami.example.com", "not on this machine", "--issuer"],
        ),
        (
            &["--port", "0", "--mode", "jwt"],
            &[("MCP_AUTH_ISSUER", "")],
            &["issuer ``", "absolute URL"],
        ),
        (
            &[
                "--port",
                "0",
                "--mode",
                "jwt",
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
        (
            &["--mode", "guess"],
            &[],
            &["guess", "jwt", "introspection", "userinfo"],
        ),
        (
            &["--port", "0", "--issuer", "https://login.example.com"],
            &[],
            &[
                "not that it was issued for this server",
                "--insecure-no-audience-check",
                "MCP_AUTH_INSECURE_NO_AUDIENCE_CHECK",
            ],
        ),
        (
            &["--port", "0", "--issuer", "https://login.example.com"],
            &[("MCP_AUTH_INSECURE_NO_AUDIENCE_CHECK", "false")],
            &["not that it was issued for this server"],
        ),
        (
            &["--port", "0", "--issuer", "https://login.example.com"],
            &[("MCP_AUTH_INSECURE_NO_AUDIENCE_CHECK", "perhaps")],
            &["perhaps", "--insecure-no-audience-check"],
        ),
        (
            &["--check", "--issuer", "https://login.example.com"],
            &[],
            &["--insecure-no-audience-check"],
        ),
        (
            &["--port", "0", "--mode", "jwt", "--insecure-no-audience-check"],
            &[],
            &["for `--mode userinfo` alone", "remove it"],
        ),
        (
            &["--port", "0", "--mode", "introspection"],
            &[("MCP_AUTH_INSECURE_NO_AUDIENCE_CHECK", "true")],
            &["for `--mode userinfo` alone"],
        ),
        (
            &["--port", "0", "--audience", "https://api.example.com"],
            &[],
            &["--audience", "no effect in `--mode userinfo`"],
        ),
        (
            &["--port", "0"],
            &[("MCP_AUTH_REQUIRED_SCOPES", "openid")],
            &["--required-scopes", "refuse everybody in `--mode userinfo`"],
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
        assert!(!text.contains("panicked") && !text.contains("hunter2"), "{text}");
    }
}

#[tokio::test]
async fn a_check_loads_and_audits_without_listening() {
    let folder = tempfile::tempdir().unwrap();
    let (ran, text) = run(folder.path(), &["--check", "--policy", POLICY], &[]).await;
    assert!(ran, "{text}");
    assert!(text.starts_with("ok: policy `whoami`"), "{text}");
}

#[tokio::test]
async fn an_issuer_that_is_down_is_no_reason_not_to_start() {
    // Nobody listens there once the listener is dropped.
    let port = free_port();
    let issuer = format!("http://127.0.0.1:{port}");
    let server = Running::start(&["--mode", "jwt", "--issuer", &issuer]).await;
    // Shaped like a token of that issuer; its keys would be needed to refuse it.
    let token = mcp_auth::testing::Issuer::start()
        .await
        .unwrap()
        .token()
        .audience(&server.resource)
        .claim("iss", issuer)
        .sign();
    let response = server
        .post(Some(token.dangerous_raw_token()), &call("whoami", json!({})))
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
        let mut server = Command::new(env!("CARGO_BIN_EXE_whoami"))
            .args(["--port", "0", "--policy", POLICY])
            .env_clear()
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut banner = [0; 10];
        timeout(
            Duration::from_secs(20),
            server.stdout.as_mut().unwrap().read_exact(&mut banner),
        )
        .await
        .unwrap()
        .unwrap();
        assert!(banner.starts_with(b"whoami"));
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

#[test]
fn no_secret_is_printed() {
    let settings = settings(with_provider("introspection"));
    assert!(!format!("{settings:?}").contains("rs secret"));
}
