//! Buffers that come again in the items of one call are stored once.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use mh_runtime::{Object, Pool as Runtime};
use pyo3::prelude::*;
use pyo3::types::PyMemoryView;
use xxhash_rust::xxh3::xxh3_128;

use crate::codec::Store;
use crate::ffi::references;
use crate::pool::PoolStore;

/// Shared buffers that are kept for items to come, in bytes and in number.
const PINNED_BYTES: u64 = 512 << 20;
const PINNED: usize = 8;

/// Buffers that were stored for earlier items of the same call, found again by their place in memory: each is kept from
/// being given to another array. No lock is held while the interpreter's is let go.
pub struct Sharing {
    /// An item may come after its buffer was written to (an iterator that fills one array again and again): what is
    /// stored counts only for as long as the contents are the same. Not for items of a list, which are all there already.
    checked: bool,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    places: HashMap<(usize, usize), Pin>,
    bytes: u64,
    clock: u64,
}

struct Pin {
    object: Object,
    /// Of the contents; only where they are checked.
    digest: u128,
    /// Keeps the memory from being given to another array.
    owner: Py<PyAny>,
    used: u64,
}

impl Sharing {
    pub fn new(checked: bool) -> Sharing {
        Sharing { checked, kept: Mutex::default() }
    }

    /// The call is over.
    pub fn unpin_all(&self, runtime: &Runtime) {
        let pins = std::mem::take(&mut *self.lock()).places;
        for pin in pins.into_values() {
            runtime.unpin(pin.object);
        }
    }

    /// Lets go of buffers of objects that nobody else keeps: they will not come again.
    pub fn sweep(&self, py: Python<'_>, runtime: &Runtime) -> PyResult<()> {
        let owners: Vec<_> =
            self.lock().places.iter().map(|(place, pin)| (*place, pin.owner.clone_ref(py))).collect();
        for (place, owner) in owners {
            let exporter = PyMemoryView::from(owner.bind(py))?.getattr("obj")?;
            // The pickled buffer, the look at it, and this reference.
            if references(&exporter) <= 2 {
                let pin = self.lock().remove(place);
                if let Some(pin) = pin {
                    runtime.unpin(pin.object);
                }
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Stores buffers, those that come again only once.
pub struct SharingStore<'a> {
    pub runtime: &'a Runtime,
    pub shared: Option<&'a Sharing>,
}

impl Store for SharingStore<'_> {
    fn store(&mut self, py: Python<'_>, buffer: &Bound<'_, PyAny>, bytes: &[u8]) -> PyResult<Object> {
        let mut plain = PoolStore { runtime: self.runtime };
        let Some(shared) = self.shared else { return plain.store(py, buffer, bytes) };
        let place = (bytes.as_ptr() as usize, bytes.len());
        let digest = if shared.checked { xxh3_128(bytes) } else { 0 };
        if let Some(object) = shared.lock().find(place, digest) {
            return Ok(object);
        }
        let object = plain.store(py, buffer, bytes)?;
        self.runtime.pin(object);
        let unused = shared.lock().add(place, digest, object, buffer.clone().unbind());
        for pin in unused {
            self.runtime.unpin(pin.object);
        }
        Ok(object)
    }
}

impl Kept {
    fn find(&mut self, place: (usize, usize), digest: u128) -> Option<Object> {
        self.clock += 1;
        let pin = self.places.get_mut(&place).filter(|pin| pin.digest == digest)?;
        pin.used = self.clock;
        Some(pin.object)
    }

    fn remove(&mut self, place: (usize, usize)) -> Option<Pin> {
        let pin = self.places.remove(&place)?;
        self.bytes -= pin.object.len;
        Some(pin)
    }

    /// Adds a stored buffer; gives those to be let go of (outside of the lock, as their owners may run code): what lay in
    /// its place, and where they are many those that have not been met for longest.
    fn add(&mut self, place: (usize, usize), digest: u128, object: Object, owner: Py<PyAny>) -> Vec<Pin> {
        let mut unused = Vec::new();
        self.bytes += object.len;
        let before = self.places.insert(place, Pin { object, digest, owner, used: self.clock });
        let mut release = |bytes: &mut u64, pin: Pin| {
            *bytes -= pin.object.len;
            unused.push(pin);
        };
        if let Some(pin) = before {
            release(&mut self.bytes, pin);
        }
        while self.bytes > PINNED_BYTES && self.places.len() > PINNED {
            let oldest = self.places.iter().min_by_key(|(_, pin)| pin.used).map(|(place, _)| *place);
            let Some(pin) = oldest.and_then(|place| self.places.remove(&place)) else { break };
            release(&mut self.bytes, pin);
        }
        unused
    }
}
