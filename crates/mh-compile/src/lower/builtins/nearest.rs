//! Names that are like one that is not known.

use super::{Call, Handler, refused, shown};
use crate::lower::Stop;

/// A function that no table has.
pub fn unknown(call: &Call<'_>, names: impl Iterator<Item = &'static str>) -> Stop {
    let module = call.name.rsplit_once('.').map_or("", |(module, _)| module);
    let mut near: Vec<(usize, &str)> = names
        .map(|name| (distance(call.short(), name), name))
        .filter(|(distance, _)| *distance <= 3)
        .collect();
    near.sort_unstable();
    near.dedup();
    let near: Vec<String> = near.iter().take(3).map(|(_, name)| shown(&format!("{module}.{name}"))).collect();
    let advice = if near.is_empty() {
        "call it outside of the compiled function and pass what it gives, or write it as a loop".to_owned()
    } else {
        format!("what is compiled and named alike: {}", near.join(", "))
    };
    refused(call.span, format!("{} is not compiled", call.shown()), advice)
}

pub fn names(table: &'static [(&'static str, Handler)]) -> impl Iterator<Item = &'static str> {
    table.iter().map(|(name, _)| *name)
}

/// How alike: edits, fewer where one begins with the other.
fn distance(a: &str, b: &str) -> usize {
    if a == b {
        return 0;
    }
    if a.len() > 2 && b.len() > 2 && (a.starts_with(b) || b.starts_with(a)) {
        return 1;
    }
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    let edits = row[b.len()];
    // Half of a short name changed is another name.
    if 2 * edits > a.len() { usize::MAX } else { edits }
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn likeness() {
        assert_eq!(distance("sqrt", "sqrt"), 0);
        assert_eq!(distance("sqr", "sqrt"), 1);
        assert_eq!(distance("arcsinus", "arcsin"), 1);
        assert_eq!(distance("flor", "floor"), 1);
        assert_eq!(distance("dot", "sin"), usize::MAX);
    }
}
