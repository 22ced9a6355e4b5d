//! Runs kernels: what they reach through `Rt`, and how it ends.
//!
//! | file | what it holds |
//! |---|---|
//! | `memory` | arrays that kernels make |
//! | `parallel` | parallel loops: blocks on threads, the lowest failure, text in the serial order |
//! | `print` | numbers as Python and NumPy write them |
//! | `product` | products of matrices |
//!
//! What is the caller's alone (signals, output, warnings) is done on the calling thread, through `Hooks`. A panic of a hook stops the
//! kernel and goes on behind it: none crosses compiled code.

#![expect(unsafe_code, reason = "calls compiled code, and is called by it")]

mod fold;
mod memory;
mod parallel;
mod print;
mod product;

pub(crate) use print::double as written_float;

use std::any::Any;
use std::collections::BTreeSet;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::abi::{DONE, Entry, Fault, INTERRUPTED, Rt};
use crate::compile::Info;
use crate::loader::Code;
use crate::threads::{Entered, Place, cycles};

pub use memory::Memory;

/// The name of a kernel's entry in its object.
pub const ENTRY: &str = "mh_entry";
/// Between two questions for signals: 10 to 25 ms.
const POLL: u64 = 50_000_000;
/// Printed text goes out when there is more than this of it.
const TEXT: usize = 1 << 13;

/// What a kernel needs of whoever calls it. Called on the calling thread only.
pub trait Hooks: Sync {
    /// The kernel takes longer than a few microseconds: what others wait for can be let go of. Once a call, before the hooks below.
    fn long(&self) {}
    /// Whether to stop. Asked about every 20 ms.
    fn poll(&self) -> bool;
    /// Text that the kernel printed, whole lines or not, in order.
    fn print(&self, text: &str);
    /// One of `Info::notices` came true; once a call for each, at its end.
    fn notice(&self, number: u32);
    /// A parallel loop is over whose blocks were open to helpers: so many threads ran some of so many blocks. On any thread.
    fn shared(&self, _threads: u32, _blocks: u64) {}
    /// A thread begins with blocks of a loop that is open to helpers. What is given back comes to `left`. On any thread.
    fn joined(&self) -> [u64; 2] {
        [0; 2]
    }
    /// It has run so many blocks of the loop; the number is the same for all threads of one. On the same thread.
    fn left(&self, _since: [u64; 2], _number: u64, _blocks: u64) {}
}

/// Why a kernel has no result.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stopped {
    /// `site` counts `Info::sites`.
    Raised { site: i64, values: [i64; 5] },
    /// `Hooks::poll` said so.
    Interrupted,
}

/// Compiled code and what is known of it.
#[derive(Debug)]
pub struct Kernel {
    entry: Entry,
    info: Info,
    /// Keeps the code in memory.
    _code: Code,
}

impl Kernel {
    /// # Errors
    ///
    /// Where the object cannot be loaded, or has no entry.
    pub fn load(object: &[u8], info: Info) -> Result<Kernel, String> {
        let code = Code::load(object)?;
        let entry = code.symbol(ENTRY).ok_or("the object has no entry")?;
        // SAFETY: a function of that name is an `Entry`; nothing is called yet.
        let entry = unsafe { std::mem::transmute::<*mut u8, Entry>(entry.as_ptr()) };
        Ok(Kernel { entry, info, _code: code })
    }

    #[must_use]
    pub fn info(&self) -> &Info {
        &self.info
    }

    /// Runs it. `key` is the key of this call's random numbers.
    ///
    /// # Errors
    ///
    /// How it stopped; then the results' slots hold nothing, and owners in them are not to be released.
    ///
    /// # Panics
    ///
    /// Where a hook did, after the kernel has stopped.
    ///
    /// # Safety
    ///
    /// The object is what this crate's compiler made for `info`. `frame` has a slot for each argument and result, flattened as the
    /// README says; arrays in it are alive, of the type and shape that is told, and written by nobody else meanwhile.
    pub unsafe fn call(&self, frame: &mut [u64], key: u64, hooks: &dyn Hooks) -> Result<(), Stopped> {
        let mut call = Call::new(hooks);
        if !self.info.short {
            call.is_long();
        }
        let mut inner =
            Inner { call: &raw const call, caller: true, place: Place::default(), text: String::new() };
        let mut rt = inner.rt(key);
        // SAFETY: the caller vouches for code and frame; `rt` and what it leads to outlive the call.
        let status = unsafe { (self.entry)(frame.as_mut_ptr(), &raw mut rt) };
        let error = rt.error;
        let text = std::mem::take(&mut inner.text);
        let quiet = call.notices.get_mut().unwrap_or_else(PoisonError::into_inner).is_empty();
        if status == DONE && text.is_empty() && quiet && !*call.stop.get_mut() {
            return Ok(());
        }
        call.finish(status, error, text)
    }
}

/// One call of a kernel, seen from all of its threads.
struct Call<'a> {
    hooks: &'a dyn Hooks,
    /// Counted as running, once it is known to be long.
    entered: OnceLock<Entered>,
    /// The calling thread: its `here`.
    thread: usize,
    /// Everybody stops at the next poll.
    stop: AtomicBool,
    /// When the hooks were last asked, in cycles, or 0; the calling thread's own.
    polled: AtomicU64,
    notices: Mutex<BTreeSet<u32>>,
    /// What a hook panicked with.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

/// What `Rt::inner` points to: one for each thread in each loop that it helps.
struct Inner<'a> {
    call: *const Call<'a>,
    /// On the thread that called the kernel.
    caller: bool,
    /// For parallel loops inside.
    place: Place,
    /// Printed, and not yet given away.
    text: String,
}

impl Inner<'_> {
    /// A table of functions for kernels that leads back here.
    fn rt(&mut self, key: u64) -> Rt {
        Rt {
            parallel: parallel::parallel,
            alloc: memory::alloc,
            retain: memory::retain_raw,
            release: memory::release_raw,
            poll,
            print: print_item,
            notice,
            key,
            error: Fault::default(),
            inner: std::ptr::from_mut(self).cast::<c_void>(),
            fold: fold::fold,
            product: product::product,
            calls: 65536,
        }
    }

    /// # Safety
    ///
    /// `rt` is one that `Inner::rt` made and that is still in use, and no other reference to its `Inner` is.
    unsafe fn of<'b>(rt: *mut Rt) -> (&'b mut Inner<'b>, &'b Call<'b>) {
        // SAFETY: the caller vouches for it; `Inner` and `Call` lie on stacks below the kernel's.
        unsafe {
            let inner = &mut *(*rt).inner.cast::<Inner<'b>>();
            let call = &*inner.call;
            (inner, call)
        }
    }

    /// The calling thread, outside of parallel loops.
    fn serial(&self) -> bool {
        self.caller && self.place.is_none()
    }
}

impl<'a> Call<'a> {
    fn new(hooks: &'a dyn Hooks) -> Call<'a> {
        Call {
            hooks,
            entered: OnceLock::new(),
            thread: here(),
            stop: AtomicBool::new(false),
            polled: AtomicU64::new(0),
            notices: Mutex::new(BTreeSet::new()),
            panic: Mutex::new(None),
        }
    }

    /// On the calling thread: tells the hooks, once, that this takes a while.
    fn is_long(&self) {
        self.entered.get_or_init(|| {
            self.hooks.long();
            Entered::new()
        });
    }

    /// Whether to stop; on the calling thread, asks the hooks every now and then.
    fn stops(&self, caller: bool) -> bool {
        if self.stop.load(Relaxed) {
            return true;
        }
        if !caller {
            return false;
        }
        let (now, before) = (cycles(), self.polled.load(Relaxed));
        if before != 0 && now.wrapping_sub(before) < POLL {
            return false;
        }
        self.polled.store(now, Relaxed);
        // Time counts from the first poll on.
        if before == 0 {
            return false;
        }
        if self.hook(|hooks| hooks.poll()).unwrap_or(true) {
            self.stop.store(true, Relaxed);
            return true;
        }
        false
    }

    /// Calls a hook; a panic is kept for later, and stops the kernel.
    fn hook<R>(&self, call: impl FnOnce(&dyn Hooks) -> R) -> Option<R> {
        match catch_unwind(AssertUnwindSafe(|| call(self.hooks))) {
            Ok(result) => Some(result),
            Err(panic) => {
                self.panicked(panic);
                None
            }
        }
    }

    fn panicked(&self, panic: Box<dyn Any + Send>) {
        self.panic.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(panic);
        self.stop.store(true, Relaxed);
    }

    fn flush(&self, text: &mut String) {
        if !text.is_empty() {
            let whole = std::mem::take(text);
            self.hook(|hooks| hooks.print(&whole));
        }
    }

    #[cold]
    fn finish(&self, status: i32, error: Fault, mut text: String) -> Result<(), Stopped> {
        self.flush(&mut text);
        for number in std::mem::take(&mut *self.notices.lock().unwrap_or_else(PoisonError::into_inner)) {
            self.hook(|hooks| hooks.notice(number));
        }
        if let Some(panic) = self.panic.lock().unwrap_or_else(PoisonError::into_inner).take() {
            std::panic::resume_unwind(panic);
        }
        match status {
            DONE => Ok(()),
            _ if status == INTERRUPTED || self.stop.load(Relaxed) => Err(Stopped::Interrupted),
            _ => Err(Stopped::Raised { site: error.site, values: error.values }),
        }
    }
}

/// A number that no other thread has while this one lives.
fn here() -> usize {
    thread_local!(static HERE: u8 = const { 0 });
    HERE.with(|byte| std::ptr::from_ref(byte) as usize)
}

unsafe extern "C" fn poll(rt: *mut Rt) -> i32 {
    // SAFETY: kernels hand on the `rt` that they got.
    let (inner, call) = unsafe { Inner::of(rt) };
    if inner.caller {
        call.is_long();
    }
    let before = call.polled.load(Relaxed);
    let stop = call.stops(inner.caller);
    if inner.serial() && before != call.polled.load(Relaxed) {
        call.flush(&mut inner.text);
    }
    if stop { INTERRUPTED } else { DONE }
}

unsafe extern "C" fn print_item(rt: *mut Rt, kind: i32, bits: i64, bits2: i64) {
    // SAFETY: kernels hand on the `rt` that they got.
    let (inner, call) = unsafe { Inner::of(rt) };
    // SAFETY: a text's address and length are those of a constant of the kernel.
    unsafe { print::item(&mut inner.text, kind, bits, bits2) };
    if inner.serial() && inner.text.len() > TEXT {
        call.flush(&mut inner.text);
    }
}

unsafe extern "C" fn notice(rt: *mut Rt, number: i32) {
    // SAFETY: kernels hand on the `rt` that they got.
    let (_, call) = unsafe { Inner::of(rt) };
    if let Ok(number) = u32::try_from(number) {
        call.notices.lock().unwrap_or_else(PoisonError::into_inner).insert(number);
    }
}

#[cfg(test)]
pub(crate) mod tests;
