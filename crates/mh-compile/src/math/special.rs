//! What functions of complex numbers give where a part is infinite or nan: C's Annex G, which `cmath` and NumPy follow.

use std::fmt::Write as _;

use super::build::{Float, Int};
use super::complex::Complex;

/// For each class of the real part (-inf, negative, -0, 0, positive, inf, nan) a row, in it an entry for each class of the imaginary part.
type Table = [&'static str; 7];

/// The real part's value, then the imaginary part's: a sign and 0, 1, I (infinity), or pi / 4, / 2, * 3 / 4, * 1 (Q, P, T, H); `~~`: nan;
/// `==`: what the formula gives.
pub const TABLES: [(&str, Table); 8] = [
    ("mh.special.exp", EXP),
    ("mh.special.sinh", SINH),
    ("mh.special.cosh", COSH),
    ("mh.special.tanh", TANH),
    ("mh.special.asinh", ASINH),
    ("mh.special.acos", ACOS),
    ("mh.special.acosh", ACOSH),
    ("mh.special.atanh", ATANH),
];

const EXP: Table = [
    "+0+0 ==== +0-0 +0+0 ==== +0+0 +0+0",
    "==== ==== ==== ==== ==== ==== ~~~~",
    "==== ==== ==== ==== ==== ==== ~~~~",
    "==== ==== ==== ==== ==== ==== ~~~~",
    "==== ==== ==== ==== ==== ==== ~~~~",
    "==== ==== +I-0 +I+0 ==== ==== +I~~",
    "~~~~ ~~~~ ~~-0 ~~+0 ~~~~ ~~~~ ~~~~",
];
const SINH: Table = [
    "==== ==== -I-0 -I+0 ==== ==== +I~~",
    "==== ==== ==== ==== ==== ==== ~~~~",
    "==== ==== ==== ==== ==== ==== +0~~",
    "==== ==== ==== ==== ==== ==== +0~~",
    "==== ==== ==== ==== ==== ==== ~~~~",
    "==== ==== +I-0 +I+0 ==== ==== +I~~",
    "~~~~ ~~~~ ~~-0 ~~+0 ~~~~ ~~~~ ~~~~",
];
const COSH: Table = [
    "==== ==== +I+0 +I-0 ==== ==== +I~~",
    "==== ==== ==== ==== ==== ==== ~~~~",
    "==== ==== ==== ==== ==== ==== ~~+0",
    "==== ==== ==== ==== ==== ==== ~~+0",
    "==== ==== ==== ==== ==== ==== ~~~~",
    "==== ==== +I-0 +I+0 ==== ==== +I~~",
    "~~~~ ~~~~ ~~+0 ~~+0 ~~~~ ~~~~ ~~~~",
];
const TANH: Table = [
    "-1+0 -1== -1-0 -1+0 -1== -1+0 -1+0",
    "==== ==== ==== ==== ==== ==== ~~~~",
    "==== ==== ==== ==== ==== ==== ~~~~",
    "==== ==== ==== ==== ==== ==== ~~~~",
    "==== ==== ==== ==== ==== ==== ~~~~",
    "+1+0 +1== +1-0 +1+0 +1== +1+0 +1+0",
    "~~~~ ~~~~ ~~-0 ~~+0 ~~~~ ~~~~ ~~~~",
];
const ASINH: Table = [
    "-I-Q -I-0 -I-0 -I+0 -I+0 -I+Q -I~~",
    "-I-P ==== ==== ==== ==== -I+P ~~~~",
    "-I-P ==== ==== ==== ==== -I+P ~~~~",
    "+I-P ==== ==== ==== ==== +I+P ~~~~",
    "+I-P ==== ==== ==== ==== +I+P ~~~~",
    "+I-Q +I-0 +I-0 +I+0 +I+0 +I+Q +I~~",
    "+I~~ ~~~~ ~~-0 ~~+0 ~~~~ +I~~ ~~~~",
];
const ACOS: Table = [
    "+T+I +H+I +H+I +H-I +H-I +T-I ~~+I",
    "+P+I ==== ==== ==== ==== +P-I ~~~~",
    "+P+I ==== ==== ==== ==== +P-I +P~~",
    "+P+I ==== ==== ==== ==== +P-I +P~~",
    "+P+I ==== ==== ==== ==== +P-I ~~~~",
    "+Q+I +0+I +0+I +0-I +0-I +Q-I ~~+I",
    "~~+I ~~~~ ~~~~ ~~~~ ~~~~ ~~-I ~~~~",
];
const ACOSH: Table = [
    "+I-T +I-H +I-H +I+H +I+H +I+T +I~~",
    "+I-P ==== ==== ==== ==== +I+P ~~~~",
    "+I-P ==== ==== ==== ==== +I+P ~~~~",
    "+I-P ==== ==== ==== ==== +I+P ~~~~",
    "+I-P ==== ==== ==== ==== +I+P ~~~~",
    "+I-Q +I-0 +I-0 +I+0 +I+0 +I+Q +I~~",
    "+I~~ ~~~~ ~~~~ ~~~~ ~~~~ +I~~ ~~~~",
];
const ATANH: Table = [
    "-0-P -0-P -0-P -0+P -0+P -0+P -0~~",
    "-0-P ==== ==== ==== ==== -0+P ~~~~",
    "-0-P ==== ==== ==== ==== -0+P -0~~",
    "+0-P ==== ==== ==== ==== +0+P +0~~",
    "+0-P ==== ==== ==== ==== +0+P ~~~~",
    "+0-P +0-P +0-P +0+P +0+P +0+P +0~~",
    "+0-P ~~~~ ~~~~ ~~~~ ~~~~ +0+P ~~~~",
];

/// Stands for what the formula gives: a nan that no function makes.
const KEEP: i64 = 0x7FF8_0000_4B45_4550;
const WORDS: usize = 7 * 7 * 2;

/// The text of those of the tables that a text names.
pub fn tables(text: &str) -> String {
    let mut out = String::new();
    for (name, table) in TABLES.iter().filter(|(name, _)| text.contains(&format!("@{name},"))) {
        let words: Vec<String> = table.iter().flat_map(|row| row.split(' ')).flat_map(words).collect();
        let _ = writeln!(out, "@{name} = internal constant [{WORDS} x i64] [{}]", words.join(", "));
    }
    out
}

fn words(entry: &str) -> [String; 2] {
    let (re, im) = entry.split_at(2);
    [re, im].map(|part| format!("i64 {}", word(part)))
}

fn word(part: &str) -> i64 {
    use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI};
    let mut letters = part.chars();
    let sign = letters.next();
    let size = match letters.next() {
        Some('0') => 0.0,
        Some('1') => 1.0,
        Some('I') => f64::INFINITY,
        Some('Q') => FRAC_PI_4,
        Some('P') => FRAC_PI_2,
        Some('T') => 3.0 * FRAC_PI_4,
        Some('H') => PI,
        Some('~') => f64::NAN,
        _ => return KEEP,
    };
    (if sign == Some('-') { -size } else { size }).to_bits() as i64
}

/// `value`, which a formula has given, put right where a part of `z` is infinite or nan.
pub fn special<'b>(name: &str, z: Complex<'b>, value: Complex<'b>) -> Complex<'b> {
    let body = z.re.body();
    let ordinary = z.re.abs().lt(f64::INFINITY) & z.im.abs().lt(f64::INFINITY);
    let [re, im] = body.seldom(!ordinary, [value.re, value.im], || {
        let place = (class(z.re) * 7 + class(z.im)) * 2;
        [(0, value.re), (1, value.im)].map(|(part, formula)| {
            let word = body.look_up(name, WORDS, place + part);
            word.differs(KEEP).pick(word.float(), formula)
        })
    });
    Complex { re, im }
}

/// Number of the class that a part belongs to.
fn class(x: Float<'_>) -> Int<'_> {
    let size = x.abs();
    // How far from the middle, between -0 and 0.
    let far = size.eq(f64::INFINITY).pick_int(2, size.gt(0.0).pick_int(1, 0));
    let negative = x.bits().less(0);
    let number = negative.pick_int(x.body().int(2) - far, far + 3);
    x.is_nan().pick_int(6, number)
}
