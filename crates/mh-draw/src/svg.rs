//! SVG: boxes in rows, arrows downwards, a legend. Readable on light and dark grounds: it brings its own.

use std::fmt::Write;

use crate::fold::Boxes;
use crate::layers::layered;
use crate::picture::{Drawn, Picture, State};
use crate::place::places;
use crate::text::{cut, escaped, time, width};

const TYPE: f64 = 13.0;
const SMALL: f64 = 11.0;
const HEIGHT: f64 = 42.0;
const BETWEEN_ROWS: f64 = 48.0;
const BETWEEN_BOXES: f64 = 22.0;
/// Room for an arrow that only passes a row.
const PASSAGE: f64 = 6.0;
const MARGIN: f64 = 20.0;
const PADDING: f64 = 14.0;

pub(crate) fn draw(picture: &Picture, boxes: &Boxes) -> String {
    let rows = layered(&boxes.needs);
    let mut widths: Vec<f64> = boxes.nodes.iter().map(width_of).collect();
    widths.resize(rows.row_of.len(), PASSAGE);
    let middles = places(&rows, &widths, BETWEEN_BOXES);
    let legend = Legend::of(picture, boxes);

    let right = middles.iter().zip(&widths).map(|(middle, width)| middle + width / 2.0).fold(0.0, f64::max);
    let wide = right.max(legend.width()) + 2.0 * MARGIN;
    let shift = MARGIN + (wide - 2.0 * MARGIN - right) / 2.0;
    let top = |row: usize| MARGIN + row as f64 * (HEIGHT + BETWEEN_ROWS);
    let bottom = if rows.rows.is_empty() { MARGIN } else { top(rows.rows.len() - 1) + HEIGHT };
    let high = bottom + legend.height() + MARGIN;

    let mut out = String::new();
    let _ = write!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"mh-graph\" width=\"{wide:.0}\" height=\"{high:.0}\" \
         viewBox=\"0 0 {wide:.0} {high:.0}\" role=\"img\" \
         font-family=\"Helvetica, Arial, sans-serif\">\n<title>{}</title>\n<style>{}</style>\n\
         <rect class=\"ground\" width=\"{wide:.0}\" height=\"{high:.0}\" rx=\"8\" fill=\"#ffffff\"/>\n\
         <g class=\"arrows\" fill=\"none\" stroke=\"{ARROW}\" stroke-width=\"1.2\">\n",
        escaped(&legend.title),
        style(),
    );
    for route in &rows.routes {
        let ends = (route[0], route[route.len() - 1]);
        let critical = boxes.is_on_chain(ends.0 as u32, ends.1 as u32);
        let mut path = String::new();
        for pair in route.windows(2) {
            let (x, y) = (middles[pair[0]] + shift, top(rows.row_of[pair[0]]) + HEIGHT);
            let (to, end) = (middles[pair[1]] + shift, top(rows.row_of[pair[1]]));
            if path.is_empty() {
                let _ = write!(path, "M{x:.1} {y:.1}");
            } else {
                let _ = write!(path, "V{y:.1}");
            }
            let half = (y + end) / 2.0;
            let _ = write!(path, "C{x:.1} {half:.1} {to:.1} {half:.1} {to:.1} {end:.1}");
        }
        let (x, y) = (middles[ends.1] + shift, top(rows.row_of[ends.1]));
        let (ink, thick, class) =
            if critical { (INK, " stroke-width=\"2.4\"", " critical") } else { (ARROW, "", "") };
        let _ = writeln!(out, "<path class=\"line{class}\" stroke=\"{ink}\"{thick} d=\"{path}\"/>");
        let (x, y) = (x - 3.5, y - 7.0);
        let _ = writeln!(
            out,
            "<path class=\"head{class}\" fill=\"{ink}\" stroke=\"none\" d=\"M{x:.1} {y:.1}h7l-3.5 7z\"/>"
        );
    }
    out.push_str("</g>\n");
    for (number, node) in boxes.nodes.iter().enumerate() {
        let (x, y) = (middles[number] - widths[number] / 2.0 + shift, top(rows.row_of[number]));
        let kind = (boxes.sizes[number], boxes.critical[number]);
        draw_box(&mut out, node, kind, (x, y), widths[number], legend.longest);
    }
    legend.draw(&mut out, bottom);
    out.push_str("</svg>\n");
    out
}

fn width_of(node: &Drawn) -> f64 {
    let label = width(&cut(&node.label), TYPE);
    let seconds = node.seconds.map_or(0.0, |seconds| width(&time(seconds), SMALL));
    (label.max(seconds) + 2.0 * PADDING).max(56.0)
}

/// `size`: how many tasks it stands for; `critical`: is one of them on the chain that takes longest?
fn draw_box(
    out: &mut String,
    node: &Drawn,
    (size, critical): (usize, bool),
    (x, y): (f64, f64),
    wide: f64,
    longest: f64,
) {
    let thick = if critical { 2.6 } else { 1.3 };
    let critical = if critical { " critical" } else { "" };
    let many = if size > 1 { " many" } else { "" };
    let (class, (fill, stroke)) = (node.state.class(), node.state.colours());
    let _ = write!(
        out,
        "<g class=\"{class}{critical}{many}\" fill=\"{fill}\" stroke=\"{stroke}\" stroke-width=\"{thick}\" \
         text-anchor=\"middle\"><title>{}",
        escaped(&node.label)
    );
    if let Some(seconds) = node.seconds {
        let _ = write!(out, " · {}", time(seconds));
    }
    if node.state != State::Planned {
        let _ = write!(out, " · {}", node.state.word());
    }
    if let Some(note) = &node.note {
        let _ = write!(out, " · {}", escaped(note));
    }
    out.push_str("</title>");
    if size > 1 {
        // A second card behind: this is not one task.
        let _ = write!(
            out,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{wide:.1}\" height=\"{HEIGHT}\" rx=\"7\"/>",
            x + 3.0,
            y + 3.0
        );
    }
    let _ = write!(out, "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{wide:.1}\" height=\"{HEIGHT}\" rx=\"7\"/>");
    let middle = x + wide / 2.0;
    let base = if node.seconds.is_some() { y + 18.0 } else { y + HEIGHT / 2.0 + 4.5 };
    let label = escaped(&cut(&node.label));
    let _ = write!(
        out,
        "<text x=\"{middle:.1}\" y=\"{base:.1}\" font-size=\"{TYPE}\" {}>{label}</text>",
        ink(INK)
    );
    if let Some(seconds) = node.seconds {
        let (below, shown) = (y + 32.0, time(seconds));
        let _ = write!(
            out,
            "<text class=\"time\" x=\"{middle:.1}\" y=\"{below:.1}\" font-size=\"{SMALL}\" {}>{shown}</text>",
            ink(FAINT)
        );
        if longest > 0.0 {
            let (start, full) = (x + 8.0, wide - 16.0);
            let share = full * (seconds / longest).clamp(0.0, 1.0);
            let _ = write!(
                out,
                "<rect class=\"bar\" fill=\"{stroke}\" stroke=\"none\" opacity=\"0.75\" x=\"{start:.1}\" y=\"{:.1}\" width=\"{share:.1}\" height=\"3\" rx=\"1.5\"/>",
                y + HEIGHT - 6.0
            );
        }
    }
    out.push_str("</g>\n");
}

/// How text is filled.
fn ink(colour: &str) -> String {
    format!("fill=\"{colour}\" stroke=\"none\"")
}

/// What the colours and bars mean, below the picture.
struct Legend {
    title: String,
    states: Vec<State>,
    lines: Vec<String>,
    /// The longest time of a box, which the bars are shares of.
    longest: f64,
}

const KEY: f64 = 16.0;
const LINE: f64 = 22.0;

impl Legend {
    fn of(picture: &Picture, boxes: &Boxes) -> Legend {
        let states: Vec<State> = State::ALL
            .into_iter()
            .filter(|state| picture.nodes.iter().any(|node| node.state == *state))
            .collect();
        let longest = boxes.nodes.iter().filter_map(|node| node.seconds).fold(0.0, f64::max);
        let mut lines = Vec::new();
        if longest > 0.0 {
            let kind = if picture.declared { "declared" } else { "measured" };
            lines.push(format!("times as {kind}; bar: share of the longest, {}", time(longest)));
        }
        if !picture.chain.is_empty() {
            let span: f64 =
                picture.chain.iter().filter_map(|node| picture.nodes[*node as usize].seconds).sum();
            lines.push(format!("thick: the chain that takes longest, {}", time(span)));
        }
        lines.extend(picture.remark(boxes));
        let title = match picture.nodes.len() {
            1 => "a graph of one task".into(),
            many => format!("a graph of {} tasks", crate::text::count(many)),
        };
        Legend { title, states, lines, longest }
    }

    fn keys(&self) -> f64 {
        self.states.iter().map(|state| KEY + 26.0 + width(state.word(), SMALL)).sum()
    }

    fn width(&self) -> f64 {
        self.lines.iter().map(|line| width(line, SMALL)).fold(self.keys(), f64::max)
    }

    fn height(&self) -> f64 {
        18.0 + LINE * (1 + self.lines.len()) as f64
    }

    fn draw(&self, out: &mut String, bottom: f64) {
        let mut y = bottom + 18.0;
        let _ = write!(
            out,
            "<g class=\"legend\" {}><path stroke=\"#c9d0d8\" d=\"M{MARGIN} {y:.1}h{:.1}\"/>",
            ink(FAINT),
            self.width().max(160.0)
        );
        y += LINE;
        let mut x = MARGIN;
        for state in &self.states {
            let word = state.word();
            let _ = write!(
                out,
                "<g class=\"{}\" fill=\"{}\" stroke=\"{}\"><rect x=\"{x:.1}\" y=\"{:.1}\" width=\"{KEY}\" height=\"11\" rx=\"3\"/></g>\
                 <text x=\"{:.1}\" y=\"{y:.1}\" font-size=\"{SMALL}\">{word}</text>",
                state.class(),
                state.colours().0,
                state.colours().1,
                y - 9.5,
                x + KEY + 6.0,
            );
            x += KEY + 26.0 + width(word, SMALL);
        }
        for line in &self.lines {
            y += LINE;
            let line = escaped(line);
            let _ = write!(out, "<text x=\"{MARGIN}\" y=\"{y:.1}\" font-size=\"{SMALL}\">{line}</text>");
        }
        out.push_str("</g>\n");
    }
}

const INK: &str = "#1b1f24";
const FAINT: &str = "#4a5360";
const ARROW: &str = "#7d8793";

/// The colours on dark grounds. Those for light ones stand at the elements themselves, for viewers without style sheets.
fn style() -> String {
    let mut out = String::from(
        "@media screen{.mh-graph{max-width:100%;height:auto}}\
         @media (prefers-color-scheme:dark){.mh-graph .ground{fill:#15181d}.mh-graph text{fill:#e8ebef}\
         .mh-graph .time{fill:#b4bcc6}.mh-graph .arrows path{stroke:#8b95a1}.mh-graph .arrows path.critical{stroke:#f2f4f6}\
         .mh-graph .arrows path.head{fill:#8b95a1;stroke:none}.mh-graph .arrows path.head.critical{fill:#f2f4f6}\
         .mh-graph .legend text{fill:#b4bcc6}.mh-graph .legend path{stroke:#3a424c}",
    );
    for (state, fill) in
        State::ALL.into_iter().zip(["#2a3038", "#1d3a27", "#3b3415", "#1c3350", "#332a40", "#4a1f1b"])
    {
        let _ = write!(out, ".mh-graph .{} rect{{fill:{fill}}}", state.class());
        let _ = write!(out, ".mh-graph .{} .bar{{fill:{}}}", state.class(), state.colours().1);
    }
    out.push('}');
    out
}
