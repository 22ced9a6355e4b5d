//! Everything that a pool knows, behind one lock: the engine, the workers, the jobs. Carries out the engine's
//! instructions and tells it what came of them. Nothing here waits.

use std::collections::{HashMap, VecDeque};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

use mh_engine::{
    Death, Engine, Event, Index, Instruction, JobId, MessageId, Nanos, Outcome, Settings, WorkerId,
};
use mh_store::{Arena, Leases, Object, OomCounter, Page, SegmentId};
use rustix::event::epoll;

use crate::answers::AnswerBatch;
use crate::job::{Chunk, Job, objects_of};
use crate::link::{Descriptor, Link};
use crate::objects::{ObjectId, Objects};
use crate::recording::{new_pool, note_fed, recorder};
use crate::spawn::{Process, Program};
use crate::waiting::Look;
use crate::wire::{BatchHead, Kind, Writer};
use crate::workers::{Message, Worker, counted};

/// How long a worker that was asked to end may take (its own exit handlers run) before it is killed.
const GRACE: Nanos = 5_000_000_000;
/// How long shared memory that nobody uses is kept for the next result or argument.
pub(crate) const IDLE_SEGMENT: Nanos = 3_000_000_000;
/// Calls that follow on each other so closely are gathered for so long, up to so many, if each is smaller than that.
const IN_A_ROW: Nanos = 300_000;
const HOLD: Nanos = 1_000_000;
const MOST_HELD: u64 = 1024;
const HELD_BYTES: u64 = 4096;

/// What the state needs of the world.
pub(crate) struct World {
    pub epoll: OwnedFd,
    pub arena: Mutex<Arena>,
    pub oom: OomCounter,
    /// A pidfd of this very process, for workers to watch.
    pub own: Arc<OwnedFd>,
    pub program: Program,
}

impl World {
    pub fn now(&self) -> Nanos {
        now()
    }
}

/// The monotonic clock.
pub fn now() -> Nanos {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// Which of a worker's descriptors an epoll event is about.
pub(crate) fn socket_token(worker: WorkerId) -> u64 {
    worker.0 << 1
}

pub(crate) fn process_token(worker: WorkerId) -> u64 {
    worker.0 << 1 | 1
}

/// What a worker's code printed.
#[derive(Clone, Debug)]
pub struct Print {
    /// 1 for standard output, 2 for standard error.
    pub stream: u8,
    pub bytes: Vec<u8>,
}

/// Something that the delivery thread was asked to watch has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub job: JobId,
    /// `None`: the job has ended.
    pub index: Option<Index>,
}

/// Why the pool cannot go on.
#[derive(Clone, Debug, Default)]
pub struct Breakage {
    /// How the last worker ended.
    pub death: Option<Death>,
    /// The failure that the initializer raised, as the worker encoded it.
    pub initializer: Option<Vec<u8>>,
    /// Why no process could be started.
    pub start: Option<String>,
}

enum Happening {
    Started(WorkerId),
    NotStarted(WorkerId),
    Recalled { worker: WorkerId, message: MessageId, count: u64 },
    Running { worker: WorkerId, item: Option<(MessageId, Index, Nanos)> },
}

pub(crate) struct State {
    /// The pool's number in traces.
    pub number: u64,
    pub engine: Engine,
    pub workers: HashMap<WorkerId, Worker>,
    pub jobs: HashMap<JobId, Job>,
    pub objects: Objects,
    pub leases: Leases<WorkerId>,
    pub prints: VecDeque<Print>,
    pub deliveries: VecDeque<Delivery>,
    /// What every worker is told first: the surroundings, the initializer and what it needs.
    pub first: Vec<ObjectId>,
    pub has_initializer: bool,
    pub wake_at: Option<Nanos>,
    /// When shared memory that lies idle is next given back.
    pub trim_at: Option<Nanos>,
    /// When items that are held back go on their way, and the jobs that they are of.
    pub let_go_at: Option<Nanos>,
    pub holding: Vec<JobId>,
    /// The look under way at whether workers wait.
    pub look: Option<Look>,
    pub breakage: Breakage,
    pub broken: bool,
    pub drained: bool,
    /// Something came that a caller may be waiting for.
    pub news: bool,
    last_job: u64,
    happenings: VecDeque<Happening>,
    instructions: Vec<Instruction>,
    /// The answers that the event being handled brought, and the index of the first.
    accepting: Option<(Arc<AnswerBatch>, Index)>,
    /// The process that the event being handled is about.
    subject: u32,
    /// For traces: the worker of that event, and when the item began that it was running.
    pub subject_began: Option<(mh_trace::Worker, Nanos)>,
}

impl State {
    pub fn new(settings: Settings) -> State {
        State {
            number: new_pool(),
            engine: Engine::new(settings),
            workers: HashMap::new(),
            jobs: HashMap::new(),
            objects: Objects::default(),
            leases: Leases::default(),
            prints: VecDeque::new(),
            deliveries: VecDeque::new(),
            first: Vec::new(),
            has_initializer: false,
            wake_at: None,
            trim_at: None,
            let_go_at: None,
            holding: Vec::new(),
            look: None,
            breakage: Breakage::default(),
            broken: false,
            drained: false,
            news: false,
            last_job: 0,
            happenings: VecDeque::new(),
            instructions: Vec::new(),
            accepting: None,
            subject: 0,
            subject_began: None,
        }
    }

    pub fn new_job_id(&mut self) -> JobId {
        self.last_job += 1;
        JobId(self.last_job)
    }

    /// Asks for the first workers.
    pub fn start(&mut self, world: &World) {
        let mut instructions = Vec::new();
        self.engine.start(world.now(), &mut instructions);
        self.carry_out_all(world, instructions);
    }

    /// Tells the engine what happened and does what it says.
    pub fn handle(&mut self, world: &World, event: Event<'_>) {
        let mut instructions = std::mem::take(&mut self.instructions);
        self.engine.handle(world.now(), event, &mut instructions);
        self.carry_out_all(world, instructions);
    }

    /// The same for answers, which become the job's as far as the engine accepts them.
    pub fn handle_answers(&mut self, world: &World, event: Event<'_>, batch: AnswerBatch, first: Index) {
        self.accepting = Some((Arc::new(batch), first));
        self.handle(world, event);
        self.accepting = None;
    }

    /// The same for an event about a process, whose number goes into the faults that come of it.
    pub fn handle_about(&mut self, world: &World, event: Event<'_>, process: u32) {
        self.subject = process;
        self.handle(world, event);
    }

    fn carry_out_all(&mut self, world: &World, mut instructions: Vec<Instruction>) {
        loop {
            for instruction in instructions.drain(..) {
                self.carry_out(world, instruction);
            }
            let Some(happening) = self.happenings.pop_front() else { break };
            let event = match happening {
                Happening::Started(worker) => Event::Started { worker },
                Happening::NotStarted(worker) => Event::NotStarted { worker },
                Happening::Recalled { worker, message, count } => Event::Recalled { worker, message, count },
                Happening::Running { worker, item } => {
                    self.subject = self.workers.get(&worker).map_or(0, |found| found.process.id());
                    Event::Running { worker, item }
                }
            };
            self.engine.handle(world.now(), event, &mut instructions);
        }
        self.instructions = instructions;
    }

    fn carry_out(&mut self, world: &World, instruction: Instruction) {
        match instruction {
            Instruction::Start { worker } => {
                let happening = match self.start_worker(world, worker) {
                    Ok(()) => Happening::Started(worker),
                    Err(error) => {
                        self.breakage.start = Some(error.to_string());
                        Happening::NotStarted(worker)
                    }
                };
                self.happenings.push_back(happening);
            }
            Instruction::Send { worker, message, job, first, count } => {
                self.send_items(
                    world,
                    worker,
                    Message {
                        id: message,
                        job,
                        first,
                        count,
                        answered: 0,
                        objects: Vec::new(),
                        noted: false,
                    },
                );
            }
            Instruction::Recall { worker, message, most, all } => {
                let count = self.recall(worker, message, most, all);
                self.happenings.push_back(Happening::Recalled { worker, message, count });
            }
            Instruction::Look { worker } => {
                let item = self.workers.get(&worker).and_then(Worker::running);
                self.happenings.push_back(Happening::Running { worker, item });
            }
            Instruction::Kill { worker } => {
                if let Some(found) = self.workers.get(&worker) {
                    found.process.kill();
                }
            }
            Instruction::Retire { worker } => {
                let deadline = world.now() + GRACE;
                if let Some(found) = self.workers.get_mut(&worker) {
                    found.send(Writer::new(Kind::Shutdown, 0).finish(), Vec::new());
                    found.deadline = Some(deadline);
                    self.watch_room(world, worker);
                }
            }
            Instruction::Accept { job, first, count } => self.accept(world, job, first, count),
            Instruction::Lost { job, index, fault } => {
                let process = self.subject;
                self.note_lost(world, job, index);
                if let Some(found) = self.jobs.get_mut(&job) {
                    let item = found.short_item(index);
                    let objects = found.end_items(index, 1);
                    found.put_lost(index, fault, process, item);
                    self.drop_needs(world, objects);
                    self.note_arrival(job, index, 1);
                }
            }
            Instruction::Want { job, count } => {
                if let Some(found) = self.jobs.get_mut(&job) {
                    found.want = count;
                    self.news = true;
                }
            }
            Instruction::Finished { job, outcome } => self.finish(world, job, outcome),
            Instruction::Broken { death } => {
                self.broken = true;
                if self.breakage.death.is_none() {
                    self.breakage.death = death;
                }
                self.news = true;
            }
            Instruction::WakeAt { time } => self.wake_at = Some(time),
            Instruction::Drained => {
                self.drained = true;
                self.news = true;
            }
        }
    }

    fn start_worker(&mut self, world: &World, id: WorkerId) -> std::io::Result<()> {
        let oom_kills = world.oom.read();
        let (page, page_fd) = Page::create()?;
        let (process, socket) = Process::start(&world.program)?;
        let mut worker = Worker::new(id, process, Link::new(socket), page, oom_kills);
        let watch =
            |fd, token| epoll::add(&world.epoll, fd, epoll::EventData::new_u64(token), epoll::EventFlags::IN);
        let watched = watch(worker.link.socket(), socket_token(id))
            .and_then(|()| watch(worker.process.pidfd(), process_token(id)));
        if let Err(error) = watched {
            worker.process.kill();
            worker.process.reap_waiting();
            return Err(error.into());
        }
        let mut hello = Writer::new(Kind::Hello, 2);
        hello.u64(id.0).u8(u8::from(self.has_initializer));
        let along = vec![Descriptor::Owned(Arc::new(page_fd)), Descriptor::Owned(world.own.clone())];
        worker.send(hello.finish(), along);
        self.workers.insert(id, worker);
        self.tell(world, id, &self.first.clone());
        self.watch_room(world, id);
        Ok(())
    }

    /// Tells a worker the objects that it does not know yet.
    fn tell(&mut self, world: &World, id: WorkerId, objects: &[ObjectId]) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        for object in objects {
            if worker.known.contains(object) {
                continue;
            }
            let Some(entry) = self.objects.get(*object) else { continue };
            worker.known.insert(*object);
            let payload = entry.payload.clone();
            for (place, uses) in counted(payload.objects.iter().copied()) {
                introduce(world, worker, place.segment);
                for _ in 0..uses {
                    self.leases.hold(place, id);
                }
            }
            let mut frame =
                Writer::with_capacity(Kind::Object, payload.descriptors.len(), payload.bytes.len() + 32);
            frame.u64(object.0).u8(entry.kind).u32(payload.descriptors.len() as u32).raw(&payload.bytes);
            worker.send(frame.finish(), payload.descriptors.clone());
        }
    }

    fn send_items(&mut self, world: &World, id: WorkerId, mut message: Message) {
        let Some(job) = self.jobs.get(&message.job) else { return };
        let pieces = job.pieces(message.first, message.count);
        let mut needs = job.needs.clone();
        needs.extend(job.spec.function);
        let (function, tag) = (job.spec.function.map_or(0, |object| object.0), job.spec.tag.clone());
        let timed = job.spec.options.timeout.is_some();
        let traced = recorder().on();
        message.noted = timed || traced;
        self.tell(world, id, &needs);

        let Some(worker) = self.workers.get_mut(&id) else { return };
        let (mut lengths, mut length, mut descriptors, mut counts) = (Vec::new(), 0, Vec::new(), Vec::new());
        let mut position = 0;
        for (chunk, from, to) in &pieces {
            chunk.items.write_lengths(*from, *to, &mut lengths);
            length += chunk.items.bytes_of(*from, *to).len();
            let base = position;
            message.objects.extend(
                objects_of(chunk, *from, *to).map(|(at, object)| ((base + at - from) as u64, object)),
            );
            for (at, descriptor) in &chunk.descriptors {
                let at = *at as usize;
                if at >= *from && at < *to {
                    let item = (position + at - from) as u32;
                    match counts.last_mut() {
                        Some((last, count)) if *last == item => *count += 1,
                        _ => counts.push((item, 1)),
                    }
                    descriptors.push(descriptor.clone());
                }
            }
            position += to - from;
        }
        if traced {
            recorder().add(mh_trace::Event::Sent {
                job: mh_trace::JobKey { pool: self.number, job: message.job.0 },
                worker: worker.traced(self.number),
                first: message.first,
                count: message.count,
                bytes: (lengths.len() + length) as u64,
                shared: message.objects.iter().map(|(at, object)| (message.first + at, object.len)).collect(),
                at: world.now(),
            });
        }
        for (_, object) in &message.objects {
            introduce(world, worker, object.segment);
            self.leases.hold(*object, id);
        }
        let Ok((slot, generation)) = worker.occupy(message.clone()) else {
            // Cannot be: the engine keeps fewer messages at a worker than there are slots.
            worker.process.kill();
            return;
        };
        let head = BatchHead {
            message: message.id,
            slot,
            generation,
            job: message.job,
            first: message.first,
            count: message.count as u32,
            timed,
            traced,
            function,
            tag,
            descriptors: counts,
        };
        let mut frame = Writer::with_capacity(Kind::Batch, descriptors.len(), 128 + lengths.len() + length);
        head.write(&mut frame);
        frame.raw(&lengths);
        for (chunk, from, to) in &pieces {
            frame.raw(chunk.items.bytes_of(*from, *to));
        }
        worker.send(frame.finish(), descriptors);
        self.watch_room(world, id);
    }

    fn note_lost(&self, world: &World, job: JobId, index: Index) {
        if recorder().on() {
            let job = mh_trace::JobKey { pool: self.number, job: job.0 };
            let worker = self.subject_began;
            recorder().add(mh_trace::Event::Lost { job, index, worker, at: world.now() });
        }
    }

    fn recall(&mut self, id: WorkerId, message: MessageId, most: u64, all: bool) -> u64 {
        let Some(worker) = self.workers.get_mut(&id) else { return 0 };
        if !all && worker.is_receiving(message) {
            // Another would have to receive as much.
            return 0;
        }
        let Some((count, objects)) = worker.recall(message, most, all) else { return 0 };
        for (object, uses) in counted(objects) {
            self.leases.released_times(object, id, u64::from(uses));
        }
        count
    }

    fn accept(&mut self, world: &World, id: JobId, first: Index, count: u64) {
        let Some((batch, start)) = self.accepting.clone() else { return };
        let Some(job) = self.jobs.get_mut(&id) else { return };
        let objects = job.end_items(first, count);
        job.put_batch(&batch, first, (first - start) as usize, count as usize);
        self.drop_needs(world, objects);
        self.note_arrival(id, first, count);
    }

    /// Has a worker that has not answered the item yet begun it?
    pub fn has_begun(&self, job: JobId, index: Index) -> bool {
        self.workers.values().any(|worker| worker.has_begun(job, index))
    }

    /// Queues what the delivery thread watches.
    fn note_arrival(&mut self, id: JobId, first: Index, count: u64) {
        self.news = true;
        let Some(job) = self.jobs.get_mut(&id) else { return };
        if job.watched.is_empty() {
            return;
        }
        for index in first..first + count {
            if job.watched.remove(&Some(index)) {
                self.deliveries.push_back(Delivery { job: id, index: Some(index) });
            }
        }
    }

    fn finish(&mut self, world: &World, id: JobId, outcome: Outcome) {
        self.news = true;
        let Some(job) = self.jobs.get_mut(&id) else { return };
        job.outcome = Some(outcome);
        for index in std::mem::take(&mut job.watched) {
            self.deliveries.push_back(Delivery { job: id, index });
        }
        let objects = job.drop_items();
        self.drop_needs(world, objects);
    }

    /// Adds items to an open job; gives the index of the first. See README.md about those that are held back.
    pub fn feed(&mut self, world: &World, id: JobId, chunk: Chunk, end: bool) -> Index {
        let Some(job) = self.jobs.get_mut(&id) else { return 0 };
        let first = job.fed;
        job.want = 0;
        job.closed |= end;
        let count = chunk.items.len() as u64;
        if count > 0 {
            for (_, object) in &chunk.objects {
                self.leases.retain(*object);
            }
            let now = world.now();
            note_fed(self.number, id, first, count, now);
            let in_a_row = now.saturating_sub(std::mem::replace(&mut job.last_fed, now)) < IN_A_ROW;
            let hold = in_a_row
                && job.spec.by_index
                && !job.chunks.is_empty()
                && job.held < MOST_HELD
                && chunk.weight() < HELD_BYTES;
            job.add_chunk(chunk);
            job.held += count;
            if !hold {
                self.let_go(world, id);
            } else if !self.holding.contains(&id) {
                self.holding.push(id);
                self.let_go_at.get_or_insert(now + HOLD);
            }
        }
        if end {
            self.let_go(world, id);
            self.handle(world, Event::EndOfInput { job: id });
        }
        first
    }

    /// Tells the engine of the items of a job that are held back.
    pub fn let_go(&mut self, world: &World, id: JobId) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        let count = std::mem::take(&mut job.held);
        if count > 0 && job.outcome.is_none() {
            self.handle(world, Event::Feed { job: id, count });
        }
    }

    /// The same for all jobs; whether there was anything.
    pub fn let_all_go(&mut self, world: &World) -> bool {
        self.let_go_at = None;
        let holding = std::mem::take(&mut self.holding);
        for id in &holding {
            self.let_go(world, *id);
        }
        !holding.is_empty()
    }

    /// Forgets a job; its answers that nobody took are dropped.
    pub fn close_job(&mut self, world: &World, id: JobId) {
        if let Some(mut job) = self.jobs.remove(&id) {
            let objects = job.drop_items();
            self.drop_needs(world, objects);
        }
    }

    /// Lets go of objects here and in every worker.
    pub fn forget(&mut self, world: &World, ids: &[ObjectId]) {
        let mut forgotten = Vec::new();
        for id in ids {
            if let Some(entry) = self.objects.remove(*id) {
                forgotten.push(*id);
                self.drop_needs(world, entry.payload.objects.iter().copied());
            }
        }
        self.first.retain(|id| !forgotten.contains(id));
        for worker in self.workers.values_mut() {
            let known: Vec<ObjectId> =
                forgotten.iter().copied().filter(|id| worker.known.remove(id)).collect();
            if !known.is_empty() {
                let mut frame = Writer::new(Kind::Forget, 0);
                frame.u32(known.len() as u32);
                for id in known {
                    frame.u64(id.0);
                }
                worker.send(frame.finish(), Vec::new());
            }
        }
        self.watch_all_room(world);
    }

    /// So many needs of objects have ended.
    pub fn drop_needs(&mut self, world: &World, objects: impl IntoIterator<Item = Object>) {
        let mut free = Vec::new();
        for object in objects {
            free.extend(self.leases.drop_need(object));
        }
        release(world, free);
    }

    /// A worker no longer reads objects of ours.
    pub fn released(&mut self, world: &World, id: WorkerId, uses: &[(Object, u32)]) {
        let mut free = Vec::new();
        for (object, count) in uses {
            free.extend(self.leases.released_times(*object, id, u64::from(*count)));
        }
        release(world, free);
    }

    /// A worker is gone, and every mapping that it had.
    pub fn holder_gone(&mut self, world: &World, id: WorkerId) {
        let free = self.leases.holder_gone(id);
        release(world, free);
    }

    /// Tells workers which of their results nobody reads any more.
    pub fn tell_freed(&mut self, world: &World) {
        let mut told = false;
        for worker in self.workers.values_mut() {
            if worker.results.has_freed() {
                let freed = worker.results.take_freed();
                let mut frame = Writer::new(Kind::Free, 0);
                frame.u32(freed.len() as u32);
                for object in freed {
                    frame.object(object);
                }
                worker.send(frame.finish(), Vec::new());
                told = true;
            }
        }
        if told {
            self.watch_all_room(world);
        }
    }

    /// Gives shared memory back to the system that nobody has used for a while.
    pub fn trim(&mut self, world: &World) {
        let dropped = {
            let mut arena = world.arena.lock().unwrap_or_else(PoisonError::into_inner);
            arena.trim(
                std::time::Duration::from_nanos(world.now()),
                std::time::Duration::from_nanos(IDLE_SEGMENT),
            )
        };
        for segment in dropped {
            for worker in self.workers.values_mut() {
                if worker.segments.remove(&segment) {
                    let mut frame = Writer::new(Kind::DropSegment, 0);
                    frame.u64(segment.0);
                    worker.send(frame.finish(), Vec::new());
                }
            }
        }
        self.watch_all_room(world);
    }

    fn watch_all_room(&mut self, world: &World) {
        let waiting: Vec<WorkerId> = self
            .workers
            .values()
            .filter(|worker| worker.link.has_outgoing())
            .map(|worker| worker.id)
            .collect();
        for id in waiting {
            self.watch_room(world, id);
        }
    }

    /// Watches a worker's socket for room to write for as long as frames wait for it.
    pub fn watch_room(&mut self, world: &World, id: WorkerId) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        let waits = worker.link.has_outgoing() && !worker.closed;
        if waits != worker.watching_room && !worker.closed {
            let mut flags = epoll::EventFlags::IN;
            flags.set(epoll::EventFlags::OUT, waits);
            let data = epoll::EventData::new_u64(socket_token(id));
            if epoll::modify(&world.epoll, worker.link.socket(), data, flags).is_ok() {
                worker.watching_room = waits;
            }
        }
    }
}

fn release(world: &World, free: Vec<Object>) {
    if !free.is_empty() {
        let mut arena = world.arena.lock().unwrap_or_else(PoisonError::into_inner);
        for object in free {
            arena.release(object);
        }
    }
}

/// Gives the worker a segment to map, if it does not have it.
fn introduce(world: &World, worker: &mut Worker, id: SegmentId) {
    if worker.segments.contains(&id) {
        return;
    }
    let segment = world.arena.lock().unwrap_or_else(PoisonError::into_inner).segment(id);
    if let Some(segment) = segment {
        worker.segments.insert(id);
        let mut frame = Writer::new(Kind::Segment, 1);
        frame.u64(id.0).u64(segment.len());
        worker.send(frame.finish(), vec![Descriptor::Segment(segment)]);
    }
}
