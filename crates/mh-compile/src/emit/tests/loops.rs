//! Loops, blocks, calls.

use super::{Printed, compile};
use crate::compile::Failure;

/// How often, the sum (wrapped) and the last value of a range.
const COUNT: &str = "
result tuple(int, i64, int)
fn f(%a: int, %b: int, %c: int) -> (int, i64, int) {
  var %i: int, %n: int, %s: i64
  %i = 77
  for %i in range(%a, %b, %c) {
    %n = (%n + 1)!
    %s = (%s + i64(%i))
    if (%n == 1000) {
      break
    }
  }
  return (%n, %s, %i)
}
";

#[test]
fn ranges_are_pythons() {
    let (min, max) = (i64::MIN, i64::MAX);
    let general = compile(COUNT);
    let bounds = [0, 1, 5, -4, 10, 999, min, min + 3, max, max - 2];
    for step in [1, -1, 2, -3, 1 << 40, min, max] {
        let fixed = compile(&COUNT.replace("%b, %c)", &format!("%b, {step})")));
        for start in bounds {
            for stop in bounds {
                let mut expected = (0, 0_i64, 77);
                let mut at = i128::from(start);
                let inside = |at: i128| if step > 0 { at < i128::from(stop) } else { at > i128::from(stop) };
                while inside(at) && expected.0 < 1000 {
                    expected = (expected.0 + 1, expected.1.wrapping_add(at as i64), at as i64);
                    at += i128::from(step);
                }
                for kernel in [&general, &fixed] {
                    let found = kernel.call(&[start, stop, step].map(|word| word as u64)).unwrap();
                    let found = (found[0] as i64, found[1] as i64, found[2] as i64);
                    assert_eq!(found, expected, "range({start}, {stop}, {step})");
                }
            }
        }
    }
}

#[test]
fn a_sum_of_a_long_range_is_one_formula() {
    let kernel = compile(
        "result int\nfn f(%n: int) -> (int) {\n var %i: int, %s: int\n for %i in range(0, %n, 1) {\n %s = (%s + %i)\n }\n return (%s)\n}\n",
    );
    // No loop could do this in time.
    for n in [0_i64, 1, 10, 1 << 26, (1 << 26) + 1, 4_000_000_000] {
        assert_eq!(kernel.one(&[n as u64]), Ok((i128::from(n) * i128::from(n - 1) / 2) as u64), "{n}");
    }
}

#[test]
fn loops_within_loops() {
    let kernel = compile(
        "
result int
fn f(%n: int, %m: int) -> (int) {
  var %i: int, %j: int, %s: int, %k: int
  for %i in range(0, %n, 1) {
    for %j in range(%i, %m, 2) {
      if ((%j % 5) == 3) {
        continue
      }
      if (%j > 40) {
        break
      }
      %s = (%s + (%i * %j)!)!
    }
    %k = 0
    while {
      %k = (%k + 1)!
    } (%k < %i) {
      if (%k == 7) {
        break
      }
      %s = (%s + %k)!
    }
  }
  return (%s)
}
",
    );
    for n in [0, 1, 3, 20] {
        for m in [0, 5, 30, 60] {
            let mut s = 0;
            for i in 0..n {
                for j in (i..m).step_by(2) {
                    if j % 5 == 3 {
                        continue;
                    }
                    if j > 40 {
                        break;
                    }
                    s += i * j;
                }
                s += (1..i).take_while(|k| *k != 7).sum::<i64>();
            }
            assert_eq!(kernel.one(&[n as u64, m as u64]), Ok(s as u64), "{n} {m}");
        }
    }
}

#[test]
fn blocks_are_left() {
    let kernel = compile(
        "
result int
fn f(%n: int) -> (int) {
  var %i: int, %r: int
  block L0 call {
    for %i in range(0, 100, 1) {
      if (%i == %n) {
        %r = (%i * 2)
        leave L0
      }
    }
    %r = -1
  }
  return (%r)
}
",
    );
    assert_eq!(kernel.one(&[30]), Ok(60));
    assert_eq!(kernel.one(&[300]), Ok(-1_i64 as u64));
}

/// Sums of squares, attempted with flags: the checked run raises what the first failing iteration does.
const ATTEMPT: &str = "
exception builtin ValueError
result int
fn f(%n: int, %from: int, %bad: int) -> (int) {
  var %i: int, %s: int, %x: int
  %s = 5
  for %i in range(0, %n, 1) {
    %x = (%from + %i)!
    if (%i == %bad) {
      raise 0 \"bad {}\" (%i)
    }
    %s = (%s + (%x * %x)!)!
  } fast attempt save(%s, %x) {
  } (%n > 2) {
    %x = (%from + %i)?
    if (%i == %bad) {
      raise 0 \"bad {}\" (%i)
    }
    %s = (%s + (%x * %x)?)?
  }
  return (%s)
}
";

#[test]
fn attempts_are_done_again_with_checks() {
    let kernel = compile(ATTEMPT);
    let square = |n: i64, from: i64| 5 + (from..from + n).map(|x| x * x).sum::<i64>();
    for n in [0, 1, 5, 1000] {
        assert_eq!(kernel.one(&[n as u64, 3, u64::MAX]), Ok(square(n, 3) as u64));
    }
    let raised = |from: i64, bad: i64| {
        let (failure, values) = kernel.call(&[10, from as u64, bad as u64]).unwrap_err();
        (failure, values[0])
    };
    // An overflow in iteration 0 comes before the exception in iteration 4, which comes before one in iteration 7.
    assert_eq!(raised(1 << 32, 4).0, Failure::Overflow);
    let late = 3_037_000_499 - 6;
    assert_eq!(raised(late, -1).0, Failure::Overflow);
    assert!(matches!(raised(1000, 4), (Failure::Raise { .. }, 4)));
}

#[test]
fn recursion_returns_and_ends() {
    let kernel = compile(
        "
result int
fn fib(%n: int) -> (int) {
  var %a: int, %b: int
  if (%n < 2) {
    return (%n)
  }
  call (%a) = fn 0((%n - 1)!)
  call (%b) = fn 0((%n - 2)!)
  return ((%a + %b)!)
}
",
    );
    assert_eq!(kernel.one(&[20]), Ok(6765));
    let deep = compile(
        "
result int
fn down(%n: int) -> (int) {
  var %a: int
  if (%n == 0) {
    return (0)
  }
  call (%a) = fn 0((%n - 1)!)
  return ((%a + 1)!)
}
",
    );
    assert_eq!(deep.one(&[900]), Ok(900));
    assert_eq!(deep.one(&[100_000]), Err(Failure::Recursion));
}

#[test]
fn prints_in_order() {
    let kernel = compile(
        "
result none
fn f(%x: float, %n: i8, %b: bool, %s: f32) -> () {
  print (\"x = \", %x, \" \", %n, \" ä\\n\", %b, \" \", %s)
  return ()
}
",
    );
    let heard = Printed::default();
    kernel.call_heard(&[0.1_f64.to_bits(), -3_i64 as u64, 1, u64::from(0.1_f32.to_bits())], &heard).unwrap();
    assert_eq!(*heard.0.lock().unwrap(), "x = 0.1 -3 ä\nTrue 0.1");
}

#[test]
fn iterations_of_a_prange_draw_from_their_own_streams() {
    let text = |skip: i64| {
        compile(&format!(
            "
result none
fn f(%a: f64[1 C], %n: int) -> () {{
  var %i: int
  for %i in range({skip}, %n, 1) parallel {{
    %a[(%i - {skip})] = random.unit()
  }}
  %a[%n] = random.unit()
  return ()
}}
"
        ))
    };
    let run = |skip: i64, n: i64| {
        let mut out = vec![0.0_f64; n as usize + 1];
        let mut arguments = super::slots(&mut out, &[n + 1]);
        arguments.push(n as u64);
        text(skip).call(&arguments).unwrap();
        out
    };
    let (all, few) = (run(0, 6), run(0, 3));
    assert_eq!(all[..3], few[..3]);
    // Behind the loop the stream goes on the same whatever was drawn in it.
    assert_eq!(all[6], few[3]);
    // Streams go by the iteration's number, not by the variable.
    assert_eq!(all[..4], run(2, 6)[..4]);
    assert!(all.iter().all(|x| (0.0..1.0).contains(x)) && all[0] != all[1]);
}

#[test]
fn long_inner_loops_count_until_somebody_is_asked_to_stop() {
    let text = |inner: u32| {
        let text = format!(
            "result f64\nfn f(%n: int) -> (f64) {{\n var %i: int, %j: int, %s: f64\n for %i in range(0, %n, 1) {{\n for %j in range(0, {inner}, 1) {{\n %s = (%s + 0.5)\n }}\n }}\n return (%s)\n}}\n"
        );
        super::emit(&crate::text::parse(&text).unwrap()).text
    };
    let charged = |text: &str, inner: &str| {
        text.lines().any(|line| line.contains("= sub i64") && line.ends_with(inner))
    };
    assert!(charged(&text(100_000), ", 100000"));
    assert!(!charged(&text(8), ", 8"));
}
