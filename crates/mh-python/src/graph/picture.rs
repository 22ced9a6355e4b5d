//! A graph as `mh-draw` takes it.

use mh_draw::{Drawn, Picture, State};
use mh_engine::graph::Node;
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;

use super::Plan;

impl Plan {
    pub fn picture(
        &self,
        py: Python<'_>,
        labels: Vec<String>,
        seconds: Vec<Option<f64>>,
        chain: Vec<Node>,
        declared: bool,
    ) -> PyResult<Picture> {
        if labels.len() != self.nodes.len() || seconds.len() != self.nodes.len() {
            return Err(PyValueError::new_err("a label and a time for each node are needed"));
        }
        let mut nodes = Vec::with_capacity(labels.len());
        for ((node, label), seconds) in self.nodes.iter().zip(labels).zip(seconds) {
            let last = node.bind(py).getattr(intern!(py, "_last"))?;
            let (state, note) = if last.is_none() {
                (State::Planned, None)
            } else {
                let (state, _, note): (String, Option<f64>, Option<String>) = last.extract()?;
                (state_of(&state), note)
            };
            nodes.push(Drawn { label, state, seconds, note });
        }
        if chain.iter().any(|node| *node as usize >= nodes.len()) {
            return Err(PyValueError::new_err("there is no such node"));
        }
        let needs = self.graph.nodes().map(|node| self.graph.needs(node).to_vec()).collect();
        Ok(Picture { nodes, needs, chain, declared })
    }
}

fn state_of(name: &str) -> State {
    match name {
        "done" => State::Done,
        "failed" => State::Failed,
        "skipped" => State::Skipped,
        "running" => State::Running,
        _ => State::Waiting,
    }
}
