//! Somebody else's workers: messages are answered in any order or lost, and nothing that was sent can be taken back.

use std::collections::BTreeMap;

use mh_engine::{
    Death, Engine, Event, Index, Instruction, JobId, JobOptions, MessageId, OnError, Outcome, Settings,
    WorkerId,
};
use proptest::prelude::*;

use crate::rng::Rng;

const JOB: JobId = JobId(0);

/// A job on slots of somebody else's queue, each of which holds one message.
struct Foreign {
    engine: Engine,
    now: u64,
    out: Vec<Instruction>,
    /// Messages under way: slot and items.
    sent: BTreeMap<MessageId, (WorkerId, Index, u64)>,
    /// How each item ended: answered, or lost after so many attempts.
    ended: BTreeMap<Index, Option<u32>>,
    /// What the event that is being handled answers.
    answering: (Index, u64),
    wanted: u64,
    fed: u64,
    items: u64,
    messages: u64,
    largest_first: u64,
    outcome: Option<Outcome>,
}

impl Foreign {
    fn new(slots: usize, items: u64, options: JobOptions) -> Foreign {
        let settings = Settings { depth: 1, recall: false, target: 50_000_000, ..Settings::new(slots) };
        let mut world = Foreign {
            engine: Engine::new(settings),
            now: 0,
            out: Vec::new(),
            sent: BTreeMap::new(),
            ended: BTreeMap::new(),
            answering: (0, 0),
            wanted: 0,
            fed: 0,
            items,
            messages: 0,
            largest_first: 0,
            outcome: None,
        };
        world.engine.start(0, &mut world.out);
        world.carry_out();
        world.give(Event::Open { job: JOB, options });
        world
    }

    fn give(&mut self, event: Event<'_>) {
        self.engine.handle(self.now, event, &mut self.out);
        self.engine.check();
        self.carry_out();
    }

    fn carry_out(&mut self) {
        for instruction in std::mem::take(&mut self.out) {
            match instruction {
                Instruction::Start { worker } => {
                    self.give(Event::Started { worker });
                    self.give(Event::Ready { worker });
                }
                Instruction::Send { worker, message, first, count, .. } => {
                    self.messages += 1;
                    if self.ended.is_empty() {
                        self.largest_first = self.largest_first.max(count);
                    }
                    assert!(
                        self.sent.values().all(|&(slot, ..)| slot != worker),
                        "a slot holds two messages"
                    );
                    self.sent.insert(message, (worker, first, count));
                }
                Instruction::Accept { first, count, .. } => {
                    let (from, many) = self.answering;
                    assert!(from <= first && first + count <= from + many, "accepted what nobody answered");
                    for index in first..first + count {
                        assert_eq!(self.ended.insert(index, None), None, "item {index} ended twice");
                    }
                }
                Instruction::Lost { index, fault, .. } => {
                    let mh_engine::Fault::Died { attempts, .. } = fault else { panic!("{fault:?}") };
                    assert_eq!(self.ended.insert(index, Some(attempts)), None, "item {index} ended twice");
                }
                Instruction::Want { count, .. } => self.wanted = count,
                Instruction::Recall { worker, message, all, .. } => {
                    assert!(all, "something needed was recalled");
                    self.give(Event::Recalled { worker, message, count: 0 });
                }
                Instruction::Finished { outcome, .. } => self.outcome = Some(outcome),
                other => panic!("{other:?} makes no sense here"),
            }
        }
    }

    /// Runs to the end. Messages with one of `killers` in them are always lost.
    fn run(&mut self, rng: &mut Rng, killers: &[Index], raising: &[Index], item_time: u64) {
        while self.outcome.is_none() {
            self.now += rng.between(1, 1_000_000);
            if self.fed < self.items && self.wanted > 0 && (self.sent.is_empty() || rng.chance(0.7)) {
                let count = rng.between(1, self.wanted.min(self.items - self.fed));
                self.wanted -= count;
                self.fed += count;
                self.give(Event::Feed { job: JOB, count });
                if self.fed == self.items {
                    self.give(Event::EndOfInput { job: JOB });
                }
                continue;
            }
            let place = rng.between(0, self.sent.len() as u64 - 1) as usize;
            let (&message, &(worker, first, count)) =
                self.sent.iter().nth(place).expect("something is under way");
            self.sent.remove(&message);
            let within = |list: &[Index]| -> Vec<Index> {
                list.iter().copied().filter(|i| (first..first + count).contains(i)).collect()
            };
            if !within(killers).is_empty() {
                self.give(Event::Gone { worker, message, death: Death::Unknown });
            } else {
                self.answering = (first, count);
                let failed = within(raising);
                self.give(Event::Done { worker, message, count, failed: &failed, busy: count * item_time });
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 100,
        max_shrink_iters: 0,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// Whatever order the answers come in: what kills is found, tried as often as was asked for, and costs no other.
    #[test]
    fn the_items_at_fault_are_found(seed in any::<u64>()) {
        let mut rng = Rng::new(seed);
        let items = rng.between(1, 2000);
        let draw = |rng: &mut Rng| (0..rng.between(0, 3)).map(|_| rng.between(0, items - 1)).collect::<Vec<_>>();
        let (killers, raising) = (draw(&mut rng), draw(&mut rng));
        let retries = rng.between(0, 2) as u32;
        let on_error = if rng.chance(0.5) { OnError::Raise } else { OnError::Return };
        let options = JobOptions { on_error, retries, ..JobOptions::default() };
        let mut world = Foreign::new(rng.between(1, 8) as usize, items, options);
        let item_time = 1 << rng.between(0, 27);
        world.run(&mut rng, &killers, &raising, item_time);
        for (index, ended) in &world.ended {
            let expected = killers.contains(index).then_some(retries + 1);
            prop_assert_eq!(*ended, expected, "item {}", index);
        }
        let first = killers.iter().chain(&raising).copied().min();
        match (on_error, first) {
            (OnError::Raise, Some(index)) => prop_assert_eq!(world.outcome, Some(Outcome::Failed { index })),
            _ => {
                prop_assert_eq!(world.outcome, Some(Outcome::Complete));
                prop_assert_eq!(world.ended.len() as u64, items);
            }
        }
    }
}

#[test]
fn messages_begin_small_and_grow() {
    let mut world = Foreign::new(4, 100_000, JobOptions::default());
    world.run(&mut Rng::new(1), &[], &[], 1_000);
    assert_eq!(world.largest_first, 1);
    assert!(world.messages < 100, "{} messages", world.messages);
}

#[test]
fn nothing_goes_on_when_all_is_broken() {
    let mut world = Foreign::new(2, 10, JobOptions::default());
    world.give(Event::Feed { job: JOB, count: 10 });
    world.engine.handle(1, Event::Broken, &mut world.out);
    world.engine.check();
    assert!(world.out.contains(&Instruction::Finished { job: JOB, outcome: Outcome::Broken }));
    world.out.clear();
    world.engine.handle(2, Event::Open { job: JobId(1), options: JobOptions::default() }, &mut world.out);
    assert_eq!(world.out, [Instruction::Finished { job: JobId(1), outcome: Outcome::Broken }]);
}
