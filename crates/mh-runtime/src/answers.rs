//! Answers on their way from a worker to whoever asked, and the shared memory that they refer to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use mh_engine::{Fault, Index};
use mh_store::{Mapping, Object, SegmentId};

use crate::wire::Parts;

/// The shared memory in which one worker puts its large results, as mapped here.
#[derive(Default)]
pub struct WorkerResults {
    mappings: Mutex<HashMap<SegmentId, Arc<Mapping>>>,
    /// Objects that nobody here reads any more and that the worker has not been told about.
    freed: Mutex<Vec<Object>>,
}

impl WorkerResults {
    pub(crate) fn add(&self, segment: SegmentId, mapping: Mapping) {
        self.mappings.lock().unwrap_or_else(PoisonError::into_inner).insert(segment, Arc::new(mapping));
    }

    pub(crate) fn remove(&self, segment: SegmentId) {
        self.mappings.lock().unwrap_or_else(PoisonError::into_inner).remove(&segment);
    }

    pub(crate) fn take_freed(&self) -> Vec<Object> {
        std::mem::take(&mut *self.freed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn has_freed(&self) -> bool {
        !self.freed.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    pub(crate) fn lease(self: &Arc<Self>, object: Object) -> Option<Arc<ResultLease>> {
        let mapping =
            self.mappings.lock().unwrap_or_else(PoisonError::into_inner).get(&object.segment)?.clone();
        Some(Arc::new(ResultLease { results: self.clone(), mapping, object }))
    }
}

/// One large buffer of a result, kept in shared memory for as long as somebody here can read it.
pub struct ResultLease {
    results: Arc<WorkerResults>,
    mapping: Arc<Mapping>,
    object: Object,
}

impl ResultLease {
    pub fn object(&self) -> Object {
        self.object
    }

    pub fn mapping(&self) -> &Mapping {
        &self.mapping
    }
}

impl Drop for ResultLease {
    fn drop(&mut self) {
        // What was written here stays private to this mapping: it must not shine through the next result in this place.
        if restored(&self.mapping, self.object) {
            self.results.freed.lock().unwrap_or_else(PoisonError::into_inner).push(self.object);
        }
    }
}

/// Brings an object back to what its owner stored, where something else was written to it here. `false`: the kernel
/// refused, and the place must not be used for another object for as long as this mapping lives.
pub(crate) fn restored(mapping: &Mapping, object: Object) -> bool {
    let (offset, len) = (object.offset, object.len);
    !mapping.written(offset, len).unwrap_or(true) || mapping.restore(offset, len).is_ok()
}

/// The answers that came in one frame.
pub struct AnswerBatch {
    pub parts: Parts,
    /// Which parts are failures, ascending.
    pub failed: Vec<u32>,
    pub leases: Vec<Arc<ResultLease>>,
    /// The process that answered.
    pub pid: u32,
}

impl AnswerBatch {
    pub fn is_failure(&self, part: usize) -> bool {
        self.failed.binary_search(&(part as u32)).is_ok()
    }

    /// The shared memory that holds the object, if it came with these answers.
    pub fn lease(&self, object: Object) -> Option<&Arc<ResultLease>> {
        self.leases.iter().find(|lease| lease.object() == object)
    }
}

/// How items ended.
#[derive(Clone)]
pub enum Answer {
    /// `count` consecutive items from `first` are answered by the parts from `from` on.
    Batch { batch: Arc<AnswerBatch>, first: Index, from: usize, count: usize },
    /// The item has no answer; its worker died or was killed. `pid` is that worker's; `item` is the encoded item, if it
    /// is short enough to be shown.
    Lost { index: Index, fault: Fault, pid: u32, item: Option<Vec<u8>> },
}

impl Answer {
    /// How many items it is about.
    pub fn count(&self) -> u64 {
        match self {
            Answer::Batch { count, .. } => *count as u64,
            Answer::Lost { .. } => 1,
        }
    }

    /// Did one of the items fail?
    pub(crate) fn has_failure(&self) -> bool {
        match self {
            Answer::Batch { batch, from, count, .. } => {
                let first = batch.failed.partition_point(|part| (*part as usize) < *from);
                batch.failed.get(first).is_some_and(|part| (*part as usize) < from + count)
            }
            Answer::Lost { .. } => true,
        }
    }

    /// Calls with each item's index and its own answer.
    pub(crate) fn for_each(self, mut each: impl FnMut(Index, Answer)) {
        match self {
            Answer::Batch { batch, first, from, count } => {
                for offset in 0..count {
                    let index = first + offset as u64;
                    each(
                        index,
                        Answer::Batch { batch: batch.clone(), first: index, from: from + offset, count: 1 },
                    );
                }
            }
            Answer::Lost { index, .. } => each(index, self),
        }
    }
}
