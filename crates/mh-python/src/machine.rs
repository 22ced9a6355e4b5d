//! What the machine offers, the tie to the parent process, and small pure functions of the engine's.

use mh_runtime::{Cores, MemoryReading, SystemMemory};
use pyo3::prelude::*;
use xxhash_rust::xxh3::Xxh3;

use crate::ffi::{duplicate, with_bytes};

/// How many cores this process may use: the least of affinity, cgroup quota and the batch scheduler's word.
#[pyfunction]
#[pyo3(signature = (logical=true))]
pub fn cpu_count(logical: bool) -> usize {
    Cores::read().usable(logical)
}

/// Where the number comes from: (affinity, quota in cores, (variable, value) of the batch scheduler, physical cores).
#[pyfunction]
#[allow(clippy::type_complexity)] // A tuple for one caller, which takes it apart at once.
pub fn cores() -> (usize, Option<f64>, Option<(String, usize)>, usize) {
    let cores = Cores::read();
    (cores.affinity, cores.quota, cores.batch, cores.physical)
}

/// Bytes of memory that may still be taken: the machine's and the cgroup's, whichever is less.
#[pyfunction]
pub fn memory_available() -> u64 {
    SystemMemory::new().available()
}

/// From now on this process ends when the one behind the descriptor `parent` (a pidfd) has ended.
#[pyfunction]
pub fn follow(parent: i32) -> PyResult<()> {
    Ok(mh_runtime::follow(duplicate(parent)?)?)
}

/// 256 bits that begin the random streams of item `index` under a seed (64-bit words).
#[pyfunction]
pub fn stream(seed: Vec<u64>, index: u64) -> [u64; 4] {
    mh_runtime::stream::stream(&seed, index)
}

/// 128 bits that differ wherever the buffers do (XXH3; not against an adversary).
#[pyfunction]
pub fn digest(buffers: Vec<Bound<'_, PyAny>>) -> PyResult<u128> {
    let mut hash = Xxh3::new();
    for buffer in &buffers {
        with_bytes(buffer, |bytes| {
            hash.update(&(bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        })?;
    }
    Ok(hash.digest128())
}
