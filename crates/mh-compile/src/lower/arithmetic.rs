//! Operators on scalars: Python's meaning by flavour, written out in the IR's typed operations.

use super::arrays::{Op, is_array};
use super::types::{form_name, promote, python_name, scalar_name};
use super::value::{Form, Value, boolean, constant_int, int};
use super::{Lowerer, Result, Stop};
use crate::diagnostic::{Class, Diagnostic};
use crate::ir::{Binary, Check, Compare, Expr, ExprKind, Flavour, Kind, Math, Scalar, Span, Type, Unary};

const AMBIGUOUS: &str =
    "The truth value of an array with more than one element is ambiguous. Use a.any() or a.all()";

/// `not condition`.
pub fn negate(condition: Expr) -> Expr {
    let span = condition.span;
    match *condition.kind {
        ExprKind::Bool(value) => boolean(!value, span),
        ExprKind::Unary { op: Unary::Not, operand, .. } if operand.ty == Type::BOOL => operand,
        ExprKind::Compare { op, left, right }
            if condition.ty == Type::BOOL && opposite(op, &left).is_some() =>
        {
            let op = opposite(op, &left).unwrap_or(op);
            Expr::new(ExprKind::Compare { op, left, right }, Type::BOOL, span)
        }
        _ => {
            let ty = Type::BOOL;
            Expr::new(ExprKind::Unary { op: Unary::Not, operand: condition, check: Check::None }, ty, span)
        }
    }
}

/// What holds where a comparison does not; of floats only equality has it, for nan.
fn opposite(op: Compare, operand: &Expr) -> Option<Compare> {
    let ordered = operand.ty.scalar().is_some_and(|scalar| scalar.kind.is_integer());
    Some(match op {
        Compare::Equal => Compare::NotEqual,
        Compare::NotEqual => Compare::Equal,
        Compare::Less if ordered => Compare::GreaterEqual,
        Compare::LessEqual if ordered => Compare::Greater,
        Compare::Greater if ordered => Compare::LessEqual,
        Compare::GreaterEqual if ordered => Compare::Less,
        _ => return None,
    })
}

/// The range of an integer kind.
pub fn limits(kind: Kind) -> (i128, i128) {
    let bits = kind.size() * 8;
    match kind {
        Kind::Bool => (0, 1),
        _ if kind.is_unsigned() => (0, (1 << bits) - 1),
        Kind::I128 => (i128::MIN, i128::MAX),
        _ => (-(1 << (bits - 1)), (1 << (bits - 1)) - 1),
    }
}

pub fn binary(op: Binary, left: Expr, right: Expr, ty: Type, check: Check, span: Span) -> Expr {
    Expr::new(ExprKind::Binary { op, left, right, check }, ty, span)
}

pub fn compare(op: Compare, left: Expr, right: Expr, span: Span) -> Expr {
    let ty = match (left.ty, right.ty) {
        (Type::Scalar(a), Type::Scalar(b)) if a.flavour == Flavour::NumPy && b.flavour == Flavour::NumPy => {
            Type::Scalar(Scalar::numpy(Kind::Bool))
        }
        _ => Type::BOOL,
    };
    Expr::new(ExprKind::Compare { op, left, right }, ty, span)
}

/// Only the chosen side is evaluated; both have one type.
pub fn choose(condition: Expr, then: Expr, orelse: Expr, span: Span) -> Expr {
    match *condition.kind {
        ExprKind::Bool(true) => then,
        ExprKind::Bool(false) => orelse,
        _ => {
            let ty = then.ty;
            Expr::new(ExprKind::If { condition, then, orelse }, ty, span)
        }
    }
}

/// A number in another scalar type. What does not fit into NumPy's integers raises if it is Python's, wraps if it is NumPy's.
pub fn cast(value: Expr, to: Scalar) -> Expr {
    let (span, ty) = (value.span, Type::Scalar(to));
    if value.ty == ty {
        return value;
    }
    let Type::Scalar(from) = value.ty else { return value };
    let folded = match *value.kind {
        ExprKind::Bool(bit) => number(i128::from(bit), to),
        ExprKind::Int(number_) => number(number_, to),
        ExprKind::Float(float) if to.kind == Kind::F64 => Some(ExprKind::Float(float)),
        ExprKind::Float(float) if to.kind == Kind::F32 => Some(ExprKind::Float(f64::from(float as f32))),
        ExprKind::Float(float) if to.kind == Kind::C128 => Some(ExprKind::Complex(float, 0.0)),
        ExprKind::Complex(re, im) if to.kind == Kind::C128 => Some(ExprKind::Complex(re, im)),
        _ => None,
    };
    if let Some(folded) = folded {
        return Expr::new(folded, ty, span);
    }
    if let (ExprKind::Compare { .. }, Kind::Bool) = (&*value.kind, to.kind) {
        return Expr::new(*value.kind, ty, span);
    }
    let python = from.flavour == Flavour::Python;
    let check = if to.kind == Kind::Bool {
        Check::None
    } else if to.kind.is_integer() {
        let fits = from.kind.is_integer() || from.kind == Kind::Bool;
        let ((low, high), (least, most)) = (limits_or_none(from.kind), limits(to.kind));
        match fits {
            true if low >= least && high <= most => Check::None,
            // NumPy's wrap, but where they become Python's.
            _ if python || to.flavour == Flavour::Python => Check::Branch,
            _ => Check::None,
        }
    } else {
        Check::None
    };
    Expr::new(ExprKind::Cast { value, check }, ty, span)
}

fn limits_or_none(kind: Kind) -> (i128, i128) {
    if kind.is_integer() || kind == Kind::Bool { limits(kind) } else { (i128::MIN, i128::MAX) }
}

fn number(value: i128, to: Scalar) -> Option<ExprKind> {
    let (low, high) = limits_or_none(to.kind);
    Some(match to.kind {
        Kind::Bool => ExprKind::Bool(value != 0),
        Kind::F64 => ExprKind::Float(value as f64),
        Kind::F32 => ExprKind::Float(f64::from(value as f32)),
        Kind::C128 => ExprKind::Complex(value as f64, 0.0),
        Kind::C64 => ExprKind::Complex(f64::from(value as f32), 0.0),
        _ if (low..=high).contains(&value) => ExprKind::Int(value),
        _ => return None,
    })
}

fn fold(op: Binary, left: &Expr, right: &Expr) -> Option<i128> {
    let (ExprKind::Int(a), ExprKind::Int(b)) = (&*left.kind, &*right.kind) else { return None };
    let (low, high) = limits(Kind::I64);
    fold_exactly(op, *a, *b).filter(|value| (low..=high).contains(value))
}

/// An operation of constant ints, where it gives an int.
pub fn fold_exactly(op: Binary, a: i128, b: i128) -> Option<i128> {
    Some(match op {
        Binary::Add => a.checked_add(b)?,
        Binary::Subtract => a.checked_sub(b)?,
        Binary::Multiply => a.checked_mul(b)?,
        Binary::FloorDivide if b != 0 => a.checked_div_euclid(b).filter(|_| b > 0)?,
        Binary::Modulo if b > 0 => a.checked_rem_euclid(b)?,
        Binary::Power => a.checked_pow(u32::try_from(b).ok()?)?,
        Binary::LeftShift if (0..126).contains(&b) => a.checked_mul(1 << b)?,
        Binary::RightShift if (0..126).contains(&b) => a >> b,
        Binary::And => a & b,
        Binary::Or => a | b,
        Binary::Xor => a ^ b,
        _ => return None,
    })
}

pub fn operator(op: Binary) -> &'static str {
    match op {
        Binary::Add => "+",
        Binary::Subtract => "-",
        Binary::Multiply => "*",
        Binary::Divide => "/",
        Binary::FloorDivide => "//",
        Binary::Modulo => "%",
        Binary::Power => "** or pow()",
        Binary::LeftShift => "<<",
        Binary::RightShift => ">>",
        Binary::And => "&",
        Binary::Or => "|",
        Binary::Xor => "^",
        Binary::Min => "min",
        Binary::Max => "max",
        Binary::Minimum => "minimum",
        Binary::Maximum => "maximum",
    }
}

pub fn type_error(span: Span, message: String) -> Stop {
    Diagnostic::new(Class::TypeError, span, message).into()
}

fn unsupported(op: &str, left: &Form, right: &Form, span: Span) -> Stop {
    type_error(
        span,
        format!("unsupported operand type(s) for {op}: '{}' and '{}'", python_name(left), python_name(right)),
    )
}

impl Lowerer<'_> {
    pub fn cast(&mut self, value: Expr, to: Scalar) -> Expr {
        cast(value, to)
    }

    /// An `int` from any integer, as `range`, subscripts and `operator.index` take it.
    pub fn index(&mut self, value: &Value, span: Span) -> Result<Expr> {
        if let Value::Expr(expr) = value {
            if expr.ty.scalar().is_some_and(|scalar| scalar.kind.is_integer() || scalar == Scalar::BOOL) {
                return Ok(cast(expr.clone(), Scalar::INT));
            }
        }
        let name = value.form().map_or_else(|| "slice".to_owned(), |form| python_name(&form));
        Err(Diagnostic::new(
            Class::TypeError,
            span,
            format!("'{name}' object cannot be interpreted as an integer"),
        )
        .label(name)
        .advice("convert it: int(...), or divide with //")
        .into())
    }

    /// A scalar operand; arrays and everything else are refused.
    pub fn operand(&mut self, value: &Value, what: &str, span: Span) -> Result<(Expr, Scalar)> {
        if let Value::Expr(expr) = value {
            if let Type::Scalar(scalar) = expr.ty {
                return Ok((expr.clone(), scalar));
            }
            return Err(Diagnostic::new(
                Class::Unsupported,
                span,
                format!("{what} of a whole array is not compiled yet"),
            )
            .label(value.form().map_or_else(String::new, |form| form_name(&form)))
            .advice("write the loop over its elements")
            .into());
        }
        let name = value.form().map_or_else(|| "slice".to_owned(), |form| python_name(&form));
        Err(type_error(span, format!("bad operand type for {what}: '{name}'")))
    }

    /// `left op right` of two values.
    pub fn binary(&mut self, op: Binary, left: &Value, right: &Value, span: Span) -> Result<Value> {
        if let (Value::Tuple(a), Value::Tuple(b), Binary::Add) = (left, right, op) {
            return Ok(Value::Tuple(a.iter().chain(b).cloned().collect()));
        }
        if let (Value::Tuple(members), Value::Expr(count), Binary::Multiply)
        | (Value::Expr(count), Value::Tuple(members), Binary::Multiply) = (left, right, op)
        {
            return self.repeat(members, count, span);
        }
        if is_array(left) || is_array(right) {
            return self.each_of(Op::Binary(op), vec![left.clone(), right.clone()], span);
        }
        let (Value::Expr(a), Value::Expr(b)) = (left, right) else {
            let (Some(a), Some(b)) = (left.form(), right.form()) else {
                return Err(super::variables::not_storable(left, span).into());
            };
            return Err(unsupported(operator(op), &a, &b, span));
        };
        let (Type::Scalar(s), Type::Scalar(t)) = (a.ty, b.ty) else { return Err(Stop::Unknown) };
        self.scalars(op, a.clone(), s, b.clone(), t, span).map(Value::Expr)
    }

    fn repeat(&mut self, members: &[Value], count: &Expr, span: Span) -> Result<Value> {
        let count = constant_int(count).filter(|count| *count * (members.len() as i128) < 1000);
        match count {
            Some(count) => {
                let members: Vec<Value> = members.iter().cloned().map(|member| self.settle(member)).collect();
                Ok(Value::Tuple((0..count.max(0)).flat_map(|_| members.iter().cloned()).collect()))
            }
            None => Err(Diagnostic::new(
                Class::Unsupported,
                span,
                "the length of a tuple must be known when compiling",
            )
            .advice("use an array: np.full(n, value)")
            .into()),
        }
    }

    fn scalars(&mut self, op: Binary, a: Expr, s: Scalar, b: Expr, t: Scalar, span: Span) -> Result<Expr> {
        let both = promote(s, t);
        let fail =
            || unsupported(operator(op), &Form::Type(Type::Scalar(s)), &Form::Type(Type::Scalar(t)), span);
        let bools = s.kind == Kind::Bool && t.kind == Kind::Bool;
        let python = both.flavour == Flavour::Python;
        let works = match op {
            Binary::And | Binary::Or | Binary::Xor | Binary::LeftShift | Binary::RightShift => {
                let integral = |kind: Kind| kind.is_integer() || kind == Kind::Bool;
                if !(integral(s.kind) && integral(t.kind) && integral(both.kind)) {
                    return Err(fail());
                }
                let shift = matches!(op, Binary::LeftShift | Binary::RightShift);
                match (bools, shift, python) {
                    (true, true, true) => Scalar::INT,
                    (true, true, false) => Scalar::numpy(Kind::I8),
                    _ => both,
                }
            }
            Binary::Divide => match both.kind {
                Kind::F32 | Kind::F64 | Kind::C64 | Kind::C128 => both,
                _ => Scalar { kind: Kind::F64, flavour: both.flavour },
            },
            Binary::FloorDivide | Binary::Modulo if both.kind.is_complex() => return Err(fail()),
            Binary::FloorDivide | Binary::Modulo | Binary::Power if bools && !python => {
                Scalar::numpy(Kind::I8)
            }
            Binary::Subtract if bools && !python => {
                return Err(type_error(
                    span,
                    "numpy boolean subtract, the `-` operator, is not supported, use the bitwise_xor, the `^` operator, or the \
                     logical_xor function instead."
                        .into(),
                ));
            }
            Binary::Add if bools && !python => {
                let bool_ = Scalar::numpy(Kind::Bool);
                return Ok(binary(
                    Binary::Or,
                    cast(a, bool_),
                    cast(b, bool_),
                    Type::Scalar(bool_),
                    Check::None,
                    span,
                ));
            }
            Binary::Multiply if bools && !python => {
                let bool_ = Scalar::numpy(Kind::Bool);
                return Ok(binary(
                    Binary::And,
                    cast(a, bool_),
                    cast(b, bool_),
                    Type::Scalar(bool_),
                    Check::None,
                    span,
                ));
            }
            _ if bools && python => Scalar::INT,
            _ => both,
        };
        if op == Binary::Power && python && works.kind == Kind::I64 {
            return Ok(power_ints(cast(a, Scalar::INT), cast(b, Scalar::INT), span));
        }
        // Both are evaluated before either is converted.
        let converted = matches!(&*cast(a.clone(), works).kind, ExprKind::Cast { check: Check::Branch, .. });
        let (a, b) =
            if converted && !super::value::is_simple(&b) { (self.simple(a), self.simple(b)) } else { (a, b) };
        let (a, b) = (cast(a, works), cast(b, works));
        if works == Scalar::INT {
            if let Some(value) = fold(op, &a, &b) {
                return Ok(Expr::new(ExprKind::Int(value), Type::INT, span));
            }
        }
        Ok(binary(op, a, b, Type::Scalar(works), check_of(op, works), span))
    }

    /// `-x`, `+x`, `~x`.
    pub fn unary(&mut self, op: &str, value: &Value, span: Span) -> Result<Value> {
        let what = format!(
            "unary {}",
            match op {
                "USub" => "-",
                "UAdd" => "+",
                _ => "~",
            }
        );
        let (operand, scalar) = self.operand(value, &what, span)?;
        let bad = || type_error(span, format!("bad operand type for {what}: '{}'", scalar_name(scalar)));
        let python = scalar.flavour == Flavour::Python;
        let works = if scalar.kind == Kind::Bool && python { Scalar::INT } else { scalar };
        let numpy_bool = scalar.kind == Kind::Bool && !python;
        Ok(Value::Expr(match op {
            "UAdd" if numpy_bool => return Err(bad()),
            "UAdd" => cast(operand, works),
            "USub" if numpy_bool => {
                return Err(type_error(
                    span,
                    "The numpy boolean negative, the `-` operator, is not supported, use the `~` operator or the logical_not \
                     function instead."
                        .into(),
                ));
            }
            "USub" => {
                let operand = cast(operand, works);
                let folded = match *operand.kind {
                    ExprKind::Int(value) if value != limits(works.kind).0 && !works.kind.is_unsigned() => {
                        Some(ExprKind::Int(-value))
                    }
                    ExprKind::Float(value) => Some(ExprKind::Float(-value)),
                    ExprKind::Complex(re, im) => Some(ExprKind::Complex(-re, -im)),
                    _ => None,
                };
                match folded {
                    Some(kind) => Expr::new(kind, Type::Scalar(works), span),
                    None => {
                        let check = if works == Scalar::INT { Check::Branch } else { Check::None };
                        Expr::new(
                            ExprKind::Unary { op: Unary::Negative, operand, check },
                            Type::Scalar(works),
                            span,
                        )
                    }
                }
            }
            _ if numpy_bool => Expr::new(
                ExprKind::Unary { op: Unary::Not, operand, check: Check::None },
                Type::Scalar(scalar),
                span,
            ),
            _ if works.kind.is_integer() => {
                let operand = cast(operand, works);
                match *operand.kind {
                    ExprKind::Int(value) if works.kind.is_signed() => {
                        Expr::new(ExprKind::Int(!value), Type::Scalar(works), span)
                    }
                    _ => {
                        let kind = ExprKind::Unary { op: Unary::Invert, operand, check: Check::None };
                        Expr::new(kind, Type::Scalar(works), span)
                    }
                }
            }
            _ => return Err(bad()),
        }))
    }

    /// Whether a value is true: `bool` of Python's flavour.
    pub fn truth(&mut self, value: &Value, span: Span) -> Result<Expr> {
        let expr = match value {
            Value::None => return Ok(boolean(false, span)),
            Value::Tuple(members) => return Ok(boolean(!members.is_empty(), span)),
            Value::Static(super::value::Static::Str(text)) => return Ok(boolean(!text.is_empty(), span)),
            Value::Static(_) => return Ok(boolean(true, span)),
            Value::Slice(_) | Value::Iterable(_) | Value::Text(_) => {
                return Err(super::variables::not_storable(value, span).into());
            }
            Value::Lazy(lazy) => {
                let made = self.materialise(lazy)?;
                return self.truth(&Value::Expr(made), span);
            }
            Value::Expr(expr) => expr.clone(),
        };
        let Type::Scalar(scalar) = expr.ty else {
            return Err(Diagnostic::new(Class::ValueError, span, AMBIGUOUS)
                .label(form_name(&Form::Type(expr.ty)))
                .advice("ask for an element, or for its length: len(x) > 0")
                .into());
        };
        Ok(match (&*expr.kind, scalar.kind) {
            (ExprKind::Bool(value), _) => boolean(*value, span),
            (ExprKind::Int(value), _) => boolean(*value != 0, span),
            (ExprKind::Float(value), _) => boolean(*value != 0.0, span),
            (_, Kind::Bool) => cast(expr, Scalar::BOOL),
            _ => {
                let zero = cast(int(0, span), scalar);
                cast(compare(Compare::NotEqual, expr, zero, span), Scalar::BOOL)
            }
        })
    }

    /// One comparison of scalars: `bool`, or NumPy's where an operand is NumPy's.
    pub fn compare(&mut self, op: Compare, left: &Value, right: &Value, span: Span) -> Result<Expr> {
        let (Value::Expr(a), Value::Expr(b)) = (left, right) else {
            return self.compare_others(op, left, right, span);
        };
        let (Type::Scalar(s), Type::Scalar(t)) = (a.ty, b.ty) else {
            return Err(Diagnostic::new(Class::ValueError, span, AMBIGUOUS)
                .label(form_name(&Form::Type(if a.ty.array().is_some() { a.ty } else { b.ty })))
                .advice("compare one by one, and join with &: `(a < x) & (x < b)`")
                .into());
        };
        let both = promote(s, t);
        let ordering = !matches!(op, Compare::Equal | Compare::NotEqual);
        if ordering && both.kind.is_complex() && both.flavour == Flavour::Python {
            let (s, t) = (scalar_name(s), scalar_name(t));
            return Err(type_error(
                span,
                format!("'{}' not supported between instances of '{s}' and '{t}'", compare_name(op)),
            ));
        }
        if let (ExprKind::Int(x), ExprKind::Int(y), Type::INT, Type::INT) = (&*a.kind, &*b.kind, a.ty, b.ty) {
            // `x.ndim == 2` decides which branch is compiled.
            let holds = match op {
                Compare::Equal => x == y,
                Compare::NotEqual => x != y,
                Compare::Less => x < y,
                Compare::LessEqual => x <= y,
                Compare::Greater => x > y,
                Compare::GreaterEqual => x >= y,
            };
            return Ok(boolean(holds, span));
        }
        let (a, b) = (a.clone(), b.clone());
        let result = if both.flavour == Flavour::Python {
            match (s.kind, t.kind) {
                (Kind::I64, Kind::C128) | (Kind::C128, Kind::I64) => {
                    let (whole, complex) = if s.kind == Kind::I64 { (a, b) } else { (b, a) };
                    self.compare_complex(op, whole, complex, span)
                }
                // An int beside a float is compared with all its digits (`emit`).
                _ => compare(op, cast(a, both), cast(b, both), span),
            }
        } else {
            self.compare_numpy(op, (a, s), (b, t), both, span)
        };
        Ok(match both.flavour {
            Flavour::Python => result,
            Flavour::NumPy => cast(result, Scalar::numpy(Kind::Bool)),
        })
    }

    fn compare_numpy(
        &mut self,
        op: Compare,
        (a, s): (Expr, Scalar),
        (b, t): (Expr, Scalar),
        both: Scalar,
        span: Span,
    ) -> Expr {
        let ordering = !matches!(op, Compare::Equal | Compare::NotEqual);
        if both.kind.is_complex() && ordering {
            return self.order_complex(op, cast(a, both), cast(b, both), span);
        }
        // Python's ints are compared by value, whatever the other's kind.
        let whole = |scalar: Scalar| scalar.kind.is_integer() || scalar.kind == Kind::Bool;
        if !(whole(s) && whole(t)) {
            return compare(op, cast(a, both), cast(b, both), span);
        }
        let wide = |scalar: Scalar| scalar.kind == Kind::U64;
        match (wide(s), wide(t)) {
            (true, true) => compare(op, a, b, span),
            (false, false) => {
                let common = Scalar::numpy(Kind::I64);
                compare(op, cast_plain(a, common), cast_plain(b, common), span)
            }
            (false, true) => {
                let a = self.simple(cast_plain(a, Scalar::numpy(Kind::I64)));
                let b = self.simple(b);
                let zero = cast(int(0, span), Scalar::numpy(Kind::I64));
                let negative = compare(Compare::Less, a.clone(), zero, span);
                let less = matches!(op, Compare::Less | Compare::LessEqual | Compare::NotEqual);
                let plain = compare(op, cast_plain(a, Scalar::numpy(Kind::U64)), b, span);
                let always = Expr::new(ExprKind::Bool(less), plain.ty, span);
                choose(cast(negative, Scalar::BOOL), always, plain, span)
            }
            (true, false) => {
                let swapped_both = Scalar::numpy(Kind::U64);
                let (a, b) = (self.simple(a), self.simple(b));
                self.compare_numpy(swapped(op), (b, t), (a, s), swapped_both, span)
            }
        }
    }

    /// NumPy's order: by the real parts, then by the imaginary ones; nothing is before or behind nan.
    fn order_complex(&mut self, op: Compare, a: Expr, b: Expr, span: Span) -> Expr {
        let kind =
            if a.ty.scalar().is_some_and(|scalar| scalar.kind == Kind::C64) { Kind::F32 } else { Kind::F64 };
        let ty = Type::Scalar(Scalar::numpy(kind));
        let (a, b) = (self.simple(a), self.simple(b));
        let part = |function, value: &Expr| {
            let arguments = vec![value.clone()];
            Expr::new(ExprKind::Math { function, arguments, check: Check::None }, ty, span)
        };
        let [re, im] = [Math::Real, Math::Imag].map(|function| (part(function, &a), part(function, &b)));
        let is = |op, (a, b): &(Expr, Expr)| cast(compare(op, a.clone(), b.clone(), span), Scalar::BOOL);
        let both = |a, b| choose(a, b, boolean(false, span), span);
        let strict = match op {
            Compare::LessEqual => Compare::Less,
            Compare::GreaterEqual => Compare::Greater,
            other => other,
        };
        // Not nan: equal to themselves.
        let own = |value: &Expr| (value.clone(), value.clone());
        let real = both(is(Compare::Equal, &own(&im.0)), is(Compare::Equal, &own(&im.1)));
        let before = both(is(strict, &re), real);
        let tied = both(is(Compare::Equal, &re), is(op, &im));
        choose(before, boolean(true, span), tied, span)
    }

    fn compare_complex(&mut self, op: Compare, whole: Expr, complex: Expr, span: Span) -> Expr {
        let complex = self.simple(complex);
        let part = |function, value: Expr| {
            Expr::new(
                ExprKind::Math { function, arguments: vec![value], check: Check::None },
                Type::FLOAT,
                span,
            )
        };
        let re = self.keep(part(Math::Real, complex.clone()));
        let equal = compare(Compare::Equal, cast(whole, Scalar::FLOAT), re, span);
        let zero = compare(Compare::Equal, part(Math::Imag, complex), super::value::float(0.0, span), span);
        let both = choose(equal, zero, boolean(false, span), span);
        if op == Compare::Equal { both } else { negate(both) }
    }

    fn compare_others(&mut self, op: Compare, left: &Value, right: &Value, span: Span) -> Result<Expr> {
        let equality = matches!(op, Compare::Equal | Compare::NotEqual);
        match (left, right) {
            (Value::Tuple(a), Value::Tuple(b)) if equality => {
                let mut same = boolean(a.len() == b.len(), span);
                if a.len() == b.len() {
                    for (a, b) in a.iter().zip(b) {
                        let one = self.compare(Compare::Equal, a, b, span)?;
                        same = choose(same, cast(one, Scalar::BOOL), boolean(false, span), span);
                    }
                }
                Ok(if op == Compare::Equal { same } else { negate(same) })
            }
            (Value::Static(a), Value::Static(b)) if equality => {
                Ok(boolean((a == b) == (op == Compare::Equal), span))
            }
            (Value::None, Value::None) if equality => Ok(boolean(op == Compare::Equal, span)),
            _ if equality && left.array().is_none() && right.array().is_none() => {
                Ok(boolean(op == Compare::NotEqual, span))
            }
            (Value::Tuple(_), Value::Tuple(_)) => {
                Err(Diagnostic::new(Class::Unsupported, span, "tuples are compared with == and != only")
                    .advice("compare their members")
                    .into())
            }
            _ => {
                let name = |value: &Value| {
                    value.form().map_or_else(|| "slice".to_owned(), |form| python_name(&form))
                };
                Err(type_error(
                    span,
                    format!(
                        "'{}' not supported between instances of '{}' and '{}'",
                        compare_name(op),
                        name(left),
                        name(right)
                    ),
                ))
            }
        }
    }
}

/// A conversion that cannot fail.
fn cast_plain(value: Expr, to: Scalar) -> Expr {
    let mut value = cast(value, to);
    if let ExprKind::Cast { check, .. } = &mut *value.kind {
        *check = Check::None;
    }
    value
}

/// `int ** int`: a float where the exponent is a negative constant; else an int, and a negative exponent fails.
fn power_ints(a: Expr, b: Expr, span: Span) -> Expr {
    if let Some(value) = fold(Binary::Power, &a, &b) {
        return Expr::new(ExprKind::Int(value), Type::INT, span);
    }
    if constant_int(&b).is_some_and(|exponent| exponent < 0) {
        let (a, b) = (cast(a, Scalar::FLOAT), cast(b, Scalar::FLOAT));
        return binary(Binary::Power, a, b, Type::FLOAT, Check::Branch, span);
    }
    binary(Binary::Power, a, b, Type::INT, Check::Branch, span)
}

/// Whether an operation can fail at all.
fn check_of(op: Binary, works: Scalar) -> Check {
    let fails = match (works.flavour, works.kind) {
        (_, Kind::Bool) => false,
        (Flavour::Python, Kind::I64) => {
            !matches!(op, Binary::And | Binary::Or | Binary::Xor | Binary::Min | Binary::Max)
        }
        (Flavour::Python, _) => {
            matches!(op, Binary::Divide | Binary::FloorDivide | Binary::Modulo | Binary::Power)
        }
        // Integers to negative integer powers are not allowed.
        (Flavour::NumPy, kind) => op == Binary::Power && kind.is_signed(),
    };
    if fails { Check::Branch } else { Check::None }
}

pub fn swapped(op: Compare) -> Compare {
    match op {
        Compare::Less => Compare::Greater,
        Compare::LessEqual => Compare::GreaterEqual,
        Compare::Greater => Compare::Less,
        Compare::GreaterEqual => Compare::LessEqual,
        same => same,
    }
}

fn compare_name(op: Compare) -> &'static str {
    match op {
        Compare::Equal => "==",
        Compare::NotEqual => "!=",
        Compare::Less => "<",
        Compare::LessEqual => "<=",
        Compare::Greater => ">",
        Compare::GreaterEqual => ">=",
    }
}
