//! The frames that the parent and its workers exchange, and nothing about how they travel.
//!
//! A frame is a header of 16 bytes (kind, number of file descriptors, length of the body; little endian) and a body.
//! Both ends are the same build of the same library on the same machine, so there is no version to negotiate; but a
//! worker runs the user's code, which may crash half way, so everything that is read is checked for its length.

use mh_engine::{Index, JobId, MessageId};
use mh_store::{Object, SegmentId};
use mh_trace::Run;

/// Length of a frame's header.
pub const HEADER: usize = 16;

/// What a frame is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Kind {
    // From the parent.
    /// First frame to a worker: its shared page and the parent's pidfd come along.
    Hello = 1,
    /// A thing that later frames refer to by its id: a function, a global, a class, the surroundings.
    Object,
    /// A shared memory segment of the parent's; the memfd comes along.
    Segment,
    /// The worker may let go of a segment.
    DropSegment,
    /// Items to run.
    Batch,
    /// The worker may let go of these objects.
    Forget,
    /// The parent no longer reads these results in shared memory.
    Free,
    /// End in good order.
    Shutdown,
    /// Only carries file descriptors for the frame that follows.
    Descriptors,

    // From a worker.
    /// The worker has started and run its initializer.
    Ready,
    /// The initializer raised; the body is the failure.
    NotReady,
    /// Answers.
    Results,
    /// What the user's code printed.
    Print,
    /// Uses of the parent's shared memory that have ended.
    Released,
}

impl Kind {
    fn from_u32(value: u32) -> Option<Kind> {
        use Kind::*;
        [
            Hello,
            Object,
            Segment,
            DropSegment,
            Batch,
            Forget,
            Free,
            Shutdown,
            Descriptors,
            Ready,
            NotReady,
            Results,
            Print,
            Released,
        ]
        .into_iter()
        .find(|kind| *kind as u32 == value)
    }
}

/// The fixed part of a frame.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    pub kind: Kind,
    pub length: u64,
}

impl Header {
    pub fn decode(bytes: &[u8]) -> Option<Header> {
        let mut read = Reader::new(bytes);
        let kind = Kind::from_u32(read.u32()?)?;
        let _descriptors = read.u32()?;
        Some(Header { kind, length: read.u64()? })
    }
}

/// Builds one frame.
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub fn new(kind: Kind, descriptors: usize) -> Writer {
        Writer::with_capacity(kind, descriptors, 64)
    }

    pub fn with_capacity(kind: Kind, descriptors: usize, body: usize) -> Writer {
        let mut bytes = Vec::with_capacity(HEADER + body);
        bytes.extend_from_slice(&(kind as u32).to_le_bytes());
        bytes.extend_from_slice(&(descriptors as u32).to_le_bytes());
        bytes.extend_from_slice(&[0; 8]);
        Writer { bytes }
    }

    pub fn u8(&mut self, value: u8) -> &mut Self {
        self.bytes.push(value);
        self
    }

    pub fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes.extend_from_slice(&value.to_le_bytes());
        self
    }

    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes.extend_from_slice(&value.to_le_bytes());
        self
    }

    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// A run of bytes with its length before it.
    pub fn run(&mut self, bytes: &[u8]) -> &mut Self {
        self.u32(bytes.len() as u32).raw(bytes)
    }

    pub fn object(&mut self, object: Object) -> &mut Self {
        self.u64(object.segment.0).u64(object.offset).u64(object.len)
    }

    /// The finished frame.
    pub fn finish(mut self) -> Vec<u8> {
        let length = (self.bytes.len() - HEADER) as u64;
        self.bytes[8..HEADER].copy_from_slice(&length.to_le_bytes());
        self.bytes
    }
}

/// Reads a body; every method gives `None` where the body is too short.
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { rest: bytes }
    }

    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(head)
    }

    pub fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    pub fn u32(&mut self) -> Option<u32> {
        self.take(4).map(|bytes| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    pub fn u64(&mut self) -> Option<u64> {
        let bytes = self.take(8)?;
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
    }

    pub fn run(&mut self) -> Option<&'a [u8]> {
        let length = self.u32()? as usize;
        self.take(length)
    }

    pub fn object(&mut self) -> Option<Object> {
        Some(Object { segment: SegmentId(self.u64()?), offset: self.u64()?, len: self.u64()? })
    }

    /// What has not been read yet.
    pub fn rest(self) -> &'a [u8] {
        self.rest
    }
}

/// Longest part of a `Parts`, in bytes: what is longer cannot be sent. (Buffers in shared memory have no such limit.)
pub const LONGEST_PART: u64 = u32::MAX as u64;

/// The lengths of consecutive parts of a run of bytes, kept as their ends: part `i` is `ends[i-1]..ends[i]`.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    pub ends: Vec<u64>,
    pub bytes: Vec<u8>,
}

impl Parts {
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Adds the other's parts at the end.
    pub fn append(&mut self, other: &Parts) {
        let base = self.bytes.len() as u64;
        self.ends.extend(other.ends.iter().map(|end| base + end));
        self.bytes.extend_from_slice(&other.bytes);
    }

    /// Ends the part that was written to `bytes` since the last end.
    pub fn end_part(&mut self) {
        self.ends.push(self.bytes.len() as u64);
    }

    fn start_of(&self, index: usize) -> usize {
        if index == 0 { 0 } else { self.ends[index - 1] as usize }
    }

    pub fn part(&self, index: usize) -> &[u8] {
        &self.bytes[self.start_of(index)..self.ends[index] as usize]
    }

    /// Writes the lengths of the parts `from..to`, as they stand in a frame before the parts themselves.
    pub fn write_lengths(&self, from: usize, to: usize, lengths: &mut Vec<u8>) {
        for index in from..to {
            let length = self.ends[index] - self.start_of(index) as u64;
            debug_assert!(length <= LONGEST_PART, "whoever writes a part sees to it that it is no longer");
            lengths.extend_from_slice(&(length as u32).to_le_bytes());
        }
    }

    /// The bytes of the parts `from..to`.
    pub fn bytes_of(&self, from: usize, to: usize) -> &[u8] {
        if to > from { &self.bytes[self.start_of(from)..self.ends[to - 1] as usize] } else { &[] }
    }

    /// Reads `count` lengths and as many parts; `None` when they do not fit the bytes.
    pub fn read(reader: &mut Reader<'_>, count: usize) -> Option<Parts> {
        let lengths = reader.take(count.checked_mul(4)?)?;
        let mut end = 0u64;
        let mut ends = Vec::with_capacity(count);
        for length in lengths.chunks_exact(4) {
            end += u64::from(u32::from_le_bytes([length[0], length[1], length[2], length[3]]));
            ends.push(end);
        }
        let bytes = reader.take(usize::try_from(end).ok()?)?.to_vec();
        Some(Parts { ends, bytes })
    }
}

/// The head of a `Batch` frame; the items follow as [`Parts`].
#[derive(Clone, Debug)]
pub struct BatchHead {
    pub message: MessageId,
    pub slot: u8,
    pub generation: u16,
    pub job: JobId,
    pub first: Index,
    pub count: u32,
    /// The worker notes when each item begins.
    pub timed: bool,
    /// It notes all times of each item, for a trace.
    pub traced: bool,
    /// The object that holds the function, or 0 where each item brings its own.
    pub function: u64,
    /// What the layer above wants to tell its other half about the job.
    pub tag: Vec<u8>,
    /// File descriptors that came for items: (position in the batch, how many), in order.
    pub descriptors: Vec<(u32, u32)>,
}

impl BatchHead {
    pub fn write(&self, frame: &mut Writer) {
        frame
            .u64(self.message.0)
            .u8(self.slot)
            .u32(u32::from(self.generation))
            .u64(self.job.0)
            .u64(self.first)
            .u32(self.count)
            .u8(u8::from(self.timed) | u8::from(self.traced) << 1)
            .u64(self.function)
            .run(&self.tag)
            .u32(self.descriptors.len() as u32);
        for (position, count) in &self.descriptors {
            frame.u32(*position).u32(*count);
        }
    }

    pub fn read(reader: &mut Reader<'_>) -> Option<BatchHead> {
        let mut head = BatchHead {
            message: MessageId(reader.u64()?),
            slot: reader.u8()?,
            generation: u16::try_from(reader.u32()?).ok()?,
            job: JobId(reader.u64()?),
            first: reader.u64()?,
            count: reader.u32()?,
            timed: false,
            traced: false,
            function: 0,
            tag: Vec::new(),
            descriptors: Vec::new(),
        };
        let flags = reader.u8()?;
        (head.timed, head.traced) = (flags & 1 != 0, flags & 2 != 0);
        (head.function, head.tag) = (reader.u64()?, reader.run()?.to_vec());
        for _ in 0..reader.u32()? {
            head.descriptors.push((reader.u32()?, reader.u32()?));
        }
        Some(head)
    }
}

/// The head of a `Results` frame; the answers follow as [`Parts`].
#[derive(Clone, Debug, Default)]
pub struct ResultsHead {
    pub message: u64,
    pub count: u32,
    pub busy: u64,
    /// Offsets in this frame of the items that failed.
    pub failed: Vec<u32>,
    /// Where the worker put the large buffers of these answers.
    pub objects: Vec<Object>,
    /// Uses of the parent's objects that have ended: (object, how many).
    pub released: Vec<(Object, u32)>,
    /// What was noted of the items, for a trace.
    pub runs: Vec<Run>,
}

impl ResultsHead {
    pub fn write(&self, frame: &mut Writer) {
        frame.u64(self.message).u32(self.count).u64(self.busy).u32(self.failed.len() as u32);
        for offset in &self.failed {
            frame.u32(*offset);
        }
        frame.u32(self.objects.len() as u32);
        for object in &self.objects {
            frame.object(*object);
        }
        write_released(&self.released, frame);
        frame.u32(self.runs.len() as u32);
        for run in &self.runs {
            write_run(run, frame);
        }
    }

    pub fn read(reader: &mut Reader<'_>) -> Option<ResultsHead> {
        let mut head = ResultsHead {
            message: reader.u64()?,
            count: reader.u32()?,
            busy: reader.u64()?,
            ..ResultsHead::default()
        };
        for _ in 0..reader.u32()? {
            head.failed.push(reader.u32()?);
        }
        for _ in 0..reader.u32()? {
            head.objects.push(reader.object()?);
        }
        head.released = read_released(reader)?;
        for _ in 0..reader.u32()? {
            head.runs.push(read_run(reader)?);
        }
        Some(head)
    }
}

fn write_run(run: &Run, frame: &mut Writer) {
    frame.u64(run.first).u64(run.count).u64(run.arrived).u64(run.begun).u64(run.called).u64(run.returned);
    frame.u64(run.ended).u64(run.cpu).u64(run.bytes_in).u64(run.bytes_out).u8(u8::from(run.failed));
}

fn read_run(reader: &mut Reader<'_>) -> Option<Run> {
    Some(Run {
        first: reader.u64()?,
        count: reader.u64()?,
        arrived: reader.u64()?,
        begun: reader.u64()?,
        called: reader.u64()?,
        returned: reader.u64()?,
        ended: reader.u64()?,
        cpu: reader.u64()?,
        bytes_in: reader.u64()?,
        bytes_out: reader.u64()?,
        failed: reader.u8()? != 0,
    })
}

/// Writes which uses of the parent's objects have ended.
pub fn write_released(released: &[(Object, u32)], frame: &mut Writer) {
    frame.u32(released.len() as u32);
    for (object, uses) in released {
        frame.object(*object).u32(*uses);
    }
}

/// Reads what `write_released` wrote.
pub fn read_released(reader: &mut Reader<'_>) -> Option<Vec<(Object, u32)>> {
    let count = reader.u32()?;
    let mut released = Vec::new();
    for _ in 0..count {
        released.push((reader.object()?, reader.u32()?));
    }
    Some(released)
}

#[cfg(test)]
mod tests;
