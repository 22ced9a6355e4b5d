//! Many nodes into few boxes.
//!
//! Tasks of one name at the same depth (the longest chain of needs below) become one box; where that is not enough, all
//! tasks of some neighbouring depths do. Depth grows along every arrow, so arrows between boxes go from lower to higher
//! depths and never in a circle; those inside of a box are counted and not drawn.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::picture::{Drawn, Picture, State};
use crate::text::count;

/// More arrows than so many for each box of the limit, and one sees none of them.
const ARROWS: usize = 4;

/// What is drawn in the end: boxes in place of nodes, needs first.
#[derive(Default)]
pub(crate) struct Boxes {
    pub nodes: Vec<Drawn>,
    /// For each box how many tasks it stands for.
    pub sizes: Vec<usize>,
    pub needs: Vec<Vec<u32>>,
    /// Arrows that are not drawn, as both ends are in one box.
    pub hidden: usize,
    /// The chain that takes longest: which boxes are on it, and its arrows.
    pub critical: Vec<bool>,
    chain: HashSet<(u32, u32)>,
}

impl Boxes {
    /// `box_of`: in which box a node is.
    fn with_chain(mut self, chain: &[u32], box_of: impl Fn(u32) -> u32) -> Boxes {
        self.critical = vec![false; self.nodes.len()];
        chain.iter().for_each(|node| self.critical[box_of(*node) as usize] = true);
        self.chain = chain.windows(2).map(|pair| (box_of(pair[0]), box_of(pair[1]))).collect();
        self
    }

    /// Is the arrow one of the chain that takes longest?
    pub fn is_on_chain(&self, from: u32, to: u32) -> bool {
        self.chain.contains(&(from, to))
    }
}

/// At most `most` boxes for the tasks of a picture.
pub(crate) fn fold(picture: &Picture, most: usize) -> Boxes {
    let arrows = picture.needs.iter().map(Vec::len).sum::<usize>();
    if picture.nodes.len() <= most && arrows <= 20 + ARROWS * most {
        let (nodes, needs) = (picture.nodes.clone(), picture.needs.clone());
        let boxes = Boxes { sizes: vec![1; nodes.len()], nodes, needs, ..Boxes::default() };
        return boxes.with_chain(&picture.chain, |node| node);
    }
    let depths = depths(&picture.needs);
    let deepest = depths.iter().max().map_or(0, |depth| depth + 1);
    let by_name = grouped(picture, |node| (depths[node], picture.nodes[node].label.as_str()));
    if by_name.nodes.len() <= most && arrows_of(&by_name) <= 20 + ARROWS * most {
        return by_name;
    }
    let mut band = 1;
    loop {
        let boxes = grouped(picture, |node| (depths[node] / band, ""));
        if boxes.nodes.len() <= most && (arrows_of(&boxes) <= 20 + ARROWS * most || band >= deepest) {
            return boxes;
        }
        band *= 2;
    }
}

fn arrows_of(boxes: &Boxes) -> usize {
    boxes.needs.iter().map(Vec::len).sum()
}

/// For each node how long the longest chain of needs below it is.
fn depths(needs: &[Vec<u32>]) -> Vec<usize> {
    let mut depths: Vec<usize> = Vec::with_capacity(needs.len());
    for needs in needs {
        depths.push(needs.iter().map(|need| depths[*need as usize] + 1).max().unwrap_or(0));
    }
    depths
}

fn grouped<'a>(picture: &'a Picture, key: impl Fn(usize) -> (usize, &'a str)) -> Boxes {
    let mut groups: BTreeMap<usize, Vec<Vec<usize>>> = BTreeMap::new();
    let mut places: HashMap<(usize, &str), usize> = HashMap::new();
    for node in 0..picture.nodes.len() {
        let (band, name) = key(node);
        let row = groups.entry(band).or_default();
        let place = *places.entry((band, name)).or_insert(row.len());
        if place == row.len() {
            row.push(Vec::new());
        }
        row[place].push(node);
    }
    let groups: Vec<Vec<usize>> = groups.into_values().flatten().collect();
    let mut box_of = vec![0_u32; picture.nodes.len()];
    for (number, members) in groups.iter().enumerate() {
        members.iter().for_each(|member| box_of[*member] = number as u32);
    }
    let mut boxes = Boxes::default();
    for (number, members) in groups.iter().enumerate() {
        let mut seen = HashSet::new();
        let mut needs = Vec::new();
        for need in members.iter().flat_map(|member| &picture.needs[*member]) {
            let from = box_of[*need as usize];
            if from as usize == number {
                boxes.hidden += 1;
            } else if seen.insert(from) {
                needs.push(from);
            }
        }
        boxes.needs.push(needs);
        boxes.sizes.push(members.len());
        boxes.nodes.push(together(picture, members));
    }
    boxes.with_chain(&picture.chain, |node| box_of[node as usize])
}

/// One box for some tasks: their names, the worst of their states, the sum of their times.
fn together(picture: &Picture, members: &[usize]) -> Drawn {
    let tasks = || members.iter().map(|member| &picture.nodes[*member]);
    if let [only] = members {
        return picture.nodes[*only].clone();
    }
    let mut names: Vec<(&str, usize)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for task in tasks() {
        let place = *places.entry(&task.label).or_insert(names.len());
        if place == names.len() {
            names.push((&task.label, 0));
        }
        names[place].1 += 1;
    }
    let label = match names[..] {
        [(name, many)] => format!("{} × {}", name, count(many)),
        _ => format!("{} tasks", count(members.len())),
    };
    let state = tasks().map(|task| task.state).max().unwrap_or_default();
    let mut notes = Vec::new();
    if names.len() > 1 {
        names.sort_by_key(|(_, many)| std::cmp::Reverse(*many));
        let shown = names.iter().take(5).map(|(name, many)| format!("{name} × {}", count(*many)));
        notes.push(shown.collect::<Vec<_>>().join(", ") + if names.len() > 5 { ", ..." } else { "" });
    }
    for known in State::ALL {
        let many = tasks().filter(|task| task.state == known).count();
        if many > 0 && known != State::Planned {
            notes.push(format!("{} {}", count(many), known.word()));
        }
    }
    if let Some(task) = tasks().find(|task| task.state == State::Failed) {
        notes.extend(task.note.clone());
    }
    let seconds =
        tasks().filter_map(|task| task.seconds).fold(None, |sum, seconds| Some(sum.unwrap_or(0.0) + seconds));
    Drawn { label, state, seconds, note: (!notes.is_empty()).then(|| notes.join("; ")) }
}
