//! Sums in lanes within a loop: the same bits as a block's, at every level of x86-64.

use super::{Compiled, compile_for, slots};
use crate::abi::LANES;
use crate::llvm::Target;

/// `out[i]` begins with `i - 1` and gets the row's sum; `f64` or `float` is the element.
const ROWS: &str = "
result none
fn f(%a: KIND[2 C], %out: KIND[1 C]) -> () {
  var %i: int, %k: int, %s: KIND
  for #0 %i in range(0, dim(%out, 0), 1) {
    %s = %out[%i]
    %k = -7
    for #1 %k in range(FROM, dim(%a, 1), STEP) parallel plan(sum %s) {
      %s = (%s + (%a[%i, %k] * %a[%i, %k]))
    }
    %out[%i] = (%s + KIND(%k))
  }
  return ()
}
";

/// The levels that this machine can run, and itself.
pub(super) fn targets() -> Vec<Target> {
    use std::arch::is_x86_feature_detected as has;
    let (second, third) = (has!("sse4.2") && has!("popcnt"), has!("avx2") && has!("fma") && has!("bmi2"));
    let fourth = has!("avx512bw") && has!("avx512cd") && has!("avx512dq") && has!("avx512vl");
    let levels = [(1, true), (2, second), (3, third), (4, fourth)];
    let held = levels.into_iter().filter(|(_, holds)| *holds).map(|(level, _)| Target::level(level));
    held.chain([Target::host()]).collect()
}

/// What 32 lanes make of so many terms, in blocks of 2048: by hand.
fn by_hand(begin: f64, terms: impl Iterator<Item = f64>) -> f64 {
    let mut sum = begin;
    let terms: Vec<f64> = terms.collect();
    for block in terms.chunks(2048) {
        let mut lanes = vec![-0.0; LANES as usize];
        for (k, term) in block.iter().enumerate() {
            lanes[k % LANES as usize] += term;
        }
        while lanes.len() > 1 {
            let upper = lanes.split_off(lanes.len() / 2);
            lanes = lanes.iter().zip(upper).map(|(low, high)| low + high).collect();
        }
        sum += lanes[0];
    }
    sum
}

#[test]
fn short_sums_within_a_loop_have_the_bits_of_blocks() {
    for (from, step) in [(0, 1), (3, 1), (1, 3)] {
        let text =
            ROWS.replace("KIND", "f64").replace("FROM", &from.to_string()).replace("STEP", &step.to_string());
        let kernels: Vec<Compiled> = targets().iter().map(|target| compile_for(&text, target)).collect();
        for length in
            [0_usize, 1, 2, 7, 8, 9, 31, 32, 33, 63, 64, 65, 100, 2047, 2048, 2049, 2051, 2080, 6200]
        {
            let rows = 3;
            let mut data: Vec<f64> = (0..rows * length)
                .map(|k| ((k * 7919 % 1000) as f64 - 500.0) * 1.000_001_f64.powi(k as i32 % 50))
                .collect();
            if length > 2 {
                (data[1], data[length + 2]) = (f64::INFINITY, -0.0);
            }
            let expected: Vec<u64> = (0..rows)
                .map(|row| {
                    let used: Vec<f64> = data[row * length..(row + 1) * length]
                        .iter()
                        .skip(from)
                        .step_by(step)
                        .copied()
                        .collect();
                    let last = if used.is_empty() { -7 } else { (from + (used.len() - 1) * step) as i64 };
                    (by_hand([-0.0, 0.5, -3.0][row], used.iter().map(|x| x * x)) + last as f64).to_bits()
                })
                .collect();
            for kernel in &kernels {
                let mut out = [-0.0, 0.5, -3.0];
                let mut arguments = slots(&mut data, &[rows as i64, length as i64]);
                arguments.extend(slots(&mut out, &[rows as i64]));
                kernel.call(&arguments).unwrap();
                assert_eq!(out.map(f64::to_bits).to_vec(), expected, "{length} from {from} by {step}");
            }
        }
    }
}

#[test]
fn sums_that_are_folded_together_have_the_bits_of_each() {
    for number in [2, 3, 9] {
        let all = || 0..number;
        let joined = |each: &dyn Fn(usize) -> String, by: &str| all().map(each).collect::<Vec<_>>().join(by);
        let text = format!(
            "
result none
fn f(%a: f64[1 C], %out: f64[1 C]) -> () {{
  var %k: int, {}
  {}
  for #0 %k in range(0, dim(%a, 0), 1) parallel plan({}) {{
    {}
  }}
  {}
  return ()
}}
",
            joined(&|n| format!("%s{n}: f64"), ", "),
            joined(&|n| format!("%s{n} = {n}.0:f64"), "\n  "),
            joined(&|n| format!("sum %s{n}"), "; "),
            joined(&|n| format!("%s{n} = (%s{n} + ((%a[%k] * {}.0:f64) * %a[%k]))", n + 1), "\n    "),
            joined(&|n| format!("%out[{n}] = %s{n}"), "\n  "),
        );
        for target in targets() {
            let kernel = compile_for(&text, &target);
            for length in [0_usize, 5, 31, 32, 100, 2050] {
                let mut a: Vec<f64> =
                    (0..length).map(|k| (k % 97) as f64 * 1.001_f64.powi(k as i32 % 300)).collect();
                let mut out = vec![0.0_f64; number];
                let mut arguments = slots(&mut a, &[length as i64]);
                arguments.extend(slots(&mut out, &[number as i64]));
                kernel.call(&arguments).unwrap();
                for (n, found) in out.iter().enumerate() {
                    let expected = by_hand(n as f64, a.iter().map(|x| (x * (n + 1) as f64) * x));
                    assert_eq!(found.to_bits(), expected.to_bits(), "{n} of {number}, {length}");
                }
            }
        }
    }
}
