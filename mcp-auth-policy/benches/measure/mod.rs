//! Benchmarks as a table: thread CPU time, heap allocations, and whether each is within its goal.
//!
//! Wall time says more about the neighbours of a shared machine than about the code, so nothing here looks at it. A time is the fastest of
//! several samples, since neighbours only add to it; an allocation count is exact. Both are of the thread that measures. Counting costs a few
//! nanoseconds for each allocation, so what allocates is a little faster than it looks.
//!
//! | started | does |
//! |---|---|
//! | by `cargo bench` | measures everything; exits 1 if anything is over its goal |
//! | by `cargo bench … -- load` | measures what has `load` in its name |
//! | by `cargo test`, or with `--quick` | runs everything, at small sizes and without the clock, and judges allocations only |

use std::{env, hint::black_box, process::ExitCode, time::Duration};

use allocations::allocations;

mod allocations;

/// CPU time of a sample of calls at least, so that reading the clock does not count.
const SAMPLE: Duration = Duration::from_millis(5);

/// What something may cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Goal {
    cpu: Option<Duration>,
    allocations: Option<u64>,
}

impl Goal {
    /// Measured to be looked at.
    pub(crate) const NONE: Self = Self {
        cpu: None,
        allocations: None,
    };

    pub(crate) const fn cpu(limit: Duration) -> Self {
        Self {
            cpu: Some(limit),
            allocations: None,
        }
    }

    /// Tells whether a time is demanded.
    pub(crate) fn is_timed(&self) -> bool {
        self.cpu.is_some()
    }

    pub(crate) const fn allocations(mut self, limit: u64) -> Self {
        self.allocations = Some(limit);
        self
    }
}

/// A run of benchmarks, and its table.
#[derive(Debug)]
pub(crate) struct Bench {
    quick: bool,
    filter: Option<String>,
    rows: Vec<[String; 5]>,
    over: bool,
}

impl Bench {
    /// Reads the arguments. `None` if a test runner asks for a list of tests: there are none.
    #[allow(
        clippy::disallowed_methods,
        reason = "the policy library has no environment; this is a program"
    )]
    pub(crate) fn from_arguments() -> Option<Self> {
        let arguments: Vec<String> = env::args().skip(1).collect();
        let has = |name: &str| arguments.iter().any(|argument| argument == name);
        if has("--list") {
            return None;
        }
        // Only `cargo bench` says `--bench`; whatever else a test runner says is for tests.
        let quick = has("--quick") || has("--test") || !has("--bench");
        let filter = arguments.iter().find(|argument| !argument.starts_with('-'));
        Some(Self {
            quick,
            filter: filter.filter(|_| !quick).cloned(),
            rows: vec![["benchmark", "CPU time", "allocations", "goal", ""].map(str::to_owned)],
            over: false,
        })
    }

    /// Chooses between what a quick run and a full one do.
    pub(crate) fn quick_or<T>(&self, quick: T, full: T) -> T {
        if self.quick { quick } else { full }
    }

    /// Measures a call, the drop of its result included. Gives the nanoseconds, if they were measured.
    pub(crate) fn call<T>(&mut self, name: &str, goal: Goal, mut run: impl FnMut() -> T) -> Option<f64> {
        if !self.wants(name) {
            return None;
        }
        let allocations = allocations(|| drop(black_box(run())));
        let time = (!self.quick).then(|| {
            let once = cpu_time_of(|| drop(black_box(run())));
            let calls = (SAMPLE.as_nanos() / once.as_nanos().max(1)).clamp(1, 10_000_000);
            let sample = || {
                cpu_time_of(|| {
                    for _ in 0..calls {
                        black_box(run());
                    }
                })
            };
            fastest(sample) / calls as f64
        });
        self.judge(name, goal, time, allocations);
        time
    }

    /// Measures how long a value takes to make; its drop does not count.
    pub(crate) fn make<T>(&mut self, name: &str, goal: Goal, mut run: impl FnMut() -> T) -> Option<f64> {
        if !self.wants(name) {
            return None;
        }
        let allocations = allocations(|| drop(black_box(run())));
        let time = (!self.quick).then(|| {
            fastest(|| {
                let mut made = None;
                let time = cpu_time_of(|| made = Some(black_box(run())));
                drop(made);
                time
            })
        });
        self.judge(name, goal, time, allocations);
        time
    }

    /// Demands that one time is no more than so many times another.
    pub(crate) fn flat(&mut self, name: &str, large: f64, small: f64, limit: f64) {
        let ratio = large / small;
        let (time, goal) = (format!("{ratio:.2} x"), format!("≤ {limit} x"));
        self.row(name, time, String::new(), goal, Some(ratio <= limit));
    }

    /// Prints the table, and says whether everything is within its goal.
    pub(crate) fn finish(self) -> ExitCode {
        let width = |column: usize| self.rows.iter().map(|row| row[column].chars().count()).max();
        let widths: Vec<usize> = (0..5).map(|column| width(column).unwrap_or_default()).collect();
        for [name, time, allocations, goal, verdict] in &self.rows {
            let line = format!(
                "{name:0$}  {time:>1$}  {allocations:>2$}  {goal:3$}  {verdict}",
                widths[0], widths[1], widths[2], widths[3]
            );
            println!("{}", line.trim_end());
        }
        ExitCode::from(u8::from(self.over))
    }

    fn wants(&self, name: &str) -> bool {
        self.filter.as_ref().is_none_or(|filter| name.contains(filter))
    }

    fn judge(&mut self, name: &str, goal: Goal, time: Option<f64>, allocations: u64) {
        let in_time = (time.zip(goal.cpu)).map(|(time, limit)| time <= limit.as_nanos() as f64);
        let in_space = goal.allocations.map(|limit| allocations <= limit);
        let good = match (in_time, in_space) {
            (None, None) => None,
            (time, space) => Some(time != Some(false) && space != Some(false)),
        };
        let goals = [
            goal.cpu.map(|limit| format!("≤ {}", human(limit.as_nanos() as f64))),
            goal.allocations.map(|limit| match limit {
                0 => "no allocation".to_owned(),
                limit => format!("≤ {limit} allocations"),
            }),
        ];
        let goals: Vec<String> = goals.into_iter().flatten().collect();
        let time = time.map_or(String::new(), human);
        self.row(name, time, allocations.to_string(), goals.join(", "), good);
    }

    fn row(&mut self, name: &str, time: String, allocations: String, goal: String, good: Option<bool>) {
        self.over |= good == Some(false);
        let verdict = match good {
            Some(true) => "ok",
            Some(false) => "OVER",
            None => "",
        };
        self.rows
            .push([name.to_owned(), time, allocations, goal, verdict.to_owned()]);
    }
}

fn fastest(mut sample: impl FnMut() -> Duration) -> f64 {
    let (mut fastest, mut spent) = (Duration::MAX, Duration::ZERO);
    for samples in 0_u32.. {
        // At least ten, and more of what is short.
        if samples >= 10 && spent > 20 * SAMPLE {
            break;
        }
        let time = sample();
        spent += time;
        fastest = fastest.min(time);
    }
    fastest.as_nanos() as f64
}

fn cpu_time_of(run: impl FnOnce()) -> Duration {
    let started = cpu_time();
    run();
    cpu_time() - started
}

/// The CPU time that this thread has used.
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

fn human(nanoseconds: f64) -> String {
    let (number, unit) = match nanoseconds {
        n if n < 1e3 => (n, "ns"),
        n if n < 1e6 => (n / 1e3, "µs"),
        n if n < 1e9 => (n / 1e6, "ms"),
        n => (n / 1e9, "s"),
    };
    let digits = if number < 10.0 && number.fract() != 0.0 { 1 } else { 0 };
    format!("{number:.digits$} {unit}")
}
