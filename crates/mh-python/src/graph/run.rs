//! One run of a graph: items for jobs out, their answers in.
//!
//! An item is `(number of the task, shape of the arguments, leaf, leaf, ...)`, an answer `(seconds, value)`; see
//! `manyhands/_graph_calls.py`. Python objects are never dropped in here while the run is in use: what is not needed any
//! more goes to the caller in a list, as its end may run the user's code.

use mh_engine::graph::{Node, Run, State};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt, PyList, PyString, PyTuple};

use super::{PLAIN, Plan};

/// What there is of one run. Used by the one thread that runs it.
#[pyclass(module = "manyhands._native")]
pub struct GraphRun {
    plan: Py<Plan>,
    run: Run,
    values: Vec<Option<Py<PyAny>>>,
    /// What each node took; NaN where that is not known.
    seconds: Vec<f64>,
    lanes: Vec<LaneState>,
    lane_of_task: Vec<usize>,
}

/// What went to one job.
#[derive(Default)]
struct LaneState {
    /// Ready nodes, the next one last. Unused while there is one lane: then they stay where they are in order.
    waiting: Vec<Node>,
    /// The node behind each index of the job.
    sent: Vec<Node>,
    /// How many of these have been answered.
    answered: usize,
}

/// The items for one job, as an iterator that has one for each ready node.
#[pyclass(frozen, module = "manyhands._native")]
pub struct Lane {
    run: Py<GraphRun>,
    lane: usize,
}

#[pymethods]
impl Lane {
    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        self.run.try_borrow_mut(py)?.next_item(py, self.lane)
    }
}

impl GraphRun {
    pub fn new(plan: Bound<'_, Plan>, lanes: Vec<usize>, costs: Option<Vec<f64>>) -> PyResult<GraphRun> {
        let inside = plan.get();
        if lanes.len() != inside.tasks.len() {
            return Err(PyValueError::new_err("a lane for each task is needed"));
        }
        let count = lanes.iter().max().map_or(0, |lane| lane + 1);
        Ok(GraphRun {
            run: Run::new(inside.graph.clone(), &inside.outputs, costs.as_deref()),
            values: (0..inside.nodes.len()).map(|_| None).collect(),
            seconds: vec![f64::NAN; inside.nodes.len()],
            lanes: (0..count).map(|_| LaneState::default()).collect(),
            lane_of_task: lanes,
            plan: plan.unbind(),
        })
    }

    /// With several lanes: deals what is ready out to them.
    fn deal(&mut self) {
        if self.lanes.len() > 1 {
            let plan = self.plan.get();
            let mut dealt = vec![Vec::new(); self.lanes.len()];
            while let Some(node) = self.run.next() {
                dealt[self.lane_of_task[plan.calls[node as usize] as usize]].push(node);
            }
            for (lane, nodes) in self.lanes.iter_mut().zip(dealt) {
                lane.waiting.extend(nodes.into_iter().rev());
            }
        }
    }

    fn next_item<'py>(&mut self, py: Python<'py>, lane: usize) -> PyResult<Option<Bound<'py, PyTuple>>> {
        let next = if self.lanes.len() > 1 { self.lanes[lane].waiting.pop() } else { self.run.next() };
        let Some(node) = next else { return Ok(None) };
        self.lanes[lane].sent.push(node);
        let plan = self.plan.get();
        let at = node as usize;
        let call = plan.nodes[at].bind(py);
        let leaves = call.getattr(intern!(py, "_leaves"))?.cast_into::<PyTuple>()?;
        let mut item = Vec::with_capacity(leaves.len() + 2);
        item.push(plan.calls[at].into_pyobject(py)?.into_any());
        item.push(call.getattr(intern!(py, "_shape"))?);
        for (leaf, &need) in leaves.iter_borrowed().zip(&plan.leaves[plan.starts[at]..plan.starts[at + 1]]) {
            item.push(match need {
                PLAIN => leaf.to_owned(),
                need => {
                    let value = self.values[need as usize].as_ref().ok_or_else(lost)?;
                    value.bind(py).clone()
                }
            });
        }
        Ok(Some(PyTuple::new(py, item)?))
    }

    /// Moves results that nobody needs to the caller's list; whether one of them may be large.
    fn let_go(&mut self, free: Vec<Node>, garbage: &Bound<'_, PyList>) -> PyResult<bool> {
        let mut large = false;
        for node in free {
            if let Some(value) = self.values[node as usize].take() {
                let value = value.into_bound(garbage.py());
                large |= !is_small(&value);
                garbage.append(value)?;
            }
        }
        Ok(large)
    }
}

#[pymethods]
impl GraphRun {
    /// How many nodes of a lane are ready.
    fn ready(&mut self, lane: usize) -> usize {
        self.deal();
        if self.lanes.len() > 1 { self.lanes[lane].waiting.len() } else { self.run.ready() }
    }

    /// The items of a lane: an iterator, empty only while none of its nodes is ready.
    fn lane(slf: Py<Self>, lane: usize) -> Lane {
        Lane { run: slf, lane }
    }

    /// The node behind an index of a lane's job.
    fn node_at(&self, lane: usize, index: usize) -> PyResult<Node> {
        let sent = self.lanes.get(lane).and_then(|lane| lane.sent.get(index));
        sent.copied().ok_or_else(|| PyValueError::new_err("there is no such item"))
    }

    /// How many items of a lane have no answer.
    fn outstanding(&self, lane: usize) -> usize {
        self.lanes.get(lane).map_or(0, |lane| lane.sent.len() - lane.answered)
    }

    /// The last item of a lane was not sent: gives its node.
    fn unsent(&mut self, lane: usize) -> PyResult<Node> {
        self.lanes[lane].sent.pop().ok_or_else(|| PyValueError::new_err("nothing was sent"))
    }

    /// Takes answers of a lane's job: gives how many succeeded, [(node, exception)], and whether a result that may be
    /// large was let go of. `garbage` gets the results that nobody needs any more.
    #[allow(clippy::type_complexity)] // A tuple for one caller, which takes it apart at once.
    fn settle<'py>(
        &mut self,
        lane: usize,
        answers: &Bound<'py, PyList>,
        garbage: &Bound<'py, PyList>,
    ) -> PyResult<(usize, Vec<(Node, Bound<'py, PyAny>)>, bool)> {
        let (mut failures, mut free, mut done) = (Vec::new(), Vec::new(), 0);
        for answer in answers.iter() {
            let (index, succeeded, value): (usize, bool, Bound<'py, PyAny>) = answer.extract()?;
            let node = self.node_at(lane, index)?;
            self.lanes[lane].answered += 1;
            if self.run.state(node) != State::Running {
                continue;
            }
            if !succeeded {
                failures.push((node, value));
                continue;
            }
            let (seconds, value): (f64, Bound<'py, PyAny>) = value.extract()?;
            self.seconds[node as usize] = seconds;
            self.values[node as usize] = Some(value.unbind());
            self.run.done(node, &mut free);
            done += 1;
        }
        let large = self.let_go(free, garbage)?;
        Ok((done, failures, large))
    }

    /// The node has failed: gives how many are not run because of it.
    fn fail(&mut self, node: Node, garbage: &Bound<'_, PyList>) -> PyResult<usize> {
        let (mut skipped, mut free) = (Vec::new(), Vec::new());
        self.run.failed(node, &mut skipped, &mut free);
        self.let_go(free, garbage)?;
        Ok(skipped.len())
    }

    /// The node is to be run once more.
    fn again(&mut self, node: Node) {
        self.run.again(node);
    }

    /// Has every node ended?
    fn is_over(&self) -> bool {
        self.run.is_over()
    }

    /// The node that failed, for which this one was skipped; of any other, itself.
    fn cause(&self, node: Node) -> Node {
        self.run.cause(node)
    }

    /// How a node is needed by what was asked for: from it to one of those.
    fn route(&self, node: Node) -> Vec<Node> {
        self.run.graph().route(node, &self.plan.get().outputs).unwrap_or_else(|| vec![node])
    }

    /// The result of a node that was asked for and is done.
    fn result(&self, py: Python<'_>, node: usize) -> PyResult<Py<PyAny>> {
        self.values
            .get(node)
            .and_then(|value| value.as_ref())
            .map(|value| value.clone_ref(py))
            .ok_or_else(lost)
    }

    /// Notes in each node how it ended: `_last` becomes (state, seconds or None, why).
    fn record(&self, py: Python<'_>, failures: &Bound<'_, pyo3::types::PyDict>) -> PyResult<()> {
        let plan = self.plan.get();
        let none = py.None().into_bound(py);
        for (at, node) in plan.nodes.iter().enumerate() {
            let state = self.run.state(at as Node);
            let seconds = self.seconds[at];
            let seconds = if seconds.is_nan() { none.clone() } else { PyFloat::new(py, seconds).into_any() };
            let why = match state {
                State::Failed => failures.get_item(at)?.unwrap_or_else(|| none.clone()),
                State::Skipped => {
                    failures.get_item(self.run.cause(at as Node))?.unwrap_or_else(|| none.clone())
                }
                _ => none.clone(),
            };
            let last = PyTuple::new(py, [PyString::intern(py, name_of(state)).into_any(), seconds, why])?;
            node.bind(py).setattr(intern!(py, "_last"), last)?;
        }
        Ok(())
    }
}

fn name_of(state: State) -> &'static str {
    match state {
        State::Waiting | State::Ready => "waiting",
        State::Running => "running",
        State::Done => "done",
        State::Failed => "failed",
        State::Skipped => "skipped",
    }
}

fn is_small(value: &Bound<'_, PyAny>) -> bool {
    value.is_none()
        || value.is_exact_instance_of::<PyInt>()
        || value.is_exact_instance_of::<PyFloat>()
        || value.is_exact_instance_of::<PyString>()
        || value.is_exact_instance_of::<PyBool>()
}

fn lost() -> PyErr {
    PyRuntimeError::new_err("a result was let go of too early; this is a bug of manyhands, please report it")
}
