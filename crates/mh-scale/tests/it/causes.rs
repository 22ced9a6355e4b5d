//! A known fault is found, and its cause is named.

use mh_scale::fit::Fit;
use mh_scale::law::{Law, Scaling};
use mh_scale::why::{Account, Cause, Measured, Memory, Observed, Part, Verdict, verdict};

use crate::machine::Machine;

const COUNTS: [u32; 5] = [1, 2, 4, 8, 16];

fn judged(machine: &Machine, seed: u64) -> (Fit, Account, Verdict) {
    let mut random = fastrand::Rng::with_seed(seed);
    let fit = Fit::of(Scaling::Strong, &machine.measure(&COUNTS, 5, &mut random)).unwrap();
    let memory = probed(machine, 16, &mut random);
    let seen = machine.run(16, &mut random);
    let seen = Observed { memory: memory.as_ref().map(|memory| memory.longer), ..seen };
    let account = Account::of(&seen).unwrap();
    let speedup = (seen.alone + machine.serial) / seen.wall;
    let measured = Measured {
        cores: 16,
        workers: 16,
        plain: true,
        speedup,
        best: (16, speedup),
        waits: false,
        fit: Some(&fit),
        account: Some(&account),
        memory: memory.as_ref(),
    };
    let said = verdict(&measured);
    (fit, account, said)
}

/// What the machine's memory is found to have to do with it.
fn probed(machine: &Machine, workers: u32, random: &mut fastrand::Rng) -> Option<Memory> {
    let roof = machine.roof(workers, random);
    let (computing, streaming) = machine.beside(workers - 1, 8, random);
    Memory::of(&roof, workers, &computing, &streaming).unwrap()
}

/// The cause is named in 46 of 50 runs, and the shares are the whole.
fn check(machine: Machine, cause: Cause, part: Part, share: std::ops::Range<f64>, words: &str) {
    let mut named = 0;
    for seed in 0..50 {
        let (_, account, said) = judged(&machine, seed);
        let sum: f64 = account.shares.iter().map(|(_, share)| share).sum();
        assert!(
            (sum - 1.0).abs() < 1e-9 && account.shares.iter().all(|(_, share)| *share >= -1e-9),
            "{account:?}"
        );
        assert!(share.contains(&account.share(part)), "{part:?}: {account:?}");
        named += u32::from(said.cause == cause && said.text.contains(words));
    }
    assert!(named >= 46, "{cause:?}: {named} of 50; {:?}", judged(&machine, 0).2);
}

#[test]
fn nothing() {
    check(Machine::default(), Cause::Nothing, Part::Function, 0.95..1.001, "Nothing keeps it from scaling");
}

#[test]
fn a_serial_part() {
    check(
        Machine { serial: 0.32, ..Machine::default() },
        Cause::Serial,
        Part::Caller,
        0.4..0.5,
        "Amdahl's law fits",
    );
}

#[test]
fn the_serial_fraction_lies_in_its_interval() {
    let machine = Machine { serial: 0.32, unlike: 0.0, ..Machine::default() };
    let truth = 0.32 / (0.32 + 6.4);
    let mut inside = 0;
    for seed in 0..400 {
        let mut random = fastrand::Rng::with_seed(seed);
        let fit = Fit::of(Scaling::Strong, &machine.measure(&COUNTS, 4, &mut random)).unwrap();
        let serial = fit.laws.iter().find(|fitted| fitted.law == Law::Amdahl).unwrap().parameters[0];
        inside += u32::from(serial.low <= truth && truth <= serial.high);
    }
    assert!(inside >= 368, "{inside} of 400");
}

#[test]
fn transfer() {
    check(
        Machine { transfer: 0.02, ..Machine::default() },
        Cause::Transfer,
        Part::Transfer,
        0.6..0.72,
        "Send less",
    );
}

#[test]
fn dispatch() {
    let machine = Machine { item: 1e-5, dispatch: 3e-5, ..Machine::default() };
    check(machine, Cause::Dispatch, Part::Dispatch, 0.6..0.8, "Give each item more to do");
}

#[test]
fn imbalance() {
    let machine = Machine { items: 320, last: 60.0, ..Machine::default() };
    check(machine, Cause::Imbalance, Part::Imbalance, 0.6..0.8, "the longest items");
}

#[test]
fn the_interpreters_lock() {
    let machine = Machine { locked: 0.5, interpreter: true, ..Machine::default() };
    check(machine, Cause::Gil, Part::Gil, 0.7..0.9, "take processes");
}

#[test]
fn contention() {
    check(
        Machine { locked: 0.2, ..Machine::default() },
        Cause::Contention,
        Part::Waiting,
        0.5..0.75,
        "Look for what they share",
    );
}

#[test]
fn memory_bandwidth() {
    let machine = Machine { memory: 1.0, roof: 4.0, ..Machine::default() };
    check(machine, Cause::Bandwidth, Part::Bandwidth, 0.68..0.8, "GB/s to 16; alone, the function");
    let machine = Machine { memory: 0.6, roof: 4.0, ..Machine::default() };
    check(machine, Cause::Bandwidth, Part::Bandwidth, 0.48..0.65, "needs it for");
}

#[test]
fn coherence_is_what_the_law_says() {
    let machine = Machine { coherence: 0.003, ..Machine::default() };
    check(machine, Cause::Coherence, Part::Unexplained, 0.38..0.48, "the peak is at");
}

#[test]
fn what_no_measurement_explains_stays_unexplained() {
    let seen =
        Observed { run: 4.0, wall: 2.0, ..Machine::default().run(4, &mut fastrand::Rng::with_seed(1)) };
    let account = Account::of(&Observed { end: 0.0, alone: 4.0, alone_cpu: None, ..seen }).unwrap();
    assert_eq!(account.share(Part::Unexplained), 0.5);
    let said = verdict(&Measured {
        cores: 4,
        workers: 4,
        plain: true,
        speedup: 2.0,
        best: (4, 2.0),
        waits: false,
        fit: None,
        account: Some(&account),
        memory: None,
    });
    assert_eq!(said.cause, Cause::Unexplained);
    assert!(said.text.contains("does not explain it"), "{}", said.text);
}

#[test]
fn more_workers_than_cores_and_one_core() {
    let of = |cores, workers, speedup| {
        verdict(&Measured {
            cores,
            workers,
            plain: true,
            speedup,
            best: (workers, speedup),
            waits: false,
            fit: None,
            account: None,
            memory: None,
        })
    };
    assert_eq!(of(8, 40, 7.6).cause, Cause::Cores);
    assert!(of(8, 40, 7.6).text.contains("There are 8 cores"));
    assert_eq!(of(1, 1, 0.98).cause, Cause::OneCore);
    assert_eq!(of(1, 4, 0.98).cause, Cause::OneCore);
    assert!(
        of(1, 4, 0.98)
            .text
            .starts_with("Nothing was gained: 4 workers took 1.02 times as long as a plain loop.")
    );
    assert_eq!(of(8, 8, 3.0).cause, Cause::Unexplained);
}

#[test]
fn measurements_that_cannot_be_are_refused() {
    let seen = Machine::default().run(4, &mut fastrand::Rng::with_seed(1));
    for wrong in [
        Observed { wall: 0.0, ..seen },
        Observed { workers: 0, ..seen },
        Observed { transfer: -1.0, ..seen },
        Observed { run: f64::NAN, ..seen },
        Observed { run: 5.0 * seen.wall, ..seen },
    ] {
        assert!(Account::of(&wrong).is_err());
    }
}

/// The share that a part has on average over many runs lies in its interval.
fn known(machine: Machine, part: Part) {
    let machine = Machine { items: 160, ..machine };
    let account = |random: &mut fastrand::Rng| Account::of(&machine.run(8, random)).unwrap();
    let mut random = fastrand::Rng::with_seed(7);
    let truth = (0..2000).map(|_| account(&mut random).share(part)).sum::<f64>() / 2000.0;
    let mut inside = 0;
    for seed in 0..400 {
        let mut random = fastrand::Rng::with_seed(seed);
        let runs: Vec<Account> = (0..4).map(|_| account(&mut random)).collect();
        let (low, high) = Account::together(&runs).unwrap().interval(part);
        inside += u32::from(low <= truth && truth <= high);
        assert!(high - low < 0.2, "{part:?}: {low} to {high}");
    }
    assert!(inside >= 368, "{part:?}: {inside} of 400");
}

#[test]
fn known_shares_lie_in_their_intervals() {
    known(Machine { locked: 0.3, interpreter: true, ..Machine::default() }, Part::Gil);
    known(Machine { locked: 0.2, ..Machine::default() }, Part::Waiting);
    known(Machine { transfer: 0.01, ..Machine::default() }, Part::Transfer);
    known(Machine { last: 15.0, ..Machine::default() }, Part::Imbalance);
    known(Machine { serial: 0.1, ..Machine::default() }, Part::Caller);
    known(Machine { coherence: 0.003, ..Machine::default() }, Part::Unexplained);
}

#[test]
fn one_run_tells_no_interval_and_none_no_share() {
    let account = Account::of(&Machine::default().run(4, &mut fastrand::Rng::with_seed(1))).unwrap();
    let one = Account::together(std::slice::from_ref(&account)).unwrap();
    assert_eq!((one.interval(Part::Function), &one), ((0.0, 1.0), &account));
    assert_eq!(Account::together(&[]), None);
}

#[test]
fn who_waits_needs_no_core_and_no_lock() {
    // Threads that wait for a lock of their own, while the interpreter has little to do.
    let machine = Machine { locked: 0.5, interpreter: true, ..Machine::default() };
    let seen = machine.run(4, &mut fastrand::Rng::with_seed(1));
    let seen = Observed {
        cpu: Some(0.1 * seen.wall),
        alone_cpu: Some(0.1 * seen.wall),
        alone_ready: 0.1 * seen.alone,
        ..seen
    };
    let account = Account::of(&seen).unwrap();
    assert!(account.share(Part::Waiting) > 0.3 && account.share(Part::Gil) == 0.0, "{account:?}");
    let said = |waits| {
        let account = Some(&account);
        verdict(&Measured {
            cores: 2,
            workers: 4,
            plain: true,
            speedup: 1.9,
            best: (4, 1.9),
            waits,
            fit: None,
            account,
            memory: None,
        })
        .cause
    };
    assert_eq!((said(true), said(false)), (Cause::Contention, Cause::Cores));
}

#[test]
fn short_items_are_a_matter_of_handing_out() {
    let machine = Machine { item: 1e-6, ..Machine::default() };
    let seen = machine.run(4, &mut fastrand::Rng::with_seed(1));
    let seen = Observed { wall: 10.0 * seen.wall, idle: 36.0 * seen.wall, ..seen };
    let account = Account::of(&seen).unwrap();
    assert!(account.share(Part::Dispatch) > 0.8 && account.share(Part::Caller) == 0.0, "{account:?}");
}

/// In a seeded run: is bandwidth named?
fn names_bandwidth(machine: &Machine, seed: u64) -> bool {
    let mut random = fastrand::Rng::with_seed(seed);
    let memory = probed(machine, 16, &mut random);
    let seen = machine.run(16, &mut random);
    let seen = Observed { memory: memory.as_ref().map(|memory| memory.longer), ..seen };
    let account = Account::of(&seen).unwrap();
    let speedup = seen.alone / seen.wall;
    let said = verdict(&Measured {
        cores: 16,
        workers: 16,
        plain: true,
        speedup,
        best: (16, speedup),
        waits: false,
        fit: None,
        account: Some(&account),
        memory: memory.as_ref(),
    });
    said.cause == Cause::Bandwidth || said.text.contains("GB/s") || account.share(Part::Bandwidth) > 0.05
}

#[test]
fn bandwidth_is_named_where_it_is_the_cause_and_nowhere_else() {
    let named = |machine: Machine| (0..400).filter(|seed| names_bandwidth(&machine, *seed)).count();
    assert!(named(Machine { items: 80, memory: 0.7, roof: 5.0, ..Machine::default() }) >= 368);
    // As slow beside each other, but not for want of memory: it moves none, or the roof is high enough for all.
    let coherent = Machine { items: 80, coherence: 0.003, ..Machine::default() };
    assert!(named(Machine { roof: 4.0, ..coherent }) <= 32);
    assert!(named(Machine { memory: 0.7, roof: 16.0, ..coherent }) <= 32);
    // Sensitive to others' streams, while copies of it stay far below the roof.
    assert!(named(Machine { memory: 0.1, roof: 8.0, ..coherent }) <= 32);
}

#[test]
fn the_share_of_bandwidth_lies_in_its_interval() {
    let machine = Machine { items: 80, memory: 0.6, roof: 3.0, ..Machine::default() };
    let mut random = fastrand::Rng::with_seed(7);
    let slower = |seen: &Observed| (seen.run - seen.alone) / (seen.wall * 8.0);
    let truth = (0..400).map(|_| slower(&machine.run(8, &mut random))).sum::<f64>() / 400.0;
    let mut inside = 0;
    for seed in 0..400 {
        let mut random = fastrand::Rng::with_seed(seed);
        let longer = probed(&machine, 8, &mut random).map(|memory| memory.longer);
        let runs: Vec<Account> = (0..4)
            .map(|_| Account::of(&Observed { memory: longer, ..machine.run(8, &mut random) }).unwrap())
            .collect();
        let account = Account::together(&runs).unwrap();
        let (low, high) = account.interval(Part::Bandwidth);
        inside += u32::from(low <= truth && truth <= high);
        assert!(high - low < 0.2, "{low} to {high}");
    }
    assert!(inside >= 368, "{inside} of 400");
}
