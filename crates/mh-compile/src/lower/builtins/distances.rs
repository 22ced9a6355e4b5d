//! `math.hypot` and `math.dist` of any number of coordinates.
//!
//! A sum of squares in two doubles (products split by fused multiply-add, sums by Knuth's two-sum) of numbers that are scaled by a power of
//! two where squares would overflow or vanish; its root is corrected by one step of Newton's. Within 1 ulp.

use super::build::{binary, choose, compare, either, real, sure, test, unary};
use super::{Call, refused, type_of, value_error};
use crate::ir::{Binary, Check, Compare, Expr, Math, Scalar, Span, Unary};
use crate::lower::value::{Value, float};
use crate::lower::{Lowerer, Result};

pub fn hypot(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (shown, span) = (call.shown(), call.span);
    let mut coordinates = Vec::new();
    for value in call.all()? {
        coordinates.push(lowerer.real_number(&value, &shown, span)?);
    }
    Ok(Value::Expr(norm(lowerer, coordinates, span)))
}

pub fn dist(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (shown, span) = (call.shown(), call.span);
    let [p, q] = call.exactly()?;
    let (Value::Tuple(p), Value::Tuple(q)) = (&p, &q) else {
        let other = if matches!(p, Value::Tuple(_)) { &q } else { &p };
        let message = format!("math.dist takes two tuples in compiled code, not {}", type_of(other));
        return Err(refused(span, message, "write the loop over the coordinates, or pass tuples"));
    };
    if p.len() != q.len() {
        return Err(value_error(span, "both points must have the same number of dimensions"));
    }
    let mut coordinates = Vec::new();
    for (p, q) in p.iter().zip(q) {
        let p = lowerer.real_number(p, &shown, span)?;
        let q = lowerer.real_number(q, &shown, span)?;
        coordinates.push(binary(Binary::Subtract, p, q));
    }
    Ok(Value::Expr(norm(lowerer, coordinates, span)))
}

fn fma(x: Expr, y: Expr, z: Expr) -> Expr {
    let span = x.span;
    sure(Math::Fma, vec![x, y, z], Scalar::FLOAT, span)
}

fn negated(x: Expr) -> Expr {
    unary(Unary::Negative, x, Check::None)
}

fn norm(lowerer: &mut Lowerer<'_>, coordinates: Vec<Expr>, span: Span) -> Expr {
    let mut sizes: Vec<Expr> =
        coordinates.into_iter().map(|value| unary(Unary::Absolute, value, Check::None)).collect();
    match sizes.len() {
        0 => return float(0.0, span),
        1 => return sizes.remove(0),
        2 => return sure(Math::Hypot, sizes, Scalar::FLOAT, span),
        _ => {}
    }
    let sizes: Vec<Expr> = sizes.into_iter().map(|size| lowerer.keep(size)).collect();
    let most =
        sizes.iter().skip(1).fold(sizes[0].clone(), |most, size| binary(Binary::Max, size.clone(), most));
    let most = lowerer.keep(most);
    let scales = |great: f64, small: f64| {
        let one = real(1.0, &most);
        let low = compare(Compare::Less, most.clone(), float(2f64.powi(-400), span));
        let high = compare(Compare::Greater, most.clone(), float(2f64.powi(400), span));
        choose(high, float(great, span), choose(low, float(small, span), one))
    };
    let (down, up) = (2f64.powi(-700), 2f64.powi(700));
    let scale = lowerer.keep(scales(down, up));
    let unscale = lowerer.keep(scales(up, down));
    let (mut high, mut low) = (None, float(0.0, span));
    for size in &sizes {
        let x = lowerer.keep(binary(Binary::Multiply, size.clone(), scale.clone()));
        let square = lowerer.keep(binary(Binary::Multiply, x.clone(), x.clone()));
        let rest = fma(x.clone(), x, negated(square.clone()));
        let Some(sum) = high else {
            (high, low) = (Some(square), lowerer.keep(rest));
            continue;
        };
        let total = lowerer.keep(binary(Binary::Add, Expr::clone(&sum), square.clone()));
        let part = lowerer.keep(binary(Binary::Subtract, total.clone(), sum.clone()));
        let lost = binary(
            Binary::Add,
            binary(Binary::Subtract, sum, binary(Binary::Subtract, total.clone(), part.clone())),
            binary(Binary::Subtract, square, part),
        );
        low = lowerer.keep(binary(Binary::Add, low, binary(Binary::Add, rest, lost)));
        high = Some(total);
    }
    let high = high.unwrap_or_else(|| float(0.0, span));
    let root = sure(Math::Sqrt, vec![binary(Binary::Add, high.clone(), low.clone())], Scalar::FLOAT, span);
    let root = lowerer.keep(root);
    let residue = binary(Binary::Add, fma(negated(root.clone()), root.clone(), high), low);
    let step = quotient(residue, binary(Binary::Multiply, float(2.0, span), root.clone()));
    let refined = binary(Binary::Add, root.clone(), step);
    let zero = compare(Compare::Equal, root.clone(), float(0.0, span));
    let result = binary(Binary::Multiply, choose(zero, root, refined), unscale);
    // Infinity wins over nan, wherever it stands.
    let infinite = sizes.iter().map(|size| test(Math::IsInf, size.clone(), span)).reduce(either);
    match infinite {
        Some(infinite) => choose(infinite, float(f64::INFINITY, span), result),
        None => result,
    }
}

/// Of floats of which the divisor is not zero, or does not matter.
fn quotient(left: Expr, right: Expr) -> Expr {
    let span = left.span;
    let numpy = Scalar::numpy(crate::ir::Kind::F64);
    let as_numpy = |value: Expr| crate::lower::arithmetic::cast(value, numpy);
    let found = binary(Binary::Divide, as_numpy(left), as_numpy(right));
    let mut found = crate::lower::arithmetic::cast(found, Scalar::FLOAT);
    found.span = span;
    found
}
