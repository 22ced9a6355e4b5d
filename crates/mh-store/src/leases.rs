//! Who still needs which object: pure bookkeeping, no input or output.
//!
//! An object's space may be used again only when no task that was or will be sent still needs it *and* nobody
//! has it mapped any more: a receiver's untouched pages show what is written to the segment later. The sender
//! counts its own need (`retain`, `drop_need`); the receivers' holds are counted per holder, so that all of a
//! dead one's end at once.
//!
//! Holds are counts, not marks: `hold` for each time that an object is sent to a holder, `released` for each
//! of them that the holder has given back. So a release that is on its way while the object is sent again
//! ends the earlier hold only.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use crate::arena::Object;

/// Which objects are still needed by the sender, and which holders still have one mapped.
///
/// An object that becomes free is returned once, by the call that freed it, for
/// [`Arena::release`](crate::Arena::release), and then forgotten.
pub struct Leases<H: Eq + Hash + Copy> {
    /// Every object that somebody needs or holds; none with nothing of both.
    leases: HashMap<Object, Lease<H>>,
    /// The objects that each holder holds: the same holds, seen from the other side.
    held: HashMap<H, HashSet<Object>>,
}

/// What keeps one object.
struct Lease<H> {
    /// Tasks of the sender's that need the object.
    need: u64,
    /// How many times each holder has it; never 0.
    holders: HashMap<H, u64>,
}

impl<H: Eq + Hash + Copy> Leases<H> {
    pub fn new() -> Leases<H> {
        Leases { leases: HashMap::new(), held: HashMap::new() }
    }

    /// One more task of the sender's needs `object`.
    pub fn retain(&mut self, object: Object) {
        self.lease(object).need += 1;
    }

    /// One task fewer needs `object`; the object if that freed it.
    pub fn drop_need(&mut self, object: Object) -> Option<Object> {
        let lease = self.leases.get_mut(&object)?;
        lease.need = lease.need.saturating_sub(1);
        self.freed(object)
    }

    /// `object` was sent to `holder`, once more.
    pub fn hold(&mut self, object: Object, holder: H) {
        *self.lease(object).holders.entry(holder).or_insert(0) += 1;
        self.held.entry(holder).or_default().insert(object);
    }

    /// `holder` has given back one hold on `object`; the object if that freed it.
    pub fn released(&mut self, object: Object, holder: H) -> Option<Object> {
        self.released_times(object, holder, 1)
    }

    /// `holder` has given back `times` holds on `object`, say one mapping that had served so many messages;
    /// the object if that freed it.
    pub fn released_times(&mut self, object: Object, holder: H, times: u64) -> Option<Object> {
        let holders = &mut self.leases.get_mut(&object)?.holders;
        let count = holders.get_mut(&holder)?;
        *count = count.saturating_sub(times);
        if *count == 0 {
            holders.remove(&holder);
            if let Some(objects) = self.held.get_mut(&holder) {
                objects.remove(&object);
            }
        }
        self.freed(object)
    }

    /// `holder` is dead or closed: all its holds end; the objects that this freed.
    pub fn holder_gone(&mut self, holder: H) -> Vec<Object> {
        let objects = self.held.remove(&holder).unwrap_or_default();
        let end_hold = |object: Object| {
            self.leases.get_mut(&object)?.holders.remove(&holder);
            self.freed(object)
        };
        objects.into_iter().filter_map(end_hold).collect()
    }

    /// Whether anybody needs or holds `object`.
    pub fn contains(&self, object: Object) -> bool {
        self.leases.contains_key(&object)
    }

    /// Whether an object of at least `len` bytes is only waiting for its holders to let go.
    pub fn lingers(&self, len: u64) -> bool {
        self.leases.iter().any(|(object, lease)| lease.need == 0 && object.len >= len)
    }

    /// Number of objects that somebody needs or holds.
    pub fn len(&self) -> usize {
        self.leases.len()
    }

    pub fn is_empty(&self) -> bool {
        self.leases.is_empty()
    }

    fn lease(&mut self, object: Object) -> &mut Lease<H> {
        self.leases.entry(object).or_insert_with(|| Lease { need: 0, holders: HashMap::new() })
    }

    /// Forgets and returns the object if nothing keeps it any more.
    fn freed(&mut self, object: Object) -> Option<Object> {
        let lease = self.leases.get(&object)?;
        if lease.need > 0 || !lease.holders.is_empty() {
            return None;
        }
        self.leases.remove(&object);
        Some(object)
    }
}

impl<H: Eq + Hash + Copy> Default for Leases<H> {
    fn default() -> Leases<H> {
        Leases::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SegmentId;

    fn object(number: u64) -> Object {
        Object { segment: SegmentId(number), offset: 0, len: 10 }
    }

    #[test]
    fn free_when_neither_needed_nor_held() {
        let (mut leases, object) = (Leases::new(), object(1));
        leases.retain(object);
        leases.retain(object);
        leases.hold(object, 'a');
        leases.hold(object, 'b');
        assert_eq!(leases.drop_need(object), None);
        assert_eq!(leases.released(object, 'a'), None);
        assert_eq!(leases.drop_need(object), None);
        assert_eq!(leases.released(object, 'b'), Some(object));
        assert!(leases.is_empty());
    }

    #[test]
    fn the_sender_may_be_the_last() {
        let (mut leases, object) = (Leases::new(), object(1));
        leases.retain(object);
        leases.hold(object, 'a');
        assert_eq!(leases.released(object, 'a'), None);
        assert_eq!(leases.drop_need(object), Some(object));
    }

    #[test]
    fn a_release_under_way_ends_only_the_earlier_hold() {
        let (mut leases, object) = (Leases::new(), object(1));
        leases.hold(object, 'a');
        leases.hold(object, 'a'); // sent again, before word of the first release has come
        assert_eq!(leases.released(object, 'a'), None);
        assert_eq!(leases.released(object, 'a'), Some(object));

        leases.hold(object, 'a');
        leases.hold(object, 'a');
        assert_eq!(leases.released_times(object, 'a', 2), Some(object));
    }

    #[test]
    fn a_dead_holder_frees_what_only_it_held() {
        let mut leases = Leases::new();
        for number in 1..=3 {
            leases.hold(object(number), 'a');
            leases.hold(object(number), 'a');
        }
        leases.hold(object(2), 'b');
        leases.retain(object(3));
        assert_eq!(leases.holder_gone('a'), [object(1)]);
        assert_eq!(leases.holder_gone('a'), [], "nothing is freed twice");
        assert_eq!(leases.drop_need(object(3)), Some(object(3)));
        assert_eq!(leases.holder_gone('b'), [object(2)]);
        assert!(leases.is_empty());
    }

    #[test]
    fn what_is_not_known_frees_nothing() {
        let mut leases = Leases::new();
        leases.hold(object(1), 'a');
        assert_eq!(leases.released(object(1), 'b'), None);
        assert_eq!(leases.released(object(2), 'a'), None);
        assert_eq!(leases.drop_need(object(2)), None);
        assert_eq!(leases.holder_gone('b'), []);
        assert_eq!(leases.drop_need(object(1)), None, "there was no need, but there is a holder");
        assert!(leases.contains(object(1)));
    }
}
