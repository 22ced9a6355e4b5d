//! Graphviz's language.

use std::fmt::Write;

use crate::fold::Boxes;
use crate::picture::Picture;
use crate::text::{cut, time};

pub(crate) fn draw(picture: &Picture, boxes: &Boxes) -> String {
    let mut out = String::from("digraph tasks {\n    rankdir=TB;\n");
    if let Some(remark) = picture.remark(boxes) {
        let _ = writeln!(out, "    label=\"{}\";", quoted(&remark));
    }
    out.push_str(
        "    node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica,sans-serif\", fontsize=12];\n",
    );
    for (number, node) in boxes.nodes.iter().enumerate() {
        let (fill, stroke) = node.state.colours();
        let seconds = node.seconds.map(|seconds| format!("\\n{}", time(seconds))).unwrap_or_default();
        let width = if boxes.critical[number] { ", penwidth=2.5" } else { "" };
        let tip = node.note.as_deref().unwrap_or(node.state.word());
        let _ = writeln!(
            out,
            "    n{number} [label=\"{}{seconds}\", fillcolor=\"{fill}\", color=\"{stroke}\"{width}, tooltip=\"{}\"];",
            quoted(&cut(&node.label)),
            quoted(tip),
        );
    }
    for (number, needs) in boxes.needs.iter().enumerate() {
        for need in needs {
            let critical = boxes.is_on_chain(*need, number as u32);
            let _ =
                writeln!(out, "    n{need} -> n{number}{};", if critical { " [penwidth=2.5]" } else { "" });
        }
    }
    out.push_str("}\n");
    out
}

fn quoted(text: &str) -> String {
    let mut out = String::new();
    for char in text.chars() {
        match char {
            '\\' | '"' => out.extend(['\\', char]),
            char if char.is_control() => out.push(' '),
            char => out.push(char),
        }
    }
    out
}
