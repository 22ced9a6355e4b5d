//! `round`, `math.floor` and its kin, `math.modf`, `math.frexp`.

use super::build::{binary, both, choose, compare, either, real, sure, test, unary};
use super::{Call, refused, type_error, type_of};
use crate::ir::{Binary, Check, Compare, Expr, Flavour, Kind, Math, Scalar, Span, Unary};
use crate::lower::value::{Value, constant_int, float, int};
use crate::lower::{Lowerer, Result};

/// `math.floor`, `math.ceil`, `math.trunc`: ints.
pub fn to_int(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let function = match call.short() {
        "floor" => Math::Floor,
        "ceil" => Math::Ceil,
        _ => Math::Trunc,
    };
    let (shown, span) = (call.shown(), call.span);
    let value = call.one()?;
    if let (Value::Expr(expr), Some(Scalar { kind: Kind::I64 | Kind::Bool, flavour: Flavour::Python })) =
        (&value, value.scalar())
    {
        return Ok(Value::Expr(lowerer.cast(expr.clone(), Scalar::INT)));
    }
    if function == Math::Trunc
        && value.scalar().is_some_and(|scalar| scalar.flavour == Flavour::NumPy && scalar.kind != Kind::F64)
    {
        return Err(type_error(span, format!("type {} doesn't define __trunc__ method", type_of(&value))));
    }
    let value = lowerer.real_number(&value, &shown, span)?;
    let whole = sure(function, vec![value], Scalar::FLOAT, span);
    Ok(Value::Expr(lowerer.cast(whole, Scalar::INT)))
}

/// The part behind the point, and the part before it: both floats with the sign of the number.
pub fn modf(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (shown, span) = (call.shown(), call.span);
    let value = call.one()?;
    let x = lowerer.real_number(&value, &shown, span)?;
    let x = lowerer.keep(x);
    let whole = lowerer.keep(sure(Math::Trunc, vec![x.clone()], Scalar::FLOAT, span));
    let rest = choose(
        test(Math::IsInf, x.clone(), span),
        real(0.0, &x),
        binary(Binary::Subtract, x.clone(), whole.clone()),
    );
    let rest = sure(Math::CopySign, vec![rest, x], Scalar::FLOAT, span);
    Ok(Value::Tuple(vec![Value::Expr(rest), Value::Expr(whole)]))
}

/// Mantissa in [0.5, 1) and exponent: the exponent is found by halving, each step multiplies by a power of two, exactly.
pub fn frexp(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (shown, span) = (call.shown(), call.span);
    let value = call.one()?;
    let x = lowerer.real_number(&value, &shown, span)?;
    let x = lowerer.keep(x);
    let plain =
        both(test(Math::IsFinite, x.clone(), span), compare(Compare::NotEqual, x.clone(), real(0.0, &x)));
    let plain = lowerer.keep(plain);
    let size = unary(Unary::Absolute, x.clone(), Check::None);
    let mut m = lowerer.keep(choose(plain.clone(), size, real(0.5, &x)));
    let mut e = int(0, span);
    // Up to [0.5, 1) where it is below 1, then down.
    let up = [512, 512, 256, 128, 64, 32, 16, 8, 4, 2, 1].map(|power| (Compare::Less, -power, -power));
    let down =
        [512, 256, 128, 64, 32, 16, 8, 4, 2, 1, 1].map(|power| (Compare::GreaterEqual, power, power - 1));
    for (op, power, bound) in up.into_iter().chain(down) {
        let apply = lowerer.keep(compare(op, m.clone(), float(2f64.powi(bound), span)));
        let scaled = binary(Binary::Multiply, m.clone(), float(2f64.powi(-power), span));
        m = lowerer.keep(choose(apply.clone(), scaled, m));
        let moved = binary(Binary::Add, e.clone(), int(i64::from(power), span));
        e = lowerer.keep(choose(apply, moved, e));
    }
    let mantissa = sure(Math::CopySign, vec![m, x.clone()], Scalar::FLOAT, span);
    let parts = [choose(plain.clone(), mantissa, x), choose(plain, e, int(0, span))];
    Ok(Value::Tuple(parts.into_iter().map(Value::Expr).collect()))
}

/// The builtin `round`.
pub fn round(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (shown, span) = (call.shown(), call.span);
    let mut values = call.bind(&["number", "ndigits"], 1)?.into_iter();
    let value = values.next().flatten().unwrap_or(Value::None);
    let digits = values.next().flatten().filter(|value| !matches!(value, Value::None));
    let (x, scalar) = lowerer.scalar(&value, &shown, span)?;
    if scalar.kind.is_complex() {
        return Err(type_error(span, format!("type {} doesn't define __round__ method", type_of(&value))));
    }
    let Some(digits) = digits else {
        if !scalar.kind.is_float() {
            return Ok(Value::Expr(lowerer.cast(x, Scalar::INT)));
        }
        let whole = sure(Math::RoundEven, vec![x], scalar, span);
        return Ok(Value::Expr(lowerer.cast(whole, Scalar::INT)));
    };
    let digits = lowerer.index(&digits, span)?;
    let Some(digits) = constant_int(&digits) else {
        return Err(refused(
            span,
            "round(x, n) needs a constant n",
            "write the number of digits out: round(x, 2)",
        ));
    };
    match (scalar.kind, scalar.flavour) {
        (Kind::F64, Flavour::NumPy) => Ok(Value::Expr(decimals(x, digits, span)?)),
        (Kind::F64, Flavour::Python) => Ok(Value::Expr(to_digits(lowerer, x, digits, span)?)),
        (kind, _) if !kind.is_float() && digits >= 0 => {
            let scalar = if scalar == Scalar::BOOL { Scalar::INT } else { scalar };
            Ok(Value::Expr(lowerer.cast(x, scalar)))
        }
        _ => Err(refused(
            span,
            format!("round({}, {digits}) is not compiled", type_of(&value)),
            "convert to a float first: round(float(x), 2)",
        )),
    }
}

/// `np.round(x, decimals)`: by a power of ten, to the nearest, and back.
pub fn decimals(x: Expr, digits: i128, span: Span) -> Result<Expr> {
    let scalar = x.ty.scalar().unwrap_or(Scalar::FLOAT);
    if !(-22..=22).contains(&digits) || !scalar.kind.is_float() {
        return Err(refused(
            span,
            format!(
                "rounding {} to {digits} decimals is not compiled",
                crate::lower::types::scalar_name(scalar)
            ),
            "round floats to -22 to 22 decimals",
        ));
    }
    if digits == 0 {
        return Ok(sure(Math::RoundEven, vec![x], scalar, span));
    }
    let power = real(10f64.powi(i32::try_from(digits.abs()).unwrap_or(0)), &x);
    let (there, back) =
        if digits > 0 { (Binary::Multiply, Binary::Divide) } else { (Binary::Divide, Binary::Multiply) };
    let whole = sure(Math::RoundEven, vec![binary(there, x, power.clone())], scalar, span);
    Ok(binary(back, whole, power))
}

/// `round(x, n)` of a Python float: the exact value of `x` to the nearest multiple of 10^-n, halves to even; and the float nearest to that.
///
/// The product `x * 10^n` is held in two doubles. Where it is below 2^52, its rounding is a whole number that a double holds, and one division
/// gives the answer. Up to 2^54 the rounding is the upper double and a small whole number, and the quotient is corrected by its
/// residue (right for n <= 14: no quotient is so near to a half between two floats). Past that `x` has fewer digits than asked for.
fn to_digits(lowerer: &mut Lowerer<'_>, x: Expr, digits: i128, span: Span) -> Result<Expr> {
    if !(-15..=14).contains(&digits) {
        return Err(refused(
            span,
            format!("round(x, {digits}) is not compiled"),
            "round to -15 to 14 digits",
        ));
    }
    // NumPy's flavour within: nothing here raises.
    let numpy = Scalar::numpy(Kind::F64);
    let x = lowerer.cast(x, numpy);
    let x = lowerer.keep(x);
    let size = lowerer.keep(unary(Unary::Absolute, x.clone(), Check::None));
    let power = real(10f64.powi(i32::try_from(digits.abs()).unwrap_or(0)), &x);
    let fma = |a: Expr, b: Expr, c: Expr| sure(Math::Fma, vec![a, b, c], numpy, span);
    let minus = |a: Expr| unary(Unary::Negative, a, Check::None);
    let zero = real(0.0, &x);
    let result = if digits < 0 {
        // The quotient's rounding, set right by what is left over, which fused multiply-add gives exactly.
        let near =
            sure(Math::RoundEven, vec![binary(Binary::Divide, size.clone(), power.clone())], numpy, span);
        let near = lowerer.keep(near);
        let left = lowerer.keep(fma(minus(near.clone()), power.clone(), size.clone()));
        let half = real(10f64.powi(i32::try_from(-digits).unwrap_or(0)) / 2.0, &x);
        let odd = lowerer.keep(is_odd(&near, span));
        let past = |op, bound: Expr| {
            let tie = both(compare(Compare::Equal, left.clone(), bound.clone()), odd.clone());
            either(compare(op, left.clone(), bound), tie)
        };
        let down = choose(past(Compare::Less, minus(half.clone())), real(-1.0, &x), zero);
        let k = lowerer.keep(choose(past(Compare::Greater, half), real(1.0, &x), down));
        let small = binary(Binary::Multiply, binary(Binary::Add, near.clone(), k.clone()), power.clone());
        let great = binary(Binary::Add, size.clone(), fma(k, power, minus(left)));
        let under = |bits: i32| compare(Compare::Less, near.clone(), real(2f64.powi(bits), &x));
        choose(under(52), small, choose(under(54), great, size.clone()))
    } else {
        let product = lowerer.keep(binary(Binary::Multiply, size.clone(), power.clone()));
        let rest = lowerer.keep(fma(size.clone(), power.clone(), minus(product.clone())));
        let near = lowerer.keep(sure(Math::RoundEven, vec![product.clone()], numpy, span));
        let distance = |a: &Expr, b: &Expr| {
            unary(Unary::Absolute, binary(Binary::Subtract, a.clone(), b.clone()), Check::None)
        };
        let tie = |distance: Expr| compare(Compare::Equal, distance, real(0.5, &x));
        let broken = choose(
            compare(Compare::Greater, rest.clone(), zero.clone()),
            sure(Math::Ceil, vec![product.clone()], numpy, span),
            choose(
                compare(Compare::Less, rest.clone(), zero.clone()),
                sure(Math::Floor, vec![product.clone()], numpy, span),
                near.clone(),
            ),
        );
        let small =
            binary(Binary::Divide, choose(tie(distance(&product, &near)), broken, near), power.clone());
        let even = sure(Math::RoundEven, vec![rest.clone()], numpy, span);
        let odd = both(tie(distance(&rest, &zero)), is_odd(&product, span));
        let outward = sure(Math::CopySign, vec![real(1.0, &x), rest], numpy, span);
        let extra = choose(odd, outward, even);
        let quotient = lowerer.keep(binary(Binary::Divide, product.clone(), power.clone()));
        let residue =
            binary(Binary::Add, fma(minus(quotient.clone()), power.clone(), product.clone()), extra);
        let great = binary(Binary::Add, quotient, binary(Binary::Divide, residue, power));
        let under = |bits: i32| compare(Compare::Less, product.clone(), real(2f64.powi(bits), &x));
        choose(under(52), small, choose(under(54), great, size.clone()))
    };
    let signed = sure(Math::CopySign, vec![result, x.clone()], numpy, span);
    let result = choose(test(Math::IsFinite, size, span), signed, x);
    Ok(lowerer.cast(result, Scalar::FLOAT))
}

/// Whether a whole number is odd.
fn is_odd(value: &Expr, span: Span) -> Expr {
    let half = binary(Binary::Multiply, value.clone(), real(0.5, value));
    let floor = sure(Math::Floor, vec![half.clone()], value.ty.scalar().unwrap_or(Scalar::FLOAT), span);
    compare(Compare::NotEqual, half, floor)
}
