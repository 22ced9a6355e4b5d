//! What compiled kernels and this crate know of each other: `Rt`, statuses, faults, blocks. See the README beside `src`.

use std::ffi::c_void;

/// A kernel's entry.
pub type Entry = unsafe extern "C" fn(frame: *mut u64, rt: *mut Rt) -> i32;
/// One block of a parallel loop.
pub type Body = unsafe extern "C" fn(closure: *mut c_void, block: i64, rt: *mut Rt) -> i32;

pub const DONE: i32 = 0;
pub const RAISED: i32 = 1;
pub const INTERRUPTED: i32 = 2;
/// Of blocks and of parallel loops: an iteration has ended the loop.
pub const LEFT: i32 = 3;

/// What a running kernel may reach: one for each thread that runs a part of it.
#[repr(C)]
pub struct Rt {
    /// 0
    pub parallel: unsafe extern "C" fn(*mut Rt, Body, *mut c_void, i64, i64, i32) -> i32,
    /// 8
    pub alloc: unsafe extern "C" fn(*mut Rt, i64, i32) -> *mut Owner,
    /// 16
    pub retain: unsafe extern "C" fn(*mut Owner),
    /// 24
    pub release: unsafe extern "C" fn(*mut Owner),
    /// 32
    pub poll: unsafe extern "C" fn(*mut Rt) -> i32,
    /// 40
    pub print: unsafe extern "C" fn(*mut Rt, i32, i64, i64),
    /// 48
    pub notice: unsafe extern "C" fn(*mut Rt, i32),
    /// 56: key of the random numbers of this call.
    pub key: u64,
    /// 64: the error, where the status is `RAISED`.
    pub error: Fault,
    /// 112: whatever `call` and `threads` keep for this thread; kernels do not look at it.
    pub inner: *mut c_void,
    /// 120: lengths and strides of an array, its rank, the size of an element; the new lengths, behind which the strides go, and their number.
    /// 1 where the elements can be seen so without being copied.
    pub fold: unsafe extern "C" fn(*const i64, i64, i64, *mut i64, i64) -> i32,
    /// 128: bytes of a float and how many of them make an element; the rank; data, then lengths and strides, of the left array and of the right
    /// one; where the product goes, row by row. The last two axes are matrices that fit, the others are of one length or of length 1.
    pub product: unsafe extern "C" fn(
        *mut Rt,
        i32,
        i32,
        i64,
        *const u8,
        *const i64,
        *const u8,
        *const i64,
        *mut u8,
    ) -> i32,
    /// 136: calls of functions that may call themselves, until the next poll.
    pub calls: i64,
}

/// What was raised, and where.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Fault {
    /// 64: number of the module's `Site`.
    pub site: i64,
    /// 72: figures for the message: the subscript and the length, an operand, ...
    pub values: [i64; 5],
}

/// Memory of an array that a kernel made. The first word is the data's address.
#[repr(C)]
pub struct Owner {
    pub data: *mut u8,
    pub references: std::sync::atomic::AtomicUsize,
    pub bytes: usize,
}

/// Kinds of `Rt::print`'s items, and what `bits` and `bits2` hold. Of one number that is no text `bits2` is a packed format, or 0.
pub mod item {
    /// Address and length of UTF-8; separators and the line's end are texts too.
    pub const TEXT: i32 = 0;
    pub const BOOL: i32 = 1;
    pub const SIGNED: i32 = 2;
    pub const UNSIGNED: i32 = 3;
    /// The bits of a f32 in the low half.
    pub const F32: i32 = 4;
    pub const F64: i32 = 5;
    /// Real and imaginary part, each as `F32`.
    pub const C64: i32 = 6;
    /// Real and imaginary part.
    pub const C128: i32 = 7;
}

/// Offsets of `Rt`'s fields, in bytes, as the emitted text uses them.
pub mod offset {
    pub const PARALLEL: u32 = 0;
    pub const ALLOC: u32 = 8;
    pub const RETAIN: u32 = 16;
    pub const RELEASE: u32 = 24;
    pub const POLL: u32 = 32;
    pub const PRINT: u32 = 40;
    pub const NOTICE: u32 = 48;
    pub const KEY: u32 = 56;
    pub const SITE: u32 = 64;
    pub const VALUES: u32 = 72;
    pub const FOLD: u32 = 120;
    pub const PRODUCT: u32 = 128;
    pub const CALLS: u32 = 136;
}

/// Lanes of a floating-point reduction.
pub const LANES: i64 = 32;

/// Iterations in a block of a parallel loop of `length` iterations. The emitted code computes the same.
///
/// `fine` for bodies that hold loops of their own: there a single iteration may be a block; else a block is a multiple of
/// `LANES` and no shorter than 2048.
#[must_use]
pub fn block_length(length: i64, fine: bool) -> i64 {
    let even = length / 256 + i64::from(length % 256 != 0);
    if fine { even.max(1) } else { (even.max(2048) + LANES - 1) / LANES * LANES }
}
