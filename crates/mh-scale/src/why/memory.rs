//! Is it the memory? A function is run beside threads that compute in registers, and beside as many that stream through memory: what
//! the second slows it more than the first tells how much of its time it needs the memory for. With the machine's roof, how long
//! several of it then wait for each other is worked out as for machines and a repairman: customers (the copies) who think (compute)
//! and queue at one station (the memory) that serves so many at once.

use crate::timing::{Ratio, Summary, TimingError};

/// Where streams get in each other's way by less than this, memory is no limit.
const CROWDED: f64 = 1.05;

/// What the memory gives to several threads that stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Roof {
    /// (Number of threads, bytes per second of all of them), in rising order, beginning with one thread.
    rates: Vec<(u32, f64)>,
}

impl Roof {
    /// `None` where one thread is not the first, or a rate is none.
    pub fn of(rates: &[(u32, f64)]) -> Option<Self> {
        let rising = rates.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let whole = rates.iter().all(|(_, rate)| rate.is_finite() && *rate > 0.0);
        (rates.first()?.0 == 1 && rising && whole).then(|| Self { rates: rates.to_vec() })
    }

    pub fn rates(&self) -> &[(u32, f64)] {
        &self.rates
    }

    /// As many times the rate of one thread do so many get together; between numbers that were measured by a straight line.
    fn worth(&self, threads: u32) -> f64 {
        let above = self.rates.partition_point(|(number, _)| *number < threads);
        let rate = match (self.rates.get(above.wrapping_sub(1)), self.rates.get(above)) {
            (Some((low, slow)), Some((high, fast))) => {
                slow + (fast - slow) * f64::from(threads - low) / f64::from(high - low)
            }
            (None, Some((_, rate))) | (Some((_, rate)), None) => *rate,
            (None, None) => 1.0,
        };
        rate / self.rates[0].1
    }
}

/// A value, and what 95% of such intervals hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

/// What a function needs of the memory, where that surely limits several of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Memory {
    pub roof: Roof,
    /// The share of its time in which it needs the memory; above 1 it moves more than a thread that does nothing else.
    pub needs: Estimate,
    /// With so many workers it takes longer by so much of its time alone.
    pub longer: Estimate,
}

impl Memory {
    /// From times of the function beside `workers - 1` threads that compute, and beside as many that stream. `None` where the
    /// intervals do not tell these apart, or the memory gives so many threads what it gives to each alone.
    pub fn of(
        roof: &Roof,
        workers: u32,
        computing: &[f64],
        streaming: &[f64],
    ) -> Result<Option<Self>, TimingError> {
        let slowed = Ratio::of(&Summary::of(streaming)?, &Summary::of(computing)?)?;
        let crowd = f64::from(workers) / roof.worth(workers);
        if !slowed.is_sure() || !slowed.is_more() || crowd < CROWDED || workers < 2 {
            return Ok(None);
        }
        // While it needs the memory it is one of `workers` that do, and gets what each of them gets.
        let needs = |slowed: f64| (slowed - 1.0) / (crowd - 1.0);
        let needs = Estimate {
            value: needs(slowed.value),
            low: needs(slowed.interval.low),
            high: needs(slowed.interval.high),
        };
        let longer = |needs: f64| (copies(needs, workers, roof) - 1.0).max(0.0);
        let longer =
            Estimate { value: longer(needs.value), low: longer(needs.low), high: longer(needs.high) };
        Ok(Some(Self { roof: roof.clone(), needs, longer }))
    }
}

/// So many times as long as alone does each of several copies take that need the memory for this share of their time: the closed
/// queueing network of a delay and a station whose rate depends on who is there, in product form (Lavenberg, Computer Performance
/// Modeling Handbook, 3.5). It holds for any distribution of both times where the station serves all at once.
fn copies(needs: f64, workers: u32, roof: &Roof) -> f64 {
    let n = f64::from(workers);
    if needs >= 1.0 {
        return n * needs / roof.worth(workers);
    }
    // The logarithm of how likely it is that so many are at the memory, up to a common factor.
    let mut likely = vec![0.0_f64];
    for there in 1..=workers {
        let step = f64::from(workers - there + 1) * needs / (roof.worth(there) * (1.0 - needs));
        likely.push(likely[likely.len() - 1] + step.ln());
    }
    let most = likely.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let (mut sum, mut served) = (0.0, 0.0);
    for (there, logarithm) in (0..).zip(likely) {
        let share = (logarithm - most).exp();
        sum += share;
        served += share * if there == 0 { 0.0 } else { roof.worth(there) };
    }
    // Each needs so much service for a second's work.
    n * needs * sum / served
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]
mod tests {
    use super::*;

    fn roof(worth: f64) -> Roof {
        let rates: Vec<(u32, f64)> = [1, 2, 4, 8, 16].map(|n| (n, 1e10 * f64::from(n).min(worth))).into();
        Roof::of(&rates).unwrap()
    }

    #[test]
    fn copies_of_a_stream_share_the_roof_and_a_few_short_looks_cost_little() {
        assert!((copies(1.0, 8, &roof(2.0)) - 4.0).abs() < 1e-12);
        assert!((copies(1.0 - 1e-9, 8, &roof(2.0)) - 4.0).abs() < 1e-6);
        // Far below the roof nobody waits, far above it all that is moved decides.
        assert!((copies(0.1, 4, &roof(4.0)) - 1.0).abs() < 1e-9);
        assert!((copies(0.5, 16, &roof(1.0)) - 8.0).abs() < 0.01);
        // Two who need one server half of the time, memoryless: 1 + 1/4 of a unit each.
        let two = copies(0.5, 2, &roof(1.0));
        assert!((two - 1.25).abs() < 1e-9, "{two}");
    }

    #[test]
    fn roofs_are_read_between_what_was_measured() {
        let found = Roof::of(&[(1, 10.0), (2, 16.0), (4, 20.0)]).unwrap();
        assert_eq!([1, 2, 3, 4, 9].map(|n| found.worth(n)), [1.0, 1.6, 1.8, 2.0, 2.0]);
        for wrong in [&[][..], &[(2, 1.0)], &[(1, 1.0), (1, 2.0)], &[(1, 0.0)], &[(1, f64::NAN)]] {
            assert_eq!(Roof::of(wrong), None);
        }
    }

    #[test]
    fn nothing_is_named_without_a_sure_difference_or_a_roof() {
        let near = [1.0, 1.01, 0.99, 1.02, 0.98, 1.0];
        let far = near.map(|seconds| 1.8 * seconds);
        let found = |roof: &Roof, workers, streaming: &[f64]| {
            Memory::of(roof, workers, &near, streaming).unwrap().map(|memory| memory.needs.value)
        };
        assert!((found(&roof(1.0), 2, &far).unwrap() - 0.8).abs() < 1e-9);
        assert_eq!(found(&roof(1.0), 2, &near), None);
        assert_eq!(found(&roof(2.0), 2, &far), None, "two streams are as fast as one");
        assert_eq!(found(&roof(1.0), 2, &far[..5]), None, "five times are too few to be sure");
        assert_eq!(Memory::of(&roof(1.0), 2, &near, &[]), Err(TimingError::None));
    }
}
