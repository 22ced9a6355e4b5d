//! Instances of a class of ours, called without a tuple being made of their arguments (PEP 590).
//!
//! PyO3 knows no such classes, so the class is told afterwards where in its instances the function to call stands.

#![expect(unsafe_code, reason = "the interpreter calls by a pointer in the instance")]

use std::any::Any;
use std::ffi::c_ulong;
use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::PyClass;
use pyo3::ffi;
use pyo3::panic::PanicException;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

/// The function that the interpreter calls: a field of the instance.
#[repr(transparent)]
pub struct Entry(ffi::vectorcallfunc);

/// A class whose instances are called so.
pub trait Called: PyClass {
    /// Values by place, then those by name, whose names are told.
    fn called<'py>(
        slf: &Bound<'py, Self>,
        values: &[Bound<'py, PyAny>],
        names: Option<&Bound<'py, PyTuple>>,
    ) -> PyResult<Bound<'py, PyAny>>;
}

impl Entry {
    pub const fn of<T: Called>() -> Entry {
        Entry(call::<T>)
    }

    /// Lets the class of `instance`, in which this is, be called so. To be called before the program sees an instance.
    pub fn enable<T: Called>(&self, instance: &Bound<'_, T>) {
        let class = instance.as_any().get_type_ptr();
        let place = std::ptr::from_ref(self) as isize - instance.as_ptr() as isize;
        // SAFETY: the interpreter's lock is held, and the type is ours and alive. Flags are a word, whatever it is declared as. All
        // instances of a class have the same layout, so that each has its own `Entry` at this place.
        unsafe {
            let flags = (&raw mut (*class).tp_flags).cast::<c_ulong>();
            if *flags & ffi::Py_TPFLAGS_HAVE_VECTORCALL == 0 {
                (*class).tp_vectorcall_offset = place;
                (*class).tp_call = Some(ffi::PyVectorcall_Call);
                *flags |= ffi::Py_TPFLAGS_HAVE_VECTORCALL;
                ffi::PyType_Modified(class);
            }
        }
    }
}

unsafe extern "C" fn call<T: Called>(
    callable: *mut ffi::PyObject,
    values: *const *mut ffi::PyObject,
    count: usize,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the interpreter calls this with its lock held.
    let py = unsafe { Python::assume_attached() };
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: `callable` is an instance of the class whose `Entry` this function was taken from; it is alive during the call.
        let slf = unsafe { Borrowed::from_ptr(py, callable).cast_unchecked::<T>() };
        // SAFETY: null, or a tuple that is alive during the call.
        let names = unsafe { Borrowed::from_ptr_or_opt(py, names) };
        // SAFETY: names of arguments are a tuple.
        let names = names.map(|names| unsafe { names.cast_unchecked::<PyTuple>() });
        // SAFETY: the count is part of the word, which no argument changes.
        let by_place = unsafe { ffi::PyVectorcall_NARGS(count) } as usize;
        let all = by_place + names.as_ref().map_or(0, |names| names.len());
        let values: &[Bound<'_, PyAny>] = if all == 0 {
            &[]
        } else {
            // SAFETY: so many objects, borrowed for the call; a `Bound` is a pointer to an object, and is not dropped here.
            unsafe { std::slice::from_raw_parts(values.cast(), all) }
        };
        T::called(&slf, values, names.as_deref())
    }));
    match outcome {
        Ok(Ok(value)) => value.into_ptr(),
        Ok(Err(error)) => {
            error.restore(py);
            std::ptr::null_mut()
        }
        Err(panic) => {
            panicked(panic).restore(py);
            std::ptr::null_mut()
        }
    }
}

#[cold]
fn panicked(panic: Box<dyn Any + Send>) -> PyErr {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("panic from Rust code");
    PanicException::new_err(text.to_owned())
}
