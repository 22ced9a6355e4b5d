//! NumPy's arrays and scalars, read and made through its C interface, which is found in the module at first use.
//!
//! The structures of an array and of a scalar, and the numbers of the functions that are called here, are part of NumPy's
//! binary interface: the same in 1.x and in 2.x.

#![expect(unsafe_code, reason = "NumPy's C interface is a table of pointers")]

use std::ffi::{c_char, c_int, c_void};

use mh_compile::ir::Kind;
use pyo3::exceptions::PyImportError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyCapsule;

/// `PyArrayObject`.
#[repr(C)]
struct RawArray {
    head: ffi::PyObject,
    data: *mut c_void,
    rank: c_int,
    shape: *const isize,
    strides: *const isize,
    base: *mut ffi::PyObject,
    descr: *mut RawDescr,
    flags: c_int,
}

/// The beginning of `PyArray_Descr`.
#[repr(C)]
struct RawDescr {
    head: ffi::PyObject,
    typeobj: *mut ffi::PyTypeObject,
    kind: c_char,
    type_char: c_char,
    byteorder: c_char,
    flags: c_char,
    number: c_int,
}

const C_CONTIGUOUS: c_int = 0x1;
const F_CONTIGUOUS: c_int = 0x2;
const ALIGNED: c_int = 0x100;
const WRITEABLE: c_int = 0x400;

/// Places in NumPy's table.
const ARRAY_TYPE: usize = 2;
const DESCR_FROM_TYPE: usize = 45;
const SCALAR: usize = 60;
const NEW_FROM_DESCR: usize = 94;
const SET_BASE_OBJECT: usize = 282;

type DescrFromType = unsafe extern "C" fn(c_int) -> *mut RawDescr;
type MakeScalar = unsafe extern "C" fn(*mut c_void, *mut RawDescr, *mut ffi::PyObject) -> *mut ffi::PyObject;
type NewFromDescr = unsafe extern "C" fn(
    *mut ffi::PyTypeObject,
    *mut RawDescr,
    c_int,
    *const isize,
    *const isize,
    *mut c_void,
    c_int,
    *mut ffi::PyObject,
) -> *mut ffi::PyObject;
type SetBaseObject = unsafe extern "C" fn(*mut ffi::PyObject, *mut ffi::PyObject) -> c_int;

/// Names of the scalar types in the module, and how many of them share a kind: `longlong` is a type of its own.
const SCALARS: [(&str, Kind); 15] = [
    ("float64", Kind::F64),
    ("int64", Kind::I64),
    ("bool_", Kind::Bool),
    ("float32", Kind::F32),
    ("int32", Kind::I32),
    ("complex128", Kind::C128),
    ("uint8", Kind::U8),
    ("int8", Kind::I8),
    ("int16", Kind::I16),
    ("uint16", Kind::U16),
    ("uint32", Kind::U32),
    ("uint64", Kind::U64),
    ("complex64", Kind::C64),
    ("longlong", Kind::I64),
    ("ulonglong", Kind::U64),
];

/// NumPy, once it is there.
pub struct NumPy {
    table: *const *const c_void,
    array: *mut ffi::PyTypeObject,
    /// `numpy.generic`.
    generic: Py<PyAny>,
    scalars: Vec<(*mut ffi::PyTypeObject, Kind)>,
}

// SAFETY: the pointers are to NumPy's static table and types, which are never freed or changed.
unsafe impl Send for NumPy {}
// SAFETY: as above.
unsafe impl Sync for NumPy {}

static NUMPY: PyOnceLock<NumPy> = PyOnceLock::new();

impl NumPy {
    /// NumPy, where the program has imported it: before that there is no array.
    pub fn loaded(py: Python<'_>) -> Option<&NumPy> {
        if let Some(found) = NUMPY.get(py) {
            return Some(found);
        }
        let modules = py.import("sys").ok()?.getattr("modules").ok()?;
        let module = modules.get_item("numpy").ok()?;
        // While it is being imported by another thread it is not ready.
        if !module.hasattr("ndarray").ok()? || !module.hasattr("ulonglong").ok()? {
            return None;
        }
        NumPy::imported(py).ok()
    }

    /// NumPy, imported now if it was not.
    pub fn imported(py: Python<'_>) -> PyResult<&NumPy> {
        NUMPY.get_or_try_init(py, || {
            let numpy = py.import("numpy")?;
            let inner = py
                .import("numpy._core._multiarray_umath")
                .or_else(|_| py.import("numpy.core._multiarray_umath"))?;
            let capsule = inner.getattr("_ARRAY_API")?.cast_into::<PyCapsule>()?;
            // SAFETY: the capsule is NumPy's own, whose pointer has no name and is the table.
            let table = unsafe { ffi::PyCapsule_GetPointer(capsule.as_ptr(), std::ptr::null()) }
                .cast::<*const c_void>()
                .cast_const();
            if table.is_null() {
                return Err(PyErr::take(py)
                    .unwrap_or_else(|| PyImportError::new_err("NumPy has no table of functions")));
            }
            // SAFETY: the table has a pointer to the type of arrays at this place in every version of NumPy.
            let array = unsafe { *table.add(ARRAY_TYPE) }.cast::<ffi::PyTypeObject>().cast_mut();
            let mut scalars = Vec::with_capacity(SCALARS.len());
            for (name, kind) in SCALARS {
                scalars.push((numpy.getattr(name)?.as_ptr().cast(), kind));
            }
            Ok(NumPy { table, array, generic: numpy.getattr("generic")?.unbind(), scalars })
        })
    }

    /// The array that an object is. `None` for all else.
    pub fn array<'a>(&self, value: &'a Bound<'_, PyAny>) -> Option<ArrayRef<'a>> {
        let kind = value.get_type_ptr();
        // SAFETY: both are types; the interpreter's lock is held.
        if kind != self.array && unsafe { ffi::PyType_IsSubtype(kind, self.array) } == 0 {
            return None;
        }
        // SAFETY: the object is an array, or an instance of a class derived of it, which begins as one; it is alive for 'a.
        Some(ArrayRef { raw: unsafe { &*value.as_ptr().cast::<RawArray>() }, exact: kind == self.array })
    }

    /// The kind of a scalar of NumPy's, and its value as a kernel's frame holds it. `None` for all else.
    pub fn scalar(&self, value: &Bound<'_, PyAny>) -> Option<(Kind, [u64; 2])> {
        let own = value.get_type_ptr();
        let (_, kind) = self.scalars.iter().find(|(other, _)| *other == own)?;
        // SAFETY: an object of exactly this type is its head and a value of this kind, aligned for it.
        let slots = unsafe { read(value.as_ptr().cast::<u8>().add(size_of::<ffi::PyObject>()), *kind) };
        Some((*kind, slots))
    }

    /// Is this a scalar of NumPy's, of whatever kind?
    pub fn is_generic(&self, value: &Bound<'_, PyAny>) -> bool {
        value.is_instance(self.generic.bind(value.py())).unwrap_or(false)
    }

    /// A scalar of NumPy's out of a frame's slots.
    pub fn make_scalar<'py>(
        &self,
        py: Python<'py>,
        kind: Kind,
        slots: [u64; 2],
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut memory = [0_u64; 2];
        // SAFETY: sixteen bytes hold a value of every kind. The functions are NumPy's own of these types; `SCALAR` copies the
        // value and borrows the description, of which we have a reference that is given back.
        unsafe {
            write(memory.as_mut_ptr().cast(), kind, slots);
            let descr = self.descr(kind);
            let make: MakeScalar = std::mem::transmute(*self.table.add(SCALAR));
            let made = make(memory.as_mut_ptr().cast(), descr, std::ptr::null_mut());
            ffi::Py_XDECREF(descr.cast());
            Bound::from_owned_ptr_or_err(py, made)
        }
    }

    /// An array over memory that `base` keeps.
    ///
    /// `shape` and `strides` (in bytes) are of one length, at most 32.
    ///
    /// # Safety
    ///
    /// The memory that shape and strides reach from `data` on is of this kind, and lives as long as `base`.
    pub unsafe fn make_array<'py>(
        &self,
        kind: Kind,
        shape: &[isize],
        strides: &[isize],
        data: *mut u8,
        writable: bool,
        base: Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = base.py();
        debug_assert_eq!(shape.len(), strides.len());
        // SAFETY: the functions are NumPy's own of these types. `NEW_FROM_DESCR` takes over the reference to the description and
        // copies shape and strides; `SET_BASE_OBJECT` takes over that to the base, on failure too.
        unsafe {
            let new: NewFromDescr = std::mem::transmute(*self.table.add(NEW_FROM_DESCR));
            let flags = ALIGNED | if writable { WRITEABLE } else { 0 };
            let made = new(
                self.array,
                self.descr(kind),
                shape.len() as c_int,
                shape.as_ptr(),
                strides.as_ptr(),
                data.cast(),
                flags,
                std::ptr::null_mut(),
            );
            let made = Bound::from_owned_ptr_or_err(py, made)?;
            let set: SetBaseObject = std::mem::transmute(*self.table.add(SET_BASE_OBJECT));
            if set(made.as_ptr(), base.into_ptr()) != 0 {
                return Err(PyErr::fetch(py));
            }
            Ok(made)
        }
    }

    /// A new reference to the description of a kind.
    fn descr(&self, kind: Kind) -> *mut RawDescr {
        // SAFETY: the function is NumPy's own; the numbers are those of types that it has built in, for which it cannot fail.
        unsafe {
            let find: DescrFromType = std::mem::transmute(*self.table.add(DESCR_FROM_TYPE));
            find(number_of(kind))
        }
    }
}

/// An array, looked at.
pub struct ArrayRef<'a> {
    raw: &'a RawArray,
    /// Of `numpy.ndarray` itself, not of a class derived of it.
    pub exact: bool,
}

impl ArrayRef<'_> {
    /// The elements' kind, where it is one that compiled code has.
    pub fn kind(&self) -> Option<Kind> {
        // SAFETY: an array always has a description.
        match unsafe { (*self.raw.descr).number } {
            0 => Some(Kind::Bool),
            1 => Some(Kind::I8),
            2 => Some(Kind::U8),
            3 => Some(Kind::I16),
            4 => Some(Kind::U16),
            5 => Some(Kind::I32),
            6 => Some(Kind::U32),
            7 | 9 => Some(Kind::I64),
            8 | 10 => Some(Kind::U64),
            11 => Some(Kind::F32),
            12 => Some(Kind::F64),
            14 => Some(Kind::C64),
            15 => Some(Kind::C128),
            _ => None,
        }
    }

    /// Bytes of each element in this machine's order?
    pub fn is_native(&self) -> bool {
        // SAFETY: as above.
        let order = unsafe { (*self.raw.descr).byteorder } as u8;
        matches!(order, b'=' | b'|') || order == if cfg!(target_endian = "little") { b'<' } else { b'>' }
    }

    pub fn is_aligned(&self) -> bool {
        self.raw.flags & ALIGNED != 0
    }

    pub fn is_writable(&self) -> bool {
        self.raw.flags & WRITEABLE != 0
    }

    pub fn is_c(&self) -> bool {
        self.raw.flags & C_CONTIGUOUS != 0
    }

    pub fn is_f(&self) -> bool {
        self.raw.flags & F_CONTIGUOUS != 0
    }

    pub fn data(&self) -> *mut c_void {
        self.raw.data
    }

    pub fn shape(&self) -> &[isize] {
        self.axes(self.raw.shape)
    }

    /// In bytes.
    pub fn strides(&self) -> &[isize] {
        self.axes(self.raw.strides)
    }

    fn axes(&self, first: *const isize) -> &[isize] {
        let rank = usize::try_from(self.raw.rank).unwrap_or(0);
        if rank == 0 {
            return &[];
        }
        // SAFETY: an array of a rank above 0 has as many lengths and strides; they move only when the program gives the array another
        // shape in place, which needs the interpreter's lock, and it is held.
        unsafe { std::slice::from_raw_parts(first, rank) }
    }
}

/// NumPy's number of a kind's type.
fn number_of(kind: Kind) -> c_int {
    match kind {
        Kind::Bool => 0,
        Kind::I8 => 1,
        Kind::U8 => 2,
        Kind::I16 => 3,
        Kind::U16 => 4,
        Kind::I32 => 5,
        Kind::U32 => 6,
        Kind::I64 | Kind::I128 => 7,
        Kind::U64 => 8,
        Kind::F32 => 11,
        Kind::F64 => 12,
        Kind::C64 => 14,
        Kind::C128 => 15,
    }
}

/// A value as a frame's slots hold it.
///
/// # Safety
///
/// There is a value of this kind.
unsafe fn read(from: *const u8, kind: Kind) -> [u64; 2] {
    // SAFETY: the caller vouches for the value; no alignment is needed.
    unsafe {
        match kind {
            Kind::Bool | Kind::U8 => [u64::from(*from), 0],
            Kind::I8 => [i64::from(*from.cast::<i8>()) as u64, 0],
            Kind::I16 => [i64::from(from.cast::<i16>().read_unaligned()) as u64, 0],
            Kind::I32 => [i64::from(from.cast::<i32>().read_unaligned()) as u64, 0],
            Kind::U16 => [u64::from(from.cast::<u16>().read_unaligned()), 0],
            Kind::U32 | Kind::F32 => [u64::from(from.cast::<u32>().read_unaligned()), 0],
            Kind::I64 | Kind::U64 | Kind::F64 | Kind::I128 => [from.cast::<u64>().read_unaligned(), 0],
            Kind::C64 => {
                let parts = from.cast::<[u32; 2]>().read_unaligned();
                [u64::from(parts[0]), u64::from(parts[1])]
            }
            Kind::C128 => from.cast::<[u64; 2]>().read_unaligned(),
        }
    }
}

/// The reverse.
///
/// # Safety
///
/// There is room for a value of this kind.
unsafe fn write(to: *mut u8, kind: Kind, slots: [u64; 2]) {
    // SAFETY: the caller vouches for the room. Slots are little-endian words: their low bytes are the value.
    unsafe {
        match kind {
            Kind::C64 => to.cast::<[u32; 2]>().write_unaligned([slots[0] as u32, slots[1] as u32]),
            Kind::C128 => to.cast::<[u64; 2]>().write_unaligned(slots),
            _ => {
                let bytes = slots[0].to_le_bytes();
                std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, kind.size().min(8) as usize);
            }
        }
    }
}
