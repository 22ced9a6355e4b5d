//! Which lines of the source work on vectors: read off the assembly.

use std::collections::BTreeMap;

use super::Vector;

/// By source and line, as the `.loc` directives of `emit_located` have them: the column is the number of the source, from 1.
pub(super) fn vectors(assembly: &str) -> BTreeMap<(u16, u32), Vector> {
    let mut found: BTreeMap<(u16, u32), Vector> = BTreeMap::new();
    let mut place = None;
    for line in assembly.lines() {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix(".loc") {
            place = location(rest);
            continue;
        }
        let (Some(place), Some(vector)) = (place, vector(line)) else { continue };
        let widest = found.entry(place).or_insert(vector);
        *widest = (*widest).max(vector);
    }
    found
}

/// `file line column ...`.
fn location(rest: &str) -> Option<(u16, u32)> {
    let mut words = rest.split_ascii_whitespace().skip(1);
    let line: u32 = words.next()?.parse().ok()?;
    let column: u16 = words.next()?.parse().ok()?;
    (line > 0 && column > 0).then(|| (column - 1, line))
}

/// Work on packed numbers: moves and logic alone show nothing.
const FLOATS: [&str; 14] = [
    "add", "sub", "mul", "div", "sqrt", "max", "min", "cmp", "rndscale", "round", "fmadd", "fmsub", "fnmadd",
    "fnmsub",
];
const INTS: [&str; 14] = [
    "padd", "psub", "pmull", "pmuludq", "pmuldq", "pmax", "pmin", "pcmpgt", "pcmpeq", "psll", "psrl", "psra",
    "psad", "pcmpu",
];

/// What an instruction works on, where that is a vector.
fn vector(instruction: &str) -> Option<Vector> {
    let (name, operands) = instruction.split_once(['\t', ' '])?;
    let plain = name.strip_prefix('v').unwrap_or(name);
    let bits = if operands.contains("%zmm") {
        512
    } else if operands.contains("%ymm") {
        256
    } else if operands.contains("%xmm") {
        128
    } else {
        return None;
    };
    if FLOATS.iter().any(|one| plain.starts_with(one)) {
        let element = match plain.get(plain.len().checked_sub(2)?..)? {
            "pd" => 64,
            "ps" => 32,
            _ => return None,
        };
        return Some(Vector { bits, element, float: true });
    }
    INTS.iter().any(|one| plain.starts_with(one)).then_some(())?;
    let element = match plain.bytes().last()? {
        b'b' => 8,
        b'w' => 16,
        b'd' => 32,
        b'q' => 64,
        _ => return None,
    };
    Some(Vector { bits, element, float: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn float(bits: u32) -> Vector {
        Vector { bits, element: 64, float: true }
    }

    #[test]
    fn packed_arithmetic_belongs_to_the_line_before_it() {
        let assembly = "\t.loc\t1 7 1 prologue_end\n\tvmovupd\t(%rax), %zmm0\n\tvaddsd\t%xmm1, %xmm0, %xmm0\n\t.loc\t1 8 1\n\
                        \tvmulpd\t%ymm1, %ymm0, %ymm0\n\tvaddpd\t%zmm1, %zmm0, %zmm0\n\t.loc\t1 3 2\n\tpaddq\t%xmm1, %xmm0\n";
        let expected = [((0, 8), float(512)), ((1, 3), Vector { bits: 128, element: 64, float: false })];
        assert_eq!(vectors(assembly), BTreeMap::from(expected));
    }

    #[test]
    fn what_has_no_place_belongs_nowhere() {
        assert!(
            vectors("\tvaddpd\t%zmm1, %zmm0, %zmm0\n\t.loc\t1 0 0\n\tvaddpd\t%zmm1, %zmm0, %zmm0\n")
                .is_empty()
        );
        assert!(vectors(".loc\n.loc 1 x 1\nvaddpd\nret\n").is_empty());
    }

    #[test]
    fn elements_are_told_by_their_names() {
        let of = |text| vector(text).map(|vector| (vector.element, vector.float));
        assert_eq!(of("vfmadd213ps\t%ymm0, %ymm1, %ymm2"), Some((32, true)));
        assert_eq!(of("vpcmpgtd\t%zmm0, %zmm1, %k1"), Some((32, false)));
        assert_eq!(of("paddb\t%xmm0, %xmm1"), Some((8, false)));
        assert_eq!(
            (of("vxorpd\t%ymm0, %ymm1, %ymm2"), of("addq\t%rax, %rbx"), of("vaddsd\t%xmm0, %xmm1, %xmm2")),
            (None, None, None)
        );
    }
}
