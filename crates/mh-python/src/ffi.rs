//! Where raw memory meets Python: buffers lent to Python, buffers borrowed from it, file descriptors by number.

#![allow(unsafe_code)] // The buffer protocol and descriptor numbers are raw by nature; each block says why it is sound.

pub mod kernel;
pub mod latest;
pub mod numpy;
pub mod vectorcall;

use std::ffi::c_int;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;

use mh_runtime::{Mapping, Object, ResultLease, Use};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::critical_section::with_critical_section;
use pyo3::types::{PyByteArray, PyByteArrayMethods, PyDict, PyFunction};

/// What keeps the memory behind a `SharedBuffer` in place.
enum Owner {
    Result(Arc<ResultLease>),
    Argument(Arc<Use>),
}

impl Owner {
    fn parts(&self) -> (&Mapping, Object) {
        match self {
            Owner::Result(lease) => (lease.mapping(), lease.object()),
            Owner::Argument(used) => (used.mapping(), used.object()),
        }
    }
}

/// Shared memory as a Python buffer: writable, and what is written stays private to this process.
#[pyclass(frozen, module = "manyhands._native")]
pub struct SharedBuffer {
    owner: Owner,
}

impl SharedBuffer {
    pub fn of_result(lease: Arc<ResultLease>) -> SharedBuffer {
        SharedBuffer { owner: Owner::Result(lease) }
    }

    pub fn of_argument(used: Arc<Use>) -> SharedBuffer {
        SharedBuffer { owner: Owner::Argument(used) }
    }
}

#[pymethods]
impl SharedBuffer {
    unsafe fn __getbuffer__(slf: Bound<'_, Self>, view: *mut ffi::Py_buffer, flags: c_int) -> PyResult<()> {
        let (mapping, object) = slf.get().owner.parts();
        let start = mapping.slice_ptr(object.offset, object.len);
        // SAFETY: the mapping is private to this process, readable and writable, at least `len` long from `start`
        // (`slice_ptr` checks), and lives as long as `slf`, of which the view takes a reference. `view` comes from the
        // interpreter, which passes a valid one.
        let filled = unsafe {
            ffi::PyBuffer_FillInfo(view, slf.as_ptr(), start.cast(), object.len as ffi::Py_ssize_t, 0, flags)
        };
        if filled == 0 { Ok(()) } else { Err(PyErr::fetch(slf.py())) }
    }

    fn __len__(&self) -> usize {
        self.owner.parts().1.len as usize
    }
}

/// A view of a contiguous buffer, C or Fortran, given back when it is dropped.
struct View(Box<ffi::Py_buffer>);

impl Drop for View {
    fn drop(&mut self) {
        // SAFETY: the view was filled by `PyObject_GetBuffer` and is given back once; `with_bytes`, its only maker, holds
        // the interpreter's lock.
        unsafe { ffi::PyBuffer_Release(&raw mut *self.0) };
    }
}

/// Reads the bytes of a contiguous buffer, C or Fortran, of any number of dimensions.
///
/// They are the user's array, which another thread may write to meanwhile; what is read is then some mixture of old and
/// new, as with any copy of an array that is being written.
pub fn with_bytes<T>(buffer: &Bound<'_, PyAny>, read: impl FnOnce(&[u8]) -> T) -> PyResult<T> {
    let mut view = Box::new(ffi::Py_buffer::new());
    // SAFETY: the interpreter's lock is held (`buffer` proves it) and the view is a valid one to be filled; it does not
    // move afterwards, as it is boxed.
    let filled =
        unsafe { ffi::PyObject_GetBuffer(buffer.as_ptr(), &raw mut *view, ffi::PyBUF_ANY_CONTIGUOUS) };
    if filled != 0 {
        return Err(PyErr::fetch(buffer.py()));
    }
    let view = View(view);
    let length = view.0.len as usize;
    if length == 0 {
        return Ok(read(&[]));
    }
    // SAFETY: the interpreter guarantees `len` readable bytes at `buf` for a contiguous buffer for as long as the view is
    // held, which `view` does. The bytes are only copied from.
    Ok(read(unsafe { std::slice::from_raw_parts(view.0.buf.cast::<u8>(), length) }))
}

/// A new descriptor for the file that `number` stands for in this process.
pub fn duplicate(number: i32) -> std::io::Result<OwnedFd> {
    if number < 0 {
        return Err(std::io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: the number is only passed to the kernel for the length of this call, which answers EBADF where nothing
    // is open under it.
    unsafe { BorrowedFd::borrow_raw(number) }.try_clone_to_owned()
}

/// Makes the content of a bytearray that was lent to arrays what was sent, if something else was written to it.
pub fn put_back(live: &Bound<'_, PyByteArray>, sent: &[u8]) {
    with_critical_section(live, || {
        if live.len() != sent.len() {
            return; // It was resized, so nothing refers to its memory any more.
        }
        // SAFETY: the interpreter's lock is held, or where there is none the object's own, and no Python code runs in this
        // block, so nobody resizes or frees the memory; threads that write to it without the lock write bytes of an array,
        // as they might at any time.
        let content = unsafe { live.as_bytes_mut() };
        if content != sent {
            content.copy_from_slice(sent);
        }
    });
}

/// How many references to an object there are, this one included.
pub fn references(object: &Bound<'_, PyAny>) -> isize {
    // SAFETY: the object is alive, as it is borrowed.
    unsafe { pyo3::ffi::Py_REFCNT(object.as_ptr()) }
}

/// What a closure's cell holds. `None` for an empty one.
pub fn cell_value<'py>(cell: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    let py = cell.py();
    // SAFETY: `PyCell_Get` takes any object and sets an exception for one that is no cell; it gives a new reference, or null.
    let value = unsafe { ffi::PyCell_Get(cell.as_ptr()) };
    if value.is_null() {
        drop(PyErr::take(py));
        return None;
    }
    // SAFETY: a new reference, not null.
    Some(unsafe { Bound::from_owned_ptr(py, value) })
}

/// A function's code, its positional defaults and those by keyword.
pub fn function_parts<'py>(function: &Bound<'py, PyFunction>) -> [Option<Bound<'py, PyAny>>; 3] {
    let py = function.py();
    let pointer = function.as_ptr();
    // SAFETY: the object is a function; the calls give borrowed references, or null, and fail for nothing else.
    unsafe {
        [
            ffi::PyFunction_GetCode(pointer),
            ffi::PyFunction_GetDefaults(pointer),
            ffi::PyFunction_GetKwDefaults(pointer),
        ]
        .map(|part| Bound::from_borrowed_ptr_or_opt(py, part))
    }
}

/// The beginning of a dictionary in Python 3.10 to 3.13.
#[repr(C)]
struct RawDict {
    head: ffi::PyObject,
    used: isize,
    version: u64,
}

/// Whether dictionaries of this Python have versions. (Those without the interpreter's lock begin with 3.14 for PyO3.)
pub fn has_versions(py: Python<'_>) -> bool {
    let version = py.version_info();
    (version.major, version.minor) < (3, 14)
}

/// A number that no other content of a dictionary has or had: it changes with each change of any.
///
/// Only where `has_versions`.
#[inline]
pub fn version_of(dict: &Bound<'_, PyDict>) -> u64 {
    // SAFETY: a dictionary begins with its head and count, and in the Pythons that this is asked in with a version behind them; the
    // interpreter's lock is held.
    unsafe { (*dict.as_ptr().cast::<RawDict>()).version }
}
