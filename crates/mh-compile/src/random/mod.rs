//! The text of the random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011), a function of key and counter, so that the numbers of an
//! iteration depend on nothing but its own number.
//!
//! # State
//!
//! `{ i64 key, i64 index, i64 draw }`, where the code that draws keeps it (an `alloca`; inlined, it vanishes).
//!
//! - The entry: key = `Rt::key`, index = -1, draw = 0.
//! - At each `prange`, nested or not, that draws in its body: `key' = @mh.random.loop(ptr state)` of the state around it, once, before its first
//!   iteration (it takes one number of that state). Each iteration then has a state of its own: (key', the iteration's number counted from
//!   0, 0). A `prange` that is run serially does the same. The state around it goes on behind the loop as if nothing had been drawn in it.
//! - Where blocks are run again (a flag is up), state is as it was before.
//!
//! # Numbers
//!
//! Philox' counter is (index, block), its key the state's. Draw d of an iteration takes the half `d & 1` of block `d >> 1`: two draws in a row
//! share an evaluation when the compiler can see d. `Normal` (Box and Muller's pairs) takes the blocks with the top bit set, loops
//! those with the next one; so no bits are used twice.
//!
//! | draw | numbers taken | method |
//! |---|---|---|
//! | `Unit` | 1 | the upper 53 bits |
//! | `Uniform` | 1 | low + (high - low) u |
//! | `Normal` | 1 | Box and Muller: draw d is the cosine (d even) or the sine of block d >> 1; radius from 64 bits: to 9.4 deviations |
//! | `Exponential` | 1 | -log(v), v in (0, 1] of 64 bits: to 44.3 |
//! | `Integers` | 2 | (high - low) times a fraction of 128 bits: bias below 2^-64 |
//! | `LogNormal`, `Laplace`, `Logistic`, `Gumbel`, `Weibull`, `Pareto`, `Rayleigh`, `Triangular`, `Geometric`, `StandardCauchy` | 1 | inversion (`LogNormal`: of a `Normal`) |
//! | `Gamma`, `ChiSquare`, `StandardT`, `Beta` | several | Marsaglia and Tsang 2000 |
//! | `Poisson`, `Binomial` | 1 or several | inversion below a mean of 10; Hörmann's transformed rejection (1993) above |
//! | `VonMises` | several | Best and Fisher 1979 |
//!
//! # What arguments must satisfy
//!
//! Every function ends and gives some value whatever its arguments are; that they are sound is `Check`'s, which raises `ValueError`:
//! see `requirements`.

mod distributions;
mod rejection;

use std::collections::BTreeSet;

use crate::ir::{Draw, Kind, Math};
use crate::math::Definitions;

/// What an argument must be; else `ValueError` (nan satisfies nothing).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// Nothing is asked of it.
    Any,
    /// x >= 0.
    NotNegative,
    /// x > 0.
    Positive,
    /// 0 <= x <= 1.
    Probability,
    /// 0 < x <= 1.
    PositiveProbability,
    /// 0 <= x <= 9.2e18, so that results are ints.
    Mean,
    /// Greater than the argument before.
    Above,
    /// Not less than the argument before (`Triangular`: and the last is greater than the first).
    NotBelow,
}

/// What the arguments of a distribution must be, in order.
#[must_use]
pub const fn requirements(draw: Draw) -> &'static [Requirement] {
    use Requirement::{Above, Any, Mean, NotBelow, NotNegative, Positive, PositiveProbability, Probability};
    match draw {
        Draw::Unit | Draw::StandardCauchy => &[],
        Draw::Uniform => &[Any, Any],
        Draw::Normal | Draw::LogNormal | Draw::Laplace | Draw::Logistic | Draw::Gumbel => &[Any, NotNegative],
        Draw::Exponential | Draw::Rayleigh | Draw::Weibull => &[NotNegative],
        Draw::Integers => &[Any, Above],
        Draw::Gamma => &[NotNegative, NotNegative],
        Draw::Beta => &[Positive, Positive],
        Draw::Poisson => &[Mean],
        Draw::Binomial => &[NotNegative, Probability],
        Draw::Geometric => &[PositiveProbability],
        Draw::Pareto | Draw::ChiSquare | Draw::StandardT => &[Positive],
        Draw::Triangular => &[Any, NotBelow, NotBelow],
        Draw::VonMises => &[Any, NotNegative],
    }
}

/// Name of a function without its `@`; it takes the state's address, then the distribution's arguments.
#[must_use]
pub fn name(draw: Draw) -> String {
    format!("mh.random.{}", format!("{draw:?}").to_lowercase())
}

/// Functions of `math` that the text calls; the caller wants them of `math::definitions`.
#[must_use]
pub fn needs(wanted: &BTreeSet<Draw>) -> BTreeSet<(Math, Kind)> {
    let mut functions = Vec::new();
    if wanted.iter().any(|&draw| rejection::text(draw).is_some()) {
        functions.extend([Math::Log, Math::Log1p, Math::Exp]);
    }
    if wanted.contains(&Draw::VonMises) {
        functions.extend([Math::Cos, Math::Acos, Math::Remainder]);
    }
    functions.into_iter().map(|function| (function, Kind::F64)).collect()
}

/// The functions of `wanted`, what they are made of, and `@mh.random.loop`.
#[must_use]
pub fn definitions(wanted: &BTreeSet<Draw>) -> Definitions {
    let mut definitions = Definitions { text: GENERATOR.to_owned(), ..Definitions::default() };
    let all = closure(wanted);
    if wanted.iter().any(|&draw| rejection::text(draw).is_some()) {
        definitions.text.push_str(rejection::COMMON);
        definitions.declarations.extend(rejection::DECLARATIONS.iter().map(|&line| line.to_owned()));
    }
    for draw in all {
        match rejection::text(draw) {
            Some(text) => definitions.text.push_str(text),
            None => distributions::define(draw, &mut definitions),
        }
    }
    definitions
}

fn closure(wanted: &BTreeSet<Draw>) -> BTreeSet<Draw> {
    let mut all = wanted.clone();
    if wanted.iter().any(|&draw| rejection::text(draw).is_some()) {
        all.extend([Draw::Unit, Draw::Normal]);
    }
    all
}

/// Philox and what takes numbers from a state.
const GENERATOR: &str = include_str!("philox.ll");
