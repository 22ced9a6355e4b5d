use std::collections::BTreeSet;

use super::*;
use crate::call::Hooks;
use crate::threads::with_threads;

struct Quiet;

impl Hooks for Quiet {
    fn poll(&self) -> bool {
        false
    }
    fn print(&self, _text: &str) {}
    fn notice(&self, _number: u32) {}
}

fn numbers<T: From<f32>>(count: usize, seed: u64) -> Vec<T> {
    let mut state = seed;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        T::from(((state >> 33) as f32 / (1_u64 << 30) as f32 - 1.0) * 1.1)
    };
    std::iter::repeat_with(next).take(count).collect()
}

/// The chains that the file's opening tells of, of matrices without gaps.
fn told<T: Real>([rows, inner, columns]: [usize; 3], a: &[T], b: &[T]) -> Vec<T> {
    let mut out = vec![T::ZERO; rows * columns];
    let (wide, high) = (columns as isize, inner as isize);
    // SAFETY: the slices are of these lengths.
    unsafe {
        let (a, b) = ((a.as_ptr(), [high, 1]), (b.as_ptr(), [wide, 1]));
        chains([rows, inner, columns], a, b, (out.as_mut_ptr(), [wide, 1]), false, false);
    }
    out
}

/// What a kernel would get, of matrices without gaps.
fn computed<T: Real>(lengths: [usize; 3], parts: usize, a: &[T], b: &[T]) -> Vec<T> {
    let [rows, inner, columns] = lengths;
    let number = (size_of::<T>() * parts) as i64;
    let mut out = vec![T::ZERO; rows * columns * parts];
    let axes = |rows: usize, columns: usize| [rows as i64, columns as i64, columns as i64 * number, number];
    crate::call::tests::with_rt(&Quiet, |rt| {
        // SAFETY: the tables tell what the slices hold.
        let status = unsafe {
            product(
                rt,
                size_of::<T>() as i32,
                parts as i32,
                2,
                a.as_ptr().cast(),
                axes(rows, inner).as_ptr(),
                b.as_ptr().cast(),
                axes(inner, columns).as_ptr(),
                out.as_mut_ptr().cast(),
            )
        };
        assert_eq!(status, DONE);
    });
    out
}

/// Sizes about those at which kernels, runs, blocks and stretches end.
const SIZES: [[usize; 3]; 12] = [
    [1, 1, 1],
    [7, 9, 8],
    [9, 7, 11],
    [1, 300, 1],
    [8, 256, 8],
    [8, 257, 8],
    [33, 600, 17],
    [257, 40, 300],
    [64, 513, 64],
    [3, 0, 5],
    [0, 4, 5],
    [2000, 3, 2],
];

fn chains_whatever<T: Real + From<f32> + PartialEq + std::fmt::Debug>() {
    for threads in [1, 3] {
        with_threads(threads, || {
            for (seed, lengths) in SIZES.into_iter().enumerate() {
                let [rows, inner, columns] = lengths;
                let a: Vec<T> = numbers(rows * inner, seed as u64);
                let b: Vec<T> = numbers(inner * columns, 77);
                assert_eq!(
                    computed(lengths, 1, &a, &b),
                    told(lengths, &a, &b),
                    "{lengths:?}, {threads} threads"
                );
            }
        });
    }
}

#[test]
fn doubles_are_the_chains_that_are_told_of_whatever_the_size_and_the_threads() {
    chains_whatever::<f64>();
}

#[test]
fn singles_too() {
    chains_whatever::<f32>();
}

#[test]
fn complex_products_are_four_of_floats() {
    for lengths in [[2, 3, 2], [40, 300, 30]] {
        let [rows, inner, columns] = lengths;
        let (a, b) = (numbers::<f64>(2 * rows * inner, 1), numbers::<f64>(2 * inner * columns, 2));
        let part = |of: &[f64], part: usize| of.iter().copied().skip(part).step_by(2).collect::<Vec<f64>>();
        let of = |left: usize, right: usize| told(lengths, &part(&a, left), &part(&b, right));
        let out = computed(lengths, 2, &a, &b);
        if inner <= RUN {
            let real: Vec<f64> = of(0, 0).iter().zip(of(1, 1)).map(|(x, y)| x - y).collect();
            let imaginary: Vec<f64> = of(0, 1).iter().zip(of(1, 0)).map(|(x, y)| x + y).collect();
            assert_eq!((part(&out, 0), part(&out, 1)), (real, imaginary));
        }
        let near = |x: f64, y: f64| (x - y).abs() < 1e-11;
        assert!(part(&out, 0).iter().zip(of(0, 0).iter().zip(of(1, 1))).all(|(x, (y, z))| near(*x, y - z)));
        assert!(part(&out, 1).iter().zip(of(0, 1).iter().zip(of(1, 0))).all(|(x, (y, z))| near(*x, y + z)));
    }
}

#[test]
fn whatever_is_infinite_stays_so() {
    let a = [f64::INFINITY, 0.0, 1.0, 0.0];
    let b = [1.0, 0.0, 2.0, 0.0];
    let out = computed([1, 2, 1], 2, &a, &b);
    assert!(out[0] == f64::INFINITY && out[1].is_nan(), "{out:?}");
}

#[test]
fn one_row_of_matrices_is_repeated_and_strides_may_go_backwards() {
    // Three matrices of 2 x 2, from the last one on, and one for all.
    let (a, b) = (numbers::<f64>(12, 3), numbers::<f64>(4, 4));
    let mut out = [0.0; 12];
    crate::call::tests::with_rt(&Quiet, |rt| {
        // SAFETY: the tables tell what the arrays hold.
        let status = unsafe {
            product(
                rt,
                8,
                1,
                3,
                a.as_ptr().add(8).cast(),
                [3, 2, 2, -32, 16, 8].as_ptr(),
                b.as_ptr().cast(),
                [1, 2, 2, 0, 8, 16].as_ptr(),
                out.as_mut_ptr().cast(),
            )
        };
        assert_eq!(status, DONE);
    });
    let turned = [b[0], b[2], b[1], b[3]];
    for matrix in 0..3 {
        let from = (2 - matrix) * 4;
        let expected = told([2, 2, 2], &a[from..from + 4], &turned);
        assert_eq!(out[matrix * 4..matrix * 4 + 4], expected[..]);
    }
}

#[test]
fn it_ends_where_it_is_told_to() {
    struct Stop;
    impl Hooks for Stop {
        fn poll(&self) -> bool {
            true
        }
        fn print(&self, _text: &str) {}
        fn notice(&self, _number: u32) {}
    }
    let one = numbers::<f32>(1 << 20, 5);
    let mut out = vec![0.0_f32; 1 << 20];
    let mut statuses = BTreeSet::new();
    // The hooks are asked some time after the first block: until then it is multiplied again.
    crate::call::tests::with_rt(&Stop, |rt| {
        while !statuses.contains(&INTERRUPTED) {
            let axes = [1024, 1024, 4096, 4];
            // SAFETY: the tables tell what the vectors hold.
            statuses.insert(unsafe {
                let (one, axes) = (one.as_ptr().cast(), axes.as_ptr());
                product(rt, 4, 1, 2, one, axes, one, axes, out.as_mut_ptr().cast())
            });
        }
    });
}
