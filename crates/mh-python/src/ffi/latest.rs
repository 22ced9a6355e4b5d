//! The version of a compiled function that was called last, taken and given back with one atomic step each.

#![expect(unsafe_code, reason = "a reference is kept as an address")]

use std::sync::Arc;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Release};

/// Holds one, or none while a call has it.
pub struct Latest<T>(AtomicPtr<T>);

// SAFETY: it is an `Option<Arc<T>>` that is taken and put by atomic steps.
unsafe impl<T: Send + Sync> Send for Latest<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Latest<T> {}

impl<T> Latest<T> {
    pub const fn new() -> Latest<T> {
        Latest(AtomicPtr::new(std::ptr::null_mut()))
    }

    /// What is here; it is not here any more.
    #[inline]
    pub fn take(&self) -> Option<Arc<T>> {
        Latest::owned(self.0.swap(std::ptr::null_mut(), Acquire))
    }

    /// Puts it here, where nothing else was put meanwhile.
    #[inline]
    pub fn give(&self, value: Arc<T>) {
        let own = Arc::into_raw(value).cast_mut();
        if self.0.compare_exchange(std::ptr::null_mut(), own, Release, Acquire).is_err() {
            drop(Latest::owned(own));
        }
    }

    /// Puts it here in place of what is.
    pub fn set(&self, value: Arc<T>) {
        drop(Latest::owned(self.0.swap(Arc::into_raw(value).cast_mut(), AcqRel)));
    }

    fn owned(address: *mut T) -> Option<Arc<T>> {
        // SAFETY: what is not null came from `Arc::into_raw`, and was swapped out by whoever asks: nobody else makes one of it.
        (!address.is_null()).then(|| unsafe { Arc::from_raw(address) })
    }
}

impl<T> Drop for Latest<T> {
    fn drop(&mut self) {
        drop(self.take());
    }
}
