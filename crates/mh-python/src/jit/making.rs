//! Makes a compiled version: out of the cache on disk, or anew.

use std::sync::OnceLock;

use mh_compile::cache::Cache;
use mh_compile::call::Kernel;
use mh_compile::compile::{Argument, Info, compile};
use mh_compile::llvm::{Llvm, Target};
use pyo3::exceptions::{PyImportError, PyRuntimeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

use super::failures;
use super::running::Compiled;
use super::world::{Program, Record, digest_of};
use super::{Jitted, broken};

/// Lists of questions that are kept for one function and one set of types.
const LISTS: usize = 8;
/// Changes when what is kept on disk is read in another way. The version of the package and of its build are in the key, too.
const FORMAT: u32 = 1;

/// One compilation at a time in a process: LLVM takes no more, and none is made twice.
pub struct Lock<'py>(Bound<'py, PyAny>);

impl<'py> Lock<'py> {
    pub fn acquire(py: Python<'py>) -> PyResult<Lock<'py>> {
        let lock = py.import("manyhands._jit_calls")?.getattr("lock")?;
        lock.call_method0("acquire")?;
        Ok(Lock(lock))
    }
}

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        // Of what an exception on its way would make of this, nothing is lost: the lock is held by this very thread.
        let _ = self.0.call_method0("release");
    }
}

/// What is kept on disk beside the object.
#[derive(Serialize, Deserialize)]
struct Entry {
    info: Info,
    object: Vec<u8>,
}

/// A version for arguments of these types.
pub fn make(jitted: &Bound<'_, Jitted>, arguments: Vec<Argument>) -> PyResult<Compiled> {
    let py = jitted.py();
    let inner = jitted.get();
    let mut program = Program::new(jitted)?;
    let cache = if inner.cache { Cache::of_user() } else { None };
    let key = match &cache {
        Some(_) => key_of(jitted, &arguments)?,
        None => String::new(),
    };
    let lists = match &cache {
        Some(cache) => cached_lists(cache, &key),
        None => Vec::new(),
    };
    if let Some(cache) = &cache {
        for record in &lists {
            let mut replayed = Program::new(jitted)?;
            if !replayed.replay(record)? {
                continue;
            }
            let Some(entry) = cache.get(&entry_key(&key, record)).and_then(|bytes| read_entry(&bytes)) else { continue };
            // What does not load is made anew.
            if let Ok(kernel) = Kernel::load(&entry.object, entry.info)
                && let Ok(made) = finish(replayed, kernel)
            {
                return Ok(made);
            }
        }
    }
    let (text, info) = compiled(&mut program, &arguments, inner.parallel)?;
    let llvm = llvm(py)?;
    let object = py.detach(|| llvm.object(&text, &Target::host())).map_err(|error| broken(format!("LLVM refused a kernel: {error}")))?;
    if let Some(cache) = &cache {
        keep(cache, &key, lists, &program.record, &info, &object);
    }
    finish(program, Kernel::load(&object, info).map_err(broken)?)
}

fn compiled(program: &mut Program<'_>, arguments: &[Argument], parallel: bool) -> PyResult<(String, Info)> {
    let py = program.py();
    let answer = compile(program, 0, arguments, parallel);
    // What came up while the compiler asked comes first.
    if let Some(error) = program.failed.take() {
        return Err(error);
    }
    answer.map_err(|(diagnostic, sources)| failures::refused(py, &diagnostic, &sources))
}

fn finish(mut program: Program<'_>, kernel: Kernel) -> PyResult<Compiled> {
    let hidden = program.hidden(&kernel.info().hidden)?;
    let objects = program.objects.into_iter().map(Bound::unbind).collect();
    Ok(Compiled::new(kernel, program.guards, hidden, objects))
}

/// LLVM, opened when it is first needed.
fn llvm(py: Python<'_>) -> PyResult<&'static Llvm> {
    static LLVM: OnceLock<Llvm> = OnceLock::new();
    if let Some(found) = LLVM.get() {
        return Ok(found);
    }
    let path: String = py.import("manyhands._jit_calls")?.call_method0("library")?.extract()?;
    let opened = py.detach(|| Llvm::open(path.as_ref())).map_err(PyImportError::new_err)?;
    Ok(LLVM.get_or_init(|| opened))
}

/// The text that LLVM is given, made again.
pub fn llvm_text(jitted: &Bound<'_, Jitted>, version: &Compiled) -> PyResult<String> {
    let lock = Lock::acquire(jitted.py())?;
    let mut program = Program::new(jitted)?;
    let text = compiled(&mut program, version.arguments(), jitted.get().parallel)?.0;
    drop(lock);
    Ok(text)
}

pub fn assembly(jitted: &Bound<'_, Jitted>, version: &Compiled) -> PyResult<String> {
    let text = llvm_text(jitted, version)?;
    let py = jitted.py();
    let llvm = llvm(py)?;
    py.detach(|| llvm.assembly(&text, &Target::host())).map_err(PyRuntimeError::new_err)
}

/// What all entries of a function for these types have in common.
fn key_of(jitted: &Bound<'_, Jitted>, arguments: &[Argument]) -> PyResult<String> {
    let py = jitted.py();
    let inner = jitted.get();
    let code = digest_of(inner.function.bind(py))?;
    let version = py.version_info();
    let python = (version.major, version.minor);
    let text = format!("{FORMAT} {} {} {python:?} {code:032x} {} {arguments:?}", env!("CARGO_PKG_VERSION"), build(py)?, inner.parallel);
    Ok(format!("{:032x}", xxh3_128(text.as_bytes())))
}

/// A digest of this very library and of the machine's kind: another build may compile otherwise.
fn build(py: Python<'_>) -> PyResult<&String> {
    static BUILD: PyOnceLock<String> = PyOnceLock::new();
    BUILD.get_or_try_init(py, || {
        let path: String = py.import("manyhands._native")?.getattr("__file__")?.extract()?;
        let about = std::fs::metadata(path)?;
        let changed = about.modified()?.duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        Ok(format!("{} {changed} {}", about.len(), mh_compile::cache::machine()))
    })
}

/// The lists of questions that were asked when this was compiled before, with their answers.
fn cached_lists(cache: &Cache, key: &str) -> Vec<Record> {
    cache.get(key).and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

fn entry_key(key: &str, record: &Record) -> String {
    format!("{:032x}", xxh3_128(format!("{key} {record:?}").as_bytes()))
}

fn read_entry(bytes: &[u8]) -> Option<Entry> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    let (info, object) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    Some(Entry { info: serde_json::from_slice(info).ok()?, object: object.to_vec() })
}

/// A cache that cannot be written to is no error: the next process compiles again.
fn keep(cache: &Cache, key: &str, mut lists: Vec<Record>, record: &Record, info: &Info, object: &[u8]) {
    let Ok(info) = serde_json::to_vec(info) else { return };
    let mut bytes = (info.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(&info);
    bytes.extend_from_slice(object);
    if cache.put(&entry_key(key, record), &bytes).is_err() {
        return;
    }
    lists.retain(|other| other != record);
    lists.insert(0, record.clone());
    lists.truncate(LISTS);
    if let Ok(bytes) = serde_json::to_vec(&lists) {
        let _ = cache.put(key, &bytes);
    }
}
