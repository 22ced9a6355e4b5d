//! Numbers as Python and NumPy write them.

use crate::abi::item;
use crate::format::{self, Number};

/// One item of a `print`.
///
/// # Safety
///
/// For `item::TEXT`, `bits` and `bits2` are address and length of bytes that can be read.
pub(super) unsafe fn item(out: &mut String, kind: i32, bits: i64, bits2: i64) {
    match kind {
        item::TEXT => {
            let length = usize::try_from(bits2).unwrap_or(0);
            if bits != 0 && length > 0 {
                // SAFETY: the caller vouches for address and length.
                let text = unsafe { std::slice::from_raw_parts(bits as usize as *const u8, length) };
                out.push_str(&String::from_utf8_lossy(text));
            }
        }
        item::BOOL | item::SIGNED | item::UNSIGNED | item::F32 | item::F64 if bits2 != 0 => {
            let number = match kind {
                item::F32 => Number::Float(low(bits).into()),
                item::F64 => Number::Float(f64::from_bits(bits as u64)),
                item::SIGNED => Number::Whole { negative: bits < 0, size: bits.unsigned_abs() },
                _ => Number::Whole { negative: false, size: bits as u64 },
            };
            format::write(out, number, bits2);
        }
        item::BOOL => out.push_str(if bits & 1 == 0 { "False" } else { "True" }),
        item::SIGNED => out.push_str(&bits.to_string()),
        item::UNSIGNED => out.push_str(&(bits as u64).to_string()),
        item::F32 => out.push_str(&single(low(bits), true)),
        item::F64 => out.push_str(&double(f64::from_bits(bits as u64), true)),
        item::C64 => complex(out, &single(low(bits), false), &single(low(bits2), false)),
        item::C128 => {
            let (real, imaginary) = (f64::from_bits(bits as u64), f64::from_bits(bits2 as u64));
            complex(out, &double(real, false), &double(imaginary, false));
        }
        // A kind that `abi` does not know: nothing that a kernel of ours says.
        _ => out.push('?'),
    }
}

fn low(bits: i64) -> f32 {
    f32::from_bits(bits as u32)
}

/// Python's `repr` of a float: the shortest text that reads back as the same. `point`: whole numbers end with `.0`.
pub(crate) fn double(value: f64, point: bool) -> String {
    if value.is_finite() { shortest(&format!("{value:e}"), -4..16, point) } else { special(value) }
}

/// The same for NumPy's float32, which goes over to powers of ten from a million on (as of 2.3).
fn single(value: f32, point: bool) -> String {
    // `1e-4` in single precision is a little less than that.
    let small = if f64::from(value.abs()) < 1e-4 { i32::MAX } else { -4 };
    if value.is_finite() { shortest(&format!("{value:e}"), small..6, point) } else { special(value.into()) }
}

fn special(value: f64) -> String {
    if value.is_nan() {
        "nan"
    } else if value > 0.0 {
        "inf"
    } else {
        "-inf"
    }
    .to_owned()
}

/// `text` is `d.ddde±x`; exponents in `plain` are written out.
fn shortest(text: &str, plain: std::ops::Range<i32>, point: bool) -> String {
    let (digits, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |rest| ("-", rest));
    if digits == "0" {
        return format!("{sign}0{}", if point { ".0" } else { "" });
    }
    if !plain.contains(&exponent) {
        let direction = if exponent < 0 { '-' } else { '+' };
        return format!("{sign}{digits}e{direction}{:02}", exponent.abs());
    }
    let digits = digits.replace('.', "");
    let whole = usize::try_from(exponent + 1).unwrap_or(0);
    if whole == 0 {
        let zeros = "0".repeat(usize::try_from(-exponent - 1).unwrap_or(0));
        format!("{sign}0.{zeros}{digits}")
    } else if digits.len() <= whole {
        format!("{sign}{digits}{}{}", "0".repeat(whole - digits.len()), if point { ".0" } else { "" })
    } else {
        format!("{sign}{}.{}", &digits[..whole], &digits[whole..])
    }
}

/// Python's `str` of a complex number: the real part is left out where it is a positive zero.
fn complex(out: &mut String, real: &str, imaginary: &str) {
    if real == "0" {
        out.push_str(imaginary);
        out.push('j');
        return;
    }
    let plus = if imaginary.starts_with('-') { "" } else { "+" };
    out.push_str(&format!("({real}{plus}{imaginary}j)"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(kind: i32, bits: i64, bits2: i64) -> String {
        let mut out = String::new();
        // SAFETY: no text.
        unsafe { item(&mut out, kind, bits, bits2) };
        out
    }

    #[test]
    fn floats_are_written_as_python_does() {
        for (value, text) in [
            (0.1, "0.1"),
            (1.0, "1.0"),
            (-0.0, "-0.0"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1e22, "1e+22"),
            (123456789012345680.0, "1.2345678901234568e+17"),
            (9007199254740993.0, "9007199254740992.0"),
            (0.0001, "0.0001"),
            (0.00012345, "0.00012345"),
            (1e-5, "1e-05"),
            (5e-324, "5e-324"),
            (1.5, "1.5"),
            (-1234.5678, "-1234.5678"),
            (f64::INFINITY, "inf"),
            (-f64::INFINITY, "-inf"),
            (-f64::NAN, "nan"),
        ] {
            assert_eq!(double(value, true), text);
        }
    }

    #[test]
    fn other_kinds_too() {
        assert_eq!(written(item::BOOL, 1, 0) + &written(item::BOOL, 0, 0), "TrueFalse");
        assert_eq!(written(item::SIGNED, -5, 0), "-5");
        assert_eq!(written(item::UNSIGNED, -1, 0), "18446744073709551615");
        let single = |value: f32| written(item::F32, i64::from(value.to_bits()), 0);
        assert_eq!(
            [0.1, 1.0, 999_999.0, 1e6, 1_234_567.5].map(single),
            ["0.1", "1.0", "999999.0", "1e+06", "1.2345675e+06"]
        );
        assert_eq!(
            [1e-4, 0.000_123_45, 1e-45, 0.0, f32::NAN].map(single),
            ["1e-04", "0.00012345", "1e-45", "0.0", "nan"]
        );
        let complex = |real: f64, imaginary: f64| {
            written(item::C128, real.to_bits() as i64, imaginary.to_bits() as i64)
        };
        assert_eq!(complex(1.0, -2.5), "(1-2.5j)");
        assert_eq!([complex(0.0, 1.0), complex(-0.0, 1.0)], ["1j", "(-0+1j)"]);
        assert_eq!([complex(0.0, f64::NAN), complex(f64::INFINITY, -f64::INFINITY)], ["nanj", "(inf-infj)"]);
        let small = |real: f32, imaginary: f32| {
            written(item::C64, i64::from(real.to_bits()), i64::from(imaginary.to_bits()))
        };
        assert_eq!([small(1e10, 1.0), small(0.5, -0.0)], ["(1e+10+1j)", "(0.5-0j)"]);
    }

    #[test]
    fn texts_are_copied() {
        let (mut out, text) = (String::new(), "a b\n");
        // SAFETY: a text and its length.
        unsafe { item(&mut out, item::TEXT, text.as_ptr() as i64, text.len() as i64) };
        assert_eq!(out, text);
    }
}
