//! Makes a compiled version: out of the cache on disk, or anew.

use std::io::Read;
use std::sync::OnceLock;

use mh_compile::cache::{Cache, Entry};
use mh_compile::call::Kernel;
use mh_compile::compile::{Argument, Info, compile};
use mh_compile::explain::{Explanation, explain};
use mh_compile::ir::Shape;
use mh_compile::level::here;
use mh_compile::llvm::{Llvm, Target};
use pyo3::exceptions::{PyImportError, PyRuntimeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use xxhash_rust::xxh3::xxh3_128;

use super::failures;
use super::guards::Guards;
use super::running::Compiled;
use super::world::{Program, Record, digest_of};
use super::{Jitted, broken};

/// Changes when what is kept on disk is read in another way.
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

/// A version for arguments of these types.
pub fn make(jitted: &Bound<'_, Jitted>, arguments: &[Argument]) -> PyResult<Compiled> {
    let py = jitted.py();
    let inner = jitted.get();
    if let Some(made) = super::ahead::find(jitted, arguments)? {
        return Ok(made);
    }
    let key = if inner.cache { Some(key_of(jitted, arguments)?) } else { None };
    if let Some(key) = &key
        && let Some(made) = cached(jitted, key)?
    {
        return Ok(made);
    }
    let mut program = Program::new(jitted)?;
    let (text, mut info) = compiled(&mut program, arguments, inner.parallel, here())?;
    let llvm = llvm(py)?;
    let object;
    (object, info.short) = py
        .detach(|| llvm.kernel(&text, &Target::host()))
        .map_err(|error| broken(format!("LLVM refused a kernel: {error}")))?;
    let Some(key) = key else { return finish(program, Kernel::load(&object, info).map_err(broken)?) };
    let dependencies = serde_json::to_vec(&program.record).map_err(|error| broken(error.to_string()))?;
    let entry = Entry { info, object, dependencies };
    // Without a cache the next process compiles again: that is all.
    let _ = cache().store(key.as_bytes(), &entry);
    if let Some(text) = cache().word() {
        failures::warn(py, &text)?;
    }
    finish(program, Kernel::load(&entry.object, entry.info).map_err(broken)?)
}

fn cache() -> &'static Cache {
    static CACHE: OnceLock<Cache> = OnceLock::new();
    CACHE.get_or_init(Cache::of_user)
}

/// What is on disk for this key, where all that it was made from is as it was.
fn cached(jitted: &Bound<'_, Jitted>, key: &str) -> PyResult<Option<Compiled>> {
    let mut matching = Ok(None);
    let entry = cache().load(key.as_bytes(), |dependencies| {
        let Ok(record) = serde_json::from_slice::<Record>(dependencies) else { return false };
        matching =
            Program::new(jitted).and_then(|mut program| Ok(program.replay(&record)?.then_some(program)));
        !matches!(matching, Ok(None))
    });
    // What a question of the compiler's raises, it would raise again.
    let (Some(program), Some(entry)) = (matching?, entry) else { return Ok(None) };
    // What does not load is made anew.
    Ok(Kernel::load(&entry.object, entry.info).ok().and_then(|kernel| finish(program, kernel).ok()))
}

pub fn compiled(
    program: &mut Program<'_>,
    arguments: &[Argument],
    parallel: bool,
    level: u32,
) -> PyResult<(String, Info)> {
    let py = program.py();
    let answer = compile(program, 0, arguments, parallel, level);
    // What came up while the compiler asked comes first.
    if let Some(error) = program.failed.take() {
        return Err(error);
    }
    answer.map_err(|(diagnostic, sources)| failures::refused(py, &diagnostic, &sources))
}

pub fn finish(mut program: Program<'_>, kernel: Kernel) -> PyResult<Compiled> {
    let py = program.py();
    let hidden = program.hidden(&kernel.info().hidden)?;
    let objects = program.objects.into_iter().map(Bound::unbind).collect();
    Ok(Compiled::new(py, kernel, program.guards, hidden, objects))
}

/// LLVM, opened when it is first needed.
pub fn llvm(py: Python<'_>) -> PyResult<&'static Llvm> {
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
    let text = compiled(&mut program, version.arguments(), jitted.get().parallel, here())?.0;
    drop(lock);
    Ok(text)
}

/// What a call with arguments of these types gives, and for how long: not at all, where it leans on arrays of the surroundings. Nothing is run.
pub fn result(jitted: &Bound<'_, Jitted>, arguments: &[Argument]) -> PyResult<(Shape, Option<Guards>)> {
    let py = jitted.py();
    let lock = Lock::acquire(py)?;
    let mut program = Program::new(jitted)?;
    let (_, info) = compiled(&mut program, arguments, jitted.get().parallel, here())?;
    drop(lock);
    let guards = info.hidden.is_empty().then(|| Guards::new(py, program.guards));
    Ok((info.result, guards))
}

pub fn assembly(jitted: &Bound<'_, Jitted>, version: &Compiled) -> PyResult<String> {
    let text = llvm_text(jitted, version)?;
    let py = jitted.py();
    let llvm = llvm(py)?;
    py.detach(|| llvm.assembly(&text, &Target::host())).map_err(PyRuntimeError::new_err)
}

/// What became of the function, with what its machine code shows.
pub fn explanation(jitted: &Bound<'_, Jitted>, version: &Compiled) -> PyResult<Explanation> {
    let py = jitted.py();
    let lock = Lock::acquire(py)?;
    let mut program = Program::new(jitted)?;
    let answer = explain(&mut program, 0, version.arguments(), jitted.get().parallel, here());
    if let Some(error) = program.failed.take() {
        return Err(error);
    }
    let explained = answer.map_err(|(diagnostic, sources)| failures::refused(py, &diagnostic, &sources))?;
    drop(lock);
    let llvm = llvm(py)?;
    let assembly = py
        .detach(|| llvm.assembly(&explained.text, &Target::host()))
        .map_err(|error| broken(format!("LLVM refused a kernel: {error}")))?;
    Ok(explained.explanation.with_machine_code(&assembly))
}

/// What all entries of a function for these types have in common.
fn key_of(jitted: &Bound<'_, Jitted>, arguments: &[Argument]) -> PyResult<String> {
    let py = jitted.py();
    let inner = jitted.get();
    let code = digest_of(inner.function.bind(py))?;
    let python = py.version_info();
    let numpy = numpy_version(py)?;
    Ok(format!(
        "{FORMAT} {} {}.{} {numpy:?} {code:032x} {} {:?} {arguments:?}",
        build(py)?,
        python.major,
        python.minor,
        inner.parallel,
        inner.source.is_some()
    ))
}

/// Where NumPy is loaded: what it does with mixed types depends on its version.
pub fn numpy_version(py: Python<'_>) -> PyResult<Option<String>> {
    let numpy = py.import("sys")?.getattr("modules")?.call_method1("get", ("numpy",))?;
    Ok(numpy.getattr_opt("__version__")?.map(|version| version.to_string()))
}

/// This very library, another build of which may compile otherwise, and the machine's kind.
fn build(py: Python<'_>) -> PyResult<&String> {
    static BUILD: PyOnceLock<String> = PyOnceLock::new();
    BUILD.get_or_try_init(py, || {
        let path: String = py.import("manyhands._native")?.getattr("__file__")?.extract()?;
        let about = std::fs::metadata(path)?;
        let changed =
            about.modified()?.duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        let version = env!("CARGO_PKG_VERSION");
        Ok(format!("{version} {} {changed} {:032x}", about.len(), xxh3_128(processor()?.as_bytes())))
    })
}

/// What the kernel says of the first processor that compilation depends on: family, model, abilities.
fn processor() -> std::io::Result<String> {
    let mut text = [0_u8; 1 << 14];
    let length = std::fs::File::open("/proc/cpuinfo")?.read(&mut text)?;
    let text = String::from_utf8_lossy(&text[..length]);
    let wanted = ["vendor_id", "cpu family", "model", "flags"];
    let lines = text.lines().take_while(|line| !line.trim().is_empty());
    Ok(lines
        .filter(|line| line.split(':').next().is_some_and(|name| wanted.contains(&name.trim())))
        .collect())
}
