//! A changed policy file comes into force in a running server; a bad one changes nothing.

#![cfg(all(feature = "demo", unix))]

mod common;

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use common::*;
use mcp_auth::{Policy, PolicyHandle};
use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;
use todo_manager::server::Server;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
    task::JoinSet,
};

const POLICY: &str = include_str!("../../../policies/todo.yaml");

/// Creating takes a scope that no user has; the rest is as it was, in another order.
fn strict() -> String {
    let scopes = "  create:todos: Create to-do items\n  read:todos: Read every user's to-do items\n  delete:todos: Delete any user's to-do items\n";
    let reordered = "  delete:todos: Delete any user's to-do items\n  create:todos: Create to-do items\n  read:todos: Read every user's to-do items\n";
    let text = POLICY.replace(scopes, reordered);
    assert_ne!(text, POLICY);
    text.replace(
        "create-todo: { requires: create:todos }",
        "create-todo: { requires: [create:todos, delete:todos] }",
    )
}

fn revision(text: &str) -> String {
    Policy::parse(text).unwrap().revision().to_owned()
}

/// A folder with a policy file, and a database.
struct Files {
    folder: TempDir,
    database: Database,
}

impl Files {
    fn new() -> Self {
        let files = Self {
            folder: tempfile::tempdir().unwrap(),
            database: Database::new(),
        };
        fs::write(files.policy(), POLICY).unwrap();
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn policy(&self) -> PathBuf {
        self.path("todo.yaml")
    }

    async fn start(&self, more: &[&str]) -> (Reloading, PathBuf) {
        let log = self.path("decisions.jsonl");
        let mut arguments = vec!["--decision-log", log.to_str().unwrap(), "--policy"];
        let policy = self.policy();
        arguments.push(policy.to_str().unwrap());
        arguments.extend(more);
        (Reloading::start(&self.database, &arguments).await, log)
    }
}

/// A server whose policy and status can be looked at.
struct Reloading {
    server: Running,
    policy: PolicyHandle,
}

impl Reloading {
    async fn start(database: &Database, arguments: &[&str]) -> Self {
        let settings = settings(&database.url(), arguments);
        let server = Server::start(&settings).await.unwrap();
        let policy = server.policy().clone();
        Self {
            server: Running::of(server),
            policy,
        }
    }

    async fn reaches(&self, revision: &str) {
        let policy = &self.policy;
        until(|| policy.status().revision() == revision).await;
    }

    async fn may_create(&self, token: &str) -> bool {
        let answer = self
            .server
            .post(Some(token), &call("create-todo", json!({ "content": "x" })))
            .await;
        match answer.status().as_u16() {
            200 => true,
            403 => false,
            other => panic!("{other}"),
        }
    }
}

/// Waits until something is so, for at most 20 seconds.
async fn until(mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !so() {
        assert!(Instant::now() < deadline, "it did not become so in 20 seconds");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn writing_renaming_and_linking_put_a_policy_in_force() {
    let files = Files::new();
    let (server, _) = files.start(&[]).await;
    let alice = server.server.token("alice", &[]).await;
    assert!(server.may_create(&alice).await);

    fs::write(files.policy(), strict()).unwrap();
    server.reaches(&revision(&strict())).await;
    assert!(!server.may_create(&alice).await);

    fs::write(files.path("new"), POLICY).unwrap();
    fs::rename(files.path("new"), files.policy()).unwrap();
    server.reaches(&revision(POLICY)).await;
    assert!(server.may_create(&alice).await);

    // The file becomes a link, and then what the link leads to is edited in another folder.
    let elsewhere = tempfile::tempdir().unwrap();
    let target = elsewhere.path().join("target.yaml");
    fs::write(&target, strict()).unwrap();
    symlink(&target, files.path("link")).unwrap();
    fs::rename(files.path("link"), files.policy()).unwrap();
    server.reaches(&revision(&strict())).await;
    fs::write(&target, POLICY).unwrap();
    server.reaches(&revision(POLICY)).await;
    assert_eq!(server.policy.status().reloads(), 4);
    assert_eq!(server.policy.status().refused(), 0);
    server.server.stop().await;
}

#[tokio::test]
async fn a_config_map_of_kubernetes_is_swapped_as_a_whole() {
    let files = Files::new();
    let version = |name: &str, text: &str| {
        fs::create_dir(files.path(name)).unwrap();
        fs::write(files.path(name).join("todo.yaml"), text).unwrap();
        symlink(name, files.path("..data_tmp")).unwrap();
        fs::rename(files.path("..data_tmp"), files.path("..data")).unwrap();
    };
    version("..2026_01", POLICY);
    fs::remove_file(files.policy()).unwrap();
    symlink("..data/todo.yaml", files.policy()).unwrap();
    let (server, _) = files.start(&[]).await;
    for (name, text) in [
        ("..2026_02", strict()),
        ("..2026_03", POLICY.to_owned()),
        ("..2026_04", strict()),
    ] {
        version(name, &text);
        server.reaches(&revision(&text)).await;
    }
    server.server.stop().await;
}

#[tokio::test]
async fn a_bad_file_changes_nothing_and_shows_until_it_is_mended() {
    let files = Files::new();
    let (server, _) = files.start(&[]).await;
    let alice = server.server.token("alice", &[]).await;
    let table: [(String, &[&str]); 4] = [
        (
            POLICY.replace("requires: read:todos", "requires: raed:todos"),
            &["unknown-scope", "todo.yaml:", "`read:todos`"],
        ),
        (
            POLICY.replace(", owner_fallback: true", ", owner_fallbak: true"),
            &["owner_fallbak"],
        ),
        // Valid, but the tools do not fit it: one is not served, one would be open to everybody.
        (
            POLICY.to_owned() + "  rename-todo: { requires: create:todos }\n",
            &["rename-todo", "not served"],
        ),
        (
            POLICY.replace("requires: create:todos", "requires: []"),
            &["`create-todo`", "every object", "tools.rs:"],
        ),
    ];
    for (number, (text, expected)) in (1..).zip(&table) {
        fs::write(files.policy(), text).unwrap();
        until(|| server.policy.status().refused() == number).await;
        let status = server.policy.status();
        assert_eq!(status.revision(), revision(POLICY));
        let error = status.last_error().unwrap().text();
        for part in *expected {
            assert!(error.contains(part), "`{part}` is not in\n{error}");
        }
        assert!(server.may_create(&alice).await);
    }
    fs::remove_file(files.policy()).unwrap();
    until(|| server.policy.status().refused() == 5).await;
    assert!(
        server
            .policy
            .status()
            .last_error()
            .unwrap()
            .text()
            .contains("cannot read the policy")
    );
    fs::write(files.policy(), POLICY).unwrap();
    until(|| server.policy.status().last_error().is_none()).await;
    assert_eq!(server.policy.status().revision(), revision(POLICY));
    server.server.stop().await;
}

#[tokio::test]
async fn narrow_only_refuses_what_widens() {
    let files = Files::new();
    let (server, _) = files.start(&["--reload", "narrow-only"]).await;
    fs::write(files.policy(), strict()).unwrap();
    server.reaches(&revision(&strict())).await;
    fs::write(files.policy(), POLICY).unwrap();
    until(|| server.policy.status().refused() == 1).await;
    let status = server.policy.status();
    assert_eq!(status.revision(), revision(&strict()));
    let error = status.last_error().unwrap().text();
    assert!(
        error.contains("create-todo  deny -> any  callers holding create:todos without delete:todos (line 15)"),
        "{error}"
    );
    server.server.stop().await;
}

#[tokio::test]
async fn requests_under_load_are_decided_by_one_policy_each_and_none_fails() {
    let files = Files::new();
    let (server, log) = files.start(&[]).await;
    let alice = server.server.token("alice", &[]).await;
    let client = Client::new();
    let done = Arc::new(AtomicBool::new(false));
    let flipping = Arc::clone(&done);
    let policies = [POLICY.to_owned(), strict()].map(|text| Arc::new(parse(&text, &files.policy())));
    let handle = server.policy.clone();
    let path = files.policy();
    let flipper = tokio::task::spawn_blocking(move || {
        let mut flips = 0;
        while !flipping.load(Ordering::Relaxed) {
            flips += 1;
            // Most flips by hand, so that there are many; some through the file.
            if flips % 50 == 0 {
                fs::write(&path, if flips % 100 == 0 { POLICY.to_owned() } else { strict() }).unwrap();
            }
            handle.replace(Arc::clone(&policies[flips % 2])).unwrap();
            std::thread::yield_now();
        }
        flips
    });
    let mut connections = JoinSet::new();
    for _ in 0..64 {
        let (client, url, token) = (client.clone(), server.server.resource.clone(), alice.clone());
        connections.spawn(async move {
            let mut statuses = Vec::new();
            for number in 0..12 {
                let tool = if number % 2 == 0 { "create-todo" } else { "get-todos" };
                let answer = client
                    .post(&url)
                    .header("content-type", "application/json")
                    .header("accept", "application/json, text/event-stream")
                    .bearer_auth(&token)
                    .body(call(tool, json!({ "content": "x" })).to_string())
                    .send()
                    .await
                    .unwrap();
                let status = answer.status().as_u16();
                let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
                assert!(
                    status == 200 || (status == 403 && tool == "create-todo"),
                    "{tool}: {status} {body}"
                );
                assert_ne!(body["result"]["isError"], true, "{body}");
                statuses.push(status);
            }
            statuses
        });
    }
    let statuses: Vec<u16> = connections.join_all().await.into_iter().flatten().collect();
    done.store(true, Ordering::Relaxed);
    let flips = flipper.await.unwrap();
    server.server.stop().await;
    let denied = statuses.iter().filter(|status| **status == 403).count();
    assert!(
        flips > 100 && denied > 0 && denied < 64 * 6,
        "{flips} flips, {denied} denied"
    );

    let lines = fs::read_to_string(log).unwrap();
    let records: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(records.len(), 64 * 12, "one record for each call");
    for record in &records {
        let expected = match (
            record["operation"].as_str().unwrap(),
            record["revision"] == revision(POLICY),
        ) {
            ("create-todo", true) => ("any", "allow", "scope"),
            ("create-todo", false) => ("deny", "deny", "missing-scope"),
            _ => ("own", "allow", "owner"),
        };
        assert!(record["revision"] == revision(POLICY) || record["revision"] == revision(&strict()));
        assert_eq!(
            (&record["reach"], &record["outcome"], &record["because"]),
            (&json!(expected.0), &json!(expected.1), &json!(expected.2))
        );
    }
    assert_eq!(
        records.iter().filter(|record| record["outcome"] == "deny").count(),
        denied
    );
    assert!(!lines.contains(&alice), "no token in the log");
    assert!(!lines.contains("lost"));
}

fn parse(text: &str, path: &Path) -> Policy {
    Policy::loader()
        .file_name(path.display().to_string())
        .parse(text)
        .unwrap()
}

#[tokio::test]
async fn sighup_reloads_and_the_log_says_from_what_to_what() {
    let files = Files::new();
    let mut program = Command::new(env!("CARGO_BIN_EXE_todo-manager"))
        .args(["--port", "0", "--log-format", "json", "--policy", "todo.yaml"])
        .env_clear()
        .current_dir(files.folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(program.stderr.take().unwrap()).lines();
    let id = program.id().unwrap().to_string();
    let hang_up = || {
        let sent = std::process::Command::new("/bin/kill")
            .args(["-s", "HUP", &id])
            .status()
            .unwrap();
        assert!(sent.success());
    };
    let database = files.path("todos.db");
    until(|| database.exists()).await;
    // The watcher is there before the database is.
    hang_up();
    assert_eq!(
        event(&mut lines, "unchanged").await["fields"]["revision"],
        json!(revision(POLICY))
    );
    // Refused once by the event, and again each time that somebody asks.
    fs::write(files.policy(), "version: 2\n").unwrap();
    event(&mut lines, "policy not replaced").await;
    hang_up();
    event(&mut lines, "policy not replaced").await;
    fs::write(files.policy(), strict()).unwrap();
    let replaced = event(&mut lines, "policy replaced").await;
    assert_eq!(replaced["fields"]["old_revision"], json!(revision(POLICY)));
    assert_eq!(replaced["fields"]["revision"], json!(revision(&strict())));
}

async fn event(lines: &mut tokio::io::Lines<BufReader<tokio::process::ChildStderr>>, message: &str) -> Value {
    let found = async {
        loop {
            let line = lines.next_line().await.unwrap().expect("the program runs");
            let event: Value = serde_json::from_str(&line).unwrap();
            if event["fields"]["message"]
                .as_str()
                .is_some_and(|text| text.contains(message))
            {
                return event;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), found)
        .await
        .expect(message)
}

#[tokio::test]
async fn reload_off_reads_the_file_at_the_start_only() {
    let files = Files::new();
    let settings = settings(
        &files.database.url(),
        &["--reload", "off", "--policy", files.policy().to_str().unwrap()],
    );
    let loaded = todo_manager::policy::load(settings.policy.as_deref(), settings.reload).unwrap();
    assert!(loaded.watcher.is_none());
}
