//! Decision records, the counters behind them, the hook, and the replacement of a policy.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "../common/mod.rs"]
mod common;
mod records;
mod replacement;

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

const POLICY: &str = include_str!("../../policies/todo.yaml");

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
