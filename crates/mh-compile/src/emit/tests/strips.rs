//! Parallel loops in strips whose iterations run side by side: what the loops give as they are written, to the bit.

use super::{Compiled, compile, compile_module, slots};
use crate::compile::Failure;
use crate::jam::together;
use crate::llvm::Target;
use crate::text::parse;

/// Sums of roots over quotients, in an attempt. Gives what the loop leaves in its variables.
const FORCES: &str = "
result tuple(int, int, f64, f64, f64)
fn f(%x: f64[1 C], %y: f64[2 C], %z: f64[1 C], %low: int, %high: int) -> (int, int, f64, f64, f64) {
  var %i: int, %j: int, %s: f64, %t: f64, %u: f64, %m: int
  %i = -1
  %j = -2
  %s = -3.0:f64
  %t = -4.0:f64
  %u = -5.0:f64
  %m = dim(%y, 0)
  for #1 %i in range(%low, %high, 1) KIND {
    %s = FIRST
    for #0 %j in range(0, %m, 1) {
      %t = (%x[%i]! - %y[%j, 0]!)
      %s = (%s + (%t / f64(math.sqrt(float((%t * %y[%j, 0]!)))!)))
    }
    TAIL
    %z[%i]! = f64(math.sqrt(float((%s * %s)))!)
  } fast attempt save(%i, %j, %s, %t, %u) {
  } APART {
    %s = FIRST
    for #0 %j in range(0, %m, 1) {
      %t = (%x[%i] - %y[%j, 0])
      %s = (%s + (%t / f64(math.sqrt(float((%t * %y[%j, 0])))?)))
    }
    TAIL
    %z[%i]! = f64(math.sqrt(float((%s * %s)))?)
  }
  return (%i, %j, %s, %t, %u)
}
";

const PARALLEL: &str = "parallel plan(last %j, %s, %t, %u; distinct %x, %z; distinct %y, %z; fine)";
const SERIAL: [(&str, &str); 2] = [("KIND", ""), ("APART", "(disjoint(%x, %z) & disjoint(%y, %z))")];

/// As written, and in strips.
fn both(changes: &[(&str, &str)]) -> [Compiled; 2] {
    let usual = [("KIND", PARALLEL), ("APART", "true"), ("FIRST", "0.0:f64"), ("TAIL", "")];
    let text =
        changes.iter().chain(&usual).fold(FORCES.to_string(), |text, (from, to)| text.replace(from, to));
    let mut strips = parse(&text).unwrap();
    together(&mut strips, 3);
    assert!(strips.to_string().contains("== 4) {"), "{strips}");
    [compile(&text), compile_module(&strips, &Target::host())]
}

type Run = (Vec<u64>, Result<Vec<u64>, (Failure, [i64; 5])>);

/// What lies in memory behind the call, and what it gives: of rows `low..high`, where `z` begins `apart` behind `x`.
fn run(kernel: &Compiled, [x, y]: [&[f64]; 2], [low, high]: [usize; 2], apart: usize) -> Run {
    let mut memory = x.to_vec();
    memory.resize(apart + x.len(), 7.5);
    let mut y = y.to_vec();
    let (length, columns) = (x.len() as i64, y.len() as i64);
    let mut arguments = slots(&mut memory, &[length]);
    arguments.extend(slots(&mut y, &[columns, 1]));
    arguments.extend(slots(&mut memory[apart..], &[length]));
    arguments.extend([low as u64, high as u64]);
    let left = kernel.call(&arguments);
    (memory.into_iter().map(f64::to_bits).collect(), left)
}

/// Above 2, and now and then not a number.
fn numbers(count: usize) -> Vec<f64> {
    (0..count).map(|k| if k % 41 == 40 { f64::NAN } else { 2.0 + ((k * 7919) % 1000) as f64 / 7.0 }).collect()
}

#[test]
fn strips_give_the_bits_of_iterations() {
    let tail = ("TAIL", "if (%s > 9.0:f64) {\n %u = (%s * 0.5:f64)\n } else {\n %s = (%s - 1.0:f64)\n }");
    // Each iteration's own element is read and written; what others write is not read.
    let own = ("FIRST", "%z[%i]");
    let kinds: [&[(&str, &str)]; 3] = [&[], &[tail, own], &SERIAL];
    for kind in kinds {
        let [plain, strips] = both(kind);
        for rows in [0, 1, 3, 4, 5, 127, 128, 129, 130, 131, 300, 1030] {
            for columns in [0, 1, 2, 7] {
                let (x, y) = (numbers(rows + 3), [1.0, 0.5, 2.0, 1.5, 0.25, 1.0, 1.75]);
                let [expected, found] =
                    [&plain, &strips].map(|kernel| run(kernel, [&x, &y[..columns]], [2, rows + 2], x.len()));
                assert_eq!(found, expected, "{kind:?} {rows} {columns}");
            }
        }
    }
}

/// The nearest of some points for each point, in `%z`; gives what is left of the last.
const NEAREST: &str = "
result tuple(int, int, f64, int)
fn f(%x: f64[2 C], %y: f64[2 C], %z: f64[1 C]) -> (int, int, f64, int) {
  var %i: int, %j: int, %k: int, %s: f64, %best: f64, %at: int, %n: int
  %i = -1
  %at = -2
  %best = -3.0:f64
  %k = -4
  %n = dim(%x, 0)
  for #2 %i in range(0, %n, 1) parallel plan(private %j, %s; last %at, %best, %k; distinct %x, %z; distinct %y, %z; fine) {
    %best = inf:f64
    %at = 0
    for #1 %j in range(0, dim(%y, 0), 1) {
      %s = 0.0:f64
      for #0 %k in range(0, dim(%x, 1), 1) {
        %s = (%s + ((%x[%i, %k]! - %y[%j, %k]!) * (%x[%i, %k]! - %y[%j, %k]!)))
      }
      if (%s < %best) {
        %best = %s
        %at = %j
      }
    }
    %z[%i]! = f64(%at)
  } fast {
  } true {
    %best = inf:f64
    %at = 0
    for #1 %j in range(0, dim(%y, 0), 1) {
      %s = 0.0:f64
      for #0 %k in range(0, dim(%x, 1), 1) {
        %s = (%s + ((%x[%i, %k] - %y[%j, %k]) * (%x[%i, %k] - %y[%j, %k])))
      }
      if (%s < %best) {
        %best = %s
        %at = %j
      }
    }
    %z[%i]! = f64(%at)
  }
  return (%i, %at, %best, %k)
}
";

#[test]
fn loops_within_loops_side_by_side() {
    let mut strips = parse(NEAREST).unwrap();
    together(&mut strips, 3);
    assert!(strips.to_string().contains("== 8) {"), "{strips}");
    let kernels = [compile(NEAREST), compile_module(&strips, &Target::host())];
    for rows in [0, 1, 8, 255, 256, 257, 263, 264, 700] {
        for (columns, length) in [(0, 3), (1, 0), (1, 4), (5, 1), (10, 4), (3, 33)] {
            let (mut x, mut y) = (numbers(rows * length), numbers(columns * length + 1));
            y.rotate_left(columns);
            let [expected, found] = kernels.each_ref().map(|kernel| {
                let mut z = vec![7.5; rows];
                let [rows, columns, length] = [rows, columns, length].map(|size| size as i64);
                let mut arguments = slots(&mut x, &[rows, length]);
                arguments.extend(slots(&mut y, &[columns, length]));
                arguments.extend(slots(&mut z, &[rows]));
                let left = kernel.call(&arguments).unwrap();
                (z.into_iter().map(f64::to_bits).collect::<Vec<_>>(), left)
            });
            assert_eq!(found, expected, "{rows} {columns} {length}");
        }
    }
}

#[test]
fn what_is_written_may_be_what_later_iterations_read() {
    for kind in [&[][..], &SERIAL] {
        let [plain, strips] = both(kind);
        let (x, y) = (numbers(200), [1.0, 0.5, 2.0]);
        for apart in [0, 1, 2, 3, 4, 199] {
            let [expected, found] =
                [&plain, &strips].map(|kernel| run(kernel, [&x, &y], [0, 200 - apart.min(9)], apart));
            assert_eq!(found, expected, "{apart}");
        }
    }
}

#[test]
fn the_first_failure_in_the_order_of_the_iterations_is_raised() {
    for kind in [&[][..], &SERIAL] {
        let [_, strips] = both(kind);
        for (first, then) in [(0, 1), (1, 3), (3, 2), (130, 131), (131, 500), (505, 506)] {
            let mut x = vec![5.0; 507];
            (x[first], x[then]) = (-1.0, -2.0);
            let (_, left) = run(&strips, [&x, &[0.5, 1.0]], [0, x.len()], x.len());
            let (failure, values) = left.unwrap_err();
            // -1.5 * 0.5, or -2.5 * 0.5.
            let expected: f64 = if first < then { -0.75 } else { -1.25 };
            assert_eq!((failure, f64::from_bits(values[0] as u64)), (Failure::Domain, expected), "{first}");
        }
    }
}
