//! An array's elements under other lengths: with which strides, where that goes without a copy.

/// The strides, in bytes, with which an array of these lengths and strides is seen under new lengths, whose product is the same, its elements in the
/// order of rows. As NumPy does it: axes are taken together, or apart, in the smallest groups of one product; those taken together must
/// follow each other without gaps. `size`: bytes of an element.
#[must_use]
fn strides_under(lengths: &[i64], strides: &[i64], new: &[i64], size: i64) -> Option<Vec<i64>> {
    let mut found = vec![size; new.len()];
    if lengths.contains(&0) {
        return Some(found);
    }
    // Axes of one element have no say.
    let (lengths, strides): (Vec<i64>, Vec<i64>) =
        lengths.iter().zip(strides).filter(|(length, _)| **length != 1).unzip();
    let (mut first, mut own) = (0, 0);
    while own < new.len() && first < lengths.len() {
        let (mut last, mut own_last) = (first, own);
        let (mut old_product, mut new_product) = (lengths[first], new[own]);
        while old_product != new_product {
            if new_product < old_product {
                own_last += 1;
                new_product = new_product.checked_mul(*new.get(own_last)?)?;
            } else {
                last += 1;
                old_product = old_product.checked_mul(*lengths.get(last)?)?;
            }
        }
        let joined = (first..last).all(|axis| strides[axis] == lengths[axis + 1] * strides[axis + 1]);
        if !joined {
            return None;
        }
        let mut stride = strides[last];
        for axis in (own..=own_last).rev() {
            found[axis] = stride;
            stride *= new[axis];
        }
        (first, own) = (last + 1, own_last + 1);
    }
    // What is left are axes of one element.
    for axis in own..new.len() {
        found[axis] = if own == 0 { size } else { found[own - 1] };
    }
    Some(found)
}

/// `Rt::fold`.
pub(super) unsafe extern "C" fn fold(
    old: *const i64,
    rank: i64,
    size: i64,
    new: *mut i64,
    count: i64,
) -> i32 {
    let (rank, count) = (usize::try_from(rank).unwrap_or(0), usize::try_from(count).unwrap_or(0));
    // SAFETY: kernels give tables of this many lengths and as many strides.
    let (old, new) = unsafe {
        (std::slice::from_raw_parts(old, 2 * rank), std::slice::from_raw_parts_mut(new, 2 * count))
    };
    let (lengths, strides) = old.split_at(rank);
    let (wanted, place) = new.split_at_mut(count);
    match strides_under(lengths, strides, wanted, size) {
        Some(found) => {
            place.copy_from_slice(&found);
            1
        }
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::strides_under;

    #[test]
    fn strides_as_numpy_has_them() {
        for (lengths, strides, new, expected) in [
            (&[4, 6][..], &[48, 8][..], &[24][..], Some(&[8][..])),
            (&[4, 6], &[48, 8], &[2, 2, 3, 2], Some(&[96, 48, 16, 8])),
            (&[4, 6], &[96, 8], &[24], None),
            (&[4, 6], &[96, 8], &[2, 2, 6], Some(&[192, 96, 8])),
            (&[4, 6], &[96, 8], &[4, 1, 3, 2], Some(&[96, 48, 16, 8])),
            (&[6, 4], &[8, 48], &[24], None),
            (&[6, 4], &[8, 48], &[3, 2, 4], Some(&[16, 8, 48])),
            (&[8], &[-16], &[2, 4], Some(&[-64, -16])),
            (&[1, 5, 1], &[0, 16, 3], &[5], Some(&[16])),
            (&[5], &[16], &[5, 1, 1], Some(&[16, 16, 16])),
            (&[1, 1], &[3, 5], &[1], Some(&[8])),
            (&[], &[], &[1, 1], Some(&[8, 8])),
            (&[0, 3], &[24, 8], &[7, 0], Some(&[8, 8])),
            (&[2, 3], &[8, 100], &[3, 2], None),
        ] {
            let found = strides_under(lengths, strides, new, 8);
            assert_eq!(found.as_deref(), expected, "{lengths:?} {strides:?} {new:?}");
        }
    }
}
