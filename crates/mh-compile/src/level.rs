//! Levels of x86-64: what objects that are compiled ahead of time are made for.

/// What a level is called.
pub const NAMES: [&str; 4] = ["x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4"];

/// The highest level whose code runs here: 1 to 4.
#[must_use]
pub fn here() -> u32 {
    macro_rules! all {
        ($($feature:tt),*) => { $(std::arch::is_x86_feature_detected!($feature))&&* };
    }
    let second = all!("sse3", "ssse3", "sse4.1", "sse4.2", "popcnt", "cmpxchg16b");
    let third = second && all!("avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "lzcnt", "movbe");
    let fourth = third && all!("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl");
    1 + u32::from(second) + u32::from(third) + u32::from(fourth)
}

/// The level of a name.
#[must_use]
pub fn of(name: &str) -> Option<u32> {
    (1..).zip(NAMES).find(|(_, known)| *known == name).map(|(level, _)| level)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_levels() {
        assert_eq!(NAMES.map(of), [Some(1), Some(2), Some(3), Some(4)]);
        assert_eq!(of("x86-64-v5"), None);
        assert!((1..=4).contains(&here()));
    }
}
