//! Labels and times.

/// At most so many characters of a label are drawn; the whole of it is shown where the mouse rests.
const LONGEST: usize = 28;

/// Width of a character, in parts of the size of the type. Between the widths of the sans-serif types that are usual.
const NARROW: f64 = 0.34;
const USUAL: f64 = 0.60;
const LARGE: f64 = 0.78;
const FULL: f64 = 1.05;

/// A label in one line, cut to what fits into a box.
pub(crate) fn cut(label: &str) -> String {
    let line: String = label.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    if line.chars().count() <= LONGEST {
        return line;
    }
    let head: String = line.chars().take(LONGEST - 1).collect();
    head + "…"
}

/// How wide a text is at most, where its type is `size` high.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    let of = |char: char| match char {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' | '(' | ')' | '[' | ']' => {
            NARROW
        }
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' | '+' | '=' | '<' | '>' | '~' => 0.95,
        'A'..='Z' | '&' | '#' => LARGE,
        char if (char as u32) < 0x1100 => USUAL,
        _ => FULL,
    };
    text.chars().map(of).sum::<f64>() * size
}

/// Escapes what XML (and HTML) would read as markup; leaves out what may not be in XML at all.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\r' | '\t' => out.push(' '),
            char if char.is_control() || matches!(char, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            char => out.push(char),
        }
    }
    out
}

/// A number with its thousands apart.
pub(crate) fn count(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Seconds as one says them.
pub(crate) fn time(seconds: f64) -> String {
    match seconds {
        s if s < 0.0 || !s.is_finite() => "?".into(),
        0.0 => "0 s".into(),
        s if s < 0.9995e-3 => format!("{} µs", digits(s * 1e6)),
        s if s < 0.9995 => format!("{} ms", digits(s * 1e3)),
        s if s < 119.5 => format!("{} s", digits(s)),
        s if s < 5_970.0 => parts(s, 60.0, "min", "s"),
        s => parts(s / 60.0, 60.0, "h", "min"),
    }
}

fn parts(value: f64, each: f64, large: &str, small: &str) -> String {
    let whole = value.round();
    let (many, rest) = ((whole / each).floor(), whole % each);
    if rest == 0.0 { format!("{many} {large}") } else { format!("{many} {large} {rest} {small}") }
}

/// Three digits, no trailing zeros.
fn digits(value: f64) -> String {
    let text = match value {
        v if v < 9.995 => format!("{v:.2}"),
        v if v < 99.95 => format!("{v:.1}"),
        v => return format!("{v:.0}"),
    };
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
