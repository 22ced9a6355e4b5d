//! A graph of tasks: which needs the result of which.
//!
//! | file | what it holds |
//! |---|---|
//! | `order` | in which order nodes should be begun |
//! | `run` | one run of a graph: what is ready, what is free, what fails with what |
//! | `analysis` | work, span, and what so many workers can reach |

mod analysis;
mod order;
mod run;

pub use analysis::{Analysis, bounds, schedule};
pub use order::ranks;
pub use run::{Run, State};

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};

/// The number of a node: nodes are numbered as they are added, so that needs have lower numbers than their readers.
pub type Node = u32;

/// What a graph refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The node needs one that was not added before it: itself, or one that could need it in turn.
    NotBefore { node: Node, needs: Node },
    /// There are as many nodes as there are numbers.
    TooMany,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Refused::NotBefore { node, needs } => {
                write!(
                    to,
                    "task {node} needs task {needs}, which was not there before it: the graph has a cycle"
                )
            }
            Refused::TooMany => write!(to, "a graph holds at most {} tasks", u32::MAX - 1),
        }
    }
}

impl std::error::Error for Refused {}

/// For each node a list of others, one after the other in one allocation.
#[derive(Clone, Debug)]
struct Links {
    starts: Vec<usize>,
    nodes: Vec<Node>,
}

impl Links {
    fn of(&self, node: Node) -> &[Node] {
        &self.nodes[self.starts[node as usize]..self.starts[node as usize + 1]]
    }
}

/// A graph that is being put together.
#[derive(Clone, Debug)]
pub struct Builder {
    needs: Links,
}

impl Default for Builder {
    fn default() -> Self {
        Builder { needs: Links { starts: vec![0], nodes: Vec::new() } }
    }
}

impl Builder {
    /// Adds a node that needs the results of others, all of them added before; one that comes twice counts once.
    pub fn add(&mut self, needs: impl IntoIterator<Item = Node>) -> Result<Node, Refused> {
        let start = self.needs.nodes.len();
        let node = Node::try_from(self.needs.starts.len() - 1).ok().filter(|node| *node < Node::MAX - 1);
        let node = node.ok_or(Refused::TooMany)?;
        self.needs.nodes.extend(needs);
        if let Some(&needs) = self.needs.nodes[start..].iter().find(|need| **need >= node) {
            self.needs.nodes.truncate(start);
            return Err(Refused::NotBefore { node, needs });
        }
        let mut end = start;
        for at in start..self.needs.nodes.len() {
            let need = self.needs.nodes[at];
            if !self.needs.nodes[start..end].contains(&need) {
                self.needs.nodes[end] = need;
                end += 1;
            }
            if end - start > FEW {
                end = without_repeats(&mut self.needs.nodes, start, end, at + 1);
                break;
            }
        }
        self.needs.nodes.truncate(end);
        self.needs.starts.push(end);
        Ok(node)
    }

    /// The graph as it is from now on.
    pub fn build(self) -> Graph {
        let needs = self.needs;
        let count = needs.starts.len() - 1;
        let mut starts = vec![0; count + 1];
        for need in &needs.nodes {
            starts[*need as usize + 1] += 1;
        }
        for node in 0..count {
            starts[node + 1] += starts[node];
        }
        let (mut next, mut nodes) = (starts.clone(), vec![0; needs.nodes.len()]);
        for node in 0..count as Node {
            for need in needs.of(node) {
                nodes[next[*need as usize]] = node;
                next[*need as usize] += 1;
            }
        }
        Graph { needs, readers: Links { starts, nodes } }
    }
}

/// Needs of one node that are compared with each other one by one.
const FEW: usize = 32;

/// Removes repeats from `nodes[start..]`, of which `start..end` are known to differ and `end..rest` are not needed; gives
/// where the list ends.
fn without_repeats(nodes: &mut [Node], start: usize, mut end: usize, rest: usize) -> usize {
    let mut seen: HashSet<Node> = nodes[start..end].iter().copied().collect();
    for at in rest..nodes.len() {
        if seen.insert(nodes[at]) {
            nodes[end] = nodes[at];
            end += 1;
        }
    }
    end
}

/// Tasks and what they need. It has no cycle: a node needs only such as were added before it.
#[derive(Clone, Debug)]
pub struct Graph {
    needs: Links,
    readers: Links,
}

impl Graph {
    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.needs.starts.len() - 1
    }

    /// Is there no node?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All nodes, needs before readers.
    pub fn nodes(&self) -> std::ops::Range<Node> {
        0..self.len() as Node
    }

    /// The nodes whose results the node needs, each once, in the order in which they were named.
    pub fn needs(&self, node: Node) -> &[Node] {
        self.needs.of(node)
    }

    /// The nodes that need its result, ascending.
    pub fn readers(&self, node: Node) -> &[Node] {
        self.readers.of(node)
    }

    /// A shortest chain of readers from a node to one of `ends`, both included; `None` if none of them needs it.
    pub fn route(&self, from: Node, ends: &[Node]) -> Option<Vec<Node>> {
        let ends: HashSet<Node> = ends.iter().copied().collect();
        let mut before = HashMap::from([(from, from)]);
        let mut next = VecDeque::from([from]);
        while let Some(mut node) = next.pop_front() {
            if ends.contains(&node) {
                let mut route = vec![node];
                while node != from {
                    node = before[&node];
                    route.push(node);
                }
                route.reverse();
                return Some(route);
            }
            for &reader in self.readers(node) {
                if let Entry::Vacant(place) = before.entry(reader) {
                    place.insert(node);
                    next.push_back(reader);
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
