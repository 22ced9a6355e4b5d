//! What a graph's shape and times allow: work, span, and what so many workers can reach.
//!
//! Work is what one worker needs (T1), span what is needed however many there are (the longest chain). A schedule that
//! leaves nobody idle while something is ready takes at most `work / k + (1 - 1/k) span` for k workers (Graham 1969),
//! and none takes less than `work / k` or the span.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{Graph, Node};

/// A graph's work, span and longest chain, in the unit of the times that were given.
#[derive(Clone, Debug, PartialEq)]
pub struct Analysis {
    pub work: f64,
    pub span: f64,
    /// The chain that takes longest, first task first.
    pub critical_path: Vec<Node>,
}

impl Analysis {
    /// `times`: what each node takes, not negative.
    pub fn of(graph: &Graph, times: &[f64]) -> Analysis {
        let tails = tails(graph, times);
        let longest = |nodes: &mut dyn Iterator<Item = Node>| {
            // Of equals the one with the lowest number.
            nodes.max_by(|a, b| tails[*a as usize].total_cmp(&tails[*b as usize]).then(b.cmp(a)))
        };
        let mut at = longest(&mut graph.nodes().filter(|node| graph.needs(*node).is_empty()));
        let span = at.map_or(0.0, |node| tails[node as usize]);
        let mut critical_path = Vec::new();
        while let Some(node) = at {
            critical_path.push(node);
            at = longest(&mut graph.readers(node).iter().copied());
        }
        Analysis { work: times.iter().sum(), span, critical_path }
    }

    /// The best possible speed-up: how many workers can be kept busy on average.
    pub fn parallelism(&self) -> f64 {
        if self.span > 0.0 { self.work / self.span } else { 1.0 }
    }
}

/// The longest chain from each node, with it, to an end.
fn tails(graph: &Graph, times: &[f64]) -> Vec<f64> {
    let mut tails = vec![0.0; graph.len()];
    for node in graph.nodes().rev() {
        let after = graph.readers(node).iter().map(|reader| tails[*reader as usize]).fold(0.0, f64::max);
        tails[node as usize] = after + times[node as usize];
    }
    tails
}

/// No schedule for so many workers takes less than the first, no greedy one more than the second.
pub fn bounds(analysis: &Analysis, workers: usize) -> (f64, f64) {
    let share = analysis.work / workers.max(1) as f64;
    let idle = 1.0 - 1.0 / workers.max(1) as f64;
    (share.max(analysis.span), share + idle * analysis.span)
}

/// A time that can be compared.
#[derive(Clone, Copy, PartialEq)]
struct Time(f64);

impl Eq for Time {}

impl PartialOrd for Time {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Time {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// When the last node ends if `workers` take, whenever one is free, the ready node with the longest chain after it.
pub fn schedule(graph: &Graph, times: &[f64], workers: usize) -> f64 {
    let tails = tails(graph, times);
    let mut missing: Vec<usize> = graph.nodes().map(|node| graph.needs(node).len()).collect();
    let place = |node: Node| (Time(tails[node as usize]), Reverse(node));
    let free = graph.nodes().filter(|node| graph.needs(*node).is_empty());
    let mut ready: BinaryHeap<(Time, Reverse<Node>)> = free.map(place).collect();
    let mut running: BinaryHeap<Reverse<(Time, Node)>> = BinaryHeap::new();
    let mut now = 0.0;
    loop {
        while running.len() < workers.max(1) {
            let Some((_, Reverse(node))) = ready.pop() else { break };
            running.push(Reverse((Time(now + times[node as usize]), node)));
        }
        let Some(Reverse((Time(end), node))) = running.pop() else { return now };
        now = end;
        for &reader in graph.readers(node) {
            missing[reader as usize] -= 1;
            if missing[reader as usize] == 0 {
                ready.push(place(reader));
            }
        }
    }
}
