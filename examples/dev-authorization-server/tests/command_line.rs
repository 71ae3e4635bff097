//! The binary, as people type it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops at what it did not expect"
)]

mod common;

use std::process::Stdio;

use common::{RESOURCE, claims, start};
use dev_authorization_server::bind_loopback;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
};

const BINARY: &str = env!("CARGO_BIN_EXE_dev-authorization-server");
const POLICY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/policy.yaml");

/// Runs the binary to its end: exit code, standard output, standard error.
async fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(BINARY).args(arguments).output().await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[tokio::test]
async fn token_prints_a_token_and_nothing_else() {
    let server = start().await;
    for (arguments, scope) in [
        (vec!["token", "alice"], Some("create:todos")),
        (
            vec!["token", "admin", "--scope", "create:todos read:todos"],
            Some("create:todos read:todos"),
        ),
        (
            vec!["token", "admin", "--scope", "create:todos", "--scope", "read:todos"],
            Some("create:todos read:todos"),
        ),
        (
            vec!["token", "alice", "--resource", RESOURCE, "--scope", "delete:todos"],
            None,
        ),
    ] {
        let (code, stdout, stderr) = run(&[arguments.as_slice(), &["--issuer", &server.issuer]].concat()).await;
        assert_eq!(code, Some(0), "{stderr}");
        let token = stdout.strip_suffix('\n').unwrap();
        assert!(!token.contains(char::is_whitespace));
        assert_eq!(claims(token).get("scope").map(|scope| scope.as_str().unwrap()), scope);
        assert!(!stderr.contains(token));
        assert_eq!(
            stderr.contains("does not give delete:todos"),
            scope.is_none(),
            "{stderr}"
        );
    }
}

#[tokio::test]
async fn token_says_what_to_do_when_there_is_none() {
    let server = start().await;
    let free = bind_loopback(0).await.unwrap()[0].local_addr().unwrap().port();
    let nobody_listens = format!("http://localhost:{free}");
    for (arguments, message) in [
        (
            vec!["token", "alice", "--issuer", nobody_listens.as_str()],
            "cargo run -p todo-manager",
        ),
        (
            vec!["token", "carol", "--issuer", server.issuer.as_str()],
            "choose one of alice, bob",
        ),
        (
            vec!["token", "alice", "--issuer", "https://issuer.example"],
            "is not an http URL of this machine",
        ),
        (
            vec![
                "token",
                "alice",
                "--issuer",
                server.issuer.as_str(),
                "--resource",
                "http://localhost:9",
            ],
            "invalid_target",
        ),
    ] {
        let (code, stdout, stderr) = run(&arguments).await;
        assert_eq!((code, stdout.as_str()), (Some(1), ""), "{stderr}");
        assert!(stderr.contains(message), "{stderr}");
    }
}

#[tokio::test]
async fn serve_signs_in_the_users_of_a_policy() {
    let mut serving = Command::new(BINARY)
        .args(["serve", "--port", "0", "--policy", POLICY])
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut banner = BufReader::new(serving.stderr.take().unwrap()).lines();
    let first = banner.next_line().await.unwrap().unwrap();
    assert!(first.contains("DEVELOPMENT ONLY"), "{first}");
    let issuer = banner.next_line().await.unwrap().unwrap();
    let issuer = issuer.trim().strip_prefix("issuer").unwrap().trim();
    let (code, stdout, stderr) = run(&["token", "bob", "--issuer", issuer]).await;
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(
        (
            claims(stdout.trim())["sub"].as_str(),
            claims(stdout.trim())["scope"].as_str()
        ),
        (Some("bob"), Some("create:todos"))
    );
}

#[tokio::test]
async fn serve_signs_in_the_users_of_the_command_line_instead() {
    let mut serving = Command::new(BINARY)
        .args([
            "serve",
            "--port",
            "0",
            "--policy",
            POLICY,
            "--user",
            "carol=admin",
            "--user",
            "dave=user",
        ])
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut banner = BufReader::new(serving.stderr.take().unwrap()).lines();
    banner.next_line().await.unwrap();
    let issuer = banner.next_line().await.unwrap().unwrap();
    let issuer = issuer.trim().strip_prefix("issuer").unwrap().trim();
    let (code, stdout, stderr) = run(&["token", "carol", "--issuer", issuer]).await;
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(claims(stdout.trim())["scope"].as_str(), Some("create:todos read:todos"));
    let (code, _, stderr) = run(&["token", "alice", "--issuer", issuer]).await;
    assert_eq!(code, Some(1));
    assert!(stderr.contains("choose one of carol, dave"), "{stderr}");
}

#[tokio::test]
async fn serve_can_behave_like_another_provider() {
    let mut serving = Command::new(BINARY)
        .args(["serve", "--port", "0", "--policy", POLICY, "--issuer-path", "/tenant"])
        .args(["--access-token-format", "opaque", "--introspection-client-id", "rs"])
        .args(["--algorithm", "rs256", "--rotate-signing-key-every", "3600"])
        .env("MCP_AUTH_INTROSPECTION_CLIENT_SECRET", "rs-secret")
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut banner = BufReader::new(serving.stderr.take().unwrap()).lines();
    banner.next_line().await.unwrap();
    let issuer = banner.next_line().await.unwrap().unwrap();
    let issuer = issuer.trim().strip_prefix("issuer").unwrap().trim();
    assert!(issuer.ends_with("/tenant"), "{issuer}");
    let (code, stdout, stderr) = run(&["token", "bob", "--issuer", issuer]).await;
    assert_eq!(code, Some(0), "{stderr}");
    let request = reqwest::Client::new().post(format!("{issuer}/introspect"));
    let request = request
        .basic_auth("rs", Some("rs-secret"))
        .form(&[("token", stdout.trim())]);
    let claims: serde_json::Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!((&claims["active"], &claims["sub"]), (&true.into(), &"bob".into()));
}

#[tokio::test]
async fn serve_says_what_to_do_when_it_cannot() {
    let taken = bind_loopback(0).await.unwrap();
    let port = taken[0].local_addr().unwrap().port().to_string();
    for (arguments, message) in [
        (
            vec!["serve", "--policy", POLICY, "--port", "0", "--user", "carol=editor"],
            "has no role `editor`; its roles are `user`, `admin`",
        ),
        (
            vec!["serve", "--policy", "missing.yaml"],
            "cannot read the policy `missing.yaml`",
        ),
        (vec!["serve", "--policy", "missing.yaml"], "name the file with --policy"),
        (
            vec!["serve", "--policy", POLICY, "--port", &port],
            "choose another port with --port",
        ),
        (
            vec![
                "serve",
                "--policy",
                POLICY,
                "--port",
                "0",
                "--resource",
                "https://mcp.example",
            ],
            "is not on this machine",
        ),
        (
            vec!["serve", "--policy", POLICY, "--port", "0", "--issuer-path", "tenant"],
            "is not a URL like",
        ),
        (
            vec![
                "serve",
                "--policy",
                POLICY,
                "--port",
                "0",
                "--rotate-signing-key-every",
                "10",
            ],
            "use 458 s or more",
        ),
    ] {
        let (code, _, stderr) = run(&arguments).await;
        assert_eq!(code, Some(1), "{stderr}");
        assert!(stderr.contains(message), "{stderr}");
    }
}

#[tokio::test]
async fn help_says_development_only() {
    for arguments in [vec!["--help"], vec!["serve", "--help"]] {
        let (_, stdout, _) = run(&arguments).await;
        assert!(stdout.to_lowercase().contains("development only"), "{stdout}");
    }
}
