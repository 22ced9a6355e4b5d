//! Whole numbers of `math`: gcd, lcm, isqrt, factorial, comb, perm. What does not fit into 64 bits raises OverflowError, and nothing else
//! does: no step on the way is greater than what comes out.

use super::build::{binary, both, checked, choose, compare, either, number, sure, unary};
use super::{Call, refused};
use crate::ir::{Binary, Check, Compare, Expr, Math, Scalar, Span, Unary};
use crate::lower::value::{Value, int};
use crate::lower::{Lowerer, Result};

fn is(value: &Expr, wanted: i64) -> Expr {
    compare(Compare::Equal, value.clone(), number(wanted, value))
}

fn negative(value: &Expr) -> Expr {
    compare(Compare::Less, value.clone(), number(0, value))
}

/// `left op right` of ints, raising where it does not fit.
fn ints(op: Binary, left: Expr, right: Expr) -> Expr {
    checked(op, left, right, Check::Branch)
}

/// Evaluated arguments, as ints.
fn arguments(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Vec<Expr>> {
    let span = call.span;
    let values = call.all()?;
    let mut found = Vec::new();
    for value in values {
        let value = lowerer.index(&value, span)?;
        found.push(lowerer.spill(value));
    }
    Ok(found)
}

fn fold(
    lowerer: &mut Lowerer<'_>,
    call: Call<'_>,
    empty: i64,
    mut step: impl FnMut(&mut Lowerer<'_>, Expr, Expr) -> Expr,
) -> Result<Value> {
    let span = call.span;
    let mut values = arguments(lowerer, call)?.into_iter();
    let Some(first) = values.next() else { return Ok(Value::int(empty, span)) };
    let mut result = first;
    let mut alone = true;
    for value in values {
        let left = lowerer.spill(result);
        result = step(lowerer, left, value);
        alone = false;
    }
    Ok(Value::Expr(if alone { unary(Unary::Absolute, result, Check::Branch) } else { result }))
}

fn gcd_of(left: Expr, right: Expr, span: Span) -> Expr {
    let mut found = sure(Math::Gcd, vec![left, right], Scalar::INT, span);
    if let crate::ir::ExprKind::Math { check, .. } = &mut *found.kind {
        // That of the least int with itself or 0 does not fit.
        *check = Check::Branch;
    }
    found
}

pub fn gcd(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    fold(lowerer, call, 0, |_, left, right| gcd_of(left, right, span))
}

pub fn lcm(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    fold(lowerer, call, 1, |lowerer, left, right| {
        let common = lowerer.keep(gcd_of(left.clone(), right.clone(), span));
        let none = either(is(&left, 0), is(&right, 0));
        let product = ints(Binary::Multiply, ints(Binary::FloorDivide, left, common), right);
        choose(none, int(0, span), unary(Unary::Absolute, product, Check::Branch))
    })
}

/// The float's root, set right: it is off by one at most.
pub fn isqrt(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    /// Root of the greatest int.
    const MOST: i64 = 3_037_000_499;
    let span = call.span;
    let value = call.one()?;
    let n = lowerer.index(&value, span)?;
    let n = lowerer.spill(n);
    lowerer.raise_if(negative(&n), "ValueError", "isqrt() argument must be nonnegative", Vec::new(), span);
    let real = lowerer.cast(n.clone(), Scalar::FLOAT);
    let root = lowerer.cast(sure(Math::Sqrt, vec![real], Scalar::FLOAT, span), Scalar::INT);
    let root = lowerer.keep(binary(Binary::Min, root, int(MOST, span)));
    let square = |root: &Expr| binary(Binary::Multiply, root.clone(), root.clone());
    let above = compare(Compare::Greater, square(&root), n.clone());
    let root = lowerer.keep(choose(above, binary(Binary::Subtract, root.clone(), int(1, span)), root));
    let next = lowerer.keep(binary(Binary::Add, root.clone(), int(1, span)));
    let room = compare(Compare::LessEqual, next.clone(), int(MOST, span));
    let fits = both(room, compare(Compare::LessEqual, square(&next), n));
    Ok(Value::Expr(choose(fits, next, root)))
}

/// The product of `first`, `first - 1`, ...: `count` numbers.
fn falling(lowerer: &mut Lowerer<'_>, first: &Expr, count: Expr, span: Span) -> Result<Value> {
    let result = lowerer.changing(int(1, span));
    lowerer.each(count, span, |lowerer, i| {
        let factor = binary(Binary::Subtract, first.clone(), i);
        lowerer.reassign(&result, ints(Binary::Multiply, result.clone(), factor));
        Ok(())
    })?;
    Ok(Value::Expr(result))
}

pub fn factorial(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let value = call.one()?;
    let n = lowerer.index(&value, span)?;
    let n = lowerer.spill(n);
    factorial_of(lowerer, &n, "factorial() not defined for negative values", span)
}

fn factorial_of(lowerer: &mut Lowerer<'_>, n: &Expr, negative_text: &str, span: Span) -> Result<Value> {
    lowerer.raise_if(negative(n), "ValueError", negative_text, Vec::new(), span);
    // From below: 21! is past 64 bits, so that no more than 21 steps are taken.
    let result = lowerer.changing(int(1, span));
    lowerer.each(n.clone(), span, |lowerer, i| {
        let factor = binary(Binary::Add, i, int(1, span));
        lowerer.reassign(&result, ints(Binary::Multiply, result.clone(), factor));
        Ok(())
    })?;
    Ok(Value::Expr(result))
}

fn refuse_negative(lowerer: &mut Lowerer<'_>, n: &Expr, k: &Expr, span: Span) {
    lowerer.raise_if(negative(n), "ValueError", "n must be a non-negative integer", Vec::new(), span);
    lowerer.raise_if(negative(k), "ValueError", "k must be a non-negative integer", Vec::new(), span);
}

pub fn perm(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let mut values = call.bind(&["/n", "/k"], 1)?.into_iter();
    let n = values.next().flatten().unwrap_or(Value::None);
    let n = lowerer.index(&n, span)?;
    let n = lowerer.spill(n);
    let k = match values.next().flatten() {
        None | Some(Value::None) => {
            return factorial_of(lowerer, &n, "n must be a non-negative integer", span);
        }
        Some(k) => lowerer.index(&k, span)?,
    };
    let k = lowerer.spill(k);
    refuse_negative(lowerer, &n, &k, span);
    // With k past n the product meets 0 or does not fit before; Python's answer is 0.
    let none = compare(Compare::Greater, k.clone(), n.clone());
    let none = lowerer.keep(none);
    let count = choose(none.clone(), int(0, span), k);
    match falling(lowerer, &n, count, span)? {
        Value::Expr(product) => Ok(Value::Expr(choose(none, int(0, span), product))),
        other => Ok(other),
    }
}

/// `C(n, i + 1)` from `C(n, i)`, divided before it is multiplied.
pub fn comb(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (span, shown) = (call.span, call.shown());
    let [n, k]: [Expr; 2] = arguments(lowerer, call)?
        .try_into()
        .map_err(|_| refused(span, format!("{shown}() takes two numbers"), "pass n and k"))?;
    refuse_negative(lowerer, &n, &k, span);
    let none = lowerer.keep(compare(Compare::Greater, k.clone(), n.clone()));
    let rest = binary(Binary::Subtract, n.clone(), k.clone());
    let count = choose(none.clone(), int(0, span), binary(Binary::Min, k, rest));
    let count = lowerer.keep(count);
    let result = lowerer.changing(int(1, span));
    lowerer.each(count, span, |lowerer, i| {
        let divisor = lowerer.keep(binary(Binary::Add, i.clone(), int(1, span)));
        let common = lowerer.keep(sure(Math::Gcd, vec![result.clone(), divisor.clone()], Scalar::INT, span));
        let left = binary(Binary::FloorDivide, result.clone(), common.clone());
        let divisor = binary(Binary::FloorDivide, divisor, common);
        let right = binary(Binary::FloorDivide, binary(Binary::Subtract, n.clone(), i), divisor);
        lowerer.reassign(&result, ints(Binary::Multiply, left, right));
        Ok(())
    })?;
    Ok(Value::Expr(choose(none, int(0, span), result)))
}
