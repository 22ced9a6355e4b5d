//! Where in its row each item lies.
//!
//! Every item wants to lie at the mean of its neighbours in the row above (then below, then both); the order in the row and
//! the distances are kept. The best places for a row are then a weighted isotonic regression, which pooling neighbours
//! that are in each other's way solves exactly.

use crate::layers::Rows;

const SWEEPS: usize = 16;

/// The middle of each item. `widths`: of each item; `gap`: between two of them.
pub(crate) fn places(rows: &Rows, widths: &[f64], gap: f64) -> Vec<f64> {
    let mut middle = vec![0.0; widths.len()];
    for row in &rows.rows {
        let mut at = 0.0;
        for item in row {
            middle[*item] = at + widths[*item] / 2.0;
            at += widths[*item] + gap;
        }
        // To begin with, rows are centred on each other.
        row.iter().for_each(|item| middle[*item] -= (at - gap) / 2.0);
    }
    for sweep in 0..SWEEPS {
        let (up, down) = match sweep % 3 {
            0 => (true, false),
            1 => (false, true),
            _ => (true, true),
        };
        let count = rows.rows.len();
        for at in 0..count {
            let row = if sweep % 3 == 1 { count - 1 - at } else { at };
            settle(&rows.rows[row], rows, widths, gap, (up, down), &mut middle);
        }
    }
    let left =
        middle.iter().zip(widths).map(|(middle, width)| middle - width / 2.0).fold(f64::INFINITY, f64::min);
    middle.iter_mut().for_each(|middle| *middle -= left);
    middle
}

/// How much an arrow between two items wants to be straight: most where it only passes.
fn weight(rows: &Rows, one: usize, other: usize) -> f64 {
    match (one >= rows.boxes, other >= rows.boxes) {
        (true, true) => 6.0,
        (false, false) => 1.0,
        _ => 2.0,
    }
}

fn settle(
    row: &[usize],
    rows: &Rows,
    widths: &[f64],
    gap: f64,
    (up, down): (bool, bool),
    middle: &mut [f64],
) {
    // Blocks of items that touch: (sum of weights, weighted sum of where they want to be, how many items).
    let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
    let mut offset = 0.0;
    let mut offsets = Vec::with_capacity(row.len());
    for (at, &item) in row.iter().enumerate() {
        if at > 0 {
            offset += (widths[row[at - 1]] + widths[item]) / 2.0 + gap;
        }
        offsets.push(offset);
        let (mut total, mut wanted) = (0.0, 0.0);
        let near = rows.above[item].iter().filter(|_| up).chain(rows.below[item].iter().filter(|_| down));
        for other in near {
            let weight = weight(rows, item, *other);
            total += weight;
            wanted += weight * middle[*other];
        }
        // Who has no neighbours there stays, but is pushed easily.
        if total == 0.0 {
            (total, wanted) = (0.01, 0.01 * middle[item]);
        }
        blocks.push((total, wanted - total * offset, 1));
        while let [.., one, other] = blocks[..] {
            if one.1 / one.0 <= other.1 / other.0 {
                break;
            }
            blocks.truncate(blocks.len() - 2);
            blocks.push((one.0 + other.0, one.1 + other.1, one.2 + other.2));
        }
    }
    let mut at = 0;
    for (total, wanted, count) in blocks {
        for _ in 0..count {
            middle[row[at]] = wanted / total + offsets[at];
            at += 1;
        }
    }
}
