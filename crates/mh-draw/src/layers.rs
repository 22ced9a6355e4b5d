//! Which box lies in which row, and in which order: layered drawing after Sugiyama, Tagawa and Toda (1981).
//!
//! A box lies below everything that it needs, in rows of bounded width (Coffman and Graham). An arrow over several rows
//! gets a place of its own in each row that it passes, shared by all arrows from the same box. Rows are then put in order
//! by the mean place of their neighbours above and below in turn, and the order with the fewest crossings is kept.

/// Sweeps over all rows, down and up in turn.
const SWEEPS: usize = 24;

/// Boxes, and the places where arrows pass a row, are *items*: boxes by their number, passages after them.
pub(crate) struct Rows {
    /// From top to bottom, each from left to right.
    pub rows: Vec<Vec<usize>>,
    pub row_of: Vec<usize>,
    /// For each item its neighbours in the row above, and in the row below.
    pub above: Vec<Vec<usize>>,
    pub below: Vec<Vec<usize>>,
    /// For each arrow, from first to last, the items that it goes through: boxes at both ends, passages between.
    pub routes: Vec<Vec<usize>>,
    /// How many boxes there are.
    pub boxes: usize,
}

/// Rows for boxes that need each other (needs first).
pub(crate) fn layered(needs: &[Vec<u32>]) -> Rows {
    let row_of = rows_of(needs);
    let mut found = with_passages(needs, row_of);
    put_in_order(&mut found);
    found
}

fn rows_of(needs: &[Vec<u32>]) -> Vec<usize> {
    let most = ((needs.len() as f64).sqrt() * 2.0).ceil().max(12.0) as usize;
    let mut row_of = vec![0; needs.len()];
    let mut filled: Vec<usize> = Vec::new();
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); needs.len()];
    for (node, needs) in needs.iter().enumerate() {
        let mut row = needs.iter().map(|need| row_of[*need as usize] + 1).max().unwrap_or(0);
        while filled.get(row).is_some_and(|count| *count >= most) {
            row += 1;
        }
        if filled.len() <= row {
            filled.resize(row + 1, 0);
        }
        filled[row] += 1;
        row_of[node] = row;
        needs.iter().for_each(|need| readers[*need as usize].push(node));
    }
    // What is needed late and needs little moves down to where it is needed: shorter arrows.
    for node in (0..needs.len()).rev() {
        let Some(first) = readers[node].iter().map(|reader| row_of[*reader]).min() else { continue };
        if readers[node].len() > needs[node].len() || needs[node].is_empty() {
            let mut row = first - 1;
            while row > row_of[node] && filled[row] >= most {
                row -= 1;
            }
            filled[row_of[node]] -= 1;
            filled[row] += 1;
            row_of[node] = row;
        }
    }
    // Rows that this has emptied are closed up.
    let mut number = vec![0; filled.len()];
    for row in 1..filled.len() {
        number[row] = number[row - 1] + usize::from(filled[row - 1] > 0);
    }
    row_of.iter().map(|row| number[*row]).collect()
}

fn with_passages(needs: &[Vec<u32>], mut row_of: Vec<usize>) -> Rows {
    let boxes = needs.len();
    let count = row_of.iter().max().map_or(0, |row| row + 1);
    let mut rows: Vec<Vec<usize>> = vec![Vec::new(); count];
    (0..boxes).for_each(|node| rows[row_of[node]].push(node));
    let (mut above, mut below) = (vec![Vec::new(); boxes], vec![Vec::new(); boxes]);
    // For each box its passages, from the row below it on.
    let mut passages: Vec<Vec<usize>> = vec![Vec::new(); boxes];
    let mut routes = Vec::new();
    for (node, needs) in needs.iter().enumerate() {
        for need in needs.iter().map(|need| *need as usize) {
            let passing = row_of[node] - row_of[need] - 1;
            while passages[need].len() < passing {
                let item = row_of.len();
                let row = row_of[need] + passages[need].len() + 1;
                row_of.push(row);
                rows[row].push(item);
                let before = passages[need].last().copied().unwrap_or(need);
                above.push(vec![before]);
                below.push(Vec::new());
                below[before].push(item);
                passages[need].push(item);
            }
            let mut route = vec![need];
            route.extend(&passages[need][..passing]);
            let last = route[passing];
            above[node].push(last);
            below[last].push(node);
            route.push(node);
            routes.push(route);
        }
    }
    Rows { rows, row_of, above, below, routes, boxes }
}

fn put_in_order(found: &mut Rows) {
    let Rows { rows, above, below, .. } = found;
    let mut place = vec![0.0; above.len()];
    let settle = |rows: &[Vec<usize>], place: &mut Vec<f64>| {
        for row in rows {
            row.iter().enumerate().for_each(|(at, item)| place[*item] = at as f64);
        }
    };
    settle(rows, &mut place);
    let mut best = rows.clone();
    let mut fewest = crossings(rows, below, &place);
    for sweep in 0..SWEEPS {
        if fewest == 0 {
            break;
        }
        let down = sweep % 2 == 0;
        let order: Vec<usize> =
            if down { (1..rows.len()).collect() } else { (0..rows.len().saturating_sub(1)).rev().collect() };
        for row in order {
            let neighbours = if down { &above } else { &below };
            let mean = |item: &usize| {
                let near = &neighbours[*item];
                if near.is_empty() {
                    return place[*item];
                }
                near.iter().map(|item| place[*item]).sum::<f64>() / near.len() as f64
            };
            let mut keyed: Vec<(f64, usize)> = rows[row].iter().map(|item| (mean(item), *item)).collect();
            if sweep % 4 >= 2 {
                // Of equals the other one first, now and then: it may be the better order.
                keyed.reverse();
            }
            keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
            rows[row] = keyed.into_iter().map(|(_, item)| item).collect();
            rows[row].iter().enumerate().for_each(|(at, item)| place[*item] = at as f64);
        }
        let now = crossings(rows, below, &place);
        if now < fewest {
            fewest = now;
            best.clone_from(rows);
        }
    }
    *rows = best;
}

/// How many pairs of arrows cross between neighbouring rows.
pub(crate) fn crossings(rows: &[Vec<usize>], below: &[Vec<usize>], place: &[f64]) -> usize {
    let mut crossings = 0;
    for (row, next) in rows.iter().zip(rows.iter().skip(1)) {
        // Ends in the lower row, taken from left to right above: each crosses the earlier ones that end right of it.
        let mut tree = vec![0_usize; next.len() + 1];
        let mut seen = 0;
        for item in row {
            let mut ends: Vec<usize> = below[*item].iter().map(|item| place[*item] as usize).collect();
            ends.sort_unstable();
            for end in &ends {
                let (mut at, mut left) = (end + 1, 0);
                while at > 0 {
                    left += tree[at];
                    at &= at - 1;
                }
                crossings += seen - left;
            }
            for end in ends {
                let mut at = end + 1;
                while at < tree.len() {
                    tree[at] += 1;
                    at += at & at.wrapping_neg();
                }
                seen += 1;
            }
        }
    }
    crossings
}
