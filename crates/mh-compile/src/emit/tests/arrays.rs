//! Arrays: layouts, subscripts, slices, new ones, references.

use super::{compile, slots};
use crate::call::tests::take;
use crate::compile::Failure;

#[test]
fn layouts_are_walked() {
    let body = |layout: &str| {
        compile(&format!(
            "
result float
fn f(%a: f64[3 {layout}]) -> (float) {{
  var %i: int, %j: int, %k: int, %s: float
  for %i in range(0, dim(%a, 0), 1) {{
    for %j in range(0, dim(%a, 1), 1) {{
      for %k in range(0, dim(%a, 2), 1) {{
        %s = ((%s * 3.0) + float(%a[%i, %j, %k]!))
        %a[%i, %j, %k]! *= 2.0:f64
      }}
    }}
  }}
  return (%s)
}}
"
        ))
    };
    let (lengths, word) = ([2_i64, 3, 4], 8);
    let cases = [
        ("C", [12, 4, 1]),
        ("F", [1, 2, 6]),
        ("inner", [16, 5, 1]),
        ("inner", [-16, 5, 1]),
        ("any", [12, 4, 1]),
        ("any", [-1, 2, -7]),
    ];
    for (layout, strides) in cases {
        let mut data: Vec<f64> = (0..100).map(|x| f64::from(x % 13)).collect();
        let mut expected = data.clone();
        let start = 50;
        let mut sum = 0.0;
        for i in 0..2 {
            for j in 0..3 {
                for k in 0..4 {
                    let at = (start + i * strides[0] + j * strides[1] + k * strides[2]) as usize;
                    sum = sum * 3.0 + expected[at];
                    expected[at] *= 2.0;
                }
            }
        }
        let mut arguments = vec![data[start as usize..].as_mut_ptr() as u64, 1];
        arguments.extend(lengths.iter().map(|length| *length as u64));
        arguments.extend(strides.iter().map(|stride| (stride * word) as u64));
        let found = body(layout).one(&arguments).map(f64::from_bits);
        assert_eq!(found, Ok(sum), "{layout} {strides:?}");
        assert_eq!(data, expected, "{layout} {strides:?}");
    }
}

#[test]
fn subscripts_wrap_and_are_checked() {
    let text = "
result i32
fn f(%a: i32[2 C], %i: int, %j: int) -> (i32) {
  return (%a[%i, %j]!)
}
";
    let kernel = compile(text);
    let mut data: Vec<i32> = (0..6).collect();
    let call = |data: &mut [i32], i: i64, j: i64| {
        let mut arguments = slots(data, &[2, 3]);
        arguments.extend([i as u64, j as u64]);
        kernel.call(&arguments)
    };
    for i in -2..2_i64 {
        for j in -3..3_i64 {
            let expected = (i.rem_euclid(2) * 3 + j.rem_euclid(3)) as u64;
            assert_eq!(call(&mut data, i, j).unwrap()[0], expected);
        }
    }
    for (i, j, values) in [
        (2, 0, [2, 2, 0, 2]),
        (-3, 9, [-3, 2, 0, 2]),
        (1, -4, [-4, 3, 1, 2]),
        (0, i64::MIN, [i64::MIN, 3, 1, 2]),
    ] {
        let (failure, found) = call(&mut data, i, j).unwrap_err();
        assert_eq!((failure, &found[..4]), (Failure::Index, &values[..]));
    }
}

/// Every slice of short arrays, against Python's rules.
#[test]
fn slices_are_pythons() {
    let bounds: Vec<Option<i64>> =
        [None, Some(i64::MIN), Some(i64::MAX)].into_iter().chain((-6..7).map(Some)).collect();
    let steps = [None, Some(1), Some(2), Some(-1), Some(-3), Some(i64::MAX), Some(i64::MIN)];
    for (start_given, stop_given, step_given) in [
        (false, false, false),
        (true, false, false),
        (true, true, false),
        (true, true, true),
        (false, false, true),
        (false, true, true),
    ] {
        let bound = |given: bool, name: &str| if given { format!("%{name}") } else { "_".into() };
        let kernel = compile(&format!(
            "
result tuple(int, i64)
fn f(%a: i64[1 any], %start: int, %stop: int, %step: int) -> (int, i64) {{
  var %v: i64[1 any], %i: int, %s: i64
  %v = view i64[1 any](%a; slice {}, {}, {})!
  for %i in range(0, dim(%v, 0), 1) {{
    %s = ((%s * 10:i64) + %v[%i]!)
  }}
  return (dim(%v, 0), %s)
}}
",
            bound(start_given, "start"),
            bound(stop_given, "stop"),
            bound(step_given, "step")
        ));
        for length in 0..5_i64 {
            let mut data: Vec<i64> = (1..=length).collect();
            for start in &bounds {
                for stop in &bounds {
                    for step in steps {
                        if start.is_some() != start_given
                            || stop.is_some() != stop_given
                            || step.is_some() != step_given
                        {
                            continue;
                        }
                        let mut arguments = slots(&mut data, &[length]);
                        arguments.extend([start, stop, &step].map(|word| word.unwrap_or(0) as u64));
                        let found = kernel.call(&arguments).unwrap();
                        let taken = taken(length, *start, *stop, step.unwrap_or(1));
                        let sum = taken.iter().fold(0, |sum, place| sum * 10 + place + 1);
                        assert_eq!(
                            (found[0] as usize, found[1] as i64),
                            (taken.len(), sum),
                            "{start:?}:{stop:?}:{step:?} of {length}"
                        );
                    }
                }
            }
        }
    }
    let zero = compile(
        "result int\nfn f(%a: i64[1 any], %z: int) -> (int) {\n var %v: i64[1 any]\n %v = view i64[1 any](%a; slice _, _, %z)!\n return (dim(%v, 0))\n}\n",
    );
    let mut arguments = slots(&mut [1_i64], &[1]);
    arguments.push(0);
    assert_eq!(zero.one(&arguments), Err(Failure::Value("slice step cannot be zero".into())));
}

/// The places that a slice takes: `slice.indices` of CPython.
fn taken(length: i64, start: Option<i64>, stop: Option<i64>, step: i64) -> Vec<i64> {
    let (low, high) = if step > 0 { (0, length) } else { (-1, length - 1) };
    let clip = |bound: i64| if bound < 0 { (bound.saturating_add(length)).max(low) } else { bound.min(high) };
    let start = start.map_or(if step > 0 { low } else { high }, clip);
    let stop = stop.map_or(if step > 0 { high } else { low }, clip);
    let mut places = Vec::new();
    let mut at = i128::from(start);
    while if step > 0 { at < i128::from(stop) } else { at > i128::from(stop) } {
        places.push(at as i64);
        at += i128::from(step);
    }
    places
}

#[test]
fn views_of_views() {
    let kernel = compile(
        "
result f64
fn f(%a: f64[2 C], %i: int) -> (f64) {
  var %t: f64[2 any], %row: f64[1 any], %w: f64[2 any]
  %t = view f64[2 any](%a; axis 1; axis 0)
  %row = view f64[1 any](%t; index %i)!
  %w = view f64[2 any](%row; newaxis; slice 1, _, _)
  return (%w[0, 0]!)
}
",
    );
    let mut data: Vec<f64> = (0..6).map(f64::from).collect();
    let mut arguments = slots(&mut data, &[2, 3]);
    arguments.push(1);
    // a.T[1] is a[:, 1]: 1 and 4.
    assert_eq!(kernel.one(&arguments).map(f64::from_bits), Ok(4.0));
    *arguments.last_mut().unwrap() = 3;
    assert_eq!(kernel.one(&arguments), Err(Failure::Index));
}

/// New arrays in a loop, one view of them is given back: it keeps its memory, all else is released.
#[test]
fn new_arrays_live_as_long_as_somebody_looks() {
    let kernel = compile(
        "
result i64[1 any]
fn f(%n: int, %m: int) -> (i64[1 any]) {
  var %i: int, %a: i64[2 C], %v: i64[1 any], %best: i64[1 any], %z: i64[1 C]
  for %i in range(0, %n, 1) {
    %a = new i64[2 C](%m, 3; fill i64(%i))!
    %v = view i64[1 any](%a; index 1)!
    %v[2]! += 100:i64
    if (%i == 2) {
      %best = %v
    }
    %z = new i64[1 C](%i; zero)!
  }
  return (%best)
}
",
    );
    let found = kernel.call(&[10, 4]).unwrap();
    assert_eq!(found[2..], [3, 8]);
    let element = compile("result i64\nfn f(%a: i64[1 any], %i: int) -> (i64) {\n return (%a[%i]!)\n}\n");
    let values = [0, 1, 2].map(|place| {
        let mut arguments = found.clone();
        arguments.push(place);
        element.one(&arguments).unwrap() as i64
    });
    assert_eq!(values, [2, 2, 102]);
    let (memory, references) = take(found[1]);
    assert!(memory.is_some());
    assert_eq!(references, 1);
    assert_eq!(kernel.one(&[3, -1_i64 as u64]), Err(Failure::NegativeLength));
    assert_eq!(kernel.one(&[3, 1 << 62]), Err(Failure::Memory));
}

#[test]
fn whether_arrays_meet() {
    let kernel = compile(
        "result bool\nfn f(%a: f64[1 any], %b: i8[1 any]) -> (bool) {\n return (disjoint(%a, %b))\n}\n",
    );
    let base = 1 << 20;
    let call = |a: (i64, i64, i64), b: (i64, i64, i64)| {
        let slots = [base + a.0, 1, a.1, a.2, base + b.0, 1, b.1, b.2].map(|word| word as u64);
        kernel.one(&slots).unwrap() != 0
    };
    // Eight doubles: bytes 0 to 64.
    assert!(call((0, 8, 8), (64, 10, 1)));
    assert!(!call((0, 8, 8), (63, 10, 1)));
    assert!(call((0, 8, 8), (-10, 10, 1)));
    assert!(!call((0, 8, 8), (-9, 10, 1)));
    assert!(!call((56, 8, -8), (0, 1, 1)));
    assert!(call((0, 8, 8), (3, 0, 1)));
}
