//! A job as the runtime knows it: the encoded items that have not ended, and the answers that nobody took yet.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use mh_engine::{Fault, Index, JobOptions, Nanos, Outcome};
use mh_store::Object;

use crate::answers::{Answer, AnswerBatch};
use crate::link::Descriptor;
use crate::objects::ObjectId;
use crate::wire::Parts;

/// What a caller wants of a job.
#[derive(Clone, Debug, Default)]
pub struct JobSpec {
    pub options: JobOptions,
    /// The object that holds the function; `None` where each item brings its own.
    pub function: Option<ObjectId>,
    /// What the layer above wants to tell its other half in the worker.
    pub tag: Vec<u8>,
    /// Answers are asked for by index, one at a time, rather than taken in a row.
    pub by_index: bool,
}

/// Consecutive encoded items, fed together.
#[derive(Debug, Default)]
pub struct Chunk {
    pub items: Parts,
    /// Objects in shared memory that items refer to: (position in the chunk, object), in order of position.
    pub objects: Vec<(u32, Object)>,
    /// File descriptors that items bring along, in order of position.
    pub descriptors: Vec<(u32, Descriptor)>,
}

impl Chunk {
    /// Is there nothing but bytes to it?
    pub fn is_plain(&self) -> bool {
        self.objects.is_empty() && self.descriptors.is_empty()
    }

    /// The memory that the chunk keeps busy, in bytes.
    pub fn weight(&self) -> u64 {
        self.items.bytes.len() as u64 + self.objects.iter().map(|(_, object)| object.len).sum::<u64>()
    }
}

/// Items up to this many bytes are shown in the error when their worker dies.
const SHORT_ITEM: usize = 4096;

pub(crate) struct Kept {
    pub chunk: Arc<Chunk>,
    /// Items of the chunk that have not ended.
    pub remaining: u64,
    /// Which items have ended; only kept where items refer to objects.
    ended: Vec<bool>,
}

/// The runtime's side of a job.
pub(crate) struct Job {
    pub spec: JobSpec,
    /// Objects that a worker must have before it is sent items.
    pub needs: Vec<ObjectId>,
    /// By the index of the first item.
    pub chunks: BTreeMap<Index, Kept>,
    pub fed: u64,
    /// The last so many of them are held back for others to go with them: the engine does not know of them yet.
    pub held: u64,
    pub last_fed: Nanos,
    /// Bytes of the items that have not ended.
    pub weight: u64,
    /// Room that the engine has offered and nobody has used.
    pub want: u64,
    pub answers: VecDeque<Answer>,
    pub by_index: HashMap<Index, Answer>,
    /// Indices whose answers nobody will ask for.
    pub unwanted: HashSet<Index>,
    /// Indices (or, for `None`, the end of the job) that the delivery thread waits for.
    pub watched: HashSet<Option<Index>>,
    /// Its input has ended: what is fed later is refused.
    pub closed: bool,
    pub outcome: Option<Outcome>,
}

impl Job {
    pub fn new(spec: JobSpec) -> Job {
        Job {
            spec,
            needs: Vec::new(),
            chunks: BTreeMap::new(),
            fed: 0,
            held: 0,
            last_fed: 0,
            weight: 0,
            want: 0,
            answers: VecDeque::new(),
            by_index: HashMap::new(),
            unwanted: HashSet::new(),
            watched: HashSet::new(),
            closed: false,
            outcome: None,
        }
    }

    /// Is there something that the job's caller should look at, who has nothing to do before there are `least` answers or
    /// one failure?
    pub fn has_news(&self, least: u64, wants_room: bool) -> bool {
        let mut count = 0;
        let mut enough = |answer: &Answer| {
            count += answer.count();
            count >= least || answer.has_failure()
        };
        self.answers.iter().any(&mut enough) || self.outcome.is_some() || (wants_room && self.want > 0)
    }

    pub fn add_chunk(&mut self, chunk: Chunk) -> u64 {
        let count = chunk.items.len() as u64;
        self.weight += chunk.weight();
        if self.held > 0 && chunk.is_plain() {
            // One that is held back has not been sent to anybody yet: it can take more.
            if let Some((start, kept)) = self.chunks.iter_mut().next_back()
                && *start >= self.fed - self.held
                && kept.chunk.is_plain()
                && let Some(last) = Arc::get_mut(&mut kept.chunk)
            {
                last.items.append(&chunk.items);
                kept.remaining += count;
                self.fed += count;
                return count;
            }
        }
        let ended = if chunk.objects.is_empty() { Vec::new() } else { vec![false; chunk.items.len()] };
        self.chunks.insert(self.fed, Kept { chunk: Arc::new(chunk), remaining: count, ended });
        self.fed += count;
        count
    }

    /// The items of chunks that have not ended as a whole: all that have not ended, in order, and a few that have.
    pub fn indices(&self) -> Vec<Index> {
        let of_chunk = |(first, kept): (&Index, &Kept)| *first..*first + kept.chunk.items.len() as u64;
        self.chunks.iter().flat_map(of_chunk).collect()
    }

    /// The pieces of chunks that make up `first..first + count`: (index of the chunk's first item, chunk, from, to).
    pub fn pieces(&self, first: Index, count: u64) -> Vec<(Arc<Chunk>, usize, usize)> {
        let mut pieces = Vec::new();
        let (mut at, end) = (first, first + count);
        while at < end {
            let Some((start, kept)) = self.chunks.range(..=at).next_back() else { break };
            let last = (start + kept.chunk.items.len() as u64).min(end);
            if last <= at {
                break;
            }
            pieces.push((kept.chunk.clone(), (at - start) as usize, (last - start) as usize));
            at = last;
        }
        pieces
    }

    /// Notes that items have ended; gives the objects that they no longer need.
    pub fn end_items(&mut self, first: Index, count: u64) -> Vec<Object> {
        let mut objects = Vec::new();
        let (mut at, end) = (first, first + count);
        while at < end {
            let Some((&start, kept)) = self.chunks.range_mut(..=at).next_back() else { break };
            let last = (start + kept.chunk.items.len() as u64).min(end);
            if last <= at {
                break;
            }
            if !kept.ended.is_empty() {
                let (from, to) = ((at - start) as usize, (last - start) as usize);
                objects.extend(objects_of(&kept.chunk, from, to).map(|(_, object)| object));
                kept.ended[from..to].fill(true);
            }
            kept.remaining = kept.remaining.saturating_sub(last - at);
            if kept.remaining == 0 {
                self.weight -= kept.chunk.weight();
                self.chunks.remove(&start);
            }
            at = last;
        }
        objects
    }

    /// Lets go of everything that is kept for items.
    pub fn drop_items(&mut self) -> Vec<Object> {
        let mut objects = Vec::new();
        for kept in std::mem::take(&mut self.chunks).into_values() {
            let still = kept.chunk.objects.iter().filter(|(position, _)| !kept.ended[*position as usize]);
            objects.extend(still.map(|(_, object)| *object));
        }
        self.weight = 0;
        objects
    }

    pub fn put(&mut self, answer: Answer) {
        if self.spec.by_index {
            answer.for_each(|index, single| {
                if self.unwanted.is_empty() || !self.unwanted.remove(&index) {
                    self.by_index.insert(index, single);
                }
            });
        } else {
            self.answers.push_back(answer);
        }
    }

    /// The bytes of one item, if it has not ended and is short.
    pub fn short_item(&self, index: Index) -> Option<Vec<u8>> {
        let (chunk, from, _) = self.pieces(index, 1).pop()?;
        let bytes = chunk.items.part(from);
        (bytes.len() <= SHORT_ITEM).then(|| bytes.to_vec())
    }

    pub fn put_lost(&mut self, index: Index, fault: Fault, pid: u32, item: Option<Vec<u8>>) {
        self.put(Answer::Lost { index, fault, pid, item });
    }

    pub fn put_batch(&mut self, batch: &Arc<AnswerBatch>, first: Index, from: usize, count: usize) {
        self.put(Answer::Batch { batch: batch.clone(), first, from, count });
    }
}

/// The objects that the items at `from..to` of a chunk refer to, each with its position in the chunk.
pub(crate) fn objects_of(
    chunk: &Chunk,
    from: usize,
    to: usize,
) -> impl Iterator<Item = (usize, Object)> + '_ {
    let start = chunk.objects.partition_point(|(position, _)| (*position as usize) < from);
    let found = chunk.objects[start..].iter().map(|(position, object)| (*position as usize, *object));
    found.take_while(move |(position, _)| *position < to)
}

#[cfg(test)]
mod tests;
