//! Which worlds are tried: one of each kind, many drawn at random, and the large one.

use mh_engine::{Index, JobId, JobOptions, Nanos, OnError, Outcome};
use proptest::prelude::*;

use crate::rng::{Rng, fate};
use crate::sim::{Report, run};
use crate::world::{JobPlan, Plan};

const MICRO: Nanos = 1_000;
const MILLI: Nanos = 1_000_000;
const SECOND: Nanos = 1_000_000_000;

fn plan(workers: usize, jobs: Vec<JobPlan>) -> Plan {
    Plan {
        seed: 1,
        workers,
        depth: 2,
        tasks_per_worker: None,
        jobs,
        latency: 50 * MICRO,
        start: 30 * MILLI,
        unlucky: 0.0,
        sabotage: None,
        stubborn: 0.0,
        twice: 0.0,
        hopeless: false,
        check: true,
    }
}

fn job(items: u64, time: Nanos) -> JobPlan {
    JobPlan {
        items,
        options: JobOptions { on_error: OnError::Return, ..JobOptions::default() },
        opened: 0,
        cancelled: None,
        quick: time,
        slow: time,
        odd: 0..0,
        odd_time: 0,
        raises: 0.0,
        kills: 0.0,
        stalls: 0.0,
        consumer: MILLI,
        withdrawals: None,
    }
}

/// Draws a world in which anything may go wrong.
fn any_plan(seed: u64) -> Plan {
    let mut rng = Rng::new(seed);
    let one_in = |rng: &mut Rng, n: u64| rng.between(1, n) == 1;
    let jobs = (0..rng.between(1, 4)).map(|_| {
        let quick = 1 << rng.between(0, 22);
        let timeout = one_in(&mut rng, 3).then(|| rng.between(2, 50) * MILLI);
        let options = JobOptions {
            on_error: if one_in(&mut rng, 2) { OnError::Raise } else { OnError::Return },
            retries: rng.between(0, 3) as u32,
            timeout,
            buffer: one_in(&mut rng, 3).then(|| rng.between(1, 100)),
            chunk: one_in(&mut rng, 3).then(|| rng.between(1, 10)),
        };
        JobPlan {
            items: if one_in(&mut rng, 8) { rng.between(0, 3) } else { rng.between(0, 1000) },
            options,
            opened: rng.between(0, 200 * MILLI),
            cancelled: one_in(&mut rng, 4).then(|| (rng.between(0, SECOND), one_in(&mut rng, 2))),
            quick,
            slow: quick * rng.between(1, 1000),
            odd: 0..0,
            odd_time: 0,
            raises: if one_in(&mut rng, 3) { rng.unit() * 0.1 } else { 0.0 },
            kills: if one_in(&mut rng, 3) { rng.unit() * 0.05 } else { 0.0 },
            stalls: if timeout.is_some() && one_in(&mut rng, 2) { rng.unit() * 0.05 } else { 0.0 },
            consumer: rng.between(1, 5 * MILLI),
            withdrawals: one_in(&mut rng, 3).then(|| rng.between(MICRO, 50 * MILLI)),
        }
    });
    let jobs = jobs.collect();
    let (latency, start) = (1 << rng.between(0, 23), 1 << rng.between(0, 26));
    Plan {
        seed,
        workers: rng.between(1, 12) as usize,
        depth: rng.between(1, 4) as usize,
        tasks_per_worker: one_in(&mut rng, 4).then(|| rng.between(1, 50)),
        jobs,
        latency,
        start,
        unlucky: if one_in(&mut rng, 4) { 0.2 } else { 0.0 },
        // Some must live long enough to get ready.
        sabotage: one_in(&mut rng, 3).then(|| rng.between(1, 20) * MILLI + start + 4 * latency),
        stubborn: if one_in(&mut rng, 4) { 0.5 } else { 0.0 },
        twice: if one_in(&mut rng, 4) { 0.5 } else { 0.0 },
        hopeless: one_in(&mut rng, 30),
        check: true,
    }
}

/// What must be true of the report beyond what the ledger has checked on the way.
fn judge(plan: &Plan, report: &Report) {
    assert!(!report.broken || plan.hopeless, "broken by bad luck");
    for (id, job) in plan.jobs.iter().enumerate() {
        let outcome = report.ledger.accounts[&JobId(id as u64)].outcome;
        let peaceful = job.kills + job.stalls == 0.0 && job.options.timeout.is_none();
        if outcome == Some(Outcome::Cancelled) || plan.hopeless || plan.sabotage.is_some() || !peaceful {
            continue;
        }
        // Nothing but the items themselves can fail: the outcome is the serial loop's.
        if job.withdrawals.is_some() && job.raises > 0.0 {
            continue; // What would have raised may have been withdrawn.
        }
        let raising =
            |i: &Index| job.raises > 0.0 && fate([plan.seed, (id as u64) << 8 | 2, *i, 0]) < job.raises;
        let serial = match (0..job.items).find(raising).filter(|_| job.options.on_error == OnError::Raise) {
            Some(index) => Outcome::Failed { index },
            None => Outcome::Complete,
        };
        assert_eq!(outcome, Some(serial), "job {id} of seed {}", plan.seed);
    }
}

proptest! {
    // A seed does not become simpler by becoming smaller, so nothing is shrunk.
    #![proptest_config(ProptestConfig {
        cases: 200,
        max_shrink_iters: 0,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Any world at all, and every invariant after every event. A failing case names its seed.
    #[test]
    fn every_item_ends_exactly_once(seed in any::<u64>()) {
        let plan = any_plan(seed);
        judge(&plan, &run(&plan));
    }
}

#[test]
fn a_peaceful_map_takes_the_time_of_its_work() {
    let report = run(&plan(4, vec![job(10_000, 100 * MICRO)]));
    // 250 ms of work each, after at most 30 ms of starting.
    assert!(report.time < 290 * MILLI, "{} ms", report.time / MILLI);
    assert!(report.messages < 1000, "{} messages", report.messages);
}

#[test]
fn long_items_among_short_ones_are_balanced() {
    for seed in 0..20 {
        let mut plan = plan(2, vec![JobPlan { slow: SECOND, ..job(2000, 100 * MICRO) }]);
        (plan.seed, plan.start) = (seed, 0);
        let report = run(&plan);
        let times = (0..2000).map(|i| fate([seed, 0, i, 0]).powi(8) * (SECOND - 100 * MICRO) as f64);
        let work = times.sum::<f64>() + 0.2 * SECOND as f64;
        // Nobody who starts the longest item last can do better than half of the work and that item.
        assert!((report.time as f64) < work / 2.0 + SECOND as f64, "seed {seed}: {} ms", report.time / MILLI);
    }
}

#[test]
fn long_items_after_many_short_ones_are_balanced() {
    // By the time that the last five come, all have been short: some of them travel in one message.
    let mut plan = plan(2, vec![job(100_005, MICRO)]);
    (plan.start, plan.check) = (0, false);
    plan.jobs[0].odd = 100_000..100_005;
    plan.jobs[0].odd_time = SECOND;
    let report = run(&plan);
    assert!(report.time < 3100 * MILLI, "{} ms", report.time / MILLI);
}

#[test]
fn one_long_item_among_short_ones_costs_what_it_must() {
    // In-order schedules without any overhead take so many milliseconds.
    for (place, greedy) in [(0, 1000), (500, 1250), (1000, 1500)] {
        let mut plan = plan(2, vec![job(1001, MILLI)]);
        plan.start = 0;
        plan.jobs[0].odd = place..place + 1;
        plan.jobs[0].odd_time = SECOND;
        let report = run(&plan);
        assert!(report.time < greedy * MILLI * 105 / 100, "item {place}: {} ms", report.time / MILLI);
    }
}

#[test]
fn a_stream_stays_within_its_buffer() {
    let buffered = JobOptions { buffer: Some(50), ..job(0, 0).options };
    let report =
        run(&plan(4, vec![JobPlan { options: buffered, consumer: 10 * MICRO, ..job(20_000, 10 * MICRO) }]));
    assert!(report.ledger.accounts[&JobId(0)].widest <= 50);
}

#[test]
fn a_stream_without_a_buffer_stays_within_the_window() {
    let report = run(&Plan { check: false, ..plan(4, vec![job(100_000, MILLI)]) });
    // Sixteen messages of three items wait, or the least window of 64, and eight are at the workers.
    let widest = report.ledger.accounts[&JobId(0)].widest;
    assert!(widest <= 256 + 8 * 16, "{widest} items are fed and not answered");
}

#[test]
fn a_storm_of_deaths_loses_nothing() {
    let options = JobOptions { retries: 1_000_000, ..job(0, 0).options };
    let storm =
        Plan { sabotage: Some(5 * MILLI), ..plan(8, vec![JobPlan { options, ..job(20_000, MILLI) }]) };
    let report = run(&storm);
    assert!(report.deaths > 400, "{} deaths", report.deaths);
    assert_eq!(report.ledger.accounts[&JobId(0)].outcome, Some(Outcome::Complete));
}

#[test]
fn withdrawn_items_cost_no_other() {
    for seed in 0..20 {
        let fickle = JobPlan { withdrawals: Some(3 * MILLI), ..job(2_000, 2 * MILLI) };
        let report = run(&Plan { seed, ..plan(4, vec![fickle, job(2_000, MILLI)]) });
        let accounts = &report.ledger.accounts;
        assert!(accounts[&JobId(0)].cancellations > 50, "{} withdrawn", accounts[&JobId(0)].cancellations);
        assert_eq!(accounts[&JobId(0)].outcome, Some(Outcome::Complete));
        assert_eq!(accounts[&JobId(1)].outcome, Some(Outcome::Complete));
    }
}

#[test]
fn a_hopeless_initializer_breaks_every_job() {
    let report = run(&Plan { hopeless: true, ..plan(4, vec![job(10, MILLI), job(0, 0)]) });
    assert!(report.broken);
    assert_eq!(report.ledger.accounts[&JobId(0)].outcome, Some(Outcome::Broken));
}

/// Everything at once, in the proportions of a large machine.
fn large(workers: usize, items: u64) -> Plan {
    let options = JobOptions { retries: 3, timeout: Some(2 * SECOND), ..job(0, 0).options };
    let rough = JobPlan {
        options: options.clone(),
        slow: 100 * MILLI,
        raises: 0.001,
        kills: 0.0001,
        stalls: 0.00001,
        ..job(items * 6 / 10, 200 * MICRO)
    };
    let stream = JobPlan {
        options: JobOptions { buffer: Some(workers as u64 * 50), ..options.clone() },
        ..job(items * 2 / 10, MILLI)
    };
    let tiny = JobPlan { options, slow: 20 * MICRO, ..job(items * 2 / 10, MICRO) };
    let sabotage = Some(20 * SECOND / workers as u64);
    Plan {
        sabotage,
        stubborn: 0.1,
        twice: 0.1,
        unlucky: 0.01,
        check: false,
        ..plan(workers, vec![rough, stream, tiny])
    }
}

fn run_large(workers: usize, items: u64) {
    let plan = large(workers, items);
    let report = run(&plan);
    let ended: u64 = report.ledger.accounts.values().map(|account| account.count).sum();
    assert_eq!(ended, plan.jobs.iter().map(|job| job.items).sum::<u64>());
    eprintln!(
        "{workers} workers, {items} items: {} messages, {} recalls, {} deaths, {} events, {} virtual ms",
        report.messages,
        report.recalls,
        report.deaths,
        report.events,
        report.time / MILLI
    );
}

#[test]
fn a_large_world_in_small() {
    run_large(200, 100_000);
}

#[test]
#[ignore = "a minute in release: cargo test --release -p mh-engine -- --ignored big"]
fn big() {
    run_large(10_000, 10_000_000);
}
