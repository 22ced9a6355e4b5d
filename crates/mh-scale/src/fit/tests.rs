#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]

use super::*;

const COUNTS: [u32; 7] = [1, 2, 4, 8, 16, 32, 64];

fn normal(random: &mut fastrand::Rng) -> f64 {
    // Box and Muller's.
    (-2.0 * (1.0 - random.f64()).ln()).sqrt() * (std::f64::consts::TAU * random.f64()).cos()
}

/// Times that follow a law, with an error of `spread` in each.
fn measured(
    law: Law,
    scaling: Scaling,
    parameters: &[f64],
    counts: &[u32],
    runs: usize,
    spread: f64,
    random: &mut fastrand::Rng,
) -> Vec<Point> {
    let time = |workers: u32| 3.0 * law.log_time(scaling, f64::from(workers), parameters).exp();
    counts
        .iter()
        .map(|&workers| {
            let samples = (0..runs).map(|_| time(workers) * (spread * normal(random)).exp()).collect();
            Point { workers, samples }
        })
        .collect()
}

/// How many of 400 seeded runs have each parameter inside of its interval.
fn inside(
    law: Law,
    scaling: Scaling,
    parameters: &[f64],
    counts: &[u32],
    runs: usize,
    spread: f64,
) -> Vec<u32> {
    let mut inside = vec![0; parameters.len()];
    for seed in 0..400 {
        let mut random = fastrand::Rng::with_seed(seed);
        let points = measured(law, scaling, parameters, counts, runs, spread, &mut random);
        let fitted = fitted(&Data::of(scaling, &points).unwrap(), law);
        for (count, (found, truth)) in inside.iter_mut().zip(fitted.parameters.iter().zip(parameters)) {
            *count += u32::from(found.low <= *truth && *truth <= found.high);
        }
    }
    inside
}

#[test]
fn parameters_lie_in_their_intervals_in_92_of_100_runs() {
    let cases: [(Law, Scaling, &[f64]); 8] = [
        (Law::Amdahl, Scaling::Strong, &[0.05]),
        (Law::Amdahl, Scaling::Strong, &[0.4]),
        (Law::Amdahl, Scaling::Weak, &[0.1]),
        (Law::Gustafson, Scaling::Weak, &[0.1]),
        (Law::Gustafson, Scaling::Strong, &[0.3]),
        (Law::Universal, Scaling::Strong, &[0.03, 1e-4]),
        (Law::Universal, Scaling::Strong, &[0.2, 2e-3]),
        (Law::Universal, Scaling::Weak, &[0.05, 5e-4]),
    ];
    for (law, scaling, parameters) in cases {
        for (counts, runs, spread) in [(&COUNTS[..], 5, 0.02), (&COUNTS[..5], 3, 0.05)] {
            let inside = inside(law, scaling, parameters, counts, runs, spread);
            assert!(inside.iter().all(|count| *count >= 368), "{law:?} {parameters:?}: {inside:?} of 400");
        }
    }
}

#[test]
fn at_a_bound_too() {
    for (law, parameters) in [
        (Law::Amdahl, &[0.0][..]),
        (Law::Amdahl, &[1.0]),
        (Law::Gustafson, &[0.0]),
        (Law::Universal, &[0.0, 1e-3]),
        (Law::Universal, &[0.1, 0.0]),
        (Law::Universal, &[0.0, 0.0]),
    ] {
        let inside = inside(law, Scaling::Strong, parameters, &COUNTS, 4, 0.03);
        assert!(inside.iter().all(|count| *count >= 368), "{law:?} {parameters:?}: {inside:?} of 400");
    }
}

#[test]
fn few_worker_counts_are_not_said_to_be_sure() {
    // Two cores: two numbers of workers. Three cores. One run of each.
    for (counts, runs) in [(&COUNTS[..2], 5), (&COUNTS[..3], 5), (&COUNTS[..3], 1), (&COUNTS[..5], 1)] {
        let inside = inside(Law::Amdahl, Scaling::Strong, &[0.2], counts, runs, 0.03);
        assert!(inside[0] >= 368, "{counts:?}: {inside:?} of 400");
    }
    let points = measured(Law::Amdahl, Scaling::Strong, &[0.2], &[1, 2], 1, 0.0, &mut fastrand::Rng::new());
    let fit = Fit::of(Scaling::Strong, &points).unwrap();
    assert_eq!((fit.best().parameters[0].low, fit.best().parameters[0].high), (0.0, 1.0));
    assert!((fit.best().parameters[0].value - 0.2).abs() < 1e-6);
    let expected = fit.predict(8);
    assert!(expected.low < 1e-3 * expected.seconds && expected.high > 1e3 * expected.seconds);
}

#[test]
fn under_four_worker_counts_only_amdahl() {
    let mut random = fastrand::Rng::with_seed(1);
    let points = measured(Law::Universal, Scaling::Strong, &[0.1, 0.1], &[1, 2, 4], 9, 0.01, &mut random);
    let fit = Fit::of(Scaling::Strong, &points).unwrap();
    assert_eq!(fit.laws.iter().map(|fitted| fitted.law).collect::<Vec<_>>(), [Law::Amdahl]);
    assert!(!fit.is_told());
    assert!(fit.best().misfit, "and the report may say that it does not fit");
}

#[test]
fn the_law_of_the_data_is_chosen() {
    let cases: [(Law, Scaling, &[f64]); 4] = [
        (Law::Amdahl, Scaling::Strong, &[0.1]),
        (Law::Gustafson, Scaling::Weak, &[0.2]),
        (Law::Universal, Scaling::Strong, &[0.05, 1e-3]),
        (Law::Universal, Scaling::Weak, &[0.05, 1e-3]),
    ];
    for (law, scaling, parameters) in cases {
        let mut chosen = 0;
        for seed in 0..100 {
            let mut random = fastrand::Rng::with_seed(seed);
            let points = measured(law, scaling, parameters, &COUNTS, 7, 0.02, &mut random);
            chosen += u32::from(Fit::of(scaling, &points).unwrap().best().law == law);
        }
        assert!(chosen >= 90, "{law:?}: {chosen} of 100");
    }
}

#[test]
fn worker_counts_that_were_held_out_lie_in_the_predicted_intervals() {
    let cases: [(Law, &[f64]); 4] = [
        (Law::Amdahl, &[0.02]),
        (Law::Amdahl, &[0.3]),
        (Law::Universal, &[0.03, 2e-4]),
        (Law::Universal, &[0.1, 3e-3]),
    ];
    for (law, parameters) in cases {
        let mut inside = 0;
        for seed in 0..400 {
            let mut random = fastrand::Rng::with_seed(seed);
            let points = measured(law, Scaling::Strong, parameters, &COUNTS, 5, 0.02, &mut random);
            let (held, known): (Vec<Point>, Vec<Point>) =
                points.into_iter().partition(|point| point.workers == 64);
            let expected = Fit::of(Scaling::Strong, &known).unwrap().predict(64);
            let mut found = held[0].samples.clone();
            found.sort_by(f64::total_cmp);
            inside += u32::from(expected.low <= found[2] && found[2] <= expected.high);
        }
        assert!(inside >= 368, "{law:?} {parameters:?}: {inside} of 400");
    }
}

#[test]
fn outliers_widen_and_do_not_mislead() {
    let mut inside = 0;
    for seed in 0..400 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut points = measured(Law::Amdahl, Scaling::Strong, &[0.1], &COUNTS, 7, 0.01, &mut random);
        for point in &mut points {
            if random.f64() < 0.5 {
                point.samples[random.usize(..7)] *= 3.0;
            }
        }
        let found = Fit::of(Scaling::Strong, &points).unwrap();
        let amdahl = found.laws.iter().find(|fitted| fitted.law == Law::Amdahl).unwrap().parameters[0];
        inside += u32::from(amdahl.low <= 0.1 && 0.1 <= amdahl.high);
    }
    assert!(inside >= 368, "{inside} of 400");
}

#[test]
fn exact_times_give_exact_parameters() {
    for (law, parameters) in
        [(Law::Amdahl, &[0.25][..]), (Law::Gustafson, &[0.25]), (Law::Universal, &[0.25, 0.004])]
    {
        let points = measured(law, Scaling::Strong, parameters, &COUNTS, 2, 0.0, &mut fastrand::Rng::new());
        let fit = Fit::of(Scaling::Strong, &points).unwrap();
        let fitted = fit.laws.iter().find(|fitted| fitted.law == law).unwrap();
        for (found, truth) in fitted.parameters.iter().zip(parameters) {
            assert!((found.value - truth).abs() < 1e-6, "{law:?}: {found:?}");
            assert!(found.low <= *truth && *truth <= found.high && found.high - found.low < 0.01 * truth);
        }
        assert!((fitted.one_worker - 3.0).abs() < 1e-5 && !fitted.misfit);
    }
}

#[test]
fn what_cannot_be_fitted_is_refused() {
    let point = |workers: u32, samples: &[f64]| Point { workers, samples: samples.to_vec() };
    for (points, why) in [
        (vec![point(1, &[1.0])], FitError::TooFew),
        (vec![point(1, &[1.0]), point(1, &[1.0])], FitError::Twice),
        (vec![point(0, &[1.0]), point(1, &[1.0])], FitError::NoWorkers),
        (vec![point(1, &[1.0]), point(2, &[])], FitError::NotATime),
        (vec![point(1, &[1.0]), point(2, &[0.0])], FitError::NotATime),
        (vec![point(1, &[1.0]), point(2, &[f64::NAN])], FitError::NotATime),
    ] {
        assert_eq!(Fit::of(Scaling::Strong, &points).unwrap_err(), why);
    }
}

#[test]
fn what_laws_say() {
    assert_eq!(Law::Amdahl.limit(&[0.1]), Some(10.0));
    assert_eq!(Law::Amdahl.limit(&[0.0]), None);
    assert_eq!(Law::Gustafson.speedup(10.0, &[0.1]), 9.1);
    let peak = Law::Universal.peak(&[0.1, 0.001]).unwrap();
    assert_eq!(peak, 30.0);
    assert_eq!(Law::Universal.limit(&[0.1, 0.001]), Some(Law::Universal.speedup(peak, &[0.1, 0.001])));
    let without = Law::Universal.speedup(7.0, &[0.2, 0.0]);
    assert!((without - Law::Amdahl.speedup(7.0, &[0.2])).abs() < 1e-12, "without coherence it is Amdahl's");
    // Karp and Flatt's fraction of Amdahl's law is its parameter, for any number of workers.
    for workers in [2.0, 5.0, 64.0] {
        assert!(
            (crate::law::karp_flatt(Law::Amdahl.speedup(workers, &[0.07]), workers) - 0.07).abs() < 1e-12
        );
    }
}
