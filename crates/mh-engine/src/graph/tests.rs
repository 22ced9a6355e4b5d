use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;

use super::{Analysis, Builder, Graph, Node, Refused, Run, State, bounds, ranks, schedule};

fn graph(needs: &[&[Node]]) -> Arc<Graph> {
    let mut builder = Builder::default();
    for needs in needs {
        builder.add(needs.iter().copied()).expect("needs come first");
    }
    Arc::new(builder.build())
}

/// The order in which one worker runs everything.
fn serial_order(graph: &Arc<Graph>, outputs: &[Node]) -> Vec<Node> {
    let mut run = Run::new(graph.clone(), outputs, None);
    let mut order = Vec::new();
    while let Some(node) = run.next() {
        order.push(node);
        run.done(node, &mut Vec::new());
    }
    order
}

#[test]
fn a_node_needs_only_what_was_there_before() {
    let mut builder = Builder::default();
    assert_eq!(builder.add([0]), Err(Refused::NotBefore { node: 0, needs: 0 }));
    assert_eq!(builder.add([]), Ok(0));
    assert_eq!(builder.add([0, 7]), Err(Refused::NotBefore { node: 1, needs: 7 }));
    assert_eq!(builder.add([0, 0]), Ok(1));
    let graph = builder.build();
    assert_eq!((graph.len(), graph.needs(1), graph.readers(0)), (2, &[0][..], &[1][..]));
}

#[test]
fn repeated_needs_count_once_however_many() {
    let mut builder = Builder::default();
    for _ in 0..100 {
        builder.add([]).expect("needs nothing");
    }
    let many: Vec<Node> = (0..1000).map(|at| at % 100).collect();
    assert_eq!(builder.add(many), Ok(100));
    assert_eq!(builder.build().needs(100), (0..100).collect::<Vec<_>>());
}

#[test]
fn a_sum_of_many_keeps_few_alive() {
    // 1024 leaves, summed up in pairs.
    let mut builder = Builder::default();
    let mut row: Vec<Node> = (0..1024).map(|_| builder.add([]).expect("a leaf")).collect();
    while row.len() > 1 {
        row = row.chunks(2).map(|pair| builder.add(pair.iter().copied()).expect("a sum")).collect();
    }
    let graph = Arc::new(builder.build());
    let mut run = Run::new(graph, &row, None);
    let (mut alive, mut most, mut free) = (0_usize, 0, Vec::new());
    while let Some(node) = run.next() {
        run.done(node, &mut free);
        alive = alive + 1 - free.drain(..).count();
        most = most.max(alive);
    }
    assert!(run.is_over() && alive == 1);
    assert!(most <= 12, "{most} results were alive at a time");
}

#[test]
fn the_longest_branch_goes_first() {
    // 0 is short; 1 - 2 - 3 is long; 4 needs both.
    let shape = graph(&[&[], &[], &[1], &[2], &[0, 3]]);
    assert_eq!(serial_order(&shape, &[4]), [1, 2, 3, 0, 4]);
    // With costs, what counts is what they take.
    assert_eq!(ranks(&shape, &[4], Some(&[9.0, 1.0, 1.0, 1.0, 1.0]))[0], 0);
    // The same for outputs: 5 ends the longer chain.
    let shape = graph(&[&[], &[0], &[], &[2], &[3], &[4]]);
    assert_eq!(serial_order(&shape, &[1, 5]), [2, 3, 4, 5, 0, 1]);
}

#[test]
fn a_failure_takes_along_what_needs_it_and_nothing_else() {
    // a(0) b(1); c(2) needs a; d(3) needs c; e(4) needs d and b; f(5) needs b.
    let shape = graph(&[&[], &[], &[0], &[2], &[3, 1], &[1]]);
    assert_eq!(shape.route(2, &[4, 5]), Some(vec![2, 3, 4]));
    assert_eq!((shape.route(4, &[4, 5]), shape.route(5, &[4])), (Some(vec![4]), None));
    let mut run = Run::new(shape, &[4, 5], None);
    let (mut skipped, mut free) = (Vec::new(), Vec::new());
    while let Some(node) = run.next() {
        if node == 2 {
            run.failed(2, &mut skipped, &mut free);
            assert_eq!((&skipped[..], &free[..]), (&[3, 4][..], &[0][..]));
            assert_eq!([4, 3, 2, 5].map(|node| run.cause(node)), [2, 2, 2, 5]);
            free.clear();
        } else {
            run.done(node, &mut free);
        }
    }
    assert!(run.is_over());
    assert_eq!([1, 5].map(|node| run.state(node)), [State::Done; 2]);
    assert_eq!([2, 3, 4].map(|node| run.state(node)), [State::Failed, State::Skipped, State::Skipped]);
    assert_eq!(free, [1]);
}

#[test]
fn a_node_may_be_run_again() {
    let mut run = Run::new(graph(&[&[], &[0]]), &[1], None);
    assert_eq!((run.next(), run.next()), (Some(0), None));
    run.again(0);
    assert_eq!((run.running(), run.ended(), run.ready()), (0, 0, 1));
    run.done(0, &mut Vec::new()); // not running: no effect
    assert_eq!((run.next(), run.state(1)), (Some(0), State::Waiting));
    run.done(0, &mut Vec::new());
    assert_eq!((run.next(), run.running(), run.ended()), (Some(1), 1, 1));
}

#[test]
fn known_answers_of_the_analysis() {
    // Two branches of 3 and 1 after a start of 1, and an end of 2.
    let shape = graph(&[&[], &[0], &[0], &[1, 2]]);
    let times = [1.0, 3.0, 1.0, 2.0];
    let analysis = Analysis::of(&shape, &times);
    assert_eq!(analysis, Analysis { work: 7.0, span: 6.0, critical_path: vec![0, 1, 3] });
    assert_eq!(analysis.parallelism(), 7.0 / 6.0);
    assert_eq!([1, 2, 3].map(|workers| schedule(&shape, &times, workers)), [7.0, 6.0, 6.0]);
    assert_eq!(bounds(&analysis, 2), (6.0, 6.5));
    let nothing = Analysis::of(&graph(&[]), &[]);
    assert_eq!((nothing.work, nothing.span, nothing.parallelism()), (0.0, 0.0, 1.0));
}

#[test]
fn a_million_nodes_are_quick() {
    let mut builder = Builder::default();
    let mut random = 1_u64;
    for node in 0..1_000_000_u64 {
        let needs: Vec<Node> = (0..5.min(node))
            .map(|_| {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                ((random >> 33) % node) as Node
            })
            .collect();
        builder.add(needs).expect("earlier nodes");
    }
    let graph = Arc::new(builder.build());
    let outputs: Vec<Node> = graph.nodes().filter(|node| graph.readers(*node).is_empty()).collect();
    let mut run = Run::new(graph, &outputs, None);
    let (mut free, mut freed) = (Vec::new(), 0);
    while let Some(node) = run.next() {
        run.done(node, &mut free);
        freed += free.drain(..).count();
    }
    assert!(run.is_over());
    assert_eq!(freed, 1_000_000 - outputs.len());
}

/// Any graph, with a time for each node and whether it is to fail.
fn any_graph() -> impl Strategy<Value = Vec<(Vec<Node>, u8, bool)>> {
    let node = (prop::collection::vec(any::<u32>(), 0..4), 0..9_u8, prop::bool::weighted(0.1));
    prop::collection::vec(node, 0..40).prop_map(|nodes| {
        let place = |(at, (needs, time, fails)): (usize, (Vec<u32>, u8, bool))| {
            let needs = if at == 0 { Vec::new() } else { needs };
            (needs.into_iter().map(|need| need % (at as u32).max(1)).collect(), time, fails)
        };
        nodes.into_iter().enumerate().map(place).collect()
    })
}

/// The same by sets, without any cleverness.
#[derive(Default)]
struct Model {
    needs: BTreeMap<Node, BTreeSet<Node>>,
    outputs: BTreeSet<Node>,
    done: BTreeSet<Node>,
    failed: BTreeSet<Node>,
    running: BTreeSet<Node>,
}

impl Model {
    fn is_skipped(&self, node: Node) -> bool {
        self.needs[&node].iter().any(|need| self.failed.contains(need) || self.is_skipped(*need))
    }

    fn is_ready(&self, node: Node) -> bool {
        let ended = self.done.contains(&node) || self.failed.contains(&node);
        !ended && !self.running.contains(&node) && self.needs[&node].is_subset(&self.done)
    }

    fn is_free(&self, node: Node) -> bool {
        let mut readers = self.needs.iter().filter(|(_, needs)| needs.contains(&node)).map(|(node, _)| *node);
        let ended =
            |node: Node| self.done.contains(&node) || self.failed.contains(&node) || self.is_skipped(node);
        self.done.contains(&node) && !self.outputs.contains(&node) && readers.all(ended)
    }
}

proptest! {
    #[test]
    fn a_run_does_what_the_model_does(
        nodes in any_graph(), workers in 1..5_usize, picks in prop::collection::vec(any::<usize>(), 1..50),
        outputs in prop::collection::vec(any::<u32>(), 0..4),
    ) {
        let mut builder = Builder::default();
        let mut model = Model::default();
        for (needs, _, _) in &nodes {
            let node = builder.add(needs.iter().copied()).expect("needs come first");
            model.needs.insert(node, needs.iter().copied().collect());
        }
        let graph = Arc::new(builder.build());
        let mut outputs: Vec<Node> =
            outputs.into_iter().filter(|_| !nodes.is_empty()).map(|at| at % nodes.len() as u32).collect();
        outputs.extend(graph.nodes().filter(|node| graph.readers(*node).is_empty()));
        outputs.sort_unstable();
        outputs.dedup();
        model.outputs = outputs.iter().copied().collect();
        let mut run = Run::new(graph.clone(), &outputs, None);
        let (mut freed, mut skipped) = (BTreeSet::new(), BTreeSet::new());
        let (mut picks, mut again) = (picks.into_iter().cycle(), 20);
        loop {
            while model.running.len() < workers {
                let ready: Vec<Node> = graph.nodes().filter(|node| model.is_ready(*node)).collect();
                prop_assert_eq!(run.ready(), ready.len());
                let Some(node) = run.next() else { prop_assert!(ready.is_empty()); break };
                prop_assert!(ready.contains(&node));
                prop_assert!(graph.needs(node).iter().all(|need| !freed.contains(need)), "a need is gone");
                model.running.insert(node);
            }
            let pick = picks.next().unwrap_or(0);
            let Some(&node) = model.running.iter().nth(pick % model.running.len().max(1)) else { break };
            if pick % 7 == 0 && again > 0 {
                again -= 1;
                run.again(node);
                model.running.remove(&node);
                continue;
            }
            model.running.remove(&node);
            let (mut now_free, mut now_skipped) = (Vec::new(), Vec::new());
            if nodes[node as usize].2 {
                model.failed.insert(node);
                run.failed(node, &mut now_skipped, &mut now_free);
            } else {
                model.done.insert(node);
                run.done(node, &mut now_free);
            }
            for node in now_free {
                prop_assert!(freed.insert(node), "freed twice");
            }
            for node in now_skipped {
                prop_assert!(skipped.insert(node), "skipped twice");
                let route = graph.route(run.cause(node), &[node]).unwrap_or_default();
                prop_assert!(model.failed.contains(&route[0]) && route[route.len() - 1] == node);
                prop_assert!(route.windows(2).all(|pair| graph.needs(pair[1]).contains(&pair[0])));
            }
            for node in graph.nodes() {
                prop_assert_eq!(freed.contains(&node), model.is_free(node));
                prop_assert_eq!(skipped.contains(&node), model.is_skipped(node));
            }
            prop_assert_eq!(run.running(), model.running.len());
            prop_assert_eq!(run.ended(), model.done.len() + model.failed.len() + skipped.len());
        }
        prop_assert!(run.is_over());
    }

    #[test]
    fn a_schedule_keeps_within_the_bounds(nodes in any_graph(), workers in 1..6_usize) {
        let mut builder = Builder::default();
        for (needs, _, _) in &nodes {
            builder.add(needs.iter().copied()).expect("needs come first");
        }
        let graph = builder.build();
        let times: Vec<f64> = nodes.iter().map(|(_, time, _)| f64::from(*time)).collect();
        let analysis = Analysis::of(&graph, &times);
        let (lower, upper) = bounds(&analysis, workers);
        let reached = schedule(&graph, &times, workers);
        prop_assert!(lower - 1e-9 <= reached && reached <= upper + 1e-9, "{lower} {reached} {upper}");
        prop_assert_eq!(schedule(&graph, &times, 1), analysis.work);
        prop_assert_eq!(schedule(&graph, &times, 1000), analysis.span);
        let path = &analysis.critical_path;
        prop_assert_eq!(path.iter().map(|node| times[*node as usize]).sum::<f64>(), analysis.span);
        prop_assert!(path.windows(2).all(|pair| graph.needs(pair[1]).contains(&pair[0])));
    }
}
