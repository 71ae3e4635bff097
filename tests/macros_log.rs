//! A function that ignores its limit is an error in the log. Alone in its process: whether an event is wanted is remembered for all threads.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use mcp_auth::{Access, Caller, Denied, Policy, requires_scope, testing};

const POLICY: &str = "
version: 1
policy: log
scopes:
  read: Read everything
  write: Write everything
roles:
  editor: { scopes: [read, write] }
objects:
  note: { owner: owner_id }
operations:
  careful: { requires: read, object: note, owner_fallback: true }
  careless: { requires: read, object: note, owner_fallback: true }
  without_access: { requires: write, object: note, owner_fallback: true }
";

#[requires_scope("read", owner_fallback)]
fn careful(access: Access) -> Result<bool, Denied> {
    Ok(access.permits("alice"))
}

#[requires_scope("read", owner_fallback)]
fn careless(access: Access) -> Result<String, Denied> {
    Ok(access.subject().to_owned())
}

#[requires_scope("read")]
fn without_access(_caller: &Caller) -> Result<(), Denied> {
    Ok(())
}

#[test]
fn each_ignored_limit_is_one_error() {
    let policy = Arc::new(Policy::parse(POLICY).unwrap_or_else(|errors| panic!("{errors}")));
    let alice = testing::caller(&policy).subject("alice").build();
    let reader = testing::caller(&policy).subject("bob").scopes(["read"]).build();
    let log = Log::default();
    let errors = Arc::clone(&log.0);
    tracing::subscriber::with_default(log, || {
        assert!(careful(alice.clone()).unwrap());
        assert!(careless(reader.clone()).is_ok());
        assert_eq!(errors.load(Ordering::Relaxed), 0);
        assert!(careless(alice).is_err());
        assert_eq!(errors.load(Ordering::Relaxed), 1);
        assert!(without_access(&reader).is_err());
        assert_eq!(errors.load(Ordering::Relaxed), 2);
    });
}

/// Counts errors.
#[derive(Default)]
struct Log(Arc<AtomicUsize>);

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
        if *event.metadata().level() == tracing::Level::ERROR {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}
