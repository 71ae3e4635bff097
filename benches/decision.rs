//! What a guarded call and its decision record cost. `cargo bench`

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark"
)]

use std::{
    fmt::{self, Write as _},
    io,
    process::ExitCode,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, body::Body, extract::State, routing::get};
use http::{Request, StatusCode, header};
use mcp_auth::{
    Access, Caller, DecisionLog, Denied, McpAuth, McpAuthBuilder, Policy, requires_scope,
    testing::{self, Issuer},
};
use measure::{Bench, Goal};
use tower::ServiceExt as _;
use tracing::field::{Field, Visit};

#[path = "../mcp-auth-policy/benches/measure/mod.rs"]
#[allow(dead_code, reason = "the benchmarks of the engine use the rest")]
mod measure;

const RESOURCE: &str = "http://localhost:3001";
const POLICY: &str = "
version: 1
policy: notes
scopes: { read:notes: Read every note }
objects: { note: { owner: owner_id } }
operations:
  export: { requires: read:notes }
  count: { requires: read:notes, object: note, owner_fallback: true }
";

/// A guarded call, its decision and its record, in a server under load: the thread that writes the lines is awake. Waking it costs some
/// microseconds more.
const RECORD: Goal = Goal::cpu(Duration::from_micros(2));

#[requires_scope("read:notes")]
fn export(_caller: &Caller) -> Result<(), Denied> {
    Ok(())
}

#[requires_scope("read:notes", owner_fallback)]
fn count(access: Access) -> Result<bool, Denied> {
    Ok(access.permits("alice"))
}

fn main() -> ExitCode {
    let Some(mut bench) = Bench::from_arguments() else {
        return ExitCode::SUCCESS;
    };
    guard(&mut bench);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    record(&mut bench, &runtime);
    bench.finish()
}

fn policy() -> Policy {
    Policy::loader().file_name("policies/notes.yaml").parse(POLICY).unwrap()
}

/// The guard alone: these callers belong to no request, so nothing is recorded.
fn guard(bench: &mut Bench) {
    let policy = Arc::new(policy());
    let reader = testing::caller(&policy).subject("bob").scopes(["read:notes"]).build();
    let alice = testing::caller(&policy).subject("alice").build();
    bench.call("guard: allowed", Goal::NONE.allocations(0), || export(&reader));
    bench.call("guard: allowed, with an access", Goal::NONE.allocations(0), || {
        count(reader.clone())
    });
    bench.call("guard: own objects only", Goal::NONE, || count(alice.clone()));
    bench.call("guard: denied", Goal::NONE, || export(&alice));
}

fn record(bench: &mut Bench, runtime: &tokio::runtime::Runtime) {
    let (silent, _) = runtime.block_on(caller_of_a_request(|builder| builder));
    let log = DecisionLog::to_writer(io::sink()).unwrap();
    let (logged, auth) = runtime.block_on(caller_of_a_request(|builder| builder.decision_log(log)));
    bench.call("guarded call, counted", Goal::NONE.allocations(0), || export(&silent));
    bench.call("guarded call, JSON line", RECORD, || export(&logged));
    tracing::subscriber::with_default(Events::default(), || {
        bench.call("guarded call, event", RECORD, || export(&silent));
        bench.call("guarded call, event and JSON line", RECORD, || export(&logged));
    });
    let counts = auth.status().decisions();
    if counts.records_lost() > 0 {
        println!("{} records were lost: the writer got no time", counts.records_lost());
    }
}

/// Sends one request through the bearer layer, and keeps the caller that its handler gets.
async fn caller_of_a_request(configure: impl FnOnce(McpAuthBuilder) -> McpAuthBuilder) -> (Caller, McpAuth) {
    let issuer = Issuer::start().await.unwrap();
    let builder = McpAuth::builder(RESOURCE)
        .authorization_server(issuer.authorization_server().unwrap())
        .policy(policy());
    let auth = configure(builder).build().unwrap();
    let kept: Arc<Mutex<Option<Caller>>> = Arc::default();
    let keep = |State(kept): State<Arc<Mutex<Option<Caller>>>>, caller: Caller| async move {
        *kept.lock().unwrap() = Some(caller);
    };
    let app = Router::new()
        .route("/", get(keep))
        .route_layer(auth.bearer_layer())
        .with_state(Arc::clone(&kept));
    let token = issuer
        .token()
        .subject("alice")
        .audience(RESOURCE)
        .scopes(["read:notes"])
        .sign();
    let request = Request::get("/")
        .header(header::HOST, "localhost:3001")
        .header(header::AUTHORIZATION, format!("Bearer {}", token.dangerous_raw_token()))
        .body(Body::empty())
        .unwrap();
    assert_eq!(app.oneshot(request).await.unwrap().status(), StatusCode::OK);
    let mut kept = kept.lock().unwrap();
    (kept.take().unwrap(), auth)
}

/// Writes every field of an event as text, as a subscriber that prints it would.
#[derive(Default)]
struct Events(Mutex<String>);

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self.0, "{}={value:?} ", field.name());
    }
}

impl tracing::Subscriber for Events {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "mcp_auth::decision"
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        let mut line = self.0.lock().unwrap();
        line.clear();
        event.record(&mut Fields(&mut line));
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}
