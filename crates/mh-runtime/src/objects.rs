//! Things that workers are told once and refer to by number: functions, globals, classes, the surroundings.

use std::collections::HashMap;
use std::sync::Arc;

use mh_store::Object;

use crate::link::Descriptor;

/// Number of an object; never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectId(pub u64);

/// An encoded value and what it refers to outside of its bytes.
#[derive(Debug, Default)]
pub struct Payload {
    pub bytes: Vec<u8>,
    pub objects: Vec<Object>,
    pub descriptors: Vec<Descriptor>,
}

pub(crate) struct Entry {
    /// What kind of thing it is; a matter between the two halves of the layer above.
    pub kind: u8,
    pub payload: Arc<Payload>,
}

/// All objects of a pool.
#[derive(Default)]
pub(crate) struct Objects {
    entries: HashMap<ObjectId, Entry>,
    last: u64,
}

impl Objects {
    pub fn add(&mut self, kind: u8, payload: Payload) -> ObjectId {
        self.last += 1;
        let id = ObjectId(self.last);
        self.entries.insert(id, Entry { kind, payload: Arc::new(payload) });
        id
    }

    pub fn get(&self, id: ObjectId) -> Option<&Entry> {
        self.entries.get(&id)
    }

    pub fn remove(&mut self, id: ObjectId) -> Option<Entry> {
        self.entries.remove(&id)
    }
}
