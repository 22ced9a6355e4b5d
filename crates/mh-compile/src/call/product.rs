//! Products of matrices, for kernels: floats and complex numbers of any strides.
//!
//! An element of a product of floats is a chain of fused multiply-adds along the inner axis, in its order, from zero on; after every `RUN` of
//! them what there is by then is added to the runs before. That is what the gemm of `matrixmultiply` computes on every CPU that has AVX2 and
//! FMA, whatever its registers hold and however the product is cut into blocks, so the bits depend on neither. Where a CPU has no FMA the
//! same chains are computed one by one, at some twentieth of the speed. A complex product is four of real and imaginary parts.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use super::parallel::LOOPS;
use super::{Call, Inner, here};
use crate::abi::{DONE, INTERRUPTED, Rt};
use crate::threads::{Claims, Place, Task, run, threads};

/// Multiply-adds in a row, before they are added to those before.
const RUN: usize = 256;
/// Rows and columns of a block at least, and at most. Each block's rows and columns are packed anew: large blocks pack less, small ones are shared
/// more evenly.
const EDGES: [usize; 2] = [128, 1024];
/// Multiply-adds of a block at least, where there are so many: 0.1 ms.
const BLOCK: usize = 1 << 20;
/// Multiply-adds between two looks at whether to stop: some milliseconds.
const STRETCH: usize = 1 << 26;
/// Multiply-adds from which on the interpreter's lock is let go of, and helpers are called.
const LONG: usize = 1 << 16;
/// Multiply-adds up to which packing would take longer than the product.
const SMALL: usize = 512;

/// One of the two factors.
struct Factor {
    data: *const u8,
    /// Bytes from one matrix to the next along each axis before the last two; 0 where there is one for all.
    apart: Vec<isize>,
    /// Bytes from row to row and from column to column.
    strides: [isize; 2],
}

struct Product<'a> {
    call: &'a Call<'a>,
    /// Bytes of a float.
    size: isize,
    complex: bool,
    /// How many matrices there are along each axis before the last two.
    matrices: Vec<usize>,
    rows: usize,
    inner: usize,
    columns: usize,
    factors: [Factor; 2],
    /// Row by row without gaps.
    out: *mut u8,
    /// Rows and columns of a block; the last of a matrix may be smaller.
    block: [usize; 2],
    /// Whole matrices of a block, where these are small.
    group: usize,
    /// Threads that ran blocks.
    helped: AtomicU32,
    /// Of all loops of the process.
    number: u64,
}

// SAFETY: the factors are only read, and each block writes rows and columns of its own.
unsafe impl Sync for Product<'_> {}

/// `Rt::product`.
pub(super) unsafe extern "C" fn product(
    rt: *mut Rt,
    size: i32,
    parts: i32,
    rank: i64,
    left: *const u8,
    left_axes: *const i64,
    right: *const u8,
    right_axes: *const i64,
    out: *mut u8,
) -> i32 {
    let rank = usize::try_from(rank).unwrap_or(0);
    // SAFETY: kernels give tables of so many lengths and as many strides.
    let axes = unsafe {
        [std::slice::from_raw_parts(left_axes, 2 * rank), std::slice::from_raw_parts(right_axes, 2 * rank)]
    };
    // SAFETY: kernels hand on the `rt` that they got; nothing else uses it until this returns.
    let (caller, place, call) = unsafe {
        let (inner, call) = Inner::of(rt);
        (inner.caller, inner.place, call)
    };
    let mut product = Product::new(call, (size, parts), [left, right], axes, out);
    let work = product.work();
    if caller && work > LONG {
        call.is_long();
    }
    let blocks = product.blocks();
    if blocks < 2 || work <= LONG || threads() < 2 {
        for block in 0..blocks {
            if work > LONG && call.stops(caller) {
                return INTERRUPTED;
            }
            product.run(block, caller);
        }
    } else {
        product.number = LOOPS.fetch_add(1, Relaxed);
        let tick = || {
            call.stops(caller);
        };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(&product, 0, blocks, false, place, &tick))) {
            call.panicked(panic);
        }
        call.hooks.shared(product.helped.load(Relaxed), blocks.unsigned_abs());
    }
    if call.stop.load(Relaxed) { INTERRUPTED } else { DONE }
}

impl<'a> Product<'a> {
    fn new(
        call: &'a Call<'a>,
        (size, parts): (i32, i32),
        data: [*const u8; 2],
        axes: [&[i64]; 2],
        out: *mut u8,
    ) -> Product<'a> {
        let rank = axes[0].len() / 2;
        let length = |side: usize, axis: usize| usize::try_from(axes[side][axis]).unwrap_or(0);
        let stride = |side: usize, axis: usize| axes[side][rank + axis] as isize;
        let matrices: Vec<usize> = (0..rank - 2)
            .map(|axis| if length(0, axis) == 1 { length(1, axis) } else { length(0, axis) })
            .collect();
        let factors = [0, 1].map(|side| Factor {
            data: data[side],
            apart: (0..rank - 2)
                .map(|axis| if length(side, axis) == 1 { 0 } else { stride(side, axis) })
                .collect(),
            strides: [stride(side, rank - 2), stride(side, rank - 1)],
        });
        let (rows, inner, columns) = (length(0, rank - 2), length(0, rank - 1), length(1, rank - 1));
        let each = rows.saturating_mul(inner).saturating_mul(columns).max(1);
        let edge = edge(rows.saturating_mul(columns), threads());
        let wide = columns.min(edge);
        // Narrow products have higher blocks, so that each is worth its way.
        let high = (BLOCK / (wide * inner).max(1)).max(edge);
        Product {
            call,
            size: size as isize,
            complex: parts == 2,
            matrices,
            rows,
            inner,
            columns,
            factors,
            out,
            block: [high.min(rows), wide],
            group: (BLOCK / each).max(1),
            helped: AtomicU32::new(0),
            number: 0,
        }
    }

    fn count(&self) -> usize {
        self.matrices.iter().product()
    }

    /// Multiply-adds, of numbers.
    fn work(&self) -> usize {
        [self.rows, self.inner, self.columns].into_iter().fold(self.count(), usize::saturating_mul)
    }

    /// Blocks of one matrix along rows and columns.
    fn tiles(&self) -> [usize; 2] {
        [self.rows.div_ceil(self.block[0].max(1)), self.columns.div_ceil(self.block[1].max(1))]
    }

    fn blocks(&self) -> i64 {
        let [high, wide] = self.tiles();
        let blocks =
            if high * wide == 1 { self.count().div_ceil(self.group) } else { self.count() * high * wide };
        i64::try_from(blocks).unwrap_or(i64::MAX)
    }

    /// Computes a block, or leaves it where the call is to stop.
    fn run(&self, block: i64, caller: bool) {
        let block = usize::try_from(block).unwrap_or(0);
        let [high, wide] = self.tiles();
        if high * wide == 1 {
            for matrix in block * self.group..((block + 1) * self.group).min(self.count()) {
                self.tile(matrix, [0, 0], caller);
            }
        } else {
            let within = block % (high * wide);
            self.tile(block / (high * wide), [within / wide, within % wide], caller);
        }
    }

    fn tile(&self, matrix: usize, [row, column]: [usize; 2], caller: bool) {
        let (row, column) = (row * self.block[0], column * self.block[1]);
        let rows = self.block[0].min(self.rows - row);
        let columns = self.block[1].min(self.columns - column);
        let number = self.size * if self.complex { 2 } else { 1 };
        let mut starts = [0, 0];
        let mut left = matrix;
        for (axis, length) in self.matrices.iter().enumerate().rev() {
            for (start, factor) in starts.iter_mut().zip(&self.factors) {
                *start += (left % length) as isize * factor.apart[axis];
            }
            left /= length;
        }
        let [a, b] = &self.factors;
        let place = ((matrix * self.rows + row) * self.columns + column) as isize * number;
        // SAFETY: rows and columns of these matrices.
        let (a_data, b_data, c_data) = unsafe {
            (
                a.data.offset(starts[0] + row as isize * a.strides[0]),
                b.data.offset(starts[1] + column as isize * b.strides[1]),
                self.out.offset(place),
            )
        };
        let c_strides = [self.columns as isize * number, number];
        if self.inner == 0 {
            for row in 0..rows as isize {
                // SAFETY: the block's part of a row of the product.
                unsafe { c_data.offset(row * c_strides[0]).write_bytes(0, columns * number as usize) };
            }
            return;
        }
        // Runs are whole in each stretch.
        let stretch = (STRETCH / (rows * columns).max(1) / RUN).max(1) * RUN;
        let mut first = 0;
        while first < self.inner {
            if first > 0 && self.call.stops(caller) {
                return;
            }
            let inner = stretch.min(self.inner - first);
            let each = Each {
                size: self.size,
                lengths: [rows, inner, columns],
                // SAFETY: within the rows of one and the columns of the other.
                a: unsafe { a_data.offset(first as isize * a.strides[1]) },
                a_strides: a.strides,
                // SAFETY: as above.
                b: unsafe { b_data.offset(first as isize * b.strides[0]) },
                b_strides: b.strides,
                c: c_data,
                c_strides,
            };
            let adds = first > 0;
            // SAFETY: `Each` says what is read and written, and the parts of complex numbers lie beside each other.
            unsafe {
                if self.complex {
                    each.part([0, 0, 0], false, adds);
                    each.part([1, 1, 0], true, true);
                    each.part([0, 1, 1], false, adds);
                    each.part([1, 0, 1], false, true);
                } else {
                    each.part([0, 0, 0], false, adds);
                }
            }
            first += inner;
        }
    }
}

impl Task for Product<'_> {
    fn help(&self, claims: &Claims<'_>, _place: Place) {
        let caller = here() == self.call.thread;
        let (since, mut ran) = (self.call.hooks.joined(), 0);
        loop {
            if self.call.stops(caller) {
                claims.fail(-1);
                break;
            }
            let Some(block) = claims.next() else { break };
            self.run(block, caller);
            ran += 1;
        }
        if ran > 0 {
            self.helped.fetch_add(1, Relaxed);
            self.call.hooks.left(since, self.number, ran);
        }
    }
}

/// Of blocks of a product of so many elements: two for each thread, where there is that much.
fn edge(elements: usize, threads: usize) -> usize {
    let [least, most] = EDGES;
    let mut edge = most;
    while edge > least && edge * edge * 2 * threads > elements && threads > 1 {
        edge /= 2;
    }
    edge
}

/// A block of one product, strides in bytes.
struct Each {
    size: isize,
    lengths: [usize; 3],
    a: *const u8,
    a_strides: [isize; 2],
    b: *const u8,
    b_strides: [isize; 2],
    c: *mut u8,
    c_strides: [isize; 2],
}

impl Each {
    /// Of the parts of complex numbers (0 real, 1 imaginary) of left, right and out; `minus` the product, added to what is there or not.
    ///
    /// # Safety
    ///
    /// All elements of the three are there, of this size and with so many parts, and those of the last are nobody else's.
    unsafe fn part(&self, parts: [isize; 3], minus: bool, adds: bool) {
        let [a_part, b_part, c_part] = parts.map(|part| part * self.size);
        // SAFETY: the caller vouches for it.
        unsafe {
            let (a, b, c) = (self.a.offset(a_part), self.b.offset(b_part), self.c.offset(c_part));
            let strides =
                [self.a_strides, self.b_strides, self.c_strides].map(|both| both.map(|of| of / self.size));
            if self.size == 8 {
                gemm::<f64>(
                    self.lengths,
                    (a.cast(), strides[0]),
                    (b.cast(), strides[1]),
                    (c.cast(), strides[2]),
                    minus,
                    adds,
                );
            } else {
                gemm::<f32>(
                    self.lengths,
                    (a.cast(), strides[0]),
                    (b.cast(), strides[1]),
                    (c.cast(), strides[2]),
                    minus,
                    adds,
                );
            }
        }
    }
}

/// Where a matrix begins, and from row to row and from column to column, in elements.
type Read<T> = (*const T, [isize; 2]);
type Write<T> = (*mut T, [isize; 2]);

trait Real: Copy + std::ops::Add<Output = Self> + std::ops::Neg<Output = Self> {
    const ZERO: Self;
    fn fused(self, by: Self, plus: Self) -> Self;
    /// `matrixmultiply`'s, with factors of 1 or -1 and 0 or 1.
    ///
    /// # Safety
    ///
    /// As for `gemm`.
    unsafe fn packed(
        lengths: [usize; 3],
        a: Read<Self>,
        b: Read<Self>,
        c: Write<Self>,
        minus: bool,
        adds: bool,
    );
}

macro_rules! real {
    ($type:ty, $gemm:path) => {
        impl Real for $type {
            const ZERO: $type = 0.0;

            #[inline(always)]
            fn fused(self, by: $type, plus: $type) -> $type {
                self.mul_add(by, plus)
            }

            unsafe fn packed(
                [rows, inner, columns]: [usize; 3],
                a: Read<$type>,
                b: Read<$type>,
                c: Write<$type>,
                minus: bool,
                adds: bool,
            ) {
                let (alpha, beta) = (if minus { -1.0 } else { 1.0 }, if adds { 1.0 } else { 0.0 });
                // SAFETY: the caller vouches for the matrices.
                unsafe {
                    $gemm(
                        rows, inner, columns, alpha, a.0, a.1[0], a.1[1], b.0, b.1[0], b.1[1], beta, c.0,
                        c.1[0], c.1[1],
                    );
                }
            }
        }
    };
}

real!(f32, matrixmultiply::sgemm);
real!(f64, matrixmultiply::dgemm);

/// `c = a @ b`, or minus that, or that added to what is there: chains as this file's opening says. Lengths: rows, inner, columns.
///
/// # Safety
///
/// All elements of the three are there, and those of `c` are nobody else's.
unsafe fn gemm<T: Real>(lengths: [usize; 3], a: Read<T>, b: Read<T>, c: Write<T>, minus: bool, adds: bool) {
    let fused = std::arch::is_x86_feature_detected!("fma") && std::arch::is_x86_feature_detected!("avx2");
    // SAFETY: the caller vouches for the matrices; the CPU has what the functions need.
    unsafe {
        if !fused {
            chains(lengths, a, b, c, minus, adds);
        } else if lengths.iter().product::<usize>() <= SMALL {
            short_chains(lengths, a, b, c, minus, adds);
        } else {
            T::packed(lengths, a, b, c, minus, adds);
        }
    }
}

/// # Safety
///
/// As for `gemm`; the CPU has FMA.
#[target_feature(enable = "avx2,fma")]
unsafe fn short_chains<T: Real>(
    lengths: [usize; 3],
    a: Read<T>,
    b: Read<T>,
    c: Write<T>,
    minus: bool,
    adds: bool,
) {
    // SAFETY: the caller vouches for the matrices.
    unsafe { chains(lengths, a, b, c, minus, adds) }
}

/// # Safety
///
/// As for `gemm`.
#[inline(always)]
unsafe fn chains<T: Real>(
    [rows, inner, columns]: [usize; 3],
    a: Read<T>,
    b: Read<T>,
    c: Write<T>,
    minus: bool,
    adds: bool,
) {
    for row in 0..rows as isize {
        for column in 0..columns as isize {
            // SAFETY: elements of the three, which the caller vouches for.
            unsafe {
                let place = c.0.offset(row * c.1[0] + column * c.1[1]);
                let (mut left, mut right) = (a.0.offset(row * a.1[0]), b.0.offset(column * b.1[1]));
                let mut sum = if adds { Some(*place) } else { None };
                let mut first = 0;
                while first < inner {
                    let run = RUN.min(inner - first);
                    let mut chain = T::ZERO;
                    for _ in 0..run {
                        chain = (*left).fused(*right, chain);
                        left = left.wrapping_offset(a.1[1]);
                        right = right.wrapping_offset(b.1[0]);
                    }
                    let signed = if minus { -chain } else { chain };
                    sum = Some(sum.map_or(signed, |before| before + signed));
                    first += run;
                }
                *place = sum.unwrap_or(T::ZERO);
            }
        }
    }
}

#[cfg(test)]
mod tests;
