//! In which order nodes should be begun, where there is a choice.
//!
//! Depth first: what a result was computed for is computed soon after it, so that few results wait for a reader. (To sum
//! up a million leaves pairwise, twenty partial sums are alive at a time; longest path first would compute all leaves
//! before the first sum.) Of the branches of a node the longest goes first, as it is what the end has to wait for.

use super::{Graph, Node};

/// For each node its place in the order. `cost`: what each node takes, where that is known; else each counts the same.
pub fn ranks(graph: &Graph, outputs: &[Node], cost: Option<&[f64]>) -> Vec<u32> {
    let heights = heights(graph, cost);
    let mut ranks = vec![u32::MAX; graph.len()];
    let mut entered = vec![false; graph.len()];
    let mut next = 0;
    let mut stack: Vec<(Node, bool)> = Vec::new();
    // What nobody asked for comes last.
    let mut roots = outputs.to_vec();
    longest_last(&mut roots, &heights);
    let rest = graph.nodes().filter(|node| graph.readers(*node).is_empty());
    let mut branches = Vec::new();
    for root in roots.into_iter().rev().chain(rest) {
        stack.push((root, false));
        while let Some((node, leaving)) = stack.pop() {
            if leaving {
                ranks[node as usize] = next;
                next += 1;
            } else if !std::mem::replace(&mut entered[node as usize], true) {
                stack.push((node, true));
                branches.clear();
                branches.extend(graph.needs(node).iter().filter(|need| !entered[**need as usize]));
                longest_last(&mut branches, &heights);
                stack.extend(branches.iter().map(|need| (*need, false)));
            }
        }
    }
    ranks
}

/// Sorts by height, the longest at the end; of equals, the one that was named first.
fn longest_last(nodes: &mut [Node], heights: &[f64]) {
    nodes.reverse();
    nodes.sort_by(|a, b| heights[*a as usize].total_cmp(&heights[*b as usize]));
}

/// The longest chain up to and with each node.
fn heights(graph: &Graph, cost: Option<&[f64]>) -> Vec<f64> {
    let mut heights = vec![0.0; graph.len()];
    for node in graph.nodes() {
        let below = graph.needs(node).iter().map(|need| heights[*need as usize]).fold(0.0, f64::max);
        heights[node as usize] = below + cost.map_or(1.0, |cost| cost[node as usize]);
    }
    heights
}
