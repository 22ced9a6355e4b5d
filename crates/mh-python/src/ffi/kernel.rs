//! The memory that a kernel is called with, the call, and the arrays that it gives back.

#![expect(unsafe_code, reason = "kernels take and give words: addresses, lengths, strides")]

use mh_compile::call::{Hooks, Kernel, Memory, Stopped};
use mh_compile::ir::Array;
use pyo3::prelude::*;

use super::numpy::{ArrayRef, NumPy};

/// Frames up to so many slots lie on the stack.
const INLINE: usize = 24;

/// A kernel's frame: arguments flattened, then results. Filled in order, called once, read.
pub struct Frame<'py> {
    inline: [u64; INLINE],
    heap: Vec<u64>,
    length: usize,
    at: usize,
    /// The arrays among the arguments, in order: what views of them refer to.
    arrays: Vec<Bound<'py, PyAny>>,
}

/// Results of a call that went well, to be taken in order.
pub struct Results<'py>(Frame<'py>);

impl<'py> Frame<'py> {
    pub fn new(length: usize) -> Frame<'py> {
        let heap = if length > INLINE { vec![0; length] } else { Vec::new() };
        Frame { inline: [0; INLINE], heap, length, at: 0, arrays: Vec::new() }
    }

    fn slots(&mut self) -> &mut [u64] {
        if self.heap.is_empty() { &mut self.inline[..self.length] } else { &mut self.heap }
    }

    /// The next slot of a scalar.
    #[inline]
    pub fn push(&mut self, word: u64) {
        let at = self.at;
        self.at += 1;
        self.slots()[at] = word;
    }

    /// The next array, which `array` is.
    pub fn push_array(&mut self, value: &Bound<'py, PyAny>, array: &ArrayRef<'_>) {
        self.push(array.data() as u64);
        self.push(2 * self.arrays.len() as u64 + 1);
        for length in array.shape() {
            self.push(*length as u64);
        }
        for stride in array.strides() {
            self.push(*stride as u64);
        }
        self.arrays.push(value.clone());
    }

    /// Calls a kernel with what it was filled with, without the interpreter's lock unless it is very short.
    #[inline]
    pub fn call(
        mut self,
        py: Python<'py>,
        kernel: &Kernel,
        key: u64,
        hooks: &dyn Hooks,
    ) -> Result<Results<'py>, Stopped> {
        let slots = self.slots();
        // SAFETY: the frame has the length that the kernel's own description gives, and was filled by that description: arrays of
        // just these types, which `arrays` keeps alive. Of other threads the program sees to it, as with any array.
        let mut call = || unsafe { kernel.call(slots, key, hooks) };
        if kernel.info().short { call() } else { py.detach(call) }?;
        Ok(Results(self))
    }
}

impl<'py> Results<'py> {
    /// The next word of a scalar.
    #[inline]
    pub fn word(&mut self) -> u64 {
        let at = self.0.at;
        self.0.at += 1;
        self.0.slots()[at]
    }

    /// The next array: new memory, an argument, or a view of one.
    pub fn array(&mut self, py: Python<'py>, array: Array) -> PyResult<Bound<'py, PyAny>> {
        let rank = usize::from(array.rank);
        let data = self.word() as *mut u8;
        let owner = self.word();
        let shape: Vec<isize> = (0..rank).map(|_| self.word() as isize).collect();
        let strides: Vec<isize> = (0..rank).map(|_| self.word() as isize).collect();
        let numpy = NumPy::imported(py)?;
        let base = if owner & 1 == 1 {
            let number = usize::try_from(owner / 2).unwrap_or(usize::MAX);
            let argument = self.0.arrays.get(number).ok_or_else(|| {
                crate::jit::broken(format!(
                    "a compiled function gave back argument {number}, which it does not have"
                ))
            })?;
            // The argument itself, where it is the whole of it: `return x`.
            if numpy.array(argument).is_some_and(|known| {
                known.data().cast() == data
                    && known.shape() == shape
                    && known.strides() == strides
                    && known.kind() == Some(array.element)
            }) {
                return Ok(argument.clone());
            }
            argument.clone()
        } else {
            // SAFETY: the kernel wrote it and ended well, and results are taken once.
            let memory = unsafe { Memory::of_slot(owner) }.ok_or_else(|| {
                crate::jit::broken("a compiled function gave back an array of nobody's".to_owned())
            })?;
            Bound::new(py, Kept { _memory: memory })?.into_any()
        };
        // SAFETY: a kernel gives arrays that lie within their owner's memory, which the base keeps.
        unsafe { numpy.make_array(array.element, &shape, &strides, data, array.writable, base) }
    }
}

/// Keeps the memory of an array that a kernel made, as the array's `base`.
#[pyclass(frozen, module = "manyhands._native", name = "Memory")]
struct Kept {
    _memory: Memory,
}
