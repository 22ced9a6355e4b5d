//! Single situations: what goes in, and the list of instructions that comes out.

use super::Engine;
use crate::{
    Death, Event, Fault, Instruction, JobId, JobOptions, MessageId, Nanos, OnError, Outcome, Settings,
    WorkerId,
};

use Instruction::*;

const JOB: JobId = JobId(1);
const MILLI: Nanos = 1_000_000;
const SEGFAULT: Death = Death::Signal { number: 11, out_of_memory: false };
const KILLED: Death = Death::Signal { number: 9, out_of_memory: false };

fn worker(id: u64) -> WorkerId {
    WorkerId(id)
}

/// An engine and its clock; every event is followed by a check of all invariants.
struct Bench {
    engine: Engine,
    now: Nanos,
}

impl Bench {
    /// An engine whose workers (numbered from 1) are all ready.
    fn new(settings: Settings) -> Self {
        let workers = settings.workers as u64;
        let mut bench = Bench { engine: Engine::new(settings), now: 0 };
        let mut out = Vec::new();
        bench.engine.start(0, &mut out);
        assert_eq!(out, (1..=workers).map(|id| Start { worker: worker(id) }).collect::<Vec<_>>());
        for id in 1..=workers {
            bench.ready(id);
        }
        bench
    }

    fn give(&mut self, event: Event<'_>) -> Vec<Instruction> {
        let mut out = Vec::new();
        self.engine.handle(self.now, event, &mut out);
        self.engine.check();
        out
    }

    fn ready(&mut self, id: u64) -> Vec<Instruction> {
        let mut out = self.give(Event::Started { worker: worker(id) });
        out.extend(self.give(Event::Ready { worker: worker(id) }));
        out
    }

    /// Opens `JOB` with so many items and nothing after them.
    fn open(&mut self, options: JobOptions, count: u64) -> Vec<Instruction> {
        let mut out = self.give(Event::Open { job: JOB, options });
        out.retain(|instruction| !matches!(instruction, Want { .. }));
        out.extend(self.give(Event::Feed { job: JOB, count }));
        out.extend(self.give(Event::EndOfInput { job: JOB }));
        out.retain(|instruction| !matches!(instruction, Want { .. }));
        out
    }

    fn done(&mut self, id: u64, message: u64, count: u64, failed: &[u64]) -> Vec<Instruction> {
        self.done_in(id, message, count, failed, count * MILLI)
    }

    fn done_in(
        &mut self,
        id: u64,
        message: u64,
        count: u64,
        failed: &[u64],
        busy: Nanos,
    ) -> Vec<Instruction> {
        self.give(Event::Done { worker: worker(id), message: MessageId(message), count, failed, busy })
    }

    fn died(&mut self, id: u64, running: Option<(u64, u64)>, death: Death) -> Vec<Instruction> {
        let running = running.map(|(message, index)| (MessageId(message), index));
        self.give(Event::Died { worker: worker(id), running, death })
    }

    fn recalled(&mut self, id: u64, message: u64, count: u64) -> Vec<Instruction> {
        self.give(Event::Recalled { worker: worker(id), message: MessageId(message), count })
    }
}

fn send(id: u64, message: u64, first: u64, count: u64) -> Instruction {
    Send { worker: worker(id), message: MessageId(message), job: JOB, first, count }
}

fn recall(id: u64, message: u64, most: u64, all: bool) -> Instruction {
    Recall { worker: worker(id), message: MessageId(message), most, all }
}

fn accept(first: u64, count: u64) -> Instruction {
    Accept { job: JOB, first, count }
}

fn finished(outcome: Outcome) -> Instruction {
    Finished { job: JOB, outcome }
}

fn returning() -> JobOptions {
    JobOptions { on_error: OnError::Return, ..JobOptions::default() }
}

#[test]
fn a_map_of_four_items_over_two_workers() {
    let mut bench = Bench::new(Settings::new(2));
    // One item each, and the next one waiting behind it.
    let sent = bench.open(JobOptions::default(), 4);
    assert_eq!(sent, [send(1, 1, 0, 1), send(2, 2, 1, 1), send(1, 3, 2, 1), send(2, 4, 3, 1)]);
    assert_eq!(bench.done(2, 2, 1, &[]), [accept(1, 1)]);
    assert_eq!(bench.done(1, 1, 1, &[]), [accept(0, 1)]);
    // Should the other be silent for long, it will be asked whether it has begun its last item at all.
    assert_eq!(bench.done(1, 3, 1, &[]), [accept(2, 1), WakeAt { time: 101 * MILLI }]);
    assert_eq!(bench.done(2, 4, 1, &[]), [accept(3, 1), finished(Outcome::Complete)]);
    assert!(bench.engine.idle());
}

#[test]
fn an_empty_map_is_complete_at_once() {
    let mut bench = Bench::new(Settings::new(2));
    assert_eq!(bench.open(JobOptions::default(), 0), [finished(Outcome::Complete)]);
}

#[test]
fn work_waits_at_a_worker_that_is_initializing() {
    let mut engine = Engine::new(Settings::new(1));
    engine.start(0, &mut Vec::new());
    let mut bench = Bench { engine, now: 0 };
    assert_eq!(bench.open(JobOptions::default(), 1), []);
    assert_eq!(bench.give(Event::Started { worker: worker(1) }), [send(1, 1, 0, 1)]);
}

#[test]
fn input_is_asked_for_when_half_of_the_buffer_is_free() {
    let mut bench = Bench::new(Settings::new(2));
    let want = |count| Want { job: JOB, count };
    let options = JobOptions { buffer: Some(4), ..JobOptions::default() };
    assert_eq!(bench.give(Event::Open { job: JOB, options }), [want(4)]);
    bench.give(Event::Feed { job: JOB, count: 4 });
    assert_eq!(bench.done(1, 1, 1, &[]), [accept(0, 1)]);
    assert_eq!(bench.give(Event::Take { job: JOB, count: 1 }), []);
    assert_eq!(bench.engine.room(JOB), 1);
    bench.done(2, 2, 1, &[]);
    assert_eq!(bench.give(Event::Take { job: JOB, count: 1 }), [want(2)]);
    bench.done(1, 3, 1, &[]);
    assert_eq!(bench.give(Event::Take { job: JOB, count: 1 }), [], "an open question is not repeated");
}

#[test]
fn jobs_take_turns() {
    let mut bench = Bench::new(Settings::new(1));
    assert_eq!(bench.open(JobOptions::default(), 7), [send(1, 1, 0, 4), send(1, 2, 4, 2)]);
    bench.give(Event::Open { job: JobId(2), options: JobOptions::default() });
    bench.give(Event::Feed { job: JobId(2), count: 1 });
    bench.give(Event::Open { job: JobId(3), options: JobOptions::default() });
    bench.give(Event::Feed { job: JobId(3), count: 1 });
    let other = |job, message| Send {
        worker: worker(1),
        message: MessageId(message),
        job: JobId(job),
        first: 0,
        count: 1,
    };
    // Item 6 has waited since before the other jobs came.
    assert!(bench.done(1, 1, 4, &[]).contains(&send(1, 3, 6, 1)));
    assert!(bench.done(1, 2, 2, &[]).contains(&other(2, 4)));
    assert!(bench.done(1, 3, 1, &[]).contains(&other(3, 5)));
}

#[test]
fn an_idle_worker_gets_what_another_has_not_begun() {
    let mut bench = Bench::new(Settings::new(2));
    bench.open(JobOptions::default(), 4);
    assert_eq!(bench.done(1, 1, 1, &[]), [accept(0, 1)]);
    assert_eq!(bench.done(1, 3, 1, &[]), [accept(2, 1), recall(2, 4, 1, false)]);
    assert_eq!(bench.recalled(2, 4, 1), [send(1, 5, 3, 1)]);
    assert_eq!(bench.done(1, 5, 1, &[]), [accept(3, 1), WakeAt { time: 101 * MILLI }]);
    assert_eq!(bench.done(2, 2, 1, &[]), [accept(1, 1), finished(Outcome::Complete)]);
}

#[test]
fn a_worker_that_is_silent_with_one_item_is_asked_whether_it_has_begun_it() {
    let mut bench = Bench::new(Settings::new(2));
    bench.open(JobOptions::default(), 2);
    assert_eq!(bench.done(1, 1, 1, &[]), [accept(0, 1), WakeAt { time: 101 * MILLI }]);
    bench.now = 101 * MILLI;
    assert_eq!(bench.give(Event::Tick), [recall(2, 2, 1, false)]);
    assert_eq!(bench.recalled(2, 2, 1), [send(1, 3, 1, 1), WakeAt { time: 302 * MILLI }]);
    assert_eq!(bench.done(1, 3, 1, &[]), [accept(1, 1), finished(Outcome::Complete)]);
}

#[test]
fn a_recall_that_brings_nothing_is_not_repeated() {
    let mut bench = Bench::new(Settings::new(2));
    bench.open(JobOptions::default(), 4);
    bench.done(1, 1, 1, &[]);
    bench.done(1, 3, 1, &[]);
    assert_eq!(bench.recalled(2, 4, 0), []);
    assert_eq!(bench.give(Event::Tick), []);
}

#[test]
fn what_seems_to_take_no_time_is_recalled_after_a_silence() {
    let mut bench = Bench::new(Settings::new(2));
    bench.open(JobOptions::default(), 4);
    assert_eq!(bench.done_in(1, 1, 1, &[], 1000), [accept(0, 1)]);
    // A microsecond is not worth the trouble, until it has become a millisecond.
    assert_eq!(bench.done_in(1, 3, 1, &[], 1000), [accept(2, 1), WakeAt { time: MILLI }]);
    bench.now = MILLI;
    assert_eq!(bench.give(Event::Tick), [recall(2, 4, 1, false)]);
}

#[test]
fn the_lowest_failure_ends_the_map() {
    let mut bench = Bench::new(Settings::new(3));
    bench.open(JobOptions::default(), 9);
    // Workers hold 0-1, 2-3, 4 and behind them 5, 6, 7; item 8 is unsent.
    let out = bench.done(3, 3, 1, &[4]);
    assert_eq!(out, [accept(4, 1), recall(1, 4, 1, true), recall(2, 5, 1, true), recall(3, 6, 1, true)]);
    // Items 2 and 3: the first of them fails too, and the second is not wanted any more.
    assert_eq!(bench.done(2, 2, 2, &[2, 3]), [accept(2, 1)]);
    assert_eq!(bench.recalled(1, 4, 1), []);
    assert_eq!(bench.done(1, 1, 2, &[]), [accept(0, 2), finished(Outcome::Failed { index: 2 })]);
    assert_eq!(bench.done(3, 6, 1, &[]), [], "an answer after the end is not accepted");
}

#[test]
fn failures_are_answers_where_they_are_returned() {
    let mut bench = Bench::new(Settings::new(1));
    bench.open(returning(), 2);
    assert_eq!(bench.done(1, 1, 1, &[0]), [accept(0, 1)]);
    assert_eq!(bench.done(1, 2, 1, &[1]), [accept(1, 1), finished(Outcome::Complete)]);
}

#[test]
fn a_death_costs_the_running_item_only() {
    let mut bench = Bench::new(Settings::new(1));
    bench.open(returning(), 3);
    // The worker holds 0-1 and 2; it died while running 1, and its answer to 0 was never delivered.
    let fault = Fault::Died { death: SEGFAULT, attempts: 1 };
    let out = bench.died(1, Some((1, 1)), SEGFAULT);
    assert_eq!(out, [Lost { job: JOB, index: 1, fault }, Start { worker: worker(2) }]);
    assert_eq!(bench.give(Event::Started { worker: worker(2) }), [send(2, 3, 0, 1), send(2, 4, 2, 1)]);
}

#[test]
fn a_retried_item_is_lost_when_its_attempts_are_used_up() {
    let mut bench = Bench::new(Settings::new(1));
    bench.open(JobOptions { retries: 1, ..JobOptions::default() }, 1);
    assert_eq!(bench.died(1, Some((1, 0)), SEGFAULT), [Start { worker: worker(2) }]);
    assert_eq!(bench.ready(2), [send(2, 2, 0, 1)]);
    let fault = Fault::Died { death: SEGFAULT, attempts: 2 };
    let out = bench.died(2, Some((2, 0)), SEGFAULT);
    let ended = finished(Outcome::Failed { index: 0 });
    assert_eq!(out, [Lost { job: JOB, index: 0, fault }, ended, Start { worker: worker(3) }]);
}

#[test]
fn three_failed_starts_in_a_row_break_the_engine() {
    let mut bench = Bench::new(Settings::new(1));
    bench.open(JobOptions::default(), 1);
    let death = Death::Exit { code: 1 };
    assert_eq!(bench.died(1, None, death), [Start { worker: worker(2) }]);
    assert_eq!(bench.give(Event::NotStarted { worker: worker(2) }), [Start { worker: worker(3) }]);
    let out = bench.died(3, None, death);
    assert_eq!(out, [finished(Outcome::Broken), Broken { death: Some(death) }]);
    let again = bench.give(Event::Open { job: JobId(2), options: JobOptions::default() });
    assert_eq!(again, [Finished { job: JobId(2), outcome: Outcome::Broken }]);
    assert_eq!(bench.give(Event::Drain), [Drained]);
}

#[test]
fn failed_starts_count_for_workers_that_were_sent_all_they_may_run() {
    let mut bench = Bench::new(Settings { tasks_per_worker: Some(1), ..Settings::new(1) });
    assert_eq!(bench.open(JobOptions::default(), 1), [send(1, 1, 0, 1), Retire { worker: worker(1) }]);
    let death = Death::Exit { code: 1 };
    for id in 1..3 {
        assert_eq!(bench.died(id, None, death), [Start { worker: worker(id + 1) }]);
        bench.give(Event::Started { worker: worker(id + 1) });
    }
    assert_eq!(bench.died(3, None, death), [finished(Outcome::Broken), Broken { death: Some(death) }]);
}

#[test]
fn deaths_from_outside_do_not_break_a_pool() {
    let mut bench = Bench::new(Settings::new(1));
    for id in 1..20 {
        assert_eq!(bench.died(id, None, KILLED), [Start { worker: worker(id + 1) }]);
        bench.ready(id + 1);
    }
}

#[test]
fn a_failed_start_without_work_is_not_repeated_until_there_is_work() {
    let mut bench = Bench { engine: Engine::new(Settings::new(1)), now: 0 };
    bench.engine.start(0, &mut Vec::new());
    assert_eq!(bench.died(1, None, Death::Exit { code: 1 }), []);
    let out = bench.give(Event::Open { job: JOB, options: JobOptions::default() });
    assert!(out.contains(&Start { worker: worker(2) }), "{out:?}");
}

#[test]
fn an_item_that_runs_too_long_costs_its_worker() {
    let mut bench = Bench::new(Settings::new(1));
    let options = JobOptions { timeout: Some(10 * MILLI), ..returning() };
    let sent = bench.open(options, 2);
    assert_eq!(sent, [send(1, 1, 0, 1), send(1, 2, 1, 1), WakeAt { time: 10 * MILLI }]);
    bench.now = 10 * MILLI;
    assert_eq!(bench.give(Event::Tick), [Look { worker: worker(1) }]);
    let running = |since| Event::Running { worker: worker(1), item: Some((MessageId(1), 0, since)) };
    assert_eq!(bench.give(running(2 * MILLI)), [WakeAt { time: 12 * MILLI }]);
    bench.now = 12 * MILLI;
    assert_eq!(bench.give(Event::Tick), [Look { worker: worker(1) }]);
    let fault = Fault::TimedOut { after: 10 * MILLI, attempts: 1 };
    let out = bench.give(running(2 * MILLI));
    assert_eq!(out, [Kill { worker: worker(1) }, Lost { job: JOB, index: 0, fault }]);
    // Its answer comes all the same, too late; then it dies while running the next, which is not to blame.
    assert_eq!(bench.done(1, 1, 1, &[]), []);
    assert_eq!(bench.died(1, Some((2, 1)), KILLED), [Start { worker: worker(2) }]);
    assert_eq!(bench.ready(2), [send(2, 3, 1, 1), WakeAt { time: 22 * MILLI }]);
}

fn withdraw(index: u64, kill: bool) -> Event<'static> {
    Event::Withdraw { job: JOB, index, kill }
}

fn cancelled(index: u64) -> Instruction {
    Lost { job: JOB, index, fault: Fault::Cancelled }
}

#[test]
fn an_unsent_item_that_is_withdrawn_never_runs() {
    let mut bench = Bench { engine: Engine::new(Settings::new(1)), now: 0 };
    bench.engine.start(0, &mut Vec::new());
    bench.open(returning(), 3);
    assert_eq!(bench.give(withdraw(1, false)), [cancelled(1)]);
    assert_eq!(bench.give(withdraw(1, true)), [], "it has ended");
    assert_eq!(bench.give(withdraw(3, true)), [], "it was never fed");
    assert_eq!(bench.ready(1), [send(1, 1, 0, 1), send(1, 2, 2, 1)]);
    assert_eq!(bench.done(1, 1, 1, &[]), [accept(0, 1)]);
    assert_eq!(bench.done(1, 2, 1, &[]), [accept(2, 1), finished(Outcome::Complete)]);
}

#[test]
fn a_withdrawn_item_that_has_not_begun_is_taken_back_with_those_behind_it() {
    let mut bench = Bench::new(Settings::new(1));
    // One message of 4 items and one of 2.
    assert_eq!(bench.open(returning(), 8)[0], send(1, 1, 0, 4));
    assert_eq!(bench.give(withdraw(2, true)), [recall(1, 1, 2, true)]);
    let out = bench.recalled(1, 1, 2);
    assert_eq!(out, [cancelled(2)], "3 goes out again when there is room for a message");
    assert_eq!(bench.done(1, 1, 2, &[]), [accept(0, 2), send(1, 3, 3, 1)]);
}

#[test]
fn a_withdrawn_item_that_has_begun_goes_on() {
    let mut bench = Bench::new(Settings::new(1));
    bench.open(returning(), 2);
    assert_eq!(bench.give(withdraw(0, false)), [recall(1, 1, 1, true)]);
    assert_eq!(bench.recalled(1, 1, 0), []);
    assert!(!bench.engine.is_withdrawing(JOB, 0));
    assert_eq!(bench.done(1, 1, 1, &[]), [accept(0, 1)]);
}

#[test]
fn a_withdrawn_item_that_is_running_is_killed_and_costs_no_other() {
    let mut bench = Bench::new(Settings::new(1));
    bench.open(JobOptions { retries: 3, ..returning() }, 2);
    assert_eq!(bench.give(withdraw(0, true)), [recall(1, 1, 1, true)]);
    assert_eq!(bench.recalled(1, 1, 0), [Look { worker: worker(1) }]);
    let running = |item| Event::Running { worker: worker(1), item };
    let out = bench.give(running(Some((MessageId(1), 0, 0))));
    assert_eq!(out, [Kill { worker: worker(1) }, cancelled(0)]);
    assert_eq!(bench.died(1, Some((1, 0)), KILLED), [Start { worker: worker(2) }]);
    assert_eq!(bench.ready(2), [send(2, 3, 1, 1)]);
    // Is it not what the worker runs, then it is done, and its worker is left in peace.
    assert_eq!(bench.give(withdraw(1, true)), [recall(2, 3, 1, true)]);
    assert_eq!(bench.recalled(2, 3, 0), [Look { worker: worker(2) }]);
    assert_eq!(bench.give(Event::Running { worker: worker(2), item: None }), []);
    assert_eq!(bench.done(2, 3, 1, &[]), [accept(1, 1), finished(Outcome::Complete)]);
}

#[test]
fn what_is_withdrawn_from_a_worker_that_dies_does_not_run_again() {
    let mut bench = Bench::new(Settings::new(1));
    bench.open(JobOptions { retries: 3, ..returning() }, 2);
    bench.give(withdraw(0, false));
    bench.give(withdraw(1, false));
    let out = bench.died(1, Some((1, 0)), SEGFAULT);
    assert_eq!(out[..2], [cancelled(1), cancelled(0)]);
    assert_eq!(out[2..], [finished(Outcome::Complete), Start { worker: worker(2) }]);
}

#[test]
fn a_cancelled_job_ends_at_once() {
    let mut bench = Bench::new(Settings::new(2));
    bench.open(JobOptions::default(), 3);
    // Worker 1 holds 0 and 2, worker 2 holds 1.
    let out = bench.give(Event::Cancel { job: JOB, kill: false });
    let recalls = [recall(1, 1, 1, true), recall(2, 2, 1, true), recall(1, 3, 1, true)];
    assert_eq!(out[..3], recalls);
    assert_eq!(out[3..], [finished(Outcome::Cancelled)]);
    assert_eq!(bench.recalled(1, 1, 0), []);
    assert_eq!(bench.done(1, 1, 1, &[0]), []);
    assert_eq!(bench.give(Event::Cancel { job: JOB, kill: true }), []);
}

#[test]
fn cancelling_with_kill_kills_who_runs_the_job() {
    let mut bench = Bench::new(Settings::new(2));
    bench.open(JobOptions::default(), 3);
    let out = bench.give(Event::Cancel { job: JOB, kill: true });
    assert_eq!(out, [Kill { worker: worker(1) }, Kill { worker: worker(2) }, finished(Outcome::Cancelled)]);
    assert_eq!(bench.died(1, Some((1, 0)), KILLED), [Start { worker: worker(3) }]);
}

#[test]
fn a_worker_is_replaced_when_its_tasks_are_used_up() {
    let settings = Settings { tasks_per_worker: Some(2), ..Settings::new(1) };
    let mut bench = Bench::new(settings);
    let sent = bench.open(JobOptions { chunk: Some(2), ..JobOptions::default() }, 5);
    // Whole chunks: a part of one would count as much.
    assert_eq!(sent, [send(1, 1, 0, 4), Retire { worker: worker(1) }]);
    // It has nothing more to run as soon as it has answered: the next one need not wait for its end.
    assert_eq!(bench.done(1, 1, 4, &[]), [accept(0, 4), Start { worker: worker(2) }]);
    assert_eq!(bench.ready(2), [send(2, 2, 4, 1)]);
    assert_eq!(bench.died(1, None, Death::Exit { code: 0 }), []);
}

#[test]
fn draining_waits_for_the_open_jobs() {
    let mut bench = Bench::new(Settings::new(2));
    bench.open(JobOptions::default(), 1);
    assert_eq!(bench.give(Event::Drain), []);
    let refused = bench.give(Event::Open { job: JobId(2), options: JobOptions::default() });
    assert_eq!(refused, [Finished { job: JobId(2), outcome: Outcome::Cancelled }]);
    let out = bench.done(1, 1, 1, &[]);
    let retired = [Retire { worker: worker(1) }, Retire { worker: worker(2) }];
    assert_eq!(out[..2], [accept(0, 1), finished(Outcome::Complete)]);
    assert_eq!(out[2..], retired);
    assert_eq!(bench.died(1, None, Death::Exit { code: 0 }), []);
    assert_eq!(bench.died(2, None, Death::Exit { code: 0 }), [Drained]);
}

#[test]
fn a_worker_that_has_not_started_is_ended_when_it_has() {
    let mut bench = Bench { engine: Engine::new(Settings::new(1)), now: 0 };
    bench.engine.start(0, &mut Vec::new());
    assert_eq!(bench.give(Event::Drain), []);
    assert_eq!(bench.give(Event::Started { worker: worker(1) }), [Retire { worker: worker(1) }]);
    assert_eq!(bench.died(1, None, Death::Exit { code: 0 }), [Drained]);
}

#[test]
fn what_is_late_or_unknown_is_ignored() {
    let mut bench = Bench::new(Settings::new(1));
    bench.open(JobOptions::default(), 1);
    assert_eq!(bench.done(1, 99, 1, &[]), []);
    assert_eq!(bench.done(99, 1, 1, &[]), []);
    assert_eq!(bench.recalled(1, 1, 1), [], "nobody recalled it");
    assert_eq!(bench.died(99, None, SEGFAULT), []);
    assert_eq!(bench.ready(99), []);
    assert_eq!(bench.give(Event::Feed { job: JobId(9), count: 3 }), []);
    assert_eq!(bench.done(1, 1, 1, &[]), [accept(0, 1), finished(Outcome::Complete)]);
    assert_eq!(bench.done(1, 1, 1, &[]), [], "the same answer again");
}

#[test]
fn a_worker_that_stands_still_holds_nothing_up() {
    let mut bench = Bench::new(Settings::new(2));
    let mut instructions = bench.open(JobOptions::default(), 50);
    let mut held: std::collections::HashMap<u64, u64> = std::collections::HashMap::new();
    for step in 0..1000 {
        let mut next = Vec::new();
        for instruction in std::mem::take(&mut instructions) {
            println!("{step} {} {instruction:?}", bench.now);
            match instruction {
                Send { worker: w, message, count, .. } => {
                    held.insert(message.0, count);
                    if w == worker(2) {
                        bench.now += 1000;
                        next.extend(bench.done_in(2, message.0, count, &[], 1000));
                    }
                }
                // Nothing has begun at the one that stands still.
                Recall { message, most, .. } => {
                    let count = most.min(held[&message.0].div_ceil(2));
                    held.insert(message.0, held[&message.0] - count);
                    next.extend(bench.recalled(1, message.0, count));
                }
                WakeAt { time } => {
                    bench.now = bench.now.max(time);
                    next.extend(bench.give(Event::Tick));
                }
                Finished { .. } => return,
                _ => {}
            }
        }
        instructions = next;
    }
    panic!("the map does not end");
}
