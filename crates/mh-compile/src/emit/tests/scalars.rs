//! Operations on nasty values.

use super::{Compiled, compile};
use crate::compile::Failure;

const INTS: [i64; 22] = [
    0,
    1,
    -1,
    2,
    -2,
    3,
    -3,
    7,
    -7,
    10,
    31,
    63,
    64,
    65,
    1 << 31,
    -(1 << 32) - 1,
    (1 << 53) + 1,
    -(1 << 53),
    i64::MAX,
    i64::MAX - 1,
    i64::MIN,
    i64::MIN + 1,
];

const FLOATS: [f64; 22] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    2.5,
    -2.5,
    3.0,
    -3.0,
    0.1,
    -0.3,
    7.0,
    1e16,
    9_007_199_254_740_993.0,
    9_223_372_036_854_775_808.0,
    1e308,
    -1e308,
    5e-324,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
];

fn binary(ty: &str, operation: &str) -> Compiled {
    compile(&format!("result {ty}\nfn f(%a: {ty}, %b: {ty}) -> ({ty}) {{\n return ({operation})\n}}\n"))
}

fn check_ints(operation: &str, expected: impl Fn(i128, i128) -> Result<i128, Failure>) {
    let kernel = binary("int", operation);
    for a in INTS {
        for b in INTS {
            let expected = expected(a.into(), b.into())
                .and_then(|value| i64::try_from(value).map_err(|_| Failure::Overflow));
            assert_eq!(
                kernel.one(&[a as u64, b as u64]).map(|word| word as i64),
                expected,
                "{a} {operation} {b}"
            );
        }
    }
}

fn zero(text: &str) -> Failure {
    Failure::ZeroDivision(text.into())
}

fn floor_div(a: i128, b: i128) -> i128 {
    let quotient = a / b;
    if a % b != 0 && (a < 0) != (b < 0) { quotient - 1 } else { quotient }
}

#[test]
fn python_ints_are_exact_or_raise() {
    check_ints("(%a + %b)!", |a, b| Ok(a + b));
    check_ints("(%a - %b)!", |a, b| Ok(a - b));
    check_ints("(%a * %b)!", |a, b| Ok(a * b));
    check_ints("(%a // %b)!", |a, b| {
        if b == 0 { Err(zero("integer division or modulo by zero")) } else { Ok(floor_div(a, b)) }
    });
    check_ints("(%a % %b)!", |a, b| {
        if b == 0 { Err(zero("integer modulo by zero")) } else { Ok(a - b * floor_div(a, b)) }
    });
    check_ints("(%a << %b)!", |a, b| match b {
        _ if b < 0 => Err(Failure::NegativeShift),
        _ if a == 0 => Ok(0),
        0..64 => Ok(a << b),
        _ => Err(Failure::Overflow),
    });
    check_ints("(%a >> %b)!", |a, b| if b < 0 { Err(Failure::NegativeShift) } else { Ok(a >> b.min(100)) });
    check_ints("(%a ** %b)!", |a, b| {
        if b < 0 {
            return Err(Failure::NegativePower);
        }
        match a {
            0 | 1 => Ok(if b == 0 { 1 } else { a }),
            -1 => Ok(if b % 2 == 0 { 1 } else { -1 }),
            _ => (0..b.min(70)).try_fold(1_i128, |power, _| power.checked_mul(a)).ok_or(Failure::Overflow),
        }
    });
    check_ints("min(%a, %b)", |a, b| Ok(a.min(b)));
    check_ints("max(%a, %b)", |a, b| Ok(a.max(b)));
    check_ints("((%a & %b) ^ (%a | %b))", |a, b| Ok((a & b) ^ (a | b)));
    check_ints("neg(%a)!", |a, _| Ok(-a));
    check_ints("abs(%a)!", |a, _| Ok(a.abs()));
    check_ints("inv(%a)", |a, _| Ok(!a));
}

#[test]
fn constant_divisors_and_exponents() {
    for divisor in [1_i128, 2, 8, 3, 10, -1, -2, -7, 1 << 62] {
        check_ints(&format!("(%a // {divisor})!"), |a, _| Ok(floor_div(a, divisor)));
        check_ints(&format!("(%a % {divisor})!"), |a, _| Ok(a - divisor * floor_div(a, divisor)));
    }
    for exponent in [0, 1, 2, 3, 5] {
        check_ints(&format!("(%a ** {exponent})!"), |a, _| {
            (0..exponent).try_fold(1_i128, |power, _| power.checked_mul(a)).ok_or(Failure::Overflow)
        });
    }
    for count in [0, 1, 63] {
        check_ints(&format!("(%a << {count})!"), |a, _| Ok(a << count));
        check_ints(&format!("(%a >> {count})!"), |a, _| Ok(a >> count));
    }
}

/// NumPy's wrap in their kind; division by zero gives 0; too great shifts give 0 or the sign.
#[test]
fn numpy_ints_wrap() {
    type Operation = (&'static str, fn(i128, i128, u32) -> i128);
    let operations: [Operation; 8] = [
        ("(%a + %b)", |a, b, _| a + b),
        ("(%a - %b)", |a, b, _| a - b),
        ("(%a * %b)", |a, b, _| a.wrapping_mul(b)),
        ("(%a // %b)", |a, b, _| if b == 0 { 0 } else { floor_div(a, b) }),
        ("(%a % %b)", |a, b, _| if b == 0 { 0 } else { a - b * floor_div(a, b) }),
        ("(%a << %b)", |a, b, bits| if (0..i128::from(bits)).contains(&b) { a << b } else { 0 }),
        ("(%a >> %b)", |a, b, bits| if (0..i128::from(bits)).contains(&b) { a >> b } else { a >> 127 }),
        ("abs(%a)", |a, _, _| a.abs()),
    ];
    for (ty, bits, signed) in
        [("i8", 8, true), ("u8", 8, false), ("i32", 32, true), ("i64", 64, true), ("u64", 64, false)]
    {
        let wrap = |value: i128| {
            let left = 128 - bits;
            if signed { (value << left) >> left } else { (((value as u128) << left) >> left) as i128 }
        };
        for (operation, expected) in operations {
            let kernel = binary(ty, operation);
            for a in INTS {
                for b in INTS {
                    let (a, b) = (wrap(a.into()), wrap(b.into()));
                    let found = kernel.one(&[a as u64, b as u64]).unwrap();
                    assert_eq!(wrap(found.into()), wrap(expected(a, b, bits)), "{a} {operation} {b} of {ty}");
                    // Slots hold them extended.
                    assert_eq!(found as i64, wrap(expected(a, b, bits)) as i64, "{ty}");
                }
            }
        }
    }
}

/// `float_divmod` of CPython, `npy_divmod` of NumPy but for zero divisors.
fn float_divmod(a: f64, b: f64) -> (f64, f64) {
    let mut rest = a % b;
    let mut quotient = (a - rest) / b;
    if rest != 0.0 {
        if (b < 0.0) != (rest < 0.0) {
            rest += b;
            quotient -= 1.0;
        }
    } else {
        rest = 0.0_f64.copysign(b);
    }
    if quotient == 0.0 {
        return (0.0_f64.copysign(a / b), rest);
    }
    let floor = quotient.floor();
    (if quotient - floor > 0.5 { floor + 1.0 } else { floor }, rest)
}

fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

fn check_floats(ty: &str, operation: &str, expected: impl Fn(f64, f64) -> Result<f64, Failure>) {
    let kernel = binary(ty, operation);
    for a in FLOATS {
        for b in FLOATS {
            let found = kernel.one(&[a.to_bits(), b.to_bits()]).map(f64::from_bits);
            let expected = expected(a, b);
            let fine = match (&found, &expected) {
                (Ok(found), Ok(expected)) => same(*found, *expected),
                _ => found == expected,
            };
            assert!(fine, "{a:?} {operation} {b:?}: {found:?}, not {expected:?}");
        }
    }
}

#[test]
fn floats_divide_as_cpython_and_numpy() {
    let unless = |b: f64, text: &str, value: f64| if b == 0.0 { Err(zero(text)) } else { Ok(value) };
    check_floats("float", "(%a / %b)!", |a, b| unless(b, "float division by zero", a / b));
    check_floats("float", "(%a // %b)!", |a, b| {
        unless(b, "float floor division by zero", float_divmod(a, b).0)
    });
    check_floats("float", "(%a % %b)!", |a, b| unless(b, "float modulo", float_divmod(a, b).1));
    check_floats("f64", "(%a / %b)", |a, b| Ok(a / b));
    check_floats("f64", "(%a // %b)", |a, b| Ok(if b == 0.0 { a / b } else { float_divmod(a, b).0 }));
    check_floats("f64", "(%a % %b)", |a, b| Ok(if b == 0.0 { a % b } else { float_divmod(a, b).1 }));
    check_floats("float", "min(%a, %b)", |a, b| Ok(if b < a { b } else { a }));
    check_floats("float", "max(%a, %b)", |a, b| Ok(if b > a { b } else { a }));
    check_floats("f64", "minimum(%a, %b)", |a, b| Ok(if a < b || a.is_nan() { a } else { b }));
    check_floats("f64", "maximum(%a, %b)", |a, b| Ok(if a > b || a.is_nan() { a } else { b }));
    check_floats("float", "neg(%a)", |a, _| Ok(-a));
}

/// The order of an int and a float, exactly.
fn order(a: i64, b: f64) -> Option<std::cmp::Ordering> {
    if b.is_nan() {
        return None;
    }
    // Beyond these all ints are on one side.
    let near = b.clamp(-1e20, 1e20);
    let whole = near.floor() as i128;
    Some(i128::from(a).cmp(&whole).then(if near > near.floor() {
        std::cmp::Ordering::Less
    } else {
        std::cmp::Ordering::Equal
    }))
}

#[test]
fn ints_and_floats_are_compared_exactly() {
    type Holds = fn(Option<std::cmp::Ordering>) -> bool;
    let cases: [(&str, Holds); 6] = [
        ("==", |order| order.is_some_and(|order| order.is_eq())),
        ("!=", |order| order.is_none_or(|order| order.is_ne())),
        ("<", |order| order.is_some_and(|order| order.is_lt())),
        ("<=", |order| order.is_some_and(|order| order.is_le())),
        (">", |order| order.is_some_and(|order| order.is_gt())),
        (">=", |order| order.is_some_and(|order| order.is_ge())),
    ];
    for (op, expected) in cases {
        let text = |operation: &str| {
            compile(&format!(
                "result bool\nfn f(%a: int, %b: float) -> (bool) {{\n return ({operation})\n}}\n"
            ))
        };
        let (plain, turned) = (text(&format!("(float(%a) {op} %b)")), text(&format!("(%b {op} float(%a))")));
        for a in INTS {
            for b in FLOATS.into_iter().chain([a as f64, (a as f64) + 0.5, 9_223_372_036_854_774_784.0]) {
                let slots = [a as u64, b.to_bits()];
                assert_eq!(plain.one(&slots).unwrap() != 0, expected(order(a, b)), "{a} {op} {b:?}");
                let other = order(a, b).map(std::cmp::Ordering::reverse);
                assert_eq!(turned.one(&slots).unwrap() != 0, expected(other), "{b:?} {op} {a}");
            }
        }
    }
}

/// Quotients from Python.
#[test]
fn ints_are_divided_exactly() {
    let kernel =
        compile("result float\nfn f(%a: int, %b: int) -> (float) {\n return ((float(%a) / float(%b))!)\n}\n");
    for (a, b, expected) in [
        (1, 3, 1.0 / 3.0),
        (i64::MAX, 3, 3.074_457_345_618_258_5e18),
        ((1 << 53) + 1, 1, 9_007_199_254_740_992.0),
        ((1 << 53) + 1, 3, 3_002_399_751_580_331.0),
        ((1 << 54) + 3, 7, 2_573_485_501_354_569.5),
        (i64::MIN, i64::MAX, -1.0),
        (i64::MAX, i64::MAX - 2, 1.0),
        (1, i64::MIN, -1.084_202_172_485_504_4e-19),
        (0, i64::MIN, -0.0),
        (7, i64::MAX, 7.589_415_207_398_531e-19),
        (i64::MAX - 512, 1 << 62, 1.999_999_999_999_999_8),
    ] {
        let found = f64::from_bits(kernel.one(&[a as u64, b as u64]).unwrap());
        assert!(same(found, expected), "{a} / {b}: {found:?}, not {expected:?}");
    }
    assert_eq!(kernel.one(&[1, 0]), Err(zero("division by zero")));
}

#[test]
fn casts_fit_or_raise() {
    let cast = |from: &str, to: &str, mark: &str| {
        compile(&format!("result {to}\nfn f(%a: {from}) -> ({to}) {{\n return ({to}(%a){mark})\n}}\n"))
    };
    for (to, least, most) in [
        ("i8", -128, 127),
        ("u8", 0, 255),
        ("i32", i64::from(i32::MIN), i64::from(i32::MAX)),
        ("u32", 0, i64::from(u32::MAX)),
        ("u64", 0, i64::MAX),
        ("i64", i64::MIN, i64::MAX),
    ] {
        let kernel = cast("int", to, "!");
        for a in INTS.into_iter().chain([127, 128, -128, -129, 255, 256, i64::from(u32::MAX) + 1]) {
            let found = kernel.call(&[a as u64]);
            if (least..=most).contains(&a) {
                assert_eq!(found.unwrap()[0], a as u64, "{a} to {to}");
            } else {
                let (failure, values) = found.unwrap_err();
                assert!(matches!(failure, Failure::DoesNotFit(_)), "{a} to {to}: {failure:?}");
                assert_eq!(values[0], a);
            }
        }
    }
    let kernel = cast("float", "int", "!");
    let wrapped = cast("f64", "i64", "");
    for a in FLOATS.into_iter().chain([1e18, -9_223_372_036_854_775_808.0, 9_223_372_036_854_774_784.0]) {
        let fits = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&a);
        let expected = if fits { Ok(a as i64) } else { Err(Failure::NotANumber) };
        assert_eq!(kernel.one(&[a.to_bits()]).map(|word| word as i64), expected, "{a:?}");
        // NumPy's is the machine's.
        let machine = if fits { a as i64 } else { i64::MIN };
        assert_eq!(wrapped.one(&[a.to_bits()]).unwrap() as i64, machine, "{a:?}");
    }
    assert_eq!(cast("u8", "int", "").one(&[200]), Ok(200));
    assert_eq!(cast("i8", "u64", "").one(&[-1_i64 as u64]), Ok(u64::MAX));
    assert_eq!(cast("int", "i8", "").one(&[200]), Ok(-56_i64 as u64));
    assert_eq!(cast("bool", "float", "").one(&[1]), Ok(1.0_f64.to_bits()));
    assert_eq!(cast("float", "bool", "").one(&[f64::NAN.to_bits()]), Ok(1));
    assert_eq!(cast("u64", "float", "").one(&[u64::MAX]), Ok(18_446_744_073_709_551_616.0_f64.to_bits()));
}

fn complex(operation: &str, ty: &str) -> impl Fn([f64; 4]) -> Result<(f64, f64), Failure> {
    let kernel = binary(ty, operation);
    move |values| {
        let found = kernel.call(&values.map(f64::to_bits)).map_err(|(failure, _)| failure)?;
        Ok((f64::from_bits(found[0]), f64::from_bits(found[1])))
    }
}

/// Values from Python 3.11.
#[test]
fn complex_numbers() {
    let quotient = complex("(%a / %b)!", "complex");
    assert_eq!(quotient([1.0, 2.0, 3.0, -4.0]), Ok((-0.2, 0.4)));
    assert_eq!(quotient([1.0, 2.0, 3.0, 4.0]), Ok((0.44, 0.08)));
    assert_eq!(quotient([5.0, 0.0, 0.0, 2.0]), Ok((0.0, -2.5)));
    assert_eq!(quotient([1.0, 1.0, 0.0, -0.0]), Err(zero("complex division by zero")));
    let (real, imag) = quotient([1.0, 1.0, f64::NAN, 1.0]).unwrap();
    assert!(real.is_nan() && imag.is_nan());
    let by_zero = complex("(%a / %b)", "c128")([1.0, -2.0, 0.0, 0.0]).unwrap();
    assert_eq!(by_zero, (f64::INFINITY, f64::NEG_INFINITY));
    assert_eq!(complex("(%a * %b)", "complex")([1.0, 2.0, 3.0, -4.0]), Ok((11.0, 2.0)));
    assert_eq!(complex("(%a - %b)", "complex")([1.0, 2.0, 3.0, -4.0]), Ok((-2.0, 6.0)));
    let equal = compile("result bool\nfn f(%a: complex, %b: complex) -> (bool) {\n return ((%a == %b))\n}\n");
    assert_eq!(equal.one(&[1.0, 2.0, 1.0, 2.0].map(f64::to_bits)), Ok(1));
    assert_eq!(equal.one(&[1.0, 2.0, 1.0, -2.0].map(f64::to_bits)), Ok(0));
}

#[test]
fn functions_raise_as_pythons() {
    let one = |name: &str| {
        let text = format!("result float\nfn f(%a: float) -> (float) {{\n return (math.{name}(%a)!)\n}}\n");
        let kernel = compile(&text);
        move |x: f64| kernel.one(&[x.to_bits()]).map(f64::from_bits)
    };
    let domain = || Err(Failure::Domain);
    let sqrt = one("sqrt");
    assert_eq!(sqrt(-1.0), domain());
    assert_eq!(sqrt(f64::NEG_INFINITY), domain());
    assert_eq!(sqrt(4.0), Ok(2.0));
    assert!(sqrt(f64::NAN).unwrap().is_nan());
    let log = one("log");
    assert_eq!([log(0.0), log(-0.0), log(-1.0)], [domain(), domain(), domain()]);
    assert_eq!(log(f64::INFINITY), Ok(f64::INFINITY));
    let exp = one("exp");
    assert_eq!(exp(710.0), Err(Failure::Range));
    assert_eq!(exp(f64::INFINITY), Ok(f64::INFINITY));
    assert_eq!(exp(-1e5), Ok(0.0));
    assert_eq!(one("sin")(f64::INFINITY), domain());
    let power = binary("float", "(%a ** %b)!");
    let power = |a: f64, b: f64| power.one(&[a.to_bits(), b.to_bits()]).map(f64::from_bits);
    assert_eq!(power(0.0, -1.0), Err(zero("0.0 cannot be raised to a negative power")));
    assert_eq!(power(-8.0, 1.0 / 3.0), domain());
    assert_eq!(power(10.0, 400.0), Err(Failure::Range));
    assert_eq!(power(2.0, 10.0), Ok(1024.0));
    assert_eq!(power(f64::INFINITY, 2.0), Ok(f64::INFINITY));
    let pow = binary("float", "math.pow(%a, %b)!");
    let pow = |a: f64, b: f64| pow.one(&[a.to_bits(), b.to_bits()]).map(f64::from_bits);
    assert_eq!([pow(0.0, -1.0), pow(-8.0, 0.5)], [domain(), domain()]);
    assert_eq!(pow(10.0, 400.0), Err(Failure::Range));
}
