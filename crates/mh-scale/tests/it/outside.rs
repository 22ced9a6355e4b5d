//! Times that another program gave: `amdahl` 0.4.1 of the Python package index, which sleeps as Amdahl's law says, over MPI
//! (`mpiexec -n N amdahl -w 20 -p 0.8 --terse`, each five times). Its serial part of 0.2 is made up to a fifth longer by chance, as
//! the parallel part of each rank is, so that 0.2 is still the share.

use mh_scale::fit::{Fit, Point};
use mh_scale::law::{Law, Scaling};
use mh_scale::why::{Cause, Measured, verdict};

fn points() -> Vec<Point> {
    let times: [(u32, [f64; 5]); 4] = [
        (1, [22.411, 22.305, 21.564, 23.727, 22.287]),
        (2, [13.079, 13.378, 12.892, 12.733, 12.603]),
        (4, [8.694, 9.306, 8.551, 8.947, 8.811]),
        (8, [6.182, 6.587, 6.799, 7.056, 6.476]),
    ];
    times.iter().map(|(workers, samples)| Point { workers: *workers, samples: samples.to_vec() }).collect()
}

#[test]
fn the_serial_part_of_amdahl_is_found() {
    let fit = Fit::of(Scaling::Strong, &points()).unwrap();
    let best = fit.best();
    assert_eq!(best.law, Law::Amdahl);
    let serial = best.parameters[0];
    assert!(serial.low <= 0.2 && 0.2 <= serial.high && serial.high - serial.low < 0.06, "{serial:?}");
    assert!(!best.misfit);
    let said = verdict(&Measured {
        cores: 8,
        workers: 8,
        plain: true,
        speedup: 3.2,
        best: (8, 3.2),
        waits: false,
        fit: Some(&fit),
        account: None,
        memory: None,
    });
    assert_eq!(said.cause, Cause::Serial);
}

#[test]
fn and_eight_ranks_are_predicted_from_fewer() {
    let (held, known): (Vec<Point>, Vec<Point>) = points().into_iter().partition(|point| point.workers == 8);
    let expected = Fit::of(Scaling::Strong, &known).unwrap().predict(8);
    let mut found = held[0].samples.clone();
    found.sort_by(f64::total_cmp);
    assert!(expected.low <= found[2] && found[2] <= expected.high, "{expected:?}");
}
