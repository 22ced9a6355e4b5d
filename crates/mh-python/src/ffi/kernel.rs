//! The memory that a kernel is called with, the call, and the arrays that it gives back.

#![expect(unsafe_code, reason = "kernels take and give words: addresses, lengths, strides")]

use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::Relaxed;

use mh_compile::call::{Hooks, Kernel, Memory, Stopped};
use mh_compile::ir::Array;
use pyo3::ffi;
use pyo3::prelude::*;

use super::numpy::{ArrayRef, NumPy};

/// Frames up to so many slots lie on the stack.
const INLINE: usize = 24;
/// So many arrays are kept without memory of their own.
const FEW: usize = 4;

/// A kernel's frame: arguments flattened, then results. Filled in order, called once, read.
pub struct Frame<'py> {
    inline: [u64; INLINE],
    heap: Vec<u64>,
    length: usize,
    at: usize,
    /// The arrays among the arguments, in order: what views of them refer to.
    arrays: [Option<Bound<'py, PyAny>>; FEW],
    /// Those past the first few.
    more: Vec<Bound<'py, PyAny>>,
    count: usize,
}

/// Results of a call that went well, to be taken in order.
pub struct Results<'a, 'py>(&'a mut Frame<'py>);

/// What a kernel asks of Python while it runs.
pub trait Asked: Sync {
    /// Whether to stop. Asked about every 20 ms.
    fn poll(&self, py: Python<'_>) -> bool;
    fn print(&self, py: Python<'_>, text: &str);
    /// One of `Info::notices` came true.
    fn notice(&self, py: Python<'_>, number: u32);
    /// Blocks of a parallel loop were run by so many threads. On any thread, without the lock.
    fn shared(&self, threads: u32, blocks: u64);
    /// A thread begins with blocks of one. What is given back comes to `left`. On any thread, without the lock.
    fn joined(&self) -> [u64; 2];
    /// It has run so many of them; the number is the loop's.
    fn left(&self, since: [u64; 2], number: u64, blocks: u64);
}

impl<'py> Frame<'py> {
    #[inline]
    pub fn new(length: usize) -> Frame<'py> {
        let heap = if length > INLINE { vec![0; length] } else { Vec::new() };
        Frame {
            inline: [0; INLINE],
            heap,
            length,
            at: 0,
            arrays: [const { None }; FEW],
            more: Vec::new(),
            count: 0,
        }
    }

    #[inline]
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
    #[inline]
    pub fn push_array(&mut self, value: &Bound<'py, PyAny>, array: &ArrayRef<'_>) {
        self.push(array.data() as u64);
        self.push(2 * self.count as u64 + 1);
        for length in array.shape() {
            self.push(*length as u64);
        }
        for stride in array.strides() {
            self.push(*stride as u64);
        }
        match self.arrays.get_mut(self.count) {
            Some(place) => *place = Some(value.clone()),
            None => self.more.push(value.clone()),
        }
        self.count += 1;
    }

    fn array(&self, number: usize) -> Option<&Bound<'py, PyAny>> {
        match self.arrays.get(number) {
            Some(array) => array.as_ref(),
            None => self.more.get(number.checked_sub(FEW)?),
        }
    }

    /// Calls a kernel with what it was filled with; the interpreter's lock is let go of once the kernel says that it is long.
    #[inline]
    pub fn call<A: Asked>(
        &mut self,
        _py: Python<'py>,
        kernel: &Kernel,
        key: u64,
        asked: &A,
    ) -> Result<Results<'_, 'py>, Stopped> {
        let attached = Attached { asked, away: AtomicPtr::new(std::ptr::null_mut()) };
        // SAFETY: the frame has the length that the kernel's own description gives, and was filled by that description: arrays of
        // just these types, which `arrays` keeps alive. Of other threads the program sees to it, as with any array.
        unsafe { kernel.call(self.slots(), key, &attached) }?;
        drop(attached);
        Ok(Results(self))
    }
}

/// The interpreter's lock while a kernel runs: the calling thread holds it, until it lets go of it; then only while it is asked.
struct Attached<'a, A> {
    asked: &'a A,
    /// What the thread takes it back with; null while it is held.
    away: AtomicPtr<ffi::PyThreadState>,
}

impl<A> Attached<'_, A> {
    /// With the lock.
    fn ask<R>(&self, ask: impl FnOnce(Python<'_>) -> R) -> R {
        let away = self.back();
        // SAFETY: the lock is held: it was taken back, or never let go of.
        let answer = ask(unsafe { Python::assume_attached() });
        if away {
            self.leave();
        }
        answer
    }

    /// Hooks are called by the thread that called the kernel, and this is a part of it: it holds the lock.
    fn leave(&self) {
        // SAFETY: this thread holds the lock, and nothing of Python's is touched until it is taken back: the kernel has no means to.
        self.away.store(unsafe { ffi::PyEval_SaveThread() }, Relaxed);
    }

    /// Takes the lock back, where it was let go of.
    fn back(&self) -> bool {
        let state = self.away.swap(std::ptr::null_mut(), Relaxed);
        if !state.is_null() {
            // SAFETY: it came from `PyEval_SaveThread`, on this thread, and is given back once.
            unsafe { ffi::PyEval_RestoreThread(state) };
        }
        !state.is_null()
    }
}

impl<A> Drop for Attached<'_, A> {
    #[inline]
    fn drop(&mut self) {
        if !self.away.load(Relaxed).is_null() {
            self.back();
        }
    }
}

impl<A: Asked> Hooks for Attached<'_, A> {
    fn long(&self) {
        self.leave();
    }

    fn poll(&self) -> bool {
        self.ask(|py| self.asked.poll(py))
    }

    fn print(&self, text: &str) {
        self.ask(|py| self.asked.print(py, text));
    }

    fn notice(&self, number: u32) {
        self.ask(|py| self.asked.notice(py, number));
    }

    fn shared(&self, threads: u32, blocks: u64) {
        self.asked.shared(threads, blocks);
    }

    fn joined(&self) -> [u64; 2] {
        self.asked.joined()
    }

    fn left(&self, since: [u64; 2], number: u64, blocks: u64) {
        self.asked.left(since, number, blocks);
    }
}

impl<'py> Results<'_, 'py> {
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
            let argument = self.0.array(number).ok_or_else(|| {
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
