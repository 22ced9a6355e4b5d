//! Python's formats of numbers (`:8.3f`), as printed f-strings have them: read while compiling, packed into a word, applied while running.

/// A format, read.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Format {
    fill: u8,
    /// `<`, `>`, `^`, `=`.
    align: u8,
    /// `+`, ` `, or `-` for negative ones only.
    sign: u8,
    /// `,`, `_` or 0.
    group: u8,
    width: u16,
    /// 255: none.
    precision: u8,
    /// A letter.
    letter: u8,
}

/// The number that is shown.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    Whole { negative: bool, size: u64 },
    Float(f64),
}

const NONE: u8 = 255;
/// Of a packed format, which is never 0.
const GIVEN: u64 = 1 << 62;

/// Reads a format for whole numbers or floats; None where it is not one that is compiled. An empty one is not asked for.
pub fn pack(text: &str, whole: bool) -> Option<i64> {
    let mut bytes = text.as_bytes();
    let mut format =
        Format { fill: b' ', align: b'>', sign: b'-', group: 0, width: 0, precision: NONE, letter: 0 };
    let aligns = |byte: Option<&u8>| byte.is_some_and(|byte| b"<>^=".contains(byte));
    let mut aligned = true;
    if bytes.first().is_some_and(|fill| fill.is_ascii() && !b"{}".contains(fill)) && aligns(bytes.get(1)) {
        (format.fill, format.align) = (bytes[0], bytes[1]);
        bytes = &bytes[2..];
    } else if aligns(bytes.first()) {
        format.align = bytes[0];
        bytes = &bytes[1..];
    } else {
        aligned = false;
    }
    let mut take = |among: &[u8]| {
        let (first, rest) = bytes.split_first()?;
        among.contains(first).then(|| {
            bytes = rest;
            *first
        })
    };
    format.sign = take(b"+- ").unwrap_or(b'-');
    if take(b"0").is_some() && !aligned {
        (format.fill, format.align) = (b'0', b'=');
    }
    let number = |take: &mut dyn FnMut(&[u8]) -> Option<u8>, most: u16| {
        let mut value: Option<u16> = None;
        while let Some(digit) = take(b"0123456789") {
            value = Some(value.unwrap_or(0).checked_mul(10)?.checked_add(u16::from(digit - b'0'))?);
        }
        value.is_none_or(|value| value <= most).then_some(value)
    };
    format.width = number(&mut take, 1000)?.unwrap_or(0);
    format.group = take(b",_").unwrap_or(0);
    if take(b".").is_some() {
        format.precision = u8::try_from(number(&mut take, 200)??).ok()?;
    }
    let floats = b"fFeEgG%";
    format.letter = match take(if whole { b"dxXobfFeEgG%" } else { floats }) {
        Some(letter) => letter,
        None if whole => b'd',
        // As `repr`, where nothing but the width is asked for.
        None if format.precision == NONE => b'r',
        None => return None,
    };
    let known = floats.contains(&format.letter) || format.letter == b'd' && format.precision == NONE;
    let plain = format.precision == NONE && format.group == 0;
    // Zeros in front are grouped too.
    let grouped = format.group == 0 || format.align != b'=';
    (bytes.is_empty() && grouped && (known || plain)).then(|| format.packed())
}

impl Format {
    fn packed(self) -> i64 {
        let code = |byte: u8, among: &[u8]| among.iter().position(|one| *one == byte).unwrap_or(0) as u64;
        let word = GIVEN
            | u64::from(self.fill)
            | code(self.align, b"<>^=") << 8
            | code(self.sign, b"-+ ") << 10
            | code(self.group, b"\0,_") << 12
            | u64::from(self.width) << 16
            | u64::from(self.precision) << 32
            | u64::from(self.letter) << 40;
        word as i64
    }

    fn unpacked(word: i64) -> Self {
        let word = word as u64;
        let part = |from: u32, bits: u32| (word >> from & ((1 << bits) - 1)) as usize;
        let of = |among: &[u8], place: usize| among.get(place).copied().unwrap_or(0);
        Self {
            fill: part(0, 8) as u8,
            align: of(b"<>^=", part(8, 2)),
            sign: of(b"-+ ", part(10, 2)),
            group: of(b"\0,_", part(12, 2)),
            width: part(16, 16) as u16,
            precision: part(32, 8) as u8,
            letter: part(40, 8) as u8,
        }
    }
}

/// Appends a number as a packed format has it.
pub fn write(out: &mut String, number: Number, word: i64) {
    let format = Format::unpacked(word);
    let (negative, digits) = match number {
        Number::Whole { negative, size } => match format.letter {
            b'd' => (negative, size.to_string()),
            b'x' => (negative, format!("{size:x}")),
            b'X' => (negative, format!("{size:X}")),
            b'o' => (negative, format!("{size:o}")),
            b'b' => (negative, format!("{size:b}")),
            _ => (negative, of_float(size as f64, format)),
        },
        Number::Float(value) => (value.is_sign_negative() && !value.is_nan(), of_float(value.abs(), format)),
    };
    let sign = match (negative, format.sign) {
        (true, _) => "-",
        (false, b'+') => "+",
        (false, b' ') => " ",
        _ => "",
    };
    let digits = if format.group == 0 { digits } else { grouped(&digits, char::from(format.group)) };
    let missing = usize::from(format.width).saturating_sub(sign.len() + digits.len());
    let (before, within, after) = match format.align {
        b'<' => (0, 0, missing),
        b'^' => (missing / 2, 0, missing - missing / 2),
        b'=' => (0, missing, 0),
        _ => (missing, 0, 0),
    };
    let fill = |count| std::iter::repeat_n(char::from(format.fill), count);
    out.extend(fill(before));
    out.push_str(sign);
    out.extend(fill(within));
    out.push_str(&digits);
    out.extend(fill(after));
}

/// Of a number that is not negative.
fn of_float(value: f64, format: Format) -> String {
    let upper = format.letter.is_ascii_uppercase();
    let precision = if format.precision == NONE { 6 } else { usize::from(format.precision) };
    let scaled = if format.letter == b'%' { value * 100.0 } else { value };
    let mut text = if scaled.is_nan() {
        "nan".to_owned()
    } else if scaled.is_infinite() {
        "inf".to_owned()
    } else {
        match format.letter.to_ascii_lowercase() {
            b'e' => power_of_ten(&format!("{scaled:.precision$e}")),
            b'g' => general(scaled, precision.max(1)),
            b'r' => crate::call::written_float(scaled, true),
            _ => format!("{scaled:.precision$}"),
        }
    };
    if upper {
        text.make_ascii_uppercase();
    }
    if format.letter == b'%' {
        text.push('%');
    }
    text
}

/// `1.5e7` as Python writes it: `1.5e+07`.
fn power_of_ten(text: &str) -> String {
    let (digits, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// `g`: so many digits, without zeros at the end.
fn general(value: f64, precision: usize) -> String {
    let text = format!("{value:.*e}", precision - 1);
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let bare = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    match usize::try_from(exponent + 4) {
        Ok(shifted) if shifted < precision + 4 => bare(&format!("{value:.*}", precision + 3 - shifted)),
        _ => power_of_ten(&format!("{}e{exponent}", bare(digits))),
    }
}

/// With a mark between groups of three digits of the whole part.
fn grouped(digits: &str, mark: char) -> String {
    let end = digits.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(digits.len());
    let mut out = String::new();
    for (place, digit) in digits[..end].chars().enumerate() {
        if place > 0 && (end - place) % 3 == 0 {
            out.push(mark);
        }
        out.push(digit);
    }
    out + &digits[end..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn float(value: f64, text: &str) -> String {
        let mut out = String::new();
        write(&mut out, Number::Float(value), pack(text, false).expect(text));
        out
    }

    #[test]
    fn floats_are_formatted_as_python_does() {
        for (value, format, text) in [
            (1.23456, ".3f", "1.235"),
            (0.125, ".2f", "0.12"),
            (2.5, ".0f", "2"),
            (-0.0, ".1f", "-0.0"),
            (-3.5, "8.2f", "   -3.50"),
            (-3.5, "08.2f", "-0003.50"),
            (3.5, "<+8.1f", "+3.5    "),
            (3.5, "*^9.1f", "***3.5***"),
            (1_234_567.891, ",.2f", "1,234,567.89"),
            (12345.678, ".2e", "1.23e+04"),
            (12345.678, "E", "1.234568E+04"),
            (0.00012345, "g", "0.00012345"),
            (0.000012345, ".3g", "1.23e-05"),
            (1e6, "g", "1e+06"),
            (100_000.0, "g", "100000"),
            (0.256, ".1%", "25.6%"),
            (f64::INFINITY, "8.2f", "     inf"),
            (f64::NAN, "F", "NAN"),
            (0.1, "6", "   0.1"),
        ] {
            assert_eq!(float(value, format), text, "{value} {format}");
        }
    }

    #[test]
    fn whole_numbers_too() {
        for (value, format, text) in [
            (5_i64, "03d", "005"),
            (-5, "4", "  -5"),
            (255, "x", "ff"),
            (1_234_567, ",", "1,234,567"),
            (3, ".2f", "3.00"),
            (-7, "<4d", "-7  "),
        ] {
            let mut out = String::new();
            let number = Number::Whole { negative: value < 0, size: value.unsigned_abs() };
            write(&mut out, number, pack(format, true).expect(format));
            assert_eq!(out, text);
        }
    }

    #[test]
    fn what_is_not_compiled_is_told() {
        for (format, whole) in
            [(".3", false), ("#x", true), ("s", true), (".3d", true), ("d", false), ("09,d", true)]
        {
            assert_eq!(pack(format, whole), None, "{format}");
        }
    }
}
