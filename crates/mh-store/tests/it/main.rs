//! The store from outside: an arena against a plain map, and what the two sides of a mapping see.
//!
//! No test here forks or starts a process: two mappings of one segment in one process are as private to each
//! other as in two.

#![allow(unsafe_code)] // Reads and writes through the addresses that mappings give out.
#![allow(clippy::unwrap_used, reason = "in a test, a panic is the report")]

mod arena;
mod mapping;

use mh_store::{Mapping, Object};

/// The bytes of an object, as a receiver reads them.
fn read(mapping: &Mapping, object: Object) -> Vec<u8> {
    let start = mapping.slice_ptr(object.offset, object.len);
    // SAFETY: `slice_ptr` checked the range; nothing writes to it while it is copied.
    unsafe { std::slice::from_raw_parts(start, object.len as usize) }.to_vec()
}

/// A receiver's write to one byte of the mapping.
fn poke(mapping: &Mapping, offset: u64, byte: u8) {
    // SAFETY: `slice_ptr` checked the range; the test holds no reference into the mapping.
    unsafe { mapping.slice_ptr(offset, 1).write_volatile(byte) }
}

/// A receiver's reading of one byte of the mapping.
fn peek(mapping: &Mapping, offset: u64) -> u8 {
    // SAFETY: as in `poke`.
    unsafe { mapping.slice_ptr(offset, 1).read_volatile() }
}
