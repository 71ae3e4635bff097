//! What is held until the ownership check has spoken, for how long, and what ends it.

use std::time::Duration;

use http::StatusCode;
use http_body_util::BodyExt as _;
use serde_json::json;
use tower::ServiceExt as _;

use super::{
    POLICY, Server,
    common::{MODES, SIX_MODES, call},
};

#[tokio::test]
async fn what_a_tool_does_around_its_check_has_a_defined_answer() {
    for (mode, version) in SIX_MODES {
        let server = Server::start(mode, version, &format!("{POLICY}on_not_owner: step_up\n")).await;
        let answer = server.call(&[], "delete-note", "bob", "says not found").await;
        assert_eq!(
            answer.status,
            StatusCode::FORBIDDEN,
            "the policy wants it to be told: {answer:?}"
        );
        // A denial that the tool caught changes nothing.
        let answer = server.call(&[], "delete-note", "bob", "catches the denial").await;
        assert_eq!(
            (answer.status, answer.challenge()),
            (StatusCode::OK, None),
            "{answer:?}"
        );
        assert!(answer.body.contains("it was false"), "{answer:?}");
        // An error after a check that passed is the tool's own.
        let answer = server.call(&[], "delete-note", "alice", "fails later").await;
        assert_eq!(
            (answer.status, answer.challenge()),
            (StatusCode::OK, None),
            "{answer:?}"
        );
        assert!(answer.body.contains("the disk is full"), "{answer:?}");
    }
}

#[tokio::test]
async fn a_message_before_the_check_ends_the_hold() {
    for (mode, version) in SIX_MODES {
        let server = Server::start(mode, version, &format!("{POLICY}on_not_owner: step_up\n")).await;
        let answer = server.call(&[], "delete-note", "bob", "says something first").await;
        assert_eq!(
            (answer.status, answer.challenge()),
            (StatusCode::OK, None),
            "{mode:?} {version}: {answer:?}"
        );
        let (progress, result) = answer.body.split_once("notifications/progress").unwrap();
        assert!(!progress.contains("isError"), "{answer:?}");
        assert!(result.contains("on an object of somebody else"), "{answer:?}");
    }
}

#[tokio::test]
async fn a_slow_tool_is_held_two_seconds_and_then_answers_by_itself() {
    // From 2026-07-28 on the transport itself sends nothing before the first message, and so the answer is 403 after any time.
    let modes = [
        (MODES[1], "2025-11-25", true),
        (MODES[2], "2025-11-25", true),
        (MODES[1], "2026-07-28", false),
    ];
    let mut running = tokio::task::JoinSet::new();
    for (mode, version, held) in modes {
        running.spawn(async move {
            let server = Server::start(mode, version, &format!("{POLICY}on_not_owner: step_up\n")).await;
            let token = server.token(&[]);
            let slow = call("delete-note", json!({ "owner": "bob", "how": "takes long" }));
            let slow = server.request(&token, slow).await;
            let started = std::time::Instant::now();
            let response = server.app.clone().oneshot(slow).await.unwrap();
            let head = started.elapsed();
            if !held {
                assert_eq!(response.status(), StatusCode::FORBIDDEN);
                return;
            }
            assert_eq!(response.status(), StatusCode::OK);
            assert!((1500..3500).contains(&head.as_millis()), "{head:?}");
            let body = response.into_body().collect().await.unwrap().to_bytes();
            assert!(String::from_utf8_lossy(&body).contains("on an object of somebody else"));
        });
    }
    while let Some(ended) = running.join_next().await {
        ended.unwrap();
    }
}

#[tokio::test]
async fn a_client_that_leaves_while_it_is_held_and_a_tool_that_panics_hold_up_nobody() {
    let server = Server::start(MODES[1], "2026-07-28", &format!("{POLICY}on_not_owner: step_up\n")).await;
    let token = server.token(&[]);
    let slow = server
        .request(
            &token,
            call("delete-note", json!({ "owner": "bob", "how": "takes long" })),
        )
        .await;
    let left = tokio::time::timeout(Duration::from_millis(100), server.app.clone().oneshot(slow)).await;
    assert!(left.is_err(), "it was not held");
    let panics = server.call(&[], "delete-note", "alice", "panics");
    let _ = tokio::time::timeout(Duration::from_secs(4), panics).await;
    let answer = server.call(&[], "delete-note", "bob", "").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{answer:?}");
}

#[tokio::test]
async fn nothing_is_held_for_a_call_that_reaches_everything() {
    let server = Server::start(MODES[2], "2025-11-25", &format!("{POLICY}on_not_owner: step_up\n")).await;
    let token = server.token(&["delete:notes"]);
    let slow = server
        .request(
            &token,
            call("delete-note", json!({ "owner": "bob", "how": "takes long" })),
        )
        .await;
    let started = std::time::Instant::now();
    let response = server.app.clone().oneshot(slow).await.unwrap();
    assert!(
        started.elapsed() < Duration::from_millis(1500),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_denial_is_held_back_for_clients_of_http_2_too() {
    for (mode, version) in SIX_MODES {
        let server = Server::start(mode, version, &format!("{POLICY}on_not_owner: step_up\n")).await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = server.app.clone();
        let serving = tokio::spawn(async move { axum::serve(listener, app).await });
        let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
        let token = server.token(&[]);
        // All at once on one connection: slow ones, denied ones and allowed ones do not wait for each other.
        let mut answers = tokio::task::JoinSet::new();
        for (owner, how) in [
            ("bob", "takes long"),
            ("bob", ""),
            ("alice", ""),
            ("bob", ""),
            ("alice", ""),
        ] {
            let message = call("delete-note", json!({ "owner": owner, "how": how }));
            let (mut head, body) = server.request(&token, message).await.into_parts();
            head.headers.remove("host");
            let body = body.collect().await.unwrap().to_bytes();
            let request = client
                .post(format!("http://{address}/"))
                .headers(head.headers)
                .body(body)
                .send();
            answers.spawn(async move { (owner, how, request.await.unwrap()) });
        }
        for _ in 0..4 {
            let (owner, how, answer) = answers.join_next().await.unwrap().unwrap();
            assert_eq!(
                (answer.version(), how),
                (http::Version::HTTP_2, ""),
                "{mode:?} {version}"
            );
            let denied = answer.headers().get("www-authenticate").is_some();
            let row = format!("{mode:?} {version} {owner}: {answer:?}");
            assert_eq!(
                (answer.status() == StatusCode::FORBIDDEN, denied),
                (owner == "bob", owner == "bob"),
                "{row}"
            );
        }
        serving.abort();
    }
}
