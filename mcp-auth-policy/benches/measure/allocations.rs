//! Counts heap allocations, in benchmarks and in tests.

use alloc_tracker::{Allocator, Session};

#[global_allocator]
static ALLOCATOR: Allocator<std::alloc::System> = Allocator::system();

/// Counts the allocations that this thread makes in a call, after one that fills what is kept for later calls.
pub(crate) fn allocations(mut run: impl FnMut()) -> u64 {
    run();
    let session = Session::new();
    let counted = session.operation("call");
    {
        let _span = counted.measure_thread();
        run();
    }
    let report = session.to_report();
    report
        .operations()
        .map(|(_, call)| call.total_allocations_count())
        .sum()
}
