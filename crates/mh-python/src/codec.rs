//! Values as bytes.
//!
//! Most items and answers of a map are small and plain: numbers, strings, tuples of them. These are written directly,
//! which is several times faster than pickle, and each stands by itself, so that any run of items can be cut anywhere.
//! Everything else is a pickle (protocol 5) of its own, with its large buffers in shared memory.
//!
//! | tag | value |
//! |---|---|
//! | 0, 1, 2 | None, True, False |
//! | 3 | int: 8 bytes |
//! | 4 | float: 8 bytes |
//! | 5, 6 | str (UTF-8), bytes: length, bytes |
//! | 7 | tuple: length, values |
//! | 8 | pickle: all that follows |
//! | 9 | pickle with buffers: their number, each one (in line, or a place in shared memory), the pickle |
//! | 10 | int that needs one byte |
//! | 11 | call: number of the function's object, tuple of plain arguments |
//! | 12 | call with keywords: the same, then a tuple of names and plain values in turn |
//! | 13 | call with other arguments: number of the function's object, the pickle (8 or 9) of (args, kwargs) |

use mh_runtime::{LONGEST_PART, Object};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

use crate::ffi::with_bytes;

/// Buffers from this size on travel in shared memory.
pub const STORE_FROM: usize = 128 * 1024;
/// Tuples nest this deep before they are left to pickle.
const DEPTH: usize = 4;

const NONE: u8 = 0;
const TRUE: u8 = 1;
const FALSE: u8 = 2;
const INT: u8 = 3;
const FLOAT: u8 = 4;
const STR: u8 = 5;
const BYTES: u8 = 6;
const TUPLE: u8 = 7;
const PICKLE: u8 = 8;
const BUFFERS: u8 = 9;
const SMALL: u8 = 10;
const CALL: u8 = 11;
const CALL_KEYWORDS: u8 = 12;
const CALL_PICKLED: u8 = 13;
/// Tag and number of a call.
const CALL_HEAD: usize = 9;

/// Writes a plain value; `false`, with nothing written, when it is not plain.
pub fn encode_plain(value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> bool {
    let start = out.len();
    let plain = write_plain(value, out, DEPTH);
    if !plain {
        out.truncate(start);
    }
    plain
}

/// Writes a call with plain arguments of a function that workers are told once; `false`, with nothing written, when the
/// arguments are not plain.
pub fn encode_call(function: u64, arguments: &Bound<'_, PyTuple>, out: &mut Vec<u8>) -> bool {
    let start = out.len();
    out.push(CALL);
    out.extend_from_slice(&function.to_le_bytes());
    let plain = write_plain(arguments, out, DEPTH + 1);
    if !plain {
        out.truncate(start);
    }
    plain
}

/// The same with keyword arguments.
pub fn encode_call_with_keywords(
    function: u64,
    arguments: &Bound<'_, PyTuple>,
    keywords: &Bound<'_, PyDict>,
    out: &mut Vec<u8>,
) -> bool {
    let start = out.len();
    out.push(CALL_KEYWORDS);
    out.extend_from_slice(&function.to_le_bytes());
    let mut plain = keywords.len() < 128 && write_plain(arguments, out, DEPTH + 1);
    if plain {
        out.extend_from_slice(&[TUPLE, 2 * keywords.len() as u8]);
        plain = keywords
            .iter()
            .all(|(name, value)| write_plain(&name, out, DEPTH) && write_plain(&value, out, DEPTH));
    }
    if !plain {
        out.truncate(start);
    }
    plain
}

/// Begins a call, to be followed by the pickle of (args, kwargs).
pub fn start_pickled_call(function: u64, out: &mut Vec<u8>) {
    out.push(CALL_PICKLED);
    out.extend_from_slice(&function.to_le_bytes());
}

/// How a call's arguments come out of `decode`.
pub enum Callee {
    /// A tuple.
    Positional(u64),
    /// (args, kwargs).
    WithKeywords(u64),
}

/// The function's number, if the bytes are a call.
pub fn function_of_call(bytes: &[u8]) -> Option<Callee> {
    let (tag, rest) = bytes.split_first()?;
    let callee = match *tag {
        CALL => Callee::Positional,
        CALL_KEYWORDS | CALL_PICKLED => Callee::WithKeywords,
        _ => return None,
    };
    Some(callee(u64::from_le_bytes(rest.get(..8)?.try_into().ok()?)))
}

fn write_plain(value: &Bound<'_, PyAny>, out: &mut Vec<u8>, depth: usize) -> bool {
    if let Ok(value) = value.cast_exact::<PyInt>() {
        let Ok(number) = value.extract::<i64>() else { return false };
        match i8::try_from(number) {
            Ok(small) => out.extend_from_slice(&[SMALL, small as u8]),
            Err(_) => {
                out.push(INT);
                out.extend_from_slice(&number.to_le_bytes());
            }
        }
    } else if let Ok(value) = value.cast_exact::<PyFloat>() {
        out.push(FLOAT);
        out.extend_from_slice(&value.value().to_le_bytes());
    } else if let Ok(value) = value.cast_exact::<PyString>() {
        let Ok(text) = value.to_str() else { return false };
        return write_run(STR, text.as_bytes(), out);
    } else if value.is_none() {
        out.push(NONE);
    } else if let Ok(value) = value.cast_exact::<PyBool>() {
        out.push(if value.is_true() { TRUE } else { FALSE });
    } else if let Ok(value) = value.cast_exact::<PyTuple>() {
        if depth == 0 || value.len() > 255 {
            return false;
        }
        out.push(TUPLE);
        out.push(value.len() as u8);
        return value.iter_borrowed().all(|element| write_plain(&element, out, depth - 1));
    } else if let Ok(value) = value.cast_exact::<PyBytes>() {
        return write_run(BYTES, value.as_bytes(), out);
    } else {
        return false;
    }
    true
}

fn write_run(tag: u8, bytes: &[u8], out: &mut Vec<u8>) -> bool {
    let Ok(length) = u32::try_from(bytes.len()) else { return false };
    if length > 1 << 30 {
        return false;
    }
    out.push(tag);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(bytes);
    true
}

/// Refuses what is too long to be sent in line.
pub fn check_length(bytes: usize) -> PyResult<()> {
    if bytes as u64 <= LONGEST_PART {
        return Ok(());
    }
    Err(PyValueError::new_err(format!(
        "{bytes} bytes are too many to be sent as one value (4 GiB is the most); arrays have no such limit, as their \
         memory is shared"
    )))
}

/// Puts a large buffer where the other side can map it.
pub trait Store {
    /// `buffer` is the Python object that was pickled out of band; `bytes` its memory.
    fn store(&mut self, py: Python<'_>, buffer: &Bound<'_, PyAny>, bytes: &[u8]) -> PyResult<Object>;
}

/// Writes a pickle and the buffers that were pickled out of band; gives the places of the stored ones.
pub fn encode_pickle(
    pickle: &[u8],
    buffers: &Bound<'_, PyList>,
    store: &mut dyn Store,
    out: &mut Vec<u8>,
) -> PyResult<Vec<Object>> {
    let py = buffers.py();
    check_length(pickle.len() + 64)?;
    let start = out.len();
    let mut objects = Vec::new();
    if buffers.is_empty() {
        out.push(PICKLE);
    } else {
        out.push(BUFFERS);
        out.extend_from_slice(&(buffers.len() as u32).to_le_bytes());
        for buffer in buffers.iter() {
            with_bytes(&buffer, |bytes| -> PyResult<()> {
                if bytes.len() < STORE_FROM {
                    out.push(0);
                    out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
                    out.extend_from_slice(bytes);
                } else {
                    let object = store.store(py, &buffer, bytes)?;
                    objects.push(object);
                    out.push(1);
                    out.extend_from_slice(&object.segment.0.to_le_bytes());
                    out.extend_from_slice(&object.offset.to_le_bytes());
                    out.extend_from_slice(&object.len.to_le_bytes());
                }
                Ok(())
            })??;
        }
    }
    out.extend_from_slice(pickle);
    check_length(out.len() - start)?;
    Ok(objects)
}

/// Makes a buffer in line or in shared memory readable.
pub trait Fetch {
    /// A Python object with the buffer protocol over the stored bytes.
    fn fetch<'py>(&mut self, py: Python<'py>, object: Object) -> PyResult<Bound<'py, PyAny>>;

    /// The same over bytes that came in line; by default a copy of their own.
    fn in_line<'py>(&mut self, py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyAny>> {
        Ok(PyByteArray::new(py, bytes).into_any())
    }
}

/// A pickle and the buffers that it refers to.
pub struct Pickled<'a, 'py> {
    pub bytes: &'a [u8],
    pub buffers: Bound<'py, PyList>,
}

/// Reads a value; a pickle is given to `load`. Of a call, the arguments (see `Callee`).
pub fn decode<'py>(
    py: Python<'py>,
    bytes: &[u8],
    fetch: &mut dyn Fetch,
    load: &mut dyn FnMut(Pickled<'_, 'py>) -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    match bytes.first() {
        Some(&(PICKLE | BUFFERS)) => load(split_pickle(py, bytes, fetch)?),
        Some(&CALL) => read_plain(py, &mut Cursor { bytes: bytes.get(CALL_HEAD..).unwrap_or_default() }),
        Some(&CALL_KEYWORDS) => {
            let mut cursor = Cursor { bytes: bytes.get(CALL_HEAD..).unwrap_or_default() };
            let (args, keywords) = (read_plain(py, &mut cursor)?, PyDict::new(py));
            let pairs = read_plain(py, &mut cursor)?.cast_into::<PyTuple>()?;
            for pair in pairs.as_slice().chunks_exact(2) {
                keywords.set_item(&pair[0], &pair[1])?;
            }
            Ok(PyTuple::new(py, [args, keywords.into_any()])?.into_any())
        }
        Some(&CALL_PICKLED) => {
            let pickled = split_pickle(py, bytes.get(CALL_HEAD..).unwrap_or_default(), fetch)?;
            load(pickled)
        }
        _ => read_plain(py, &mut Cursor { bytes }),
    }
}

/// Takes an encoded pickle apart.
pub fn split_pickle<'a, 'py>(
    py: Python<'py>,
    bytes: &'a [u8],
    fetch: &mut dyn Fetch,
) -> PyResult<Pickled<'a, 'py>> {
    let mut cursor = Cursor { bytes };
    let buffers = PyList::empty(py);
    if cursor.u8()? == BUFFERS {
        for _ in 0..cursor.u32()? {
            if cursor.u8()? == 0 {
                let length = cursor.u32()? as usize;
                buffers.append(fetch.in_line(py, cursor.take(length)?)?)?;
            } else {
                let object = Object {
                    segment: mh_runtime::SegmentId(cursor.u64()?),
                    offset: cursor.u64()?,
                    len: cursor.u64()?,
                };
                buffers.append(fetch.fetch(py, object)?)?;
            }
        }
    }
    Ok(Pickled { bytes: cursor.bytes, buffers })
}

struct Cursor<'a> {
    bytes: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> PyResult<&'a [u8]> {
        let (head, rest) = self.bytes.split_at_checked(count).ok_or_else(torn)?;
        self.bytes = rest;
        Ok(head)
    }

    fn u8(&mut self) -> PyResult<u8> {
        Ok(self.take(1)?[0])
    }

    fn u32(&mut self) -> PyResult<u32> {
        Ok(u32::from_le_bytes(self.take(4)?.try_into().map_err(|_| torn())?))
    }

    fn u64(&mut self) -> PyResult<u64> {
        Ok(u64::from_le_bytes(self.take(8)?.try_into().map_err(|_| torn())?))
    }
}

fn torn() -> PyErr {
    PyRuntimeError::new_err(
        "manyhands received a value that is cut short; this is a bug of manyhands, please report it",
    )
}

fn read_plain<'py>(py: Python<'py>, cursor: &mut Cursor<'_>) -> PyResult<Bound<'py, PyAny>> {
    Ok(match cursor.u8()? {
        NONE => py.None().into_bound(py),
        TRUE => PyBool::new(py, true).to_owned().into_any(),
        FALSE => PyBool::new(py, false).to_owned().into_any(),
        SMALL => (cursor.u8()? as i8).into_pyobject(py)?.into_any(),
        INT => (cursor.u64()? as i64).into_pyobject(py)?.into_any(),
        FLOAT => PyFloat::new(py, f64::from_bits(cursor.u64()?)).into_any(),
        STR => {
            let length = cursor.u32()? as usize;
            let text = std::str::from_utf8(cursor.take(length)?).map_err(|_| torn())?;
            PyString::new(py, text).into_any()
        }
        BYTES => {
            let length = cursor.u32()? as usize;
            PyBytes::new(py, cursor.take(length)?).into_any()
        }
        TUPLE => {
            let length = cursor.u8()?;
            let values: PyResult<Vec<_>> = (0..length).map(|_| read_plain(py, cursor)).collect();
            PyTuple::new(py, values?)?.into_any()
        }
        _ => return Err(torn()),
    })
}
