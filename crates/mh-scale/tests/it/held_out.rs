//! Numbers of workers that were not tried lie inside of the predicted interval.

use mh_scale::fit::Fit;
use mh_scale::law::Scaling;

use crate::machine::Machine;

#[test]
fn on_machines_of_64_workers() {
    let machines = [
        Machine { items: 1920, unlike: 0.0, ..Machine::default() },
        Machine { items: 1920, serial: 0.6, ..Machine::default() },
        Machine { items: 1920, transfer: 0.004, serial: 0.2, ..Machine::default() },
        Machine { items: 1920, coherence: 2e-4, ..Machine::default() },
        Machine { items: 1920, coherence: 5e-5, serial: 0.3, ..Machine::default() },
    ];
    for machine in machines {
        let mut inside = 0;
        for seed in 0..30 {
            let mut random = fastrand::Rng::with_seed(seed);
            let fit =
                Fit::of(Scaling::Strong, &machine.measure(&[1, 2, 4, 8, 16, 32], 5, &mut random)).unwrap();
            for held in [24, 48, 64] {
                let mut found = machine.measure(&[held], 5, &mut random)[0].samples.clone();
                found.sort_by(f64::total_cmp);
                let expected = fit.predict(held);
                inside += u32::from(expected.low <= found[2] && found[2] <= expected.high);
            }
        }
        assert!(inside >= 83, "{machine:?}: {inside} of 90");
    }
}
