//! The worker's end: what the parent wants comes in, answers and prints go out.
//!
//! Two threads of the worker use it: the one that runs the user's code, and a watcher that is mostly asleep. The
//! watcher ends the process (and its children) when the parent has ended, whatever the user's code is doing, and sends
//! answers that have waited for a few milliseconds because the item after them takes long.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use mh_store::{Arena, Mapping, MemoryReading, Object, Page, SegmentId, StoreError, minor_faults};
use mh_trace::Run;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};

use crate::answers::restored;
use crate::following::{end_with_parent, prefer_to_be_killed};
use crate::link::{Descriptor, Frame, Link, Received, send_all};
use crate::recording::Notes;
use crate::state::now;
use crate::wire::{BatchHead, Kind, Parts, Reader, ResultsHead, Writer, write_released};

/// Answers wait at most this long for others to go with them.
const FLUSH_AFTER: i64 = 4_000_000;
/// Answers go out when they come to this many bytes.
const FLUSH_SIZE: usize = 1 << 20;
/// How long result memory that the parent has freed is kept for the next result.
const IDLE_SEGMENT: Duration = Duration::from_secs(3);

/// Items to run.
pub struct Batch {
    pub head: BatchHead,
    pub items: Parts,
    /// File descriptors that came for items, by position in the batch.
    pub descriptors: HashMap<u32, Vec<OwnedFd>>,
    /// When it had been read, if it is traced.
    arrived: u64,
}

/// What the parent wants.
pub enum Incoming {
    /// Learn this; `id` is how it will be referred to.
    Object {
        id: u64,
        kind: u8,
        bytes: Vec<u8>,
        descriptors: Vec<OwnedFd>,
    },
    Batch(Batch),
    Forget(Vec<u64>),
    Shutdown,
    /// A signal came instead; ask again.
    Interrupted,
    /// The parent's end is closed: nobody will read an answer.
    Closed,
}

/// One use of an object of the parent's in shared memory; the parent is told when the last handle is dropped.
pub struct Use {
    mapping: Arc<Mapping>,
    object: Object,
    ended: Arc<Mutex<Vec<Object>>>,
}

impl Use {
    pub fn object(&self) -> Object {
        self.object
    }

    pub fn mapping(&self) -> &Mapping {
        &self.mapping
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        // Before the parent is told: what was written here must not shine through whatever it puts in this place next,
        // which may be another object of another length, or several.
        if restored(&self.mapping, self.object) {
            lock(&self.ended).push(self.object);
        }
    }
}

/// How an object of the parent's may be read.
pub enum Access {
    /// In place; it is as the parent stored it.
    Shared(Arc<Use>),
    /// Somebody still has it from an earlier item and may have written to it: this is a copy of what was stored.
    Copied(Vec<u8>),
}

/// Answers that have not gone out.
#[derive(Default)]
struct Pending {
    message: u64,
    parts: Parts,
    failed: Vec<u32>,
    objects: Vec<Object>,
    /// For a trace.
    runs: Vec<Run>,
    /// When the first of the pending items began.
    since: u64,
    timer_set: bool,
}

/// What both threads use.
struct Out {
    socket: OwnedFd,
    /// A pidfd of the parent: nobody waits for a parent that has ended, even where its end of the socket lives on.
    parent: OwnedFd,
    pending: Mutex<Pending>,
    ended: Arc<Mutex<Vec<Object>>>,
    timer: OwnedFd,
}

/// The worker's connection to its parent.
pub struct WorkerLink {
    link: Link,
    page: Page,
    out: Arc<Out>,
    /// A segment that could not be mapped is an error of the items that need it, and of no other.
    segments: HashMap<SegmentId, Result<Arc<Mapping>, io::ErrorKind>>,
    /// The uses of each object that are alive.
    live: HashMap<Object, Weak<Use>>,
    /// Uses that functions and globals hold on to, to be restored before each item.
    held: Vec<Weak<Use>>,
    faults: u64,
    notes: Notes,
    arena: Arena,
    introduced: std::collections::HashSet<SegmentId>,
    /// Whether an initializer is to be run before the worker is ready.
    pub has_initializer: bool,
    id: u64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the parent sent {what} that cannot be read"))
}

impl WorkerLink {
    /// Takes over the socket that the parent left as standard input, which becomes /dev/null.
    pub fn connect(memory: Box<dyn MemoryReading + Send>) -> io::Result<WorkerLink> {
        let socket = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3)?;
        let null = std::fs::File::open("/dev/null")?;
        rustix::stdio::dup2_stdin(&null)?;
        prefer_to_be_killed();

        let mut link = Link::new(rustix::io::fcntl_dupfd_cloexec(&socket, 3)?);
        let hello = loop {
            if let Some(frame) = link.next_frame() {
                break frame;
            }
            match link.receive(true) {
                Ok(Received::Closed) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
        };
        let mut reader = Reader::new(&hello.body);
        let (Kind::Hello, Some(id), Some(has_initializer)) = (hello.kind, reader.u64(), reader.u8()) else {
            return Err(invalid("a greeting"));
        };
        let (Some(page), Some(parent)) = (link.next_descriptor(), link.next_descriptor()) else {
            return Err(invalid("a greeting"));
        };
        let out = Arc::new(Out {
            socket,
            parent: rustix::io::fcntl_dupfd_cloexec(&parent, 3)?,
            pending: Mutex::default(),
            ended: Arc::default(),
            timer: timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC)?,
        });
        watch(out.clone())?;
        Ok(WorkerLink {
            link,
            page: Page::open(page)?,
            out,
            segments: HashMap::new(),
            live: HashMap::new(),
            held: Vec::new(),
            faults: 0,
            notes: Notes::default(),
            arena: Arena::new(1, memory),
            introduced: Default::default(),
            has_initializer: has_initializer != 0,
            id,
        })
    }

    /// The worker's number in its pool.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Tells the parent that items can be run.
    pub fn ready(&self) -> io::Result<()> {
        self.out.send(Writer::new(Kind::Ready, 0).finish(), &[])
    }

    /// Tells the parent that the initializer raised.
    pub fn not_ready(&self, failure: &[u8]) -> io::Result<()> {
        let mut frame = Writer::new(Kind::NotReady, 0);
        frame.raw(failure);
        self.out.send(frame.finish(), &[])
    }

    /// Sends what the user's code printed.
    pub fn printer(&self) -> Printer {
        Printer { out: self.out.clone() }
    }

    /// Is there anything that `next` would give without waiting?
    pub fn receive_now(&mut self) -> Option<io::Result<Incoming>> {
        loop {
            match self.next_frame() {
                Ok(Some(incoming)) => return Some(Ok(incoming)),
                Ok(None) => {}
                Err(error) => return Some(Err(error)),
            }
            match self.link.receive(false) {
                Ok(Received::Some) => {}
                Ok(Received::Drained) => match self.next_frame() {
                    Ok(Some(incoming)) => return Some(Ok(incoming)),
                    Ok(None) => return None,
                    Err(error) => return Some(Err(error)),
                },
                Ok(Received::Closed) => {
                    end_with_parent();
                    return Some(Ok(Incoming::Closed));
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// Waits for what the parent wants next.
    #[allow(clippy::should_implement_trait)] // No iterator: it may fail, or be interrupted, and go on.
    pub fn next(&mut self) -> io::Result<Incoming> {
        loop {
            if let Some(incoming) = self.next_frame()? {
                return Ok(incoming);
            }
            if !self.wait_readable()? {
                return Ok(Incoming::Interrupted);
            }
            match self.link.receive(false) {
                Ok(Received::Closed) => {
                    end_with_parent();
                    return Ok(Incoming::Closed);
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(Incoming::Interrupted),
                Err(error) => return Err(error),
            }
        }
    }

    /// Sleeps until the socket can be read; gives result memory back meanwhile. `false`: a signal came.
    fn wait_readable(&mut self) -> io::Result<bool> {
        loop {
            let idle = self.arena.has_idle();
            let second = Timespec { tv_sec: 1, tv_nsec: 0 };
            let mut fds = [
                PollFd::from_borrowed_fd(self.link.socket(), PollFlags::IN),
                PollFd::from_borrowed_fd(self.out.parent.as_fd(), PollFlags::IN),
            ];
            match poll(&mut fds, if idle { Some(&second) } else { None }) {
                Ok(0) => self.trim()?,
                Ok(_) if fds[0].revents().is_empty() => {
                    end_with_parent();
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                Ok(_) => return Ok(true),
                Err(rustix::io::Errno::INTR) => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn trim(&mut self) -> io::Result<()> {
        for segment in self.arena.trim(Duration::from_nanos(now()), IDLE_SEGMENT) {
            self.introduced.remove(&segment);
            let mut frame = Writer::new(Kind::DropSegment, 0);
            frame.u64(segment.0);
            self.out.send(frame.finish(), &[])?;
        }
        Ok(())
    }

    fn next_frame(&mut self) -> io::Result<Option<Incoming>> {
        while let Some(Frame { kind, body }) = self.link.next_frame() {
            let mut reader = Reader::new(&body);
            match kind {
                Kind::Segment => {
                    let (Some(id), Some(length)) = (reader.u64(), reader.u64()) else {
                        return Err(invalid("memory"));
                    };
                    let fd = self.link.next_descriptor().ok_or_else(|| invalid("memory"))?;
                    let mapped = Mapping::new(fd.as_fd(), length);
                    self.segments.insert(SegmentId(id), mapped.map(Arc::new).map_err(|error| error.kind()));
                }
                Kind::DropSegment => {
                    let id = reader.u64().ok_or_else(|| invalid("memory"))?;
                    self.segments.remove(&SegmentId(id));
                    self.live.retain(|object, _| object.segment != SegmentId(id));
                }
                Kind::Free => {
                    for _ in 0..reader.u32().ok_or_else(|| invalid("memory"))? {
                        self.arena.release(reader.object().ok_or_else(|| invalid("memory"))?);
                    }
                }
                Kind::Object => {
                    let (Some(id), Some(kind), Some(count)) = (reader.u64(), reader.u8(), reader.u32())
                    else {
                        return Err(invalid("an object"));
                    };
                    let descriptors = self.take_descriptors(count)?;
                    let bytes = reader.rest().to_vec();
                    return Ok(Some(Incoming::Object { id, kind, bytes, descriptors }));
                }
                Kind::Batch => {
                    let head = BatchHead::read(&mut reader).ok_or_else(|| invalid("items"))?;
                    let items =
                        Parts::read(&mut reader, head.count as usize).ok_or_else(|| invalid("items"))?;
                    let mut descriptors = HashMap::new();
                    for (position, count) in &head.descriptors {
                        descriptors.insert(*position, self.take_descriptors(*count)?);
                    }
                    let arrived = if head.traced { now() } else { 0 };
                    return Ok(Some(Incoming::Batch(Batch { head, items, descriptors, arrived })));
                }
                Kind::Forget => {
                    let mut ids = Vec::new();
                    for _ in 0..reader.u32().ok_or_else(|| invalid("a list"))? {
                        ids.push(reader.u64().ok_or_else(|| invalid("a list"))?);
                    }
                    return Ok(Some(Incoming::Forget(ids)));
                }
                Kind::Shutdown => return Ok(Some(Incoming::Shutdown)),
                Kind::Descriptors => {}
                _ => return Err(invalid("a frame")),
            }
        }
        Ok(None)
    }

    fn take_descriptors(&mut self, count: u32) -> io::Result<Vec<OwnedFd>> {
        (0..count).map(|_| self.link.next_descriptor().ok_or_else(|| invalid("file descriptors"))).collect()
    }

    /// Takes the next item of a batch; `None` when the rest was done or has been taken back.
    pub fn claim(&mut self, batch: &Batch) -> Option<u32> {
        if batch.head.timed || batch.head.traced {
            let time = now();
            // Before the claim: the parent must never see the new item with the time of the one before.
            self.page.set_begun_at(time);
            self.notes.claim(time);
        }
        self.page.claim(usize::from(batch.head.slot), batch.head.generation)
    }

    /// The function of the item that was claimed last is called next.
    pub fn called(&mut self) {
        self.notes.called();
    }

    /// It has returned.
    pub fn returned(&mut self) {
        self.notes.returned();
    }

    /// Gives the answer to the item that was claimed last, number `position` of the batch; `done` is how many of the batch are done with it.
    pub fn answer(
        &mut self,
        batch: &Batch,
        position: u32,
        done: u32,
        failed: bool,
        objects: &[Object],
        encoded: &[u8],
    ) -> io::Result<()> {
        let mut pending = self.out.pending_for(batch);
        if failed {
            let part = pending.parts.len() as u32;
            pending.failed.push(part);
        }
        pending.objects.extend_from_slice(objects);
        pending.parts.bytes.extend_from_slice(encoded);
        let size = encoded.len() as u64 + objects.iter().map(|object| object.len).sum::<u64>();
        self.notes.end(&mut pending.runs, batch, position, failed, size);
        self.end_answer(&mut pending, batch, done)
    }

    /// The same for an answer that `write` may be able to put at the end of the bytes; if it says that it is not, nothing
    /// is answered yet.
    pub fn answer_plain(
        &mut self,
        batch: &Batch,
        position: u32,
        done: u32,
        write: impl FnOnce(&mut Vec<u8>) -> bool,
    ) -> io::Result<bool> {
        let mut pending = self.out.pending_for(batch);
        let before = pending.parts.bytes.len();
        if !write(&mut pending.parts.bytes) {
            return Ok(false);
        }
        let size = (pending.parts.bytes.len() - before) as u64;
        self.notes.end(&mut pending.runs, batch, position, false, size);
        self.end_answer(&mut pending, batch, done)?;
        Ok(true)
    }

    fn end_answer(&self, pending: &mut Pending, batch: &Batch, done: u32) -> io::Result<()> {
        pending.parts.end_part();
        self.page.finished(usize::from(batch.head.slot), batch.head.generation, done);
        if pending.parts.bytes.len() >= FLUSH_SIZE {
            self.out.flush(pending)?;
        }
        Ok(())
    }

    /// The clock starts for the items of a batch.
    pub fn begin(&mut self, batch: &Batch) {
        lock(&self.out.pending).since = now();
        self.notes.begin(batch.head.traced, batch.arrived);
    }

    /// Sends the answers that wait.
    pub fn flush(&self) -> io::Result<()> {
        self.out.flush(&mut lock(&self.out.pending))
    }

    /// Tells the parent which of its memory is no longer read, if there is any to tell of.
    pub fn send_released(&self) -> io::Result<()> {
        let released = self.out.take_released();
        if released.is_empty() {
            return Ok(());
        }
        let mut frame = Writer::new(Kind::Released, 0);
        write_released(&released, &mut frame);
        self.out.send(frame.finish(), &[])
    }

    /// Copies bytes of a result into shared memory that the parent can map.
    pub fn store(&mut self, bytes: &[u8]) -> Result<Object, StoreError> {
        let (object, segment) = self.arena.reserve(bytes.len() as u64)?;
        let mut introduce = || -> Result<(), StoreError> {
            segment.write(object.offset, bytes)?;
            if self.introduced.insert(object.segment) {
                let mut frame = Writer::new(Kind::Segment, 1);
                frame.u64(object.segment.0).u64(segment.len());
                self.out.send(frame.finish(), &[Descriptor::Segment(segment.clone())]).map_err(|source| {
                    let action = "hand a result over".into();
                    StoreError::Io { action, source }
                })?;
            }
            Ok(())
        };
        match introduce() {
            Ok(()) => Ok(object),
            Err(error) => {
                self.arena.release(object);
                Err(error)
            }
        }
    }

    /// Gives up memory for a result that could not be sent.
    pub fn unstore(&mut self, object: Object) {
        self.arena.release(object);
    }

    /// Makes an object of the parent's readable, as the parent stored it. `hold`: it belongs to a function or global,
    /// stays for many items, and is brought back to what was stored before each (`restore_held`).
    pub fn access(&mut self, object: Object, hold: bool) -> io::Result<Access> {
        let mapping = match self.segments.get(&object.segment) {
            Some(Ok(mapping)) => mapping.clone(),
            Some(Err(kind)) => {
                lock(&self.out.ended).push(object);
                return Err(io::Error::new(*kind, "an argument in shared memory cannot be mapped"));
            }
            None => return Err(invalid("memory")),
        };
        let fits = object.offset.checked_add(object.len).is_some_and(|end| end <= mapping.len());
        if !fits {
            return Err(invalid("memory"));
        }
        if self.live.get(&object).is_some_and(|found| found.strong_count() > 0) {
            let copy = mapping.pristine(object.offset, object.len);
            lock(&self.out.ended).push(object);
            return Ok(Access::Copied(copy));
        }
        if !self.live.contains_key(&object) {
            // Read from end to end, as most are: one call in place of a fault for each few pages.
            mapping.populate(object.offset, object.len)?;
        }
        let used = Arc::new(Use { mapping, object, ended: self.out.ended.clone() });
        self.live.insert(object, Arc::downgrade(&used));
        if self.live.len() > 4096 {
            self.live.retain(|_, found| found.strong_count() > 0);
        }
        if hold {
            self.held.push(Arc::downgrade(&used));
        }
        Ok(Access::Shared(used))
    }

    /// Brings what functions and globals hold in shared memory back to what was stored, where an item wrote to it.
    pub fn restore_held(&mut self) -> io::Result<()> {
        if self.held.is_empty() {
            return Ok(());
        }
        let faults = minor_faults();
        if faults == self.faults {
            return Ok(());
        }
        self.held.retain(|held| held.strong_count() > 0);
        if !self.held.iter().filter_map(Weak::upgrade).all(|used| restored(&used.mapping, used.object)) {
            return Err(io::Error::other("what an item wrote to a shared argument could not be undone"));
        }
        self.faults = minor_faults();
        Ok(())
    }
}

/// Sends prints from any thread of the worker.
#[derive(Clone)]
pub struct Printer {
    out: Arc<Out>,
}

impl Printer {
    /// Sends bytes for the parent's standard output (1) or error (2).
    pub fn print(&self, stream: u8, bytes: &[u8]) -> io::Result<()> {
        let mut frame = Writer::with_capacity(Kind::Print, 0, bytes.len() + 1);
        frame.u8(stream).raw(bytes);
        self.out.send(frame.finish(), &[])
    }
}

impl Out {
    /// The answers that wait, to add one of this batch.
    fn pending_for(&self, batch: &Batch) -> MutexGuard<'_, Pending> {
        let mut pending = lock(&self.pending);
        if pending.parts.is_empty() {
            pending.message = batch.head.message.0;
            if batch.head.count > 1 && !pending.timer_set {
                pending.timer_set = self.set_timer();
            }
        }
        pending
    }

    /// Sends one frame; frames of the two threads do not mix.
    fn send(&self, frame: Vec<u8>, descriptors: &[Descriptor]) -> io::Result<()> {
        let _whole = lock(&self.pending);
        self.write(&frame, descriptors)
    }

    /// Writes a frame, with `pending` locked.
    fn write(&self, frame: &[u8], descriptors: &[Descriptor]) -> io::Result<()> {
        let written = send_all(self.socket.as_fd(), self.parent.as_fd(), frame, descriptors);
        if written.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
            end_with_parent();
        }
        written
    }

    fn take_released(&self) -> Vec<(Object, u32)> {
        crate::workers::counted(std::mem::take(&mut *lock(&self.ended)))
    }

    fn flush(&self, pending: &mut Pending) -> io::Result<()> {
        if pending.parts.is_empty() {
            return Ok(());
        }
        let time = now();
        let head = ResultsHead {
            message: pending.message,
            count: pending.parts.len() as u32,
            busy: time.saturating_sub(pending.since),
            failed: std::mem::take(&mut pending.failed),
            objects: std::mem::take(&mut pending.objects),
            released: self.take_released(),
            runs: std::mem::take(&mut pending.runs),
        };
        let parts = std::mem::take(&mut pending.parts);
        pending.since = time;
        let mut frame = Writer::with_capacity(Kind::Results, 0, 64 + parts.len() * 4 + parts.bytes.len());
        head.write(&mut frame);
        let mut lengths = Vec::with_capacity(parts.len() * 4);
        parts.write_lengths(0, parts.len(), &mut lengths);
        frame.raw(&lengths).raw(&parts.bytes);
        self.write(&frame.finish(), &[])
    }

    fn set_timer(&self) -> bool {
        let once = Itimerspec {
            it_interval: Timespec { tv_sec: 0, tv_nsec: 0 },
            it_value: Timespec { tv_sec: 0, tv_nsec: FLUSH_AFTER },
        };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once).is_ok()
    }
}

/// Starts the watcher.
fn watch(out: Arc<Out>) -> io::Result<()> {
    std::thread::Builder::new().name("manyhands-watch".into()).stack_size(128 * 1024).spawn(move || {
        loop {
            let mut fds = [
                PollFd::from_borrowed_fd(out.parent.as_fd(), PollFlags::IN),
                PollFd::from_borrowed_fd(out.timer.as_fd(), PollFlags::IN),
            ];
            match poll(&mut fds, None) {
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => continue,
                Err(_) => return,
            }
            if !fds[0].revents().is_empty() {
                end_with_parent();
            }
            let mut ticks = [0u8; 8];
            if !fds[1].revents().is_empty() && rustix::io::read(&out.timer, &mut ticks).is_ok() {
                // Never waiting: the other thread may hold the lock for as long as the parent does not read, and the
                // parent's end must not be missed meanwhile.
                match out.pending.try_lock() {
                    Ok(mut pending) => {
                        pending.timer_set = false;
                        let _ = out.flush(&mut pending);
                    }
                    Err(_) => {
                        out.set_timer();
                    }
                }
            }
        }
    })?;
    Ok(())
}
