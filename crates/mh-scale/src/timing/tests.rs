#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use super::*;

/// Times as machines give them: a hard lower end, a long upper one. Median e^mu.
fn times(random: &mut fastrand::Rng, count: usize, mu: f64, spread: f64) -> Vec<f64> {
    let normal = |random: &mut fastrand::Rng| {
        // Box and Muller's.
        (-2.0 * (1.0 - random.f64()).ln()).sqrt() * (std::f64::consts::TAU * random.f64()).cos()
    };
    (0..count).map(|_| (mu + spread * normal(random)).exp()).collect()
}

#[test]
fn a_summary_of_known_numbers() {
    let summary = Summary::of(&[3.0, 1.0, 2.0, 5.0, 4.0]).unwrap();
    assert_eq!((summary.mean, summary.median, summary.best, summary.worst), (3.0, 3.0, 1.0, 5.0));
    assert!((summary.deviation - 2.5_f64.sqrt()).abs() < 1e-15);
    // Five values: their range holds the median with 1 - 2/32.
    assert_eq!(summary.interval, Interval { low: 1.0, high: 5.0, confidence: 0.9375 });
    assert!(!summary.is_narrow(10.0));
    assert_eq!(summary.samples, [3.0, 1.0, 2.0, 5.0, 4.0]);
}

#[test]
fn ranks_of_the_interval_are_those_of_the_tables() {
    // Conover's table of the sign test, p = 0.5: how many values are left out at each end.
    for (count, left_out) in [
        (6, 0),
        (8, 0),
        (9, 1),
        (12, 2),
        (15, 3),
        (20, 5),
        (30, 9),
        (50, 17),
        (100, 39),
        (1000, 468),
        (1001, 468),
    ] {
        let values: Vec<f64> = (0..count).map(f64::from).collect();
        let interval = Summary::of(&values).unwrap().interval;
        assert_eq!(
            (interval.low, interval.high),
            (f64::from(left_out), f64::from(count - 1 - left_out)),
            "{count}"
        );
        assert!(interval.confidence >= 0.95);
    }
}

#[test]
fn one_measurement_is_no_interval() {
    let summary = Summary::of(&[2.0]).unwrap();
    assert_eq!(summary.interval, Interval { low: 2.0, high: 2.0, confidence: 0.0 });
    assert_eq!((summary.deviation, summary.outliers.len()), (0.0, 0));
    assert!(!summary.is_narrow(1.0));
}

#[test]
fn what_is_no_time_is_refused() {
    assert_eq!(Summary::of(&[]), Err(TimingError::None));
    for wrong in [f64::NAN, f64::INFINITY, -1.0] {
        assert_eq!(Summary::of(&[1.0, wrong]), Err(TimingError::NotATime));
    }
    let (none, some) = (Summary::of(&[0.0]).unwrap(), Summary::of(&[1.0]).unwrap());
    assert_eq!(Ratio::of(&some, &none), Err(TimingError::NoTime));
}

#[test]
fn the_median_lies_in_its_interval_as_often_as_it_says() {
    let mut random = fastrand::Rng::with_seed(1);
    for count in [5, 9, 14, 31] {
        let mut inside = 0;
        let mut said = 0.0;
        for _ in 0..2000 {
            let summary = Summary::of(&times(&mut random, count, 0.0, 0.3)).unwrap();
            inside += u32::from(summary.interval.contains(1.0));
            said = summary.interval.confidence;
        }
        assert!(f64::from(inside) / 2000.0 > said - 0.015, "{count}: {inside} of 2000, and {said} was said");
    }
}

#[test]
fn outliers_are_named() {
    let summary = Summary::of(&[1.0, 1.1, 0.9, 9.0, 1.0, 1.05, 0.95, 1.6]).unwrap();
    assert_eq!(
        summary.outliers,
        [Outlier { index: 3, seconds: 9.0, far: true }, Outlier { index: 7, seconds: 1.6, far: false }]
    );
    assert!(Summary::of(&[1.0, 1.0, 9.0]).unwrap().outliers.is_empty());
}

#[test]
fn a_ratio_of_medians_lies_in_its_interval() {
    let mut random = fastrand::Rng::with_seed(2);
    for (above, below) in [(9, 9), (12, 31), (60, 10)] {
        let mut inside = 0;
        for _ in 0..1000 {
            let one = Summary::of(&times(&mut random, above, 1.0, 0.1)).unwrap();
            let other = Summary::of(&times(&mut random, below, 0.0, 0.4)).unwrap();
            inside += u32::from(Ratio::of(&one, &other).unwrap().interval.contains(std::f64::consts::E));
        }
        assert!(inside >= 935, "{inside} of 1000");
    }
}

#[test]
fn ratios_say_whether_they_are_sure() {
    let slow = Summary::of(&[2.0, 2.1, 1.9, 2.0, 2.05, 1.95, 2.0, 2.0, 2.0]).unwrap();
    let fast = Summary::of(&[1.0, 1.1, 0.9, 1.0, 1.05, 0.95, 1.0, 1.0, 1.0]).unwrap();
    assert!(Ratio::of(&slow, &fast).unwrap().is_more() && Ratio::of(&fast, &slow).unwrap().is_less());
    let same = Ratio::of(&slow, &slow).unwrap();
    assert!(same.value == 1.0 && !same.is_more() && !same.is_less());
}

/// A nanosecond, about, as a power of two: times are kept exactly.
const FINE: f64 = 1.0 / 1_073_741_824.0;

/// A machine on which so many calls take as long as `call` says; its clock ticks.
fn repeated(
    patience: Patience,
    granularity: f64,
    mut call: impl FnMut(u64) -> f64,
) -> (Repetition, Enough, f64) {
    let mut now = 100.0;
    let mut repetition = Repetition::new(patience, granularity, now);
    loop {
        let loops = match repetition.step() {
            Step::Probe { loops } | Step::Sample { loops } => loops,
            Step::Stop(why) => return (repetition, why, now - 100.0),
        };
        let took = call(loops);
        now += took;
        repetition.record((took / granularity).round() * granularity, now);
    }
}

#[test]
fn short_calls_are_made_often_enough_for_the_clock() {
    let (repetition, why, _) = repeated(Patience::of(2.0), 1e-6, |loops| 1e-6 * loops as f64);
    assert_eq!((repetition.loops(), why), (10_000, Enough::Narrow));
    assert_eq!(repetition.times().len(), 9);
    assert!(repetition.times().iter().all(|seconds| (seconds / 1e-6 - 1.0).abs() < 1e-3));
    // A clock that ticks a hundred times in a second needs longer samples.
    let (repetition, ..) = repeated(Patience::of(200.0), 0.01, |loops| 1e-3 * loops as f64);
    assert!(repetition.loops() >= 10_000, "{}", repetition.loops());
}

#[test]
fn a_long_call_is_not_made_twice_for_nothing() {
    let (repetition, why, spent) = repeated(Patience::of(2.0), FINE, |_| 30.0);
    assert_eq!((repetition.times(), why, spent), (&[30.0][..], Enough::Spent, 30.0));
    let (repetition, why, spent) = repeated(Patience::of(2.0), FINE, |_| 0.6);
    assert_eq!((repetition.times().len(), why), (3, Enough::Spent));
    assert!(spent <= 2.0);
}

#[test]
fn noise_is_met_with_more_samples_within_the_budget() {
    let mut random = fastrand::Rng::with_seed(3);
    let (quiet, why, _) =
        repeated(Patience::of(1.5), FINE, |loops| loops as f64 * times(&mut random, 1, -4.0, 0.001)[0]);
    assert_eq!(why, Enough::Narrow);
    let mut random = fastrand::Rng::with_seed(3);
    let (noisy, why, spent) =
        repeated(Patience::of(1.5), FINE, |loops| loops as f64 * times(&mut random, 1, -4.0, 0.5)[0]);
    assert_eq!(why, Enough::Spent);
    assert!(noisy.times().len() > 4 * quiet.times().len() && spent <= 1.6);
    let patience = Patience { most: 20, ..Patience::of(50.0) };
    assert_eq!(
        repeated(patience, FINE, |loops| loops as f64 * times(&mut random, 1, -4.0, 0.5)[0]).1,
        Enough::Many
    );
}

#[test]
fn a_call_without_time_ends_too() {
    let (repetition, ..) = repeated(Patience::of(0.1), FINE, |loops| 1e-10 * loops as f64);
    assert!(!repetition.times().is_empty());
    let (repetition, why, _) = repeated(Patience::of(0.0), FINE, |loops| 1e-3 * loops as f64);
    assert_eq!((repetition.times().len(), why), (1, Enough::Spent));
}

/// Runs a sweep over things that take so long; which were run in which order.
fn swept(
    patience: Patience,
    seed: u64,
    mut call: impl FnMut(usize) -> f64,
    things: usize,
) -> (Sweep, Vec<Turn>, f64) {
    let mut now = 5.0;
    let mut sweep = Sweep::new(things, patience, seed, now);
    let mut turns = Vec::new();
    loop {
        let turn = sweep.turn();
        turns.push(turn);
        let took = match turn {
            Turn::Warm(thing) => 3.0 * call(thing),
            Turn::Run(thing) => call(thing),
            Turn::Stop(_) => return (sweep, turns, now - 5.0),
        };
        now += took;
        sweep.record(turn, took, now);
    }
}

#[test]
fn a_sweep_warms_up_then_goes_round_in_random_order() {
    let patience = Patience { least: 6, ..Patience::of(100.0) };
    let (sweep, turns, _) = swept(patience, 7, |thing| 1.0 + thing as f64 / 10.0, 3);
    assert_eq!(turns[..3], [Turn::Warm(0), Turn::Warm(1), Turn::Warm(2)]);
    assert_eq!(*turns.last().unwrap(), Turn::Stop(Enough::Narrow));
    let rounds: Vec<Vec<Turn>> = turns[3..21].chunks(3).map(<[Turn]>::to_vec).collect();
    for round in &rounds {
        for thing in 0..3 {
            assert!(round.contains(&Turn::Run(thing)));
        }
    }
    assert!(rounds.iter().any(|round| *round != rounds[0]), "the order changes");
    assert_eq!(
        turns,
        swept(patience, 7, |thing| 1.0 + thing as f64 / 10.0, 3).1,
        "the same seed, the same order"
    );
    // What it took to warm up is no sample.
    assert_eq!(sweep.samples(1), [1.1; 6]);
}

#[test]
fn a_sweep_spends_its_time_on_what_is_not_yet_known() {
    let mut random = fastrand::Rng::with_seed(4);
    let call = |thing: usize| if thing == 0 { 0.1 } else { times(&mut random, 1, -2.3, 0.2)[0] };
    let (sweep, turns, spent) = swept(Patience { least: 6, ..Patience::of(10.0) }, 7, call, 2);
    assert_eq!(*turns.last().unwrap(), Turn::Stop(Enough::Spent));
    assert_eq!(sweep.samples(0).len(), 6);
    assert!(sweep.samples(1).len() > 20);
    assert!(spent <= 10.0);
}

#[test]
fn a_sweep_that_is_longer_than_its_budget() {
    let (sweep, turns, _) = swept(Patience::of(10.0), 7, |_| 30.0, 3);
    assert_eq!(turns, [Turn::Warm(0), Turn::Stop(Enough::Spent)]);
    assert!(!sweep.is_whole());
    assert_eq!((sweep.samples(0), sweep.samples(1)), (vec![90.0], vec![]));
    let (sweep, ..) = swept(Patience::of(10.0), 7, |_| 1.5, 2);
    assert!(sweep.is_whole());
    assert_eq!(sweep.samples(0).len(), 1, "one run of each had room");
}
