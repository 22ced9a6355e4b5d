use std::collections::HashSet;
use std::time::Instant;

use proptest::prelude::*;

use crate::fold::fold;
use crate::layers::layered;
use crate::place::places;
use crate::text::{cut, escaped, time};
use crate::{Drawn, Picture, State};

fn picture(needs: &[&[u32]]) -> Picture {
    let node = |number: usize| Drawn { label: format!("task {number}"), ..Drawn::default() };
    Picture {
        nodes: (0..needs.len()).map(node).collect(),
        needs: needs.iter().map(|needs| needs.to_vec()).collect(),
        ..Picture::default()
    }
}

#[test]
fn times_in_words() {
    let shown = [0.0, 2e-6, 0.0123, 0.9996, 1.5, 60.0, 90.0, 3600.0, 5_400.0, 92_160.0, f64::NAN].map(time);
    assert_eq!(
        shown,
        ["0 s", "2 µs", "12.3 ms", "1 s", "1.5 s", "60 s", "90 s", "60 min", "90 min", "25 h 36 min", "?"]
    );
    assert_eq!(time(90_061.0), "25 h 1 min");
}

#[test]
fn labels_are_cut_and_escaped() {
    assert_eq!(cut("short"), "short");
    assert_eq!(cut(&"x".repeat(40)).chars().count(), 28);
    assert_eq!(escaped("<a & 'b' \"c\">\u{1}"), "&lt;a &amp; &#39;b&#39; &quot;c&quot;&gt;\u{fffd}");
}

#[test]
fn every_language_escapes_labels() {
    let mut drawn = picture(&[&[]]);
    drawn.nodes[0].label = "</title><script>\"];#x\\".into();
    drawn.nodes[0].note = Some("a \"note\" <b>".into());
    assert!(!drawn.svg(10).contains("<script>") && !drawn.mermaid(10).contains("<script>"));
    assert!(drawn.svg(10).contains("&lt;script&gt;&quot;];#x\\"), "{}", drawn.svg(10));
    assert!(drawn.dot(10).contains(r##"label="</title><script>\"];#x\\","##), "{}", drawn.dot(10));
    assert!(drawn.dot(10).contains(r##"tooltip="a \"note\" <b>""##));
    assert!(drawn.mermaid(10).contains("#lt;script#gt;#quot;]#59;#35;x"), "{}", drawn.mermaid(10));
}

#[test]
fn the_same_boxes_and_arrows_in_every_language() {
    let mut drawn = picture(&[&[], &[0], &[0], &[1, 2]]);
    drawn.nodes[1].state = State::Failed;
    drawn.nodes[2].seconds = Some(0.25);
    let (svg, mermaid, dot) = (drawn.svg(10), drawn.mermaid(10), drawn.dot(10));
    for (from, to) in [(0, 1), (0, 2), (1, 3), (2, 3)] {
        assert!(mermaid.contains(&format!("n{from} --> n{to}\n")));
        assert!(dot.contains(&format!("n{from} -> n{to};")));
    }
    assert_eq!(svg.matches("class=\"head").count(), 4);
    assert_eq!(svg.matches("<g class=\"failed\"").count(), 2, "the box, and its key in the legend");
    assert!(svg.contains("250 ms") && mermaid.contains("250 ms") && dot.contains("250 ms"));
    assert!(svg.contains(">failed</text>") && !svg.contains(">waiting</text>"));
}

#[test]
fn a_critical_chain_is_thick() {
    let mut drawn = picture(&[&[], &[0], &[0]]);
    drawn.chain = vec![0, 2];
    for node in drawn.chain.clone() {
        drawn.nodes[node as usize].seconds = Some(60.0);
    }
    assert_eq!(drawn.svg(10).matches("class=\"head critical\"").count(), 1);
    assert!(drawn.svg(10).contains("the chain that takes longest, 2 min"));
    assert!(drawn.mermaid(10).contains("linkStyle 1 stroke-width"));
}

#[test]
fn nothing_and_one() {
    for drawn in [picture(&[]), picture(&[&[]])] {
        assert!(drawn.svg(10).ends_with("</svg>\n"));
        assert!(drawn.dot(10).ends_with("}\n") && drawn.mermaid(10).starts_with("flowchart"));
    }
}

#[test]
fn many_tasks_are_folded_and_it_is_said() {
    // A thousand leaves of one name, and their sum.
    let mut drawn = picture(&vec![&[][..]; 1000]);
    drawn.nodes.iter_mut().for_each(|node| node.label = "load".into());
    drawn.nodes[7].state = State::Failed;
    drawn.nodes.push(Drawn { label: "sum".into(), ..Drawn::default() });
    drawn.needs.push((0..1000).collect());
    let boxes = fold(&drawn, 100);
    assert_eq!((boxes.nodes.len(), &boxes.needs[1]), (2, &vec![0]));
    assert_eq!((boxes.nodes[0].label.as_str(), boxes.nodes[0].state), ("load × 1,000", State::Failed));
    for text in [drawn.svg(100), drawn.mermaid(100), drawn.dot(100)] {
        assert!(text.contains("1,001 tasks, folded into 2 boxes"), "{text}");
    }
}

#[test]
fn a_hundred_thousand_are_drawn_in_no_time() {
    let started = Instant::now();
    let chain: Vec<Vec<u32>> =
        (0..100_000_u32).map(|node| node.checked_sub(1).into_iter().collect()).collect();
    let nodes: Vec<Drawn> =
        (0..100_000).map(|node| Drawn { label: format!("step {node}"), ..Drawn::default() }).collect();
    let drawn = Picture { nodes, needs: chain, ..Picture::default() };
    assert!(drawn.svg(300).contains("folded into"));
    // As dense as it may be without being folded.
    let dense: Vec<Vec<u32>> = (0..300_u32).map(|node| (node.saturating_sub(4)..node).collect()).collect();
    let nodes = vec![Drawn::default(); 300];
    assert!(!Picture { nodes, needs: dense, ..Picture::default() }.svg(300).contains("folded"));
    assert!(started.elapsed().as_secs() < 60);
}

proptest! {
    #[test]
    fn boxes_do_not_overlap_and_arrows_go_down(
        nodes in prop::collection::vec(prop::collection::vec(any::<u32>(), 0..4), 1..60), most in 1..80_usize,
    ) {
        let needs: Vec<Vec<u32>> = nodes.into_iter().enumerate().map(|(at, needs)| {
            let needs: HashSet<u32> = needs.into_iter().filter(|_| at > 0).map(|need| need % (at as u32).max(1)).collect();
            needs.into_iter().collect()
        }).collect();
        let count = needs.len();
        let drawn = Picture {
            nodes: (0..count).map(|at| Drawn { label: format!("t{}", at % 5), ..Drawn::default() }).collect(),
            needs,
            chain: vec![0],
            ..Picture::default()
        };
        let boxes = fold(&drawn, most);
        prop_assert!(boxes.nodes.len() <= most.max(1));
        prop_assert_eq!(boxes.sizes.iter().sum::<usize>(), count);
        for (at, needs) in boxes.needs.iter().enumerate() {
            prop_assert!(needs.iter().all(|need| (*need as usize) < at));
        }
        let rows = layered(&boxes.needs);
        let widths: Vec<f64> = (0..rows.row_of.len()).map(|item| 20.0 + (item % 7) as f64 * 9.0).collect();
        let middles = places(&rows, &widths, 10.0);
        for row in &rows.rows {
            for pair in row.windows(2) {
                let distance = middles[pair[1]] - middles[pair[0]];
                prop_assert!(distance >= (widths[pair[0]] + widths[pair[1]]) / 2.0 + 10.0 - 1e-6);
            }
        }
        let arrows = boxes.needs.iter().map(Vec::len).sum::<usize>();
        prop_assert_eq!(rows.routes.len(), arrows);
        for route in &rows.routes {
            prop_assert!(route.windows(2).all(|pair| rows.row_of[pair[0]] + 1 == rows.row_of[pair[1]]));
        }
        prop_assert!(drawn.svg(most).ends_with("</svg>\n"));
    }
}
