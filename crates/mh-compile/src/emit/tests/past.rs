//! Loops that write more than any cache holds.

use super::{compile, slots};
use crate::emit::emit;
use crate::emit::parallel::LARGE;
use crate::text::parse;

/// Two rows that are written, one of them on a condition's value.
const ROWS: &str = "
result int
fn f(%x: f64[1 C], %y: KIND[1 C], %z: KIND[1 C]) -> (int) {
  var %i: int, %t: f64, %n: int
  %n = dim(%x, 0)
  for #0 %i in range(0, %n, 1) parallel plan(private %t; distinct %x, %y; distinct %x, %z; distinct %y, %z) {
    %t = ((%x[%i] * 3.0:f64) + 1.0:f64)
    %y[%i] = KIND(%t)
    %z[%i] = KIND(if((%t < 0.0:f64), 0.0:f64, %t))
  }
  return (%i)
}
";

/// Where in a row of `count` elements, and some more, a line's element of this number is the first.
fn from<T>(row: &[T], place: usize) -> usize {
    let elements = 64 / size_of::<T>();
    (place + elements - row.as_ptr().addr() / size_of::<T>() % elements) % elements
}

fn rows<T: Copy + PartialEq + Default>(kind: &str, made: impl Fn(f64) -> T) {
    let text = ROWS.replace("KIND", kind);
    let kernel = compile(&text);
    assert!(emit(&parse(&text).unwrap()).text.contains("nontemporal"));
    let least = usize::try_from(LARGE).unwrap() / 2 / size_of::<T>();
    for (n, places) in [(least + 1234, [5, 5]), (least, [0, 0]), (least, [3, 4]), (1000, [7, 7])] {
        let mut x: Vec<f64> = (0..n).map(|k| (k % 1000) as f64 - 300.0).collect();
        let [mut y, mut z] = [(); 2].map(|()| vec![T::default(); n + 32]);
        let before = [from(&y, places[0]), from(&z, places[1])];
        let length = [n as i64];
        let mut arguments = slots(&mut x, &length);
        arguments.extend(slots(&mut y[before[0]..], &length));
        arguments.extend(slots(&mut z[before[1]..], &length));
        assert_eq!(kernel.one(&arguments), Ok(n as u64 - 1));
        for (k, x) in x.iter().enumerate() {
            let t = x * 3.0 + 1.0;
            assert!(y[before[0] + k] == made(t) && z[before[1] + k] == made(t.max(0.0)), "{k} of {n}");
        }
        for (row, before) in [(&y, before[0]), (&z, before[1])] {
            assert!(row[..before].iter().chain(&row[before + n..]).all(|one| *one == T::default()), "{n}");
        }
    }
}

#[test]
fn rows_of_doubles_past_the_caches() {
    rows("f64", |t| t);
}

#[test]
fn rows_of_floats_past_the_caches() {
    rows("f32", |t| t as f32);
}

#[test]
fn rows_that_share_memory_are_written_in_order() {
    let kernel = compile(&ROWS.replace("KIND", "f64"));
    let n = usize::try_from(LARGE).unwrap() / 16 + 77;
    let mut shared = vec![0.0; n + 1];
    let mut other = vec![0.0; n];
    shared[0] = 0.5;
    let length = [n as i64];
    let mut arguments = slots(&mut shared[..n], &length);
    arguments.extend(slots(&mut shared[1..], &length));
    arguments.extend(slots(&mut other, &length));
    kernel.call(&arguments).unwrap();
    let mut expected = 0.5;
    for (k, found) in shared.iter().enumerate().take(700) {
        assert!(*found == expected, "{k}: {found} is not {expected}");
        expected = expected * 3.0 + 1.0;
    }
}
