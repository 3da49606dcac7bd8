//! Work shared out over threads; the results are the same however many there are.

use std::ops::Range;

/// Share `0..items` out over threads in pieces that start at multiples of `grain`.
pub fn shares(items: usize, threads: usize, grain: usize) -> Vec<Range<usize>> {
    let share = items.div_ceil(threads.max(1)).div_ceil(grain).max(1) * grain;
    (0..items).step_by(share).map(|start| start..(start + share).min(items)).collect()
}

/// Run `work` on every range in a thread of its own; the results in the ranges' order.
pub fn in_threads<T: Send>(ranges: Vec<Range<usize>>, work: impl Fn(Range<usize>) -> T + Sync) -> Vec<T> {
    let work = &work;
    std::thread::scope(|scope| {
        let workers: Vec<_> = ranges.into_iter().map(|range| scope.spawn(move || work(range))).collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}
