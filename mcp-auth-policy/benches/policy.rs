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

/// A policy with a caller, and three calls that the caller makes in turn: allowed by scope, allowed for the owner, denied.
struct Sample {
    tools: usize,
    policy: Policy,
    grants: Grants,
    ids: [OperationId; 3],
}

impl Sample {
    fn new(tools: usize) -> Self {
        let policy = parse(&sample::policy(tools));
        let numbers = [tools - 2, 3, 4];
        Self {
            tools,
            grants: policy.grants([sample::scope(tools - 2).as_str()]),
            ids: numbers.map(|number| policy.find(OperationKind::Tool, &sample::tool(number)).unwrap()),
            policy,
        }
    }
}

fn calls(bench: &mut Bench) {
    let sizes = [10, 1_000, 100_000].into_iter().take(bench.quick_or(2, 3));
    let samples: Vec<Sample> = sizes.map(Sample::new).collect();
    let arguments = json!({ "text": "short" });
    let arguments = Arguments::Known(arguments.as_object().unwrap());
    let no_allocation = Goal::NONE.allocations(0);
    let names = [10, 1_000, 100_000].map(|tools: usize| sample::tool(tools - 2));

    at_every_size(bench, "decide", DECISION, &samples, |sample, id| {
        sample.policy.decide(id, &sample.grants)
    });
    at_every_size(bench, "decide with arguments", DECISION, &samples, |sample, id| {
        sample.policy.decide_call(id, &sample.grants, arguments)
    });
    let mut name = names.iter().cycle();
    at_every_size(bench, "find by name", no_allocation, &samples, |sample, _| {
        sample.policy.find(OperationKind::Tool, name.next().unwrap())
    });
    // What grows here is the way from memory to the processor.
    for sample in &samples {
        let tools = sample.policy.operations(OperationKind::Tool);
        let spread = tools.step_by(sample.tools.div_ceil(1_000));
        let spread: Vec<OperationId> = spread
            .filter_map(|tool| sample.policy.find(OperationKind::Tool, tool.name()))
            .collect();
        let mut spread = spread.into_iter().cycle();
        let name = format!("decide, all over: {} tools", sample.tools);
        bench.call(&name, no_allocation, || {
            sample.policy.decide(spread.next().unwrap(), &sample.grants)
        });
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
    at_every_size(bench, "resolve a token", Goal::NONE, &samples, |sample, _| {
        sample.policy.resolve(&facts)
    });
    at_every_size(bench, "challenge", Goal::NONE, &samples, |sample, id| {
        sample.policy.challenge(id, &sample.grants)
    });
    at_every_size(bench, "is it listed", Goal::NONE, &samples, |sample, id| {
        sample.policy.is_listed(id, &sample.grants)
    });
}

/// Measures a call at every size. Where it has a goal, no size may make a difference.
fn at_every_size<T>(
    bench: &mut Bench,
    what: &str,
    goal: Goal,
    samples: &[Sample],
    mut call: impl FnMut(&Sample, OperationId) -> T,
) {
    let mut times = Vec::new();
    for sample in samples {
        let mut turn = 0;
        let time = bench.call(&format!("{what}: {} tools", sample.tools), goal, || {
            turn = if turn == 2 { 0 } else { turn + 1 };
            call(sample, sample.ids[turn])
        });
        times.extend(time);
    }
    if let (true, [small, .., large]) = (goal.is_timed(), times.as_slice()) {
        bench.flat(&format!("{what}: most tools against fewest"), *large, *small, 1.5);
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
