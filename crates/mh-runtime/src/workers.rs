//! One worker process as the parent sees it: the connection, the shared page, and what it has been sent.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;

use mh_engine::{Index, JobId, MessageId, Nanos, WorkerId};
use mh_store::{Object, Page, SLOTS, SegmentId};

use crate::answers::WorkerResults;
use crate::link::Link;
use crate::objects::ObjectId;
use crate::spawn::Process;

/// A message that is at a worker.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub id: MessageId,
    pub job: JobId,
    pub first: Index,
    /// Items of the message, less those that were taken back.
    pub count: u64,
    /// How many of them have been answered.
    pub answered: u64,
    /// Objects that the items refer to: (position in the message, object), in order of position.
    pub objects: Vec<(u64, Object)>,
    /// The page tells when the item that is being run began.
    pub noted: bool,
}

/// The parent's side of a worker.
pub(crate) struct Worker {
    pub id: WorkerId,
    pub process: Process,
    pub link: Link,
    pub page: Page,
    slots: [Option<Message>; SLOTS],
    generations: [u16; SLOTS],
    /// Objects that it has been told.
    pub known: HashSet<ObjectId>,
    /// Segments of ours that it has mapped.
    pub segments: HashSet<SegmentId>,
    pub results: Arc<WorkerResults>,
    /// The kernel's count of processes killed for memory when this one started.
    pub oom_kills: u64,
    pub ready: bool,
    /// The socket is watched for room to write.
    pub watching_room: bool,
    /// Its end of the socket is closed; the process is about to end, or was killed for it.
    pub closed: bool,
    /// When it is killed if it has not ended in good order by then.
    pub deadline: Option<Nanos>,
}

impl Worker {
    pub fn new(id: WorkerId, process: Process, link: Link, page: Page, oom_kills: u64) -> Worker {
        Worker {
            id,
            process,
            link,
            page,
            slots: Default::default(),
            generations: [0; SLOTS],
            known: HashSet::new(),
            segments: HashSet::new(),
            results: Arc::default(),
            oom_kills,
            ready: false,
            watching_room: false,
            closed: false,
            deadline: None,
        }
    }

    /// Takes a slot of the page for a message; gives (slot, generation).
    pub fn occupy(&mut self, message: Message) -> io::Result<(u8, u16)> {
        let slot = self
            .slots
            .iter()
            .position(Option::is_none)
            .ok_or_else(|| io::Error::other("a worker was sent more messages than it has slots"))?;
        self.generations[slot] = self.generations[slot].wrapping_add(1);
        self.page.publish(slot, self.generations[slot], message.count as u32);
        self.slots[slot] = Some(message);
        Ok((slot as u8, self.generations[slot]))
    }

    fn slot_of(&self, message: MessageId) -> Option<usize> {
        self.slots.iter().position(|slot| slot.as_ref().is_some_and(|found| found.id == message))
    }

    /// Is the worker still receiving the message, and has no other? Then it has not begun only for that reason.
    pub fn is_receiving(&self, message: MessageId) -> bool {
        self.link.has_outgoing() && self.slots.iter().flatten().all(|held| held.id == message)
    }

    /// Takes back items that have not begun; gives how many, and the objects that the worker will not read for them.
    pub fn recall(&mut self, message: MessageId, most: u64, all: bool) -> Option<(u64, Vec<Object>)> {
        let slot = self.slot_of(message)?;
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        let taken = u64::from(self.page.steal(slot, self.generations[slot], most, all));
        let found = self.slots[slot].as_mut()?;
        found.count -= taken;
        let kept = found.objects.partition_point(|(position, _)| *position < found.count);
        let objects = found.objects.drain(kept..).map(|(_, object)| object).collect();
        self.free_if_done(slot);
        Some((taken, objects))
    }

    /// Notes that the next `count` items of a message are answered; gives its job and the index of the first of them.
    pub fn answered(&mut self, message: MessageId, count: u64) -> Option<(JobId, Index)> {
        let slot = self.slot_of(message)?;
        let found = self.slots[slot].as_mut()?;
        let result = (found.job, found.first + found.answered);
        found.answered += count;
        self.free_if_done(slot);
        Some(result)
    }

    fn free_if_done(&mut self, slot: usize) {
        if self.slots[slot].as_ref().is_some_and(|message| message.answered >= message.count) {
            self.slots[slot] = None;
        }
    }

    /// As traces know it.
    pub fn traced(&self, pool: u64) -> mh_trace::Worker {
        let pid = self.process.id();
        mh_trace::Worker { kind: mh_trace::Kind::Process, pool, id: self.id.0, pid }
    }

    /// When the item began that it is running, if it was asked to note that.
    pub fn began(&self) -> Option<Nanos> {
        let (message, _, at) = self.running()?;
        let found = &self.slots[self.slot_of(message)?];
        found.as_ref().filter(|found| found.noted).map(|_| at)
    }

    /// Does it hold a message?
    pub fn is_busy(&self) -> bool {
        self.slots.iter().any(Option::is_some)
    }

    /// The item that it is running: begun and not finished.
    pub fn running(&self) -> Option<(MessageId, Index, Nanos)> {
        self.slots.iter().enumerate().find_map(|(slot, message)| {
            let message = message.as_ref()?;
            let progress = self.page.progress(slot, self.generations[slot])?;
            let index = message.first + u64::from(progress.finished);
            (progress.begun > progress.finished).then(|| (message.id, index, self.page.begun_at()))
        })
    }

    /// Does it hold this item, and has it begun it?
    pub fn has_begun(&self, job: JobId, index: Index) -> bool {
        self.slots.iter().enumerate().any(|(slot, message)| {
            let Some(message) = message.as_ref().filter(|message| message.job == job) else { return false };
            let held = message.first + message.answered..message.first + message.count;
            let progress = self.page.progress(slot, self.generations[slot]);
            held.contains(&index)
                && progress.is_some_and(|progress| message.first + u64::from(progress.begun) > index)
        })
    }

    /// Sends frames; that the worker is gone shows elsewhere.
    pub fn send(&mut self, frame: Vec<u8>, descriptors: Vec<crate::link::Descriptor>) {
        if !self.closed {
            let _ = self.link.send(frame, descriptors);
        }
    }
}

/// Objects grouped with how often each occurs.
pub(crate) fn counted(objects: impl IntoIterator<Item = Object>) -> Vec<(Object, u32)> {
    let mut counts: Vec<(Object, u32)> = Vec::new();
    for object in objects {
        match counts.iter_mut().find(|(known, _)| *known == object) {
            Some((_, count)) => *count += 1,
            None => counts.push((object, 1)),
        }
    }
    counts
}
