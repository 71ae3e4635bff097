//! What the engine costs: loading, deciding, test suites. `cargo bench -p mcp-auth-policy`

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a benchmark"
)]

use std::{process::ExitCode, time::Duration};

use mcp_auth_policy::{Arguments, Grants, OperationId, OperationKind, Policy, TokenFacts, suite::SuiteFile};
use measure::{Bench, Goal};
use serde_json::json;

mod measure;
mod sample;

const TODO: &str = include_str!("../../policies/todo.yaml");
const TODO_SUITE: &str = include_str!("../../policies/todo.test.yaml");

const MILLISECOND: Duration = Duration::from_millis(1);
const DECISION: Goal = Goal::cpu(Duration::from_nanos(10)).allocations(0);

fn main() -> ExitCode {
    let Some(mut bench) = Bench::from_arguments() else {
        return ExitCode::SUCCESS;
    };
    load(&mut bench);
    calls(&mut bench);
    suites(&mut bench);
    bench.finish()
}

fn parse(text: &str) -> Policy {
    Policy::loader()
        .max_bytes(usize::MAX)
        .parse(text)
        .unwrap_or_else(|errors| panic!("{errors}"))
}

fn load(bench: &mut Bench) {
    bench.make("load: todo", Goal::NONE, || parse(TODO));
    let sizes = [
        (10, Goal::NONE),
        (1_000, Goal::cpu(10 * MILLISECOND)),
        (100_000, Goal::cpu(1_000 * MILLISECOND)),
    ];
    for (tools, goal) in sizes.into_iter().take(bench.quick_or(2, 3)) {
        let text = sample::policy(tools);
        bench.make(&format!("load: {tools} tools"), goal, || parse(&text));
    }
}

/// Calls that one caller makes in turn: allowed by scope, allowed for the owner, denied.
fn in_turn(policy: &Policy, tools: usize) -> (Grants, [OperationId; 3]) {
    let numbers = [tools / 2 * 2 - 2, 3, 4];
    let ids = numbers.map(|number| policy.find(OperationKind::Tool, &sample::tool(number)).unwrap());
    (policy.grants([sample::scope(numbers[0]).as_str()]), ids)
}

fn calls(bench: &mut Bench) {
    let mut first: Vec<Option<f64>> = Vec::new();
    for tools in [10, 1_000, 100_000].into_iter().take(bench.quick_or(2, 3)) {
        let policy = parse(&sample::policy(tools));
        let (grants, ids) = in_turn(&policy, tools);
        let mut turn = 0;
        let mut next = move || {
            turn = if turn == 2 { 0 } else { turn + 1 };
            ids[turn]
        };
        let name = |what: &str| format!("{what}: {tools} tools");
        let arguments = json!({ "text": "short" });
        let arguments = Arguments::Known(arguments.as_object().unwrap());
        let times = [
            bench.call(&name("decide"), DECISION, || policy.decide(next(), &grants)),
            bench.call(&name("decide a call"), DECISION, || {
                policy.decide_call(next(), &grants, arguments)
            }),
            bench.call(&name("find"), Goal::NONE.allocations(0), || {
                policy.find(OperationKind::Tool, "tool-000004")
            }),
        ];
        for (index, time) in times.into_iter().enumerate() {
            match first.get(index) {
                None => first.push(time),
                Some(small) => bench.flat(&name("… against 10"), time, *small, 1.5),
            }
        }
        let claims = json!({ "account_status": "active" });
        let scopes = [sample::scope(0), sample::scope(3), "openid".to_owned()];
        let facts = TokenFacts {
            issuer: "https://issuer.example",
            subject: "alice",
            client_id: Some("client"),
            scopes: &scopes,
            claims: claims.as_object().unwrap(),
        };
        bench.call(&name("resolve a token"), Goal::NONE, || policy.resolve(&facts));
        bench.call(&name("challenge"), Goal::NONE, || policy.challenge(ids[2], &grants));
        bench.call(&name("is listed"), Goal::NONE, || policy.is_listed(ids[2], &grants));
    }
}

fn suites(bench: &mut Bench) {
    let run = |policy: &str, suite: &str| {
        let policy = parse(policy);
        let file = SuiteFile::parse("suite", suite).unwrap_or_else(|errors| panic!("{errors}"));
        let report = file
            .with_policy(&policy)
            .unwrap_or_else(|errors| panic!("{errors}"))
            .run();
        assert!(report.is_ok(), "{report}");
        report
    };
    bench.make("test: todo", Goal::cpu(5 * MILLISECOND), || run(TODO, TODO_SUITE));
    let tools = bench.quick_or(20, 200);
    let (policy, suite) = (sample::policy(tools), sample::suite(tools));
    bench.make(&format!("test: {tools} tools"), Goal::cpu(1_000 * MILLISECOND), || {
        run(&policy, &suite)
    });
}
