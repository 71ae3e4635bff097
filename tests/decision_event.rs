//! The decision record as a `tracing` event. Alone in its process: whether an event is wanted is remembered for all threads.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::{
    collections::BTreeMap,
    fmt::Debug,
    sync::{Arc, Mutex},
};

use common::*;
use serde_json::json;
use tracing::field::{Field, Visit};

type Event = BTreeMap<&'static str, String>;

/// Keeps every event that a decision leaves behind, and the text of all others.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<(Vec<Event>, String)>>);

struct Fields<'a>(&'a mut Event);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

impl tracing::Subscriber for Log {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        let mut fields = Event::new();
        event.record(&mut Fields(&mut fields));
        let mut kept = self.0.lock().unwrap();
        kept.1.push_str(&format!("{fields:?}\n"));
        if event.metadata().target() == "mcp_auth::decision" {
            kept.0.push(fields);
        }
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[tokio::test]
async fn each_call_is_one_event_with_the_fields_of_the_record_and_no_event_holds_a_token() {
    let log = Log::default();
    tracing::subscriber::set_global_default(log.clone()).unwrap();
    let server = TestServer::start().await;
    let alice = server.token("alice", &["create:todos"]);
    let nobody = server.token("alice", &[]);
    let content = json!({ "content": "secret argument" });
    server.call(&alice, "create-todo", content.clone()).await;
    let refused = server.call(&nobody, "create-todo", content).await;

    let (events, everything) = log.0.lock().unwrap().clone();
    assert_eq!(events.len(), 2, "{events:?}");
    let text = |event: usize, field: &str| events[event].get(field).map(String::as_str);
    let always = [
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
        "request_id",
        "micros",
    ];
    for event in 0..2 {
        assert!(always.iter().all(|field| text(event, field).is_some()), "{events:?}");
    }
    assert_eq!(
        (text(0, "outcome"), text(0, "because"), text(0, "missing")),
        (Some("allow"), Some("scope"), None)
    );
    assert_eq!(
        (text(1, "outcome"), text(1, "because")),
        (Some("deny"), Some("missing-scope"))
    );
    assert_eq!(
        (text(1, "missing"), text(1, "challenge")),
        (Some("create:todos"), Some("create:todos"))
    );
    assert_eq!(
        text(1, "request_id"),
        refused.json()["error"]["data"]["request_id"].as_str()
    );
    for token in [&alice, &nobody] {
        assert!(!everything.contains(token.dangerous_raw_token()));
    }
    // `rmcp` logs arguments at its most talkative levels; the record does not.
    assert!(!format!("{events:?}").contains("secret argument"));
}
