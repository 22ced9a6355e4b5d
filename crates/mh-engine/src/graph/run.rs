//! One run of a graph: what can be begun, which results nobody needs any more, what fails with what.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use super::{Graph, Node, ranks};

/// How far a node has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Something that it needs is not done.
    Waiting,
    /// It may be begun.
    Ready,
    /// `Run::next` gave it.
    Running,
    Done,
    Failed,
    /// Not run, as something that it needs failed or was itself skipped.
    Skipped,
}

/// The state of a run. Each node ends exactly once: done, failed, or skipped because of one that failed.
#[derive(Debug)]
pub struct Run {
    graph: Arc<Graph>,
    states: Vec<State>,
    /// For each node its place in the order, and the node at each place.
    ranks: Vec<u32>,
    at: Vec<Node>,
    /// How many of its needs are not done.
    missing: Vec<u32>,
    /// How many of its readers have not ended, and one for each output.
    unread: Vec<u32>,
    /// Of a skipped node: which one failed.
    cause: Vec<Node>,
    /// Places of the ready nodes.
    ready: BinaryHeap<Reverse<u32>>,
    running: usize,
    ended: usize,
}

impl Run {
    /// A run in which nothing was begun. The results of `outputs` are never free. `cost`: what each node takes, where
    /// that is known.
    pub fn new(graph: Arc<Graph>, outputs: &[Node], cost: Option<&[f64]>) -> Run {
        let ranks = ranks(&graph, outputs, cost);
        let mut at = vec![0; graph.len()];
        for node in graph.nodes() {
            at[ranks[node as usize] as usize] = node;
        }
        let missing: Vec<u32> = graph.nodes().map(|node| graph.needs(node).len() as u32).collect();
        let mut unread: Vec<u32> = graph.nodes().map(|node| graph.readers(node).len() as u32).collect();
        for output in outputs {
            unread[*output as usize] += 1;
        }
        let state = |missing: &u32| if *missing == 0 { State::Ready } else { State::Waiting };
        let states: Vec<State> = missing.iter().map(state).collect();
        let free = graph.nodes().filter(|node| missing[*node as usize] == 0);
        let ready = free.map(|node| Reverse(ranks[node as usize])).collect();
        Run {
            cause: vec![0; graph.len()],
            graph,
            states,
            ranks,
            at,
            missing,
            unread,
            ready,
            running: 0,
            ended: 0,
        }
    }

    /// The node to begin next; `None` while none is ready.
    #[allow(clippy::should_implement_trait)] // No iterator: after `None` there may be more.
    pub fn next(&mut self) -> Option<Node> {
        let Reverse(place) = self.ready.pop()?;
        let node = self.at[place as usize];
        self.states[node as usize] = State::Running;
        self.running += 1;
        Some(node)
    }

    /// The node was not begun after all, or is to be run once more.
    pub fn again(&mut self, node: Node) {
        if self.leave(node, State::Ready) {
            self.ended -= 1;
            self.ready.push(Reverse(self.ranks[node as usize]));
        }
    }

    /// The node's result is there. `free` gets the nodes whose results nobody needs any more. What is not running is left
    /// as it is.
    pub fn done(&mut self, node: Node, free: &mut Vec<Node>) {
        if !self.leave(node, State::Done) {
            return;
        }
        let graph = self.graph.clone();
        for &reader in graph.readers(node) {
            self.missing[reader as usize] -= 1;
            if self.missing[reader as usize] == 0 && self.states[reader as usize] == State::Waiting {
                self.states[reader as usize] = State::Ready;
                self.ready.push(Reverse(self.ranks[reader as usize]));
            }
        }
        self.release_needs(&graph, node, free);
        if self.unread[node as usize] == 0 {
            free.push(node);
        }
    }

    /// The node has failed: all that needs its result is skipped, directly or not. `skipped` gets those, needs first.
    pub fn failed(&mut self, node: Node, skipped: &mut Vec<Node>, free: &mut Vec<Node>) {
        if !self.leave(node, State::Failed) {
            return;
        }
        let graph = self.graph.clone();
        self.release_needs(&graph, node, free);
        let mut next = skipped.len();
        self.skip_readers(&graph, node, skipped);
        while let Some(&node) = skipped.get(next) {
            self.release_needs(&graph, node, free);
            self.skip_readers(&graph, node, skipped);
            next += 1;
        }
    }

    fn skip_readers(&mut self, graph: &Graph, node: Node, skipped: &mut Vec<Node>) {
        let cause = self.cause(node);
        for &reader in graph.readers(node) {
            if self.states[reader as usize] == State::Waiting {
                self.states[reader as usize] = State::Skipped;
                self.cause[reader as usize] = cause;
                self.ended += 1;
                skipped.push(reader);
            }
        }
    }

    /// One reader of each of its needs has ended.
    fn release_needs(&mut self, graph: &Graph, node: Node, free: &mut Vec<Node>) {
        for &need in graph.needs(node) {
            self.unread[need as usize] -= 1;
            if self.unread[need as usize] == 0 && self.states[need as usize] == State::Done {
                free.push(need);
            }
        }
    }

    fn leave(&mut self, node: Node, state: State) -> bool {
        let running = self.states[node as usize] == State::Running;
        if running {
            self.states[node as usize] = state;
            self.running -= 1;
            self.ended += 1;
        }
        running
    }

    pub fn graph(&self) -> &Arc<Graph> {
        &self.graph
    }

    pub fn state(&self, node: Node) -> State {
        self.states[node as usize]
    }

    /// How many nodes are ready.
    pub fn ready(&self) -> usize {
        self.ready.len()
    }

    /// How many nodes have been begun and have not ended.
    pub fn running(&self) -> usize {
        self.running
    }

    /// How many nodes are done, failed or skipped.
    pub fn ended(&self) -> usize {
        self.ended
    }

    /// Has every node ended?
    pub fn is_over(&self) -> bool {
        self.ended == self.states.len()
    }

    /// Of a skipped node, the one that failed; of any other, itself.
    pub fn cause(&self, node: Node) -> Node {
        if self.states[node as usize] == State::Skipped { self.cause[node as usize] } else { node }
    }
}
