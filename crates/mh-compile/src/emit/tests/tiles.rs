//! Sums in lanes, two rows and two columns at a time: what the loops give as they are written, to the bit.

use super::{Compiled, compile, compile_module, slots};
use crate::compile::Failure;
use crate::jam::together;
use crate::llvm::Target;
use crate::text::parse;

/// Roots of sums of squares; `SIGN` is `+`, or `-` where every root fails. Gives what the loops leave in their variables.
const DISTANCES: &str = "
result tuple(int, int, int, f64)
fn f(%x: f64[2 C], %y: f64[2 C], %z: f64[2 C]) -> (int, int, int, f64) {
  var %i: int, %j: int, %k: int, %s: f64, %t: f64, %m: int, %n: int
  %i = -1
  %j = -2
  %k = -3
  %t = -4.0:f64
  for #2 %i in range(0, dim(%x, 0), 1) parallel plan(private %s, %m, %n; last %j, %k, %t; distinct %x, %z; distinct %y, %z; fine) {
    %m = dim(%y, 0)
    for #1 %j in range(0, %m, 1) {
      %s = 0.0:f64
      %n = dim(%x, 1)
      for #0 %k in range(0, %n, 1) parallel plan(last %t; sum %s) {
        %t = (%x[%i, %k]! - %y[%j, %k]!)
        %s = (%s SIGN (%t * %t))
      } fast {
      } HOLDS {
        %t = (%x[%i, %k] - %y[%j, %k])
        %s = (%s SIGN (%t * %t))
      }
      %z[%i, %j]! = f64(math.sqrt(float(%s))!)
    }
  }
  return (%i, %j, %k, %t)
}
";

/// As written, and in tiles.
fn both(changes: &[(&str, &str)]) -> [Compiled; 2] {
    let (text, tiled) = text(changes);
    [compile(&text), tiled]
}

fn text(changes: &[(&str, &str)]) -> (String, Compiled) {
    let usual = [("HOLDS", "true"), ("SIGN", "+")];
    let text =
        changes.iter().chain(&usual).fold(DISTANCES.to_string(), |text, (from, to)| text.replace(from, to));
    let mut tiled = parse(&text).unwrap();
    together(&mut tiled, 4);
    assert!(tiled.to_string().contains("short"), "{tiled}");
    let tiled = compile_module(&tiled, &Target::host());
    (text, tiled)
}

struct Run {
    z: Vec<u64>,
    left: Result<Vec<u64>, (Failure, [i64; 5])>,
}

fn run(kernel: &Compiled, x: &[f64], y: &[f64], length: usize) -> Run {
    let (mut x, mut y) = (x.to_vec(), y.to_vec());
    let [rows, columns] = [x.len(), y.len()].map(|size| size / length.max(1));
    let mut z = vec![7.5; rows * columns];
    let [rows, columns, length] = [rows, columns, length].map(|size| size as i64);
    let mut arguments = slots(&mut x, &[rows, length]);
    arguments.extend(slots(&mut y, &[columns, length]));
    arguments.extend(slots(&mut z, &[rows, columns]));
    let left = kernel.call(&arguments);
    Run { z: z.into_iter().map(f64::to_bits).collect(), left }
}

fn numbers(count: usize, seed: usize) -> Vec<f64> {
    (0..count).map(|k| ((k * 7919 + seed) % 1000) as f64 * 1.000_001_f64.powi((k % 50) as i32)).collect()
}

#[test]
fn tiles_give_the_bits_of_rows() {
    // As usual, and where the sum's own guard does not hold for some.
    let kinds: [&[(&str, &str)]; 2] = [&[], &[("HOLDS", "(%j != 4)")]];
    for kind in kinds {
        let [plain, tiled] = both(kind);
        if kind.is_empty() {
            over_what_is_read(&plain, &tiled);
        }
        for rows in [0, 1, 2, 3, 7] {
            for columns in [0, 1, 2, 3, 5] {
                for length in [1, 2, 31, 32, 33, 100, 2049, 6200] {
                    let (x, y) = (numbers(rows * length, 1), numbers(columns * length, 77));
                    let [expected, found] = [&plain, &tiled].map(|kernel| run(kernel, &x, &y, length));
                    assert_eq!(found.z, expected.z, "{kind:?} {rows} {columns} {length}");
                    assert_eq!(found.left, expected.left, "{kind:?} {rows} {columns} {length}");
                }
            }
        }
    }
}

#[test]
fn what_fails_first_in_the_order_of_the_rows_is_raised() {
    let (_, tiled) = text(&[("SIGN", "-")]);
    // The distance is 0 but where one of the two is not: there the root fails, of another number at each place.
    for (row, column) in [(0, 0), (0, 4), (1, 0), (1, 4), (2, 3), (4, 4), (5, 1)] {
        let (mut x, mut y) = (vec![0.0; 6], vec![0.0; 5]);
        (x[row], y[column]) = (3.0, 2.0);
        let found = run(&tiled, &x, &y, 1).left.unwrap_err();
        let first: f64 = if row == 0 && column > 0 {
            -9.0
        } else if row == 0 {
            -1.0
        } else {
            -4.0
        };
        assert_eq!(found.0, Failure::Domain);
        assert_eq!(found.1[0] as u64, first.to_bits(), "{row} {column}");
    }
}

/// The result lies over what is read, wholly or in part: each row needs those before it.
fn over_what_is_read(plain: &Compiled, tiled: &Compiled) {
    for far in [0, 1, 8, 9, 24] {
        let [expected, found] = [plain, tiled].map(|kernel| {
            let mut memory = numbers(128, 5);
            let mut other = numbers(64, 9);
            let mut arguments = slots(&mut memory, &[8, 8]);
            arguments.extend(slots(&mut other, &[8, 8]));
            arguments.extend(slots(&mut memory[far..], &[8, 8]));
            kernel.call(&arguments).unwrap();
            memory.into_iter().map(f64::to_bits).collect::<Vec<_>>()
        });
        assert_eq!(found, expected, "{far}");
    }
}
