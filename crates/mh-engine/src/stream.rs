//! Where an item's random numbers start: 256 bits that depend on (seed, index) and on nothing else.
//!
//! So an item draws the same numbers on whichever worker it runs, however often, whatever ran there before. The
//! bits come from Threefry4x64-20 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011),
//! a bijection of a 256-bit counter under a 256-bit key that passes TestU01's BigCrush for any key.
//!
//! The seed, of any length, becomes the key by the Matyas-Meyer-Oseas chain that Skein uses with the same cipher: each
//! group of four words, the last one filled with zeros, is encrypted under the key so far and added to the result by
//! exclusive or; the chain starts from the number of words, so that `[1]` and `[1, 0]` differ. The index is the
//! counter. Two items of one seed therefore never start from the same bits.

/// What skews the key schedule (from Skein 1.3).
const PARITY: u64 = 0x1BD1_1BDA_A9FC_1A22;

/// Rotations of the two pairs of words, for eight rounds in turn (Threefish-256's).
const ROTATIONS: [[u32; 2]; 8] =
    [[14, 16], [52, 57], [23, 40], [5, 37], [25, 33], [46, 12], [58, 22], [32, 32]];

/// The 256 bits from which the streams of item `index` start.
pub fn stream(seed: &[u64], index: u64) -> [u64; 4] {
    threefry(key(seed), [index, 0, 0, 0])
}

/// The seed's words, however many, made into one key.
fn key(seed: &[u64]) -> [u64; 4] {
    let mut key = [seed.len() as u64, 0, 0, 0];
    for group in seed.chunks(4) {
        let mut block = [0; 4];
        block[..group.len()].copy_from_slice(group);
        let cipher = threefry(key, block);
        key = std::array::from_fn(|i| cipher[i] ^ block[i]);
    }
    key
}

/// Threefry4x64 with 20 rounds.
fn threefry(key: [u64; 4], counter: [u64; 4]) -> [u64; 4] {
    let schedule = [key[0], key[1], key[2], key[3], PARITY ^ key[0] ^ key[1] ^ key[2] ^ key[3]];
    let mut x: [u64; 4] = std::array::from_fn(|i| counter[i].wrapping_add(key[i]));
    for round in 0..20 {
        let [left, right] = ROTATIONS[round % 8];
        // Even rounds mix words (0, 1) and (2, 3), odd rounds (0, 3) and (2, 1).
        let (a, b) = if round % 2 == 0 { (1, 3) } else { (3, 1) };
        x[0] = x[0].wrapping_add(x[a]);
        x[a] = x[a].rotate_left(left) ^ x[0];
        x[2] = x[2].wrapping_add(x[b]);
        x[b] = x[b].rotate_left(right) ^ x[2];
        if round % 4 == 3 {
            let turn = round / 4 + 1;
            for (i, word) in x.iter_mut().enumerate() {
                *word = word.wrapping_add(schedule[(turn + i) % 5]);
            }
            x[3] = x[3].wrapping_add(turn as u64);
        }
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threefry_gives_the_published_vectors() {
        // From `kat_vectors` of the Random123 library, its authors' own.
        assert_eq!(
            threefry([0; 4], [0; 4]),
            [0x09218ebde6c85537, 0x55941f5266d86105, 0x4bd25e16282434dc, 0xee29ec846bd2e40b]
        );
        assert_eq!(
            threefry([u64::MAX; 4], [u64::MAX; 4]),
            [0x29c24097942bba1b, 0x0371bbfb0f6f4e11, 0x3c231ffa33f83a1c, 0xcd29113fde32d168]
        );
        assert_eq!(
            threefry(
                [0x452821e638d01377, 0xbe5466cf34e90c6c, 0xbe5466cf34e90c6c, 0xc0ac29b7c97c50dd],
                [0x243f6a8885a308d3, 0x13198a2e03707344, 0xa4093822299f31d0, 0x082efa98ec4e6c89]
            ),
            [0xa7e8fde591651bd9, 0xbaafd0c30138319b, 0x84a5c1a729e685b9, 0x901d406ccebc1ba4]
        );
    }

    #[test]
    fn seeds_that_differ_only_in_zeros_differ() {
        let seeds: [&[u64]; 6] = [&[], &[0], &[0, 0], &[0, 0, 0, 0], &[0, 0, 0, 0, 0], &[1]];
        for (i, a) in seeds.iter().enumerate() {
            for b in &seeds[..i] {
                assert_ne!(stream(a, 7), stream(b, 7), "{a:?} and {b:?}");
            }
        }
    }

    #[test]
    fn every_word_of_a_long_seed_counts() {
        let seed: Vec<u64> = (0..11).collect();
        for word in 0..seed.len() {
            let mut other = seed.clone();
            other[word] ^= 1 << 63;
            assert_ne!(stream(&seed, 0), stream(&other, 0), "word {word}");
        }
    }

    #[test]
    fn one_bit_of_the_index_changes_half_of_the_bits() {
        let mut changed = 0;
        for bit in 0..64 {
            let (a, b) = (stream(&[42], 0), stream(&[42], 1 << bit));
            changed += a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum::<u32>();
        }
        // 64 * 256 bits, half expected; five standard deviations are 320.
        assert!(changed.abs_diff(64 * 128) < 320, "{changed}");
    }
}
