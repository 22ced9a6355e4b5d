//! Mermaid's language, as notebooks, GitHub and many editors show it.

use std::fmt::Write;

use crate::fold::Boxes;
use crate::picture::{Picture, State};
use crate::text::{cut, escaped, time};

pub(crate) fn draw(picture: &Picture, boxes: &Boxes) -> String {
    let mut out = String::from("flowchart TD\n");
    if let Some(remark) = picture.remark(boxes) {
        let _ = writeln!(out, "    %% {remark}");
        let _ = writeln!(out, "    remark[\"{}\"]:::remark", label(&remark));
    }
    for (number, node) in boxes.nodes.iter().enumerate() {
        let seconds = node.seconds.map(|seconds| format!("<br/>{}", time(seconds))).unwrap_or_default();
        let _ = writeln!(
            out,
            "    n{number}[\"{}{seconds}\"]:::{}",
            label(&cut(&node.label)),
            node.state.class()
        );
    }
    let mut arrow = 0;
    let mut critical = Vec::new();
    for (number, needs) in boxes.needs.iter().enumerate() {
        for need in needs {
            let _ = writeln!(out, "    n{need} --> n{number}");
            if boxes.is_on_chain(*need, number as u32) {
                critical.push(arrow.to_string());
            }
            arrow += 1;
        }
    }
    for state in State::ALL {
        if boxes.nodes.iter().any(|node| node.state == state) {
            let (fill, stroke) = state.colours();
            let _ = writeln!(out, "    classDef {} fill:{fill},stroke:{stroke},color:#1b1f24", state.class());
        }
    }
    if picture.remark(boxes).is_some() {
        let _ = writeln!(out, "    classDef remark fill:none,stroke:none");
    }
    if !critical.is_empty() {
        let _ = writeln!(out, "    linkStyle {} stroke-width:3px", critical.join(","));
    }
    out
}

/// Mermaid reads `#` and `;` as entities of its own, and a quotation mark ends the label.
fn label(text: &str) -> String {
    let mut out = String::new();
    for char in text.chars() {
        match char {
            '#' => out.push_str("#35;"),
            ';' => out.push_str("#59;"),
            '"' => out.push_str("#quot;"),
            '`' => out.push_str("#96;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            '&' => out.push_str("#amp;"),
            char => out.push_str(&escaped(char.encode_utf8(&mut [0; 4])).replace("&#39;", "'")),
        }
    }
    out
}
