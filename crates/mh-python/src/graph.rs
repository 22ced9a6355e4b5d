//! Graphs of tasks: found from the nodes that are asked for, then run, analysed or drawn.

mod picture;
mod run;

pub use run::{GraphRun, Lane};

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use mh_engine::graph::{Analysis, Builder, Graph, Node, bounds, schedule};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple, PyType};

/// Stands where a leaf of the arguments is no node.
const PLAIN: Node = Node::MAX;
/// The number of a node whose needs are being looked at.
const ENTERED: u32 = u32::MAX;

/// Everything that some nodes need, themselves included: needs before readers, in the order in which plain calls, one
/// inside the other, would be made. See `manyhands._native.pyi` for the Python side.
#[pyclass(frozen, module = "manyhands._native")]
pub struct Plan {
    graph: Arc<Graph>,
    nodes: Vec<Py<PyAny>>,
    /// Which of the distinct tasks each node calls.
    calls: Vec<u32>,
    tasks: Vec<Py<PyAny>>,
    /// For each leaf of each node's arguments the node that it stands for, or `PLAIN`.
    leaves: Vec<Node>,
    /// Where the leaves of each node start.
    starts: Vec<usize>,
    outputs: Vec<Node>,
}

/// Places in memory spread well enough by one multiplication.
#[derive(Default)]
struct PlaceHasher(u64);

impl Hasher for PlaceHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_usize(usize::from(*byte)));
    }

    fn write_usize(&mut self, place: usize) {
        self.0 = (self.0.rotate_left(5) ^ place as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 ^= self.0 >> 32;
    }
}

type Places = HashMap<usize, u32, BuildHasherDefault<PlaceHasher>>;

fn place(object: &Bound<'_, PyAny>) -> usize {
    object.as_ptr() as usize
}

/// A node whose needs are being numbered.
struct Frame<'py> {
    node: Bound<'py, PyAny>,
    leaves: Bound<'py, PyTuple>,
    at: usize,
}

impl<'py> Frame<'py> {
    fn new(node: Bound<'py, PyAny>) -> PyResult<Frame<'py>> {
        let leaves = node.getattr(intern!(node.py(), "_leaves"))?.cast_into()?;
        Ok(Frame { node, leaves, at: 0 })
    }
}

#[pymethods]
impl Plan {
    /// `outputs`: the nodes that are asked for, instances of exactly `kind`.
    #[new]
    fn new(outputs: &Bound<'_, PyList>, kind: &Bound<'_, PyType>) -> PyResult<Plan> {
        let mut builder = Builder::default();
        let mut plan = Plan {
            graph: Arc::new(Builder::default().build()),
            nodes: Vec::new(),
            calls: Vec::new(),
            tasks: Vec::new(),
            leaves: Vec::new(),
            starts: vec![0],
            outputs: Vec::new(),
        };
        let (mut numbers, mut tasks) = (Places::default(), Places::default());
        let mut stack: Vec<Frame<'_>> = Vec::new();
        for output in outputs.iter() {
            if !output.get_type().is(kind) {
                return Err(PyTypeError::new_err("only nodes of a graph can be computed"));
            }
            if let Entry::Vacant(number) = numbers.entry(place(&output)) {
                number.insert(ENTERED);
                stack.push(Frame::new(output.clone())?);
            }
            while let Some(frame) = stack.last_mut() {
                if frame.at == frame.leaves.len() {
                    let Some(frame) = stack.pop() else { break };
                    let number = plan.add(&frame, kind, &numbers, &mut tasks, &mut builder)?;
                    numbers.insert(place(&frame.node), number);
                    continue;
                }
                let leaf = frame.leaves.get_item(frame.at)?;
                frame.at += 1;
                if leaf.get_type().is(kind) {
                    match numbers.entry(place(&leaf)) {
                        Entry::Occupied(number) if *number.get() == ENTERED => {
                            return Err(PyValueError::new_err("the graph has a cycle: a task needs itself"));
                        }
                        Entry::Occupied(_) => {}
                        Entry::Vacant(number) => {
                            number.insert(ENTERED);
                            stack.push(Frame::new(leaf)?);
                        }
                    }
                }
            }
            plan.outputs.push(numbers[&place(&output)]);
        }
        plan.graph = Arc::new(builder.build());
        Ok(plan)
    }

    fn __len__(&self) -> usize {
        self.nodes.len()
    }

    /// The nodes, by number.
    fn nodes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.nodes.iter().map(|node| node.bind(py)))
    }

    /// One node.
    fn node<'py>(&self, py: Python<'py>, number: usize) -> PyResult<Bound<'py, PyAny>> {
        let node = self.nodes.get(number).ok_or_else(|| PyValueError::new_err("there is no such node"))?;
        Ok(node.bind(py).clone())
    }

    /// The distinct tasks that they call.
    fn tasks<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        PyList::new(py, self.tasks.iter().map(|task| task.bind(py)))
    }

    /// The number of the task that a node calls, in `tasks()`.
    fn task_of(&self, node: usize) -> PyResult<u32> {
        self.calls.get(node).copied().ok_or_else(|| PyValueError::new_err("there is no such node"))
    }

    /// The numbers of the nodes that were asked for.
    fn outputs(&self) -> Vec<Node> {
        self.outputs.clone()
    }

    /// For each leaf of a node's arguments the number of the node that it stands for, or None.
    fn leaves_of(&self, node: usize) -> Vec<Option<Node>> {
        let range = self.starts.get(node).zip(self.starts.get(node + 1));
        let leaves = range.map_or(&[][..], |(start, end)| &self.leaves[*start..*end]);
        leaves.iter().map(|leaf| (*leaf != PLAIN).then_some(*leaf)).collect()
    }

    /// A run in which nothing was begun. `lanes`: for each distinct task the job that its nodes go to; `costs`: what
    /// each node takes, if that is known.
    #[pyo3(signature = (lanes, costs=None))]
    fn run(slf: Bound<'_, Self>, lanes: Vec<usize>, costs: Option<Vec<f64>>) -> PyResult<GraphRun> {
        if costs.as_ref().is_some_and(|costs| costs.len() != slf.get().nodes.len()) {
            return Err(PyValueError::new_err("a cost for each node is needed"));
        }
        GraphRun::new(slf, lanes, costs)
    }

    /// A picture in a language ("svg", "mermaid", "dot") in at most `most` boxes, with how each node's last run ended.
    /// `labels` and `seconds` (None where nobody knows): for each node; `chain`: the nodes of the longest chain, or none.
    #[allow(clippy::too_many_arguments)] // One call for a whole picture, from one place.
    fn draw(
        &self,
        py: Python<'_>,
        language: &str,
        most: usize,
        labels: Vec<String>,
        seconds: Vec<Option<f64>>,
        chain: Vec<Node>,
        declared: bool,
    ) -> PyResult<String> {
        let picture = self.picture(py, labels, seconds, chain, declared)?;
        py.detach(|| match language {
            "svg" => Ok(picture.svg(most)),
            "mermaid" => Ok(picture.mermaid(most)),
            "dot" => Ok(picture.dot(most)),
            _ => Err(PyValueError::new_err("a picture is svg, mermaid or dot")),
        })
    }

    /// Work, span, the critical path (numbers of nodes), and for each number of workers (time of a greedy schedule, least
    /// possible time, most that any greedy schedule takes).
    #[allow(clippy::type_complexity)] // A tuple for one caller, which takes it apart at once.
    fn analyse(
        &self,
        py: Python<'_>,
        times: Vec<f64>,
        workers: Vec<usize>,
    ) -> PyResult<(f64, f64, Vec<Node>, Vec<(f64, f64, f64)>)> {
        if times.len() != self.nodes.len() {
            return Err(PyValueError::new_err("a time for each node is needed"));
        }
        Ok(py.detach(|| {
            let analysis = Analysis::of(&self.graph, &times);
            let reach = |workers: &usize| {
                let (least, most) = bounds(&analysis, *workers);
                (schedule(&self.graph, &times, *workers), least, most)
            };
            let reach = workers.iter().map(reach).collect();
            (analysis.work, analysis.span, analysis.critical_path, reach)
        }))
    }
}

impl Plan {
    /// Numbers a node all of whose needs have numbers.
    fn add(
        &mut self,
        frame: &Frame<'_>,
        kind: &Bound<'_, PyType>,
        numbers: &Places,
        tasks: &mut Places,
        builder: &mut Builder,
    ) -> PyResult<Node> {
        let start = self.leaves.len();
        self.leaves.extend(
            frame
                .leaves
                .iter_borrowed()
                .map(|leaf| if leaf.get_type().is(kind) { numbers[&place(&leaf)] } else { PLAIN }),
        );
        let needs = self.leaves[start..].iter().copied().filter(|leaf| *leaf != PLAIN);
        let number = builder.add(needs).map_err(|refused| PyValueError::new_err(refused.to_string()))?;
        let task = frame.node.getattr(intern!(frame.node.py(), "_task"))?;
        let call = *tasks.entry(place(&task)).or_insert_with(|| {
            self.tasks.push(task.unbind());
            self.tasks.len() as u32 - 1
        });
        self.calls.push(call);
        self.starts.push(self.leaves.len());
        self.nodes.push(frame.node.clone().unbind());
        Ok(number)
    }
}
