//! Where objects lie: a place in some segment for each, and released space used again.
//!
//! Fresh memory is the real cost of a big object (400 MB: 0.14-0.23 s into fresh pages, 0.055 s into recycled
//! ones), so segments are kept for a while after their last object was released, and the most recently used
//! goes first. A big object has a segment to itself; small ones share, each on pages of its own, placed one
//! behind the other until the segment is full, and the space is used again when all of them are released.
//! That keeps the arena's bookkeeping trivial and the number of segments, and with it of descriptors and
//! mappings, small.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::error::StoreError;
use crate::memory::MemoryReading;
use crate::pages::round_up;
use crate::segment::{Segment, SegmentId};

/// Objects of this many bytes or more get a segment of their own.
const OWN_FROM: u64 = 16 << 20;

/// Size of the segments that small objects share.
const SHARED_LEN: u64 = 64 << 20;

/// Memory that is left alone when asked how much is free: for the stacks and tables that come with any work.
const RESERVE: u64 = 32 << 20;

/// Small objects ask for memory this much at a time, since asking takes longer (some 50 us) than placing
/// them.
const GRANT: u64 = 8 << 20;

/// The same error, which names what was asked for rather than how much more memory that would have taken.
fn asked_for(error: StoreError, size: u64) -> StoreError {
    match error {
        StoreError::OutOfMemory { free, .. } => StoreError::OutOfMemory { needed: size, free },
        other => other,
    }
}

/// Where some bytes lie: `len` bytes from `offset`, which is a whole number of pages, in a segment.
///
/// No two live objects have a page in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Object {
    pub segment: SegmentId,
    pub offset: u64,
    pub len: u64,
}

/// Places objects in segments. Not shared by itself: keep it behind a lock, and copy outside of that lock.
pub struct Arena {
    memory: Box<dyn MemoryReading + Send>,
    next_id: u64,
    places: HashMap<SegmentId, Place>,
    /// The segment in which small objects are being placed; it may be full.
    current: Option<SegmentId>,
    /// Fresh memory that was found to be free and not used yet, at most `GRANT`.
    granted: u64,
    /// Segments freed for want of memory, for the next `trim` to tell.
    freed: Vec<SegmentId>,
    /// Counts uses, to know the most recent.
    clock: u64,
}

/// A segment and the objects in it.
struct Place {
    segment: Arc<Segment>,
    /// Whether small objects share it; else it holds one object at most.
    shared: bool,
    /// The live objects' lengths by their offsets.
    live: HashMap<u64, u64>,
    /// The next object's offset: the end of the last one's pages, 0 when no object is live.
    end: u64,
    /// The arena's `clock` when an object was last placed or released here.
    last_used: u64,
    /// When `trim` first found it with no live object; None since it has one.
    free_since: Option<Duration>,
}

impl Place {
    fn is_free(&self) -> bool {
        self.live.is_empty()
    }

    /// Whether `size` more bytes fit behind the last object.
    fn has_room(&self, size: u64) -> bool {
        self.segment.len() - self.end >= size
    }

    /// Bytes of memory that will be taken from the machine when what has been placed is written.
    fn promised(&self) -> u64 {
        self.end.saturating_sub(self.segment.filled())
    }
}

impl Arena {
    /// An arena without segments. The first gets the id `first_id`, the next ones the ids after it: each
    /// process that makes segments needs a range of its own.
    pub fn new(first_id: u64, memory: Box<dyn MemoryReading + Send>) -> Arena {
        Arena {
            memory,
            next_id: first_id,
            places: HashMap::new(),
            current: None,
            granted: 0,
            freed: Vec::new(),
            clock: 0,
        }
    }

    /// Finds a place for `len` bytes, and the segment to write them to ([`Segment::write`] at the object's
    /// offset).
    ///
    /// The object is live from now on and its bytes are unspecified until they are written.
    ///
    /// # Errors
    ///
    /// `OutOfMemory` when fresh memory is needed and not free, not even after freeing the segments that are
    /// kept for later use; `Io` when the kernel has no more segments to give. The arena is as before, but for
    /// those.
    pub fn reserve(&mut self, len: u64) -> Result<(Object, Arc<Segment>), StoreError> {
        let size = round_up(len).ok_or_else(|| StoreError::OutOfMemory { needed: len, free: self.free() })?;
        let id = match self.recyclable(size) {
            Some(id) => {
                let place = &self.places[&id];
                let fresh = (place.end + size).saturating_sub(place.end.max(place.segment.filled()));
                self.afford(fresh, Some(id)).map_err(|error| asked_for(error, size))?;
                id
            }
            None => {
                self.afford(size, None)?;
                self.create(size)?
            }
        };
        self.clock += 1;
        let place = self.places.get_mut(&id).expect("the place was just found or made");
        let object = Object { segment: id, offset: place.end, len };
        place.live.insert(object.offset, len);
        place.end += size;
        place.last_used = self.clock;
        place.free_since = None;
        if place.shared {
            self.current = Some(id);
        }
        Ok((object, place.segment.clone()))
    }

    /// Ends an object: nobody reads it any more, here or elsewhere, and its space may be used again. Whether
    /// it was live; if not (released before, or cleared), nothing happens.
    pub fn release(&mut self, object: Object) -> bool {
        let Some(place) = self.places.get_mut(&object.segment) else { return false };
        if place.live.get(&object.offset) != Some(&object.len) {
            return false;
        }
        place.live.remove(&object.offset);
        if place.is_free() {
            place.end = 0;
        }
        self.clock += 1;
        place.last_used = self.clock;
        true
    }

    /// The segment of that id, None when it has been freed or is another process's.
    pub fn segment(&self, id: SegmentId) -> Option<Arc<Segment>> {
        self.places.get(&id).map(|place| place.segment.clone())
    }

    /// Frees the segments that have had no live object for `idle`, as far as calls of this method have seen:
    /// call it regularly. `now` is a time since any fixed point.
    ///
    /// Gives the ids of all segments that were freed since the last call, those included that were freed by
    /// `reserve` when memory was short. Their memory goes back to the machine when nobody has them open or
    /// mapped any more.
    pub fn trim(&mut self, now: Duration, idle: Duration) -> Vec<SegmentId> {
        for place in self.places.values_mut().filter(|place| place.is_free()) {
            place.free_since.get_or_insert(now);
        }
        self.free_places(|place| place.free_since.is_some_and(|since| now.saturating_sub(since) >= idle));
        std::mem::take(&mut self.freed)
    }

    /// Forgets all segments and objects. Memory goes back to the machine as above.
    pub fn clear(&mut self) {
        self.places.clear();
        self.freed.clear();
        self.current = None;
        self.granted = 0;
    }

    /// Bytes of memory that the arena's segments occupy, free ones included.
    pub fn occupied(&self) -> u64 {
        self.places.values().map(|place| place.segment.filled()).sum()
    }

    /// Whether there is a segment without a live object, so that `trim` will have something to do.
    pub fn has_idle(&self) -> bool {
        !self.freed.is_empty() || self.places.values().any(Place::is_free)
    }

    /// Number of live objects.
    pub fn live(&self) -> usize {
        self.places.values().map(|place| place.live.len()).sum()
    }

    /// An existing segment with room for `size` bytes: for a big object the smallest free one that wastes at
    /// most a quarter; for a small one the current one, else a free one; among equals the most recently used.
    fn recyclable(&self, size: u64) -> Option<SegmentId> {
        let free = self.places.iter().filter(|(_, place)| place.is_free());
        if size >= OWN_FROM {
            let fits = |place: &Place| {
                !place.shared && place.has_room(size) && place.segment.len() - size <= size / 4
            };
            let best = free.filter(|(_, place)| fits(place));
            return best
                .min_by_key(|(_, place)| (place.segment.len(), Reverse(place.last_used)))
                .map(|(&id, _)| id);
        }
        let in_current =
            self.current.filter(|id| self.places.get(id).is_some_and(|place| place.has_room(size)));
        let another = || free.filter(|(_, place)| place.shared).max_by_key(|(_, place)| place.last_used);
        in_current.or_else(|| another().map(|(&id, _)| id))
    }

    /// Makes a segment for an object of `size` bytes.
    fn create(&mut self, size: u64) -> Result<SegmentId, StoreError> {
        let shared = size < OWN_FROM;
        let len = if shared { SHARED_LEN } else { size };
        let id = SegmentId(self.next_id);
        let segment = match Segment::create(id, len) {
            // Free segments may be what uses up the descriptors: once more without them.
            Err(_) if self.free_places(Place::is_free) => Segment::create(id, len)?,
            made => made?,
        };
        self.next_id += 1;
        let segment = Arc::new(segment);
        let place = Place { segment, shared, live: HashMap::new(), end: 0, last_used: 0, free_since: None };
        self.places.insert(id, place);
        Ok(id)
    }

    /// Makes sure that `fresh` bytes more may be taken from the machine, by freeing all free segments but
    /// `keep` if need be.
    fn afford(&mut self, fresh: u64, keep: Option<SegmentId>) -> Result<(), StoreError> {
        if fresh > self.granted {
            let mut free = self.free();
            if fresh > free && self.free_places(|place| place.is_free() && Some(place.segment.id()) != keep) {
                free = self.free();
            }
            if fresh > free {
                return Err(StoreError::OutOfMemory { needed: fresh, free });
            }
            self.granted = fresh.max(GRANT.min(free));
        }
        // What a big object leaves of a grant is nothing: it asked for exactly its own.
        self.granted -= fresh;
        Ok(())
    }

    /// Bytes that may be taken from the machine, less what has been placed and not yet written, and the
    /// reserve.
    fn free(&self) -> u64 {
        let promised: u64 = self.places.values().map(Place::promised).sum();
        self.memory.available().saturating_sub(promised).saturating_sub(RESERVE)
    }

    /// Frees the places that `unwanted` names, all of which must be free; whether there were any.
    fn free_places(&mut self, unwanted: impl Fn(&Place) -> bool) -> bool {
        let before = self.freed.len();
        self.places.retain(|&id, place| {
            let freed = unwanted(place);
            if freed {
                self.freed.push(id);
            }
            !freed
        });
        if self.current.is_some_and(|id| !self.places.contains_key(&id)) {
            self.current = None;
        }
        self.freed.len() > before
    }
}

#[cfg(test)]
mod tests;
