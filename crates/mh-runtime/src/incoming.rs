//! What a worker's socket and its end bring.

use std::io;

use mh_engine::{Death, Event, Index, MessageId, WorkerId};
use mh_store::{Mapping, SegmentId};
use rustix::event::epoll;

use crate::answers::AnswerBatch;
use crate::link::{Frame, Received};
use crate::recording::recorder;
use crate::state::{Print, State, World};
use crate::wire::{Kind, Parts, Reader, ResultsHead, read_released};
use crate::workers::Worker;

/// Reads from one worker at a time before others get their turn.
const READS_A_TURN: usize = 16;

impl State {
    /// The worker's socket has something to read, or takes more.
    pub fn socket_event(&mut self, world: &World, id: WorkerId, readable: bool) {
        if readable {
            self.read_some(world, id, READS_A_TURN);
        }
        if let Some(worker) = self.workers.get_mut(&id) {
            if worker.link.flush().is_err() {
                self.close_socket(world, id);
            }
            self.watch_room(world, id);
        }
    }

    fn read_some(&mut self, world: &World, id: WorkerId, reads: usize) {
        for _ in 0..reads {
            let Some(worker) = self.workers.get_mut(&id) else { return };
            if worker.closed {
                return;
            }
            let received = worker.link.receive(false);
            self.take_frames(world, id);
            match received {
                Ok(Received::Some) => {}
                Ok(Received::Drained) => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(Received::Closed) | Err(_) => return self.close_socket(world, id),
            }
        }
    }

    /// The worker's end is closed, or speaks nonsense. A process that lives on without its socket is of no use.
    fn close_socket(&mut self, world: &World, id: WorkerId) {
        if let Some(worker) = self.workers.get_mut(&id)
            && !worker.closed
        {
            worker.closed = true;
            let _ = epoll::delete(&world.epoll, worker.link.socket());
            if worker.deadline.is_none() {
                worker.process.kill();
            }
        }
    }

    fn take_frames(&mut self, world: &World, id: WorkerId) {
        while let Some(frame) = self.workers.get_mut(&id).and_then(|worker| worker.link.next_frame()) {
            if self.take_frame(world, id, frame).is_none() {
                return self.close_socket(world, id);
            }
        }
    }

    /// Handles one frame; `None` when it makes no sense.
    fn take_frame(&mut self, world: &World, id: WorkerId, frame: Frame) -> Option<()> {
        let mut reader = Reader::new(&frame.body);
        match frame.kind {
            Kind::Ready => {
                let worker = self.workers.get_mut(&id)?;
                worker.ready = true;
                if recorder().on() {
                    let (worker, at) = (worker.traced(self.number), world.now());
                    recorder().add(mh_trace::Event::Ready { worker, at });
                }
                self.handle(world, Event::Ready { worker: id });
            }
            Kind::NotReady => self.breakage.initializer = Some(frame.body),
            Kind::Results => self.take_results(world, id, &mut reader)?,
            Kind::Print => {
                let stream = reader.u8()?;
                self.prints.push_back(Print { stream, bytes: reader.rest().to_vec() });
                self.news = true;
            }
            Kind::Segment => {
                let (segment, length) = (SegmentId(reader.u64()?), reader.u64()?);
                let worker = self.workers.get_mut(&id)?;
                let fd = worker.link.next_descriptor()?;
                let mapping = Mapping::new(std::os::fd::AsFd::as_fd(&fd), length).ok()?;
                worker.results.add(segment, mapping);
            }
            Kind::DropSegment => self.workers.get_mut(&id)?.results.remove(SegmentId(reader.u64()?)),
            Kind::Released => {
                let released = read_released(&mut reader)?;
                self.released(world, id, &released);
            }
            _ => return None,
        }
        Some(())
    }

    fn take_results(&mut self, world: &World, id: WorkerId, reader: &mut Reader<'_>) -> Option<()> {
        let head = ResultsHead::read(reader)?;
        let parts = Parts::read(reader, head.count as usize)?;
        let worker = self.workers.get_mut(&id)?;
        let leases = head.objects.iter().filter_map(|object| worker.results.lease(*object)).collect();
        let batch = AnswerBatch { parts, failed: head.failed, leases, pid: worker.process.id() };
        self.released(world, id, &head.released);
        if head.count == 0 {
            return Some(());
        }
        let message = MessageId(head.message);
        // An answer to a message that is not at this worker is nobody's: it is dropped with its leases.
        let worker = self.workers.get_mut(&id)?;
        let Some((job, first)) = worker.answered(message, u64::from(head.count)) else {
            return Some(());
        };
        if !head.runs.is_empty() {
            let job = mh_trace::JobKey { pool: self.number, job: job.0 };
            let worker = worker.traced(self.number);
            recorder().add(mh_trace::Event::Ran { job, worker, runs: head.runs, at: world.now() });
        }
        let failed: Vec<Index> = batch.failed.iter().map(|offset| first + u64::from(*offset)).collect();
        let event = Event::Done {
            worker: id,
            message,
            count: u64::from(head.count),
            failed: &failed,
            busy: head.busy,
        };
        self.handle_answers(world, event, batch, first);
        Some(())
    }

    /// The worker's process has ended: what it sent before still counts, then it is gone.
    pub fn process_event(&mut self, world: &World, id: WorkerId) {
        loop {
            let Some(worker) = self.workers.get_mut(&id) else { return };
            if worker.closed {
                break;
            }
            let received = worker.link.receive(false);
            self.take_frames(world, id);
            match received {
                Ok(Received::Some) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // A child of the worker's may hold the socket open: empty is the end as well.
                Ok(Received::Drained | Received::Closed) | Err(_) => break,
            }
        }
        let Some(worker) = self.workers.get_mut(&id) else { return };
        let Some(death) = worker.process.reap() else { return };
        let running = worker.running().map(|(message, index, _)| (message, index));
        let began = worker.began();
        let _ = epoll::delete(&world.epoll, worker.process.pidfd());
        if !worker.closed {
            let _ = epoll::delete(&world.epoll, worker.link.socket());
        }
        let Some(worker) = self.workers.remove(&id) else { return };
        self.subject_began = began.map(|began| (worker.traced(self.number), began));
        self.bury(world, worker, running, death);
        self.subject_began = None;
    }

    fn bury(&mut self, world: &World, worker: Worker, running: Option<(MessageId, Index)>, death: Death) {
        let death = match death {
            Death::Signal { number, .. } => {
                Death::Signal { number, out_of_memory: number == 9 && world.oom.read() > worker.oom_kills }
            }
            other => other,
        };
        // Once it is broken, the others are killed for it: their ends say nothing about why.
        if !worker.ready && !self.broken {
            self.breakage.death = Some(death);
        }
        self.holder_gone(world, worker.id);
        self.handle_about(world, Event::Died { worker: worker.id, running, death }, worker.process.id());
    }
}
