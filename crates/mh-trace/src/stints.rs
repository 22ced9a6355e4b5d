//! What the threads of a compiled call did with their time.

use std::collections::BTreeMap;

use crate::event::{Nanos, Stint};
use crate::trace::Kernel;

/// Of all threads together; the stretches add up to the length of the call times the threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KernelUsage {
    /// Blocks of parallel loops were run, or the caller was on its own.
    pub run: Nanos,
    /// What of it was computed, as far as that is known.
    pub cpu: Nanos,
    /// A loop was open, and the thread not at it yet, or between two of its loops.
    pub dispatch: Nanos,
    /// There was no parallel loop: the caller was on its own.
    pub idle: Nanos,
    /// Nothing was left to do of a loop, while others were still busy.
    pub end: Nanos,
}

/// What so many threads did in a call. Loops that overlap (one within another, say) are taken as one.
pub fn kernel_usage(kernel: &Kernel, threads: u32) -> KernelUsage {
    let wall = kernel.to - kernel.from;
    let mut used = KernelUsage::default();
    let (mut open, mut waited) = (0, 0);
    for (from, to, stints) in loops(kernel) {
        open += to - from;
        let mut by_thread: BTreeMap<u64, Vec<&Stint>> = BTreeMap::new();
        stints.iter().for_each(|stint| by_thread.entry(stint.thread).or_default().push(stint));
        let blocks: u64 = stints.iter().map(|stint| stint.blocks).sum();
        for stints in by_thread.values_mut() {
            stints.sort_by_key(|stint| (stint.from, std::cmp::Reverse(stint.to)));
            let (mut busy, mut until) = (0, stints[0].from);
            for stint in stints.iter() {
                if stint.to > until {
                    busy += stint.to - until.max(stint.from);
                    // What lies within another is a part of it, and its time on the core too.
                    waited += (stint.to - stint.from).saturating_sub(stint.cpu);
                    until = stint.to;
                }
            }
            used.run += busy;
            used.dispatch += (until - from) - busy;
            used.end += to - until;
        }
        // Some had nothing to do there, as there were not enough blocks; others would have had, and came too late.
        let absent = u64::from(threads).saturating_sub(by_thread.len() as u64);
        let without = absent.min(u64::from(threads).saturating_sub(blocks));
        used.end += without * (to - from);
        used.dispatch += (absent - without) * (to - from);
    }
    let alone = wall.saturating_sub(open);
    used.run += alone;
    used.idle += u64::from(threads.saturating_sub(1)) * alone;
    used.cpu = used.run.saturating_sub(waited);
    used
}

/// From when to when loops were open, with who ran blocks of them; in order, and no two at once.
fn loops(kernel: &Kernel) -> Vec<(Nanos, Nanos, Vec<Stint>)> {
    let mut by_number: BTreeMap<u64, Vec<Stint>> = BTreeMap::new();
    for stint in &kernel.stints {
        let (from, to) = (stint.from.clamp(kernel.from, kernel.to), stint.to.clamp(kernel.from, kernel.to));
        by_number.entry(stint.number).or_default().push(Stint { from, to: to.max(from), ..*stint });
    }
    let bounds = |stints: &[Stint]| {
        let from = stints.iter().map(|stint| stint.from).min().unwrap_or_default();
        (from, stints.iter().map(|stint| stint.to).max().unwrap_or(from))
    };
    let mut found: Vec<(Nanos, Nanos, Vec<Stint>)> = by_number
        .into_values()
        .map(|stints| {
            let (from, to) = bounds(&stints);
            (from, to, stints)
        })
        .collect();
    found.sort_by_key(|(from, to, _)| (*from, *to));
    let mut apart: Vec<(Nanos, Nanos, Vec<Stint>)> = Vec::new();
    for (from, to, stints) in found {
        match apart.last_mut() {
            Some(last) if from < last.1 => {
                last.1 = last.1.max(to);
                last.2.extend(stints);
            }
            _ => apart.push((from, to, stints)),
        }
    }
    apart
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stint(thread: u64, number: u64, from: Nanos, to: Nanos) -> Stint {
        Stint { thread, number, from, to, cpu: to - from, blocks: 4 }
    }

    fn used(stints: Vec<Stint>, threads: u32) -> KernelUsage {
        let (name, blocks) = ("f".into(), 8);
        let kernel = Kernel { name, thread: 1, from: 100, to: 200, threads, blocks, stints };
        let used = kernel_usage(&kernel, threads);
        assert_eq!(used.run + used.dispatch + used.idle + used.end, 100 * u64::from(threads), "{used:?}");
        used
    }

    #[test]
    fn each_moment_of_each_thread_is_counted_once() {
        // 20 alone; then a loop in which the other comes 5 later and is done 15 earlier; 20 alone.
        let late = used(vec![stint(2, 0, 125, 165), stint(1, 0, 120, 180)], 2);
        assert_eq!(late, KernelUsage { run: 140, cpu: 140, dispatch: 5, idle: 40, end: 15 });
        // Two loops one after the other.
        let two =
            vec![stint(1, 0, 100, 140), stint(2, 0, 100, 130), stint(1, 1, 150, 200), stint(2, 1, 160, 200)];
        assert_eq!(used(two, 2), KernelUsage { run: 170, cpu: 170, dispatch: 10, idle: 10, end: 10 });
        // A loop within a block of another, which the second thread helps with.
        let within = vec![stint(2, 1, 120, 140), stint(1, 1, 110, 150), stint(1, 0, 100, 200)];
        assert_eq!(used(within, 2), KernelUsage { run: 120, cpu: 120, dispatch: 20, idle: 0, end: 60 });
    }

    #[test]
    fn who_did_not_come_was_not_needed_or_late() {
        assert_eq!(
            used(Vec::new(), 4),
            KernelUsage { run: 100, cpu: 100, idle: 300, ..KernelUsage::default() }
        );
        // Four blocks for one thread: three more would have had some.
        assert_eq!(used(vec![stint(1, 0, 100, 200)], 4).dispatch, 300);
        let few = Stint { blocks: 2, ..stint(1, 0, 100, 200) };
        let few = used(vec![few], 4);
        assert_eq!((few.dispatch, few.end), (100, 200));
    }

    #[test]
    fn what_was_waited_for_a_core_is_not_computed() {
        let waits = Stint { cpu: 30, ..stint(1, 0, 100, 200) };
        assert_eq!(used(vec![waits, stint(2, 0, 100, 200)], 2).cpu, 130);
    }
}
