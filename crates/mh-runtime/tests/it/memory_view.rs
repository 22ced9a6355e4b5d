//! Reads and writes through a mapping as a user's array would, but safely: by way of `/proc/self/mem`, which goes
//! through this process's page tables and so sees, and makes, the same private pages.

use std::fs::File;
use std::hash::{DefaultHasher, Hasher};
use std::os::unix::fs::FileExt;

use mh_runtime::{Mapping, Object};

/// The object's bytes as the mapping shows them.
pub fn read(mapping: &Mapping, object: Object) -> Vec<u8> {
    let mut bytes = vec![0; object.len as usize];
    let start = mapping.slice_ptr(object.offset, object.len).addr() as u64;
    File::open("/proc/self/mem").unwrap().read_exact_at(&mut bytes, start).unwrap();
    bytes
}

/// Writes to the first and the last byte of the object.
pub fn scribble(mapping: &Mapping, object: Object) {
    let memory = File::options().write(true).open("/proc/self/mem").unwrap();
    for offset in [object.offset, object.offset + object.len - 1] {
        memory.write_all_at(b"!", mapping.slice_ptr(offset, 1).addr() as u64).unwrap();
    }
}

/// A number that tells contents apart.
pub fn digest(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}
