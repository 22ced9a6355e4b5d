//! What is drawn.

use crate::fold::{Boxes, fold};

/// How far a task came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// The graph has not been run.
    #[default]
    Planned,
    Done,
    Waiting,
    Running,
    /// Not run, because something that it needs failed.
    Skipped,
    Failed,
}

impl State {
    pub const ALL: [State; 6] =
        [State::Planned, State::Done, State::Waiting, State::Running, State::Skipped, State::Failed];

    /// What the legend calls it.
    pub fn word(self) -> &'static str {
        match self {
            State::Planned => "not run yet",
            State::Done => "done",
            State::Waiting => "waiting",
            State::Running => "running",
            State::Skipped => "not run: what it needs failed",
            State::Failed => "failed",
        }
    }

    /// Its name in style sheets.
    pub(crate) fn class(self) -> &'static str {
        match self {
            State::Planned => "planned",
            State::Done => "done",
            State::Waiting => "waiting",
            State::Running => "running",
            State::Skipped => "skipped",
            State::Failed => "failed",
        }
    }

    /// Fill and outline on a light ground: those of Mermaid and DOT, and of SVG where nothing says that it is dark.
    pub(crate) fn colours(self) -> (&'static str, &'static str) {
        match self {
            State::Planned => ("#eef1f5", "#8a94a3"),
            State::Done => ("#d3efd9", "#2e8b4f"),
            State::Waiting => ("#f6f0d8", "#a98a1c"),
            State::Running => ("#d6e6fb", "#2f6fbf"),
            State::Skipped => ("#e6e0ee", "#7f6a99"),
            State::Failed => ("#fbd9d5", "#c0392b"),
        }
    }
}

/// One task.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Drawn {
    pub label: String,
    pub state: State,
    /// What it took, or is expected to take.
    pub seconds: Option<f64>,
    /// More about it, shown where there is room: why it failed.
    pub note: Option<String>,
}

/// A graph with how its tasks ended. What a node needs has a lower number than the node.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    pub nodes: Vec<Drawn>,
    /// For each node the numbers of those that it needs, each once.
    pub needs: Vec<Vec<u32>>,
    /// The chain of nodes that takes longest, if that is known.
    pub chain: Vec<u32>,
    /// Whether `seconds` were declared rather than measured.
    pub declared: bool,
}

impl Picture {
    /// The picture as SVG; above `most` boxes tasks are folded together, and it says so.
    pub fn svg(&self, most: usize) -> String {
        crate::svg::draw(self, &self.boxes(most))
    }

    /// The same in Mermaid's language.
    pub fn mermaid(&self, most: usize) -> String {
        crate::mermaid::draw(self, &self.boxes(most))
    }

    /// The same in Graphviz's language.
    pub fn dot(&self, most: usize) -> String {
        crate::dot::draw(self, &self.boxes(most))
    }

    fn boxes(&self, most: usize) -> Boxes {
        fold(self, most.max(1))
    }

    /// What is said about the whole, if something is to be said.
    pub(crate) fn remark(&self, boxes: &Boxes) -> Option<String> {
        let hidden = if boxes.hidden > 0 {
            format!("; {} arrows inside of boxes are not drawn", crate::text::count(boxes.hidden))
        } else {
            String::new()
        };
        let (tasks, drawn) = (crate::text::count(self.nodes.len()), crate::text::count(boxes.nodes.len()));
        (boxes.nodes.len() < self.nodes.len())
            .then(|| format!("{tasks} tasks, folded into {drawn} boxes of tasks at the same depth{hidden}"))
    }
}
