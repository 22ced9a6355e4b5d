//! erf and erfc: a polynomial up to 1 (1/2), beyond e^(-x^2) with the square as a pair times a polynomial in (x - c) / (x + c), after
//! Shepherd and Laframboise (1981).

use super::build::{Float, Pair};
use super::coefficients::{ERF, ERF_LOW, ERFC, ERFC_CENTRE, ERFC_LOW};
use super::exp::{exponential, reduce, scale};

/// erf(x) - x, |x| <= 1.
fn beyond(x: Float<'_>) -> Float<'_> {
    x.fma(ERF_LOW, x * (x * x).polynomial(&ERF))
}

/// erfc(x) = pair times 2^k, x in 0.45..=27.5.
fn complement(x: Float<'_>) -> (Pair<'_>, Float<'_>) {
    let t = (x - ERFC_CENTRE) / (x + ERFC_CENTRE);
    let tail = t.fma(t.polynomial(&ERFC[1..]), ERFC_LOW);
    let value = x.body().constant(ERFC[0]).ordered_sum(tail);
    let below = (x + x).exact_sum(1.0);
    let square = x.exact_product(x);
    let reduced = reduce(-square.high);
    let power = exponential(reduced.r.high.ordered_sum(reduced.r.low - square.low));
    (value.divide(below).multiply(power), reduced.k)
}

pub fn erf(x: Float<'_>) -> Float<'_> {
    let a = x.abs();
    let near = a.lt(1.0);
    // At 6 it is 1.
    let far = a.gt(6.0).pick(6.0, a);
    let (pair, k) = complement(near.pick(1.0, far));
    let rest = scale(pair.sum(), k);
    let small = near.pick(a, 0.0);
    let value = near.pick(small + beyond(small), 1.0 - rest).copysign(x);
    x.is_nan().pick(x, value)
}

pub fn erfc(x: Float<'_>) -> Float<'_> {
    let a = x.abs();
    let near = a.lt(0.5);
    let far = a.gt(27.5).pick(27.5, a);
    let (pair, k) = complement(near.pick(1.0, far));
    let tail = scale(pair.sum(), k);
    let tail = x.lt(0.0).pick(2.0 - tail, tail);
    let small = near.pick(x, 0.0);
    let sum = x.body().constant(1.0).ordered_sum(-small);
    let middle = sum.high + (sum.low - beyond(small));
    x.is_nan().pick(x, near.pick(middle, tail))
}
