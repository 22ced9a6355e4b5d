//! Integer expressions as polynomials.

use super::affine::{Fact, Poly};
use super::interpret::Interpreter;
use super::state::{Key, State};
use super::walk::reads;
use crate::ir::{Binary, Compare, Expr, ExprKind, Flavour, Kind, Scalar, Type, Unary};
use crate::walk::operands;

impl Interpreter<'_> {
    /// The value of a scalar expression; of what is not an integer, or too involved, an atom.
    pub fn value(&mut self, expr: &Expr, state: &State) -> Poly {
        match self.integer(expr, state) {
            Some(poly) => poly,
            None => self.opaque(expr, state),
        }
    }

    fn opaque(&mut self, expr: &Expr, state: &State) -> Poly {
        let scope = self.scope(expr, state);
        let atom = self.atoms.fresh(scope, None);
        let unsigned =
            expr.ty.scalar().is_some_and(|scalar| scalar.kind.is_unsigned() || scalar.kind == Kind::Bool);
        if unsigned {
            self.atoms.get_mut(atom).facts.push(Fact::AtLeastZero(Poly::atom(atom)));
        }
        Poly::atom(atom)
    }

    /// The depth of loops in which the value may differ between iterations.
    fn scope(&self, expr: &Expr, state: &State) -> usize {
        let mut scope = 0;
        reads(expr, &mut |var, _| {
            if let Some(poly) = state.scalars.get(&var) {
                scope = scope.max(self.atoms.scope(poly));
            } else if let Some(array) = state.arrays.get(&var) {
                scope = scope.max(self.memory_scope(array));
            } else {
                scope = self.depth;
            }
        });
        if draws(expr) { self.depth } else { scope }
    }

    fn integer(&mut self, expr: &Expr, state: &State) -> Option<Poly> {
        let python = |ty: Type| ty.scalar() == Some(Scalar { kind: Kind::I64, flavour: Flavour::Python });
        match &*expr.kind {
            ExprKind::Int(value) => Some(Poly::constant(*value)),
            ExprKind::Bool(value) => Some(Poly::constant(i128::from(*value))),
            ExprKind::Var(var) => state.scalars.get(var).cloned(),
            ExprKind::Dim { array, axis } => state
                .arrays
                .get(array)
                .and_then(|array| Some(array.lengths.get(usize::from(*axis))?.value.clone())),
            ExprKind::Unary { op, operand, .. } if python(expr.ty) => {
                let value = self.integer(operand, state)?;
                match op {
                    Unary::Negative => value.scale(-1),
                    Unary::Invert => value.scale(-1)?.subtract(&Poly::constant(1)),
                    Unary::Absolute => {
                        let scope = self.atoms.scope(&value);
                        Some(self.atoms.computed(Key::Absolute(value.clone()), scope, |atom| {
                            vec![
                                Some(Fact::AtLeastZero(atom.clone())),
                                Fact::at_most(&value, atom),
                                value.scale(-1).and_then(|negated| Fact::at_most(&negated, atom)),
                            ]
                        }))
                    }
                    Unary::Not => None,
                }
            }
            ExprKind::Binary { op, left, right, .. } if python(expr.ty) => {
                let (a, b) = (self.value(left, state), self.value(right, state));
                self.binary(*op, &a, &b)
            }
            ExprKind::Cast { value, .. } => {
                let (from, to) = (value.ty.scalar()?.kind, expr.ty.scalar()?.kind);
                let fits = match to {
                    Kind::I64 | Kind::I128 => (from.is_integer() && from != Kind::U64) || from == Kind::Bool,
                    _ => from == to,
                };
                if fits { Some(self.value(value, state)) } else { None }
            }
            _ => None,
        }
    }

    fn binary(&mut self, op: Binary, a: &Poly, b: &Poly) -> Option<Poly> {
        match op {
            Binary::Add => a.add(b),
            Binary::Subtract => a.subtract(b),
            Binary::Multiply => a.multiply(b),
            Binary::FloorDivide => self.floor_divide(a, b),
            Binary::Modulo => a.subtract(&self.floor_divide(a, b)?.multiply(b)?),
            Binary::Power => match b.as_constant()? {
                exponent @ 0..=4 => {
                    (0..exponent).try_fold(Poly::constant(1), |product, _| product.multiply(a))
                }
                _ => None,
            },
            Binary::LeftShift => {
                a.scale(1 << u32::try_from(b.as_constant()?).ok().filter(|bits| *bits < 63)?)
            }
            Binary::RightShift => {
                let bits = u32::try_from(b.as_constant()?).ok().filter(|bits| *bits < 63)?;
                self.floor_divide(a, &Poly::constant(1 << bits))
            }
            Binary::And => {
                let mask = b.as_constant()?;
                if mask < 0 || (mask + 1).count_ones() != 1 {
                    return None;
                }
                self.binary(Binary::Modulo, a, &Poly::constant(mask + 1))
            }
            Binary::Min | Binary::Minimum => {
                let scope = self.atoms.scope(a).max(self.atoms.scope(b));
                Some(self.atoms.computed(Key::Min(a.clone(), b.clone()), scope, |atom| {
                    vec![Fact::at_most(atom, a), Fact::at_most(atom, b)]
                }))
            }
            Binary::Max | Binary::Maximum => {
                let scope = self.atoms.scope(a).max(self.atoms.scope(b));
                Some(self.atoms.computed(Key::Max(a.clone(), b.clone()), scope, |atom| {
                    vec![Fact::at_most(a, atom), Fact::at_most(b, atom)]
                }))
            }
            _ => None,
        }
    }

    fn floor_divide(&mut self, a: &Poly, b: &Poly) -> Option<Poly> {
        if b.as_constant() == Some(0) {
            return None;
        }
        let scope = self.atoms.scope(a).max(self.atoms.scope(b));
        let Some(divisor) = b.as_constant().filter(|divisor| *divisor > 0) else {
            let quotient = self.atoms.computed(Key::FloorDivide(a.clone(), b.clone()), scope, |_| Vec::new());
            self.atoms.get_mut(quotient.as_atom()?).quotient = Some((a.clone(), b.clone()));
            return Some(quotient);
        };
        // What is divisible comes out: (4*i + 3) // 2 is 2*i + 3 // 2.
        let (mut whole, mut rest) = (Poly::default(), Poly::default());
        for (monomial, coefficient) in a.terms() {
            let exact = coefficient % divisor == 0 || monomial.is_empty();
            let quotient = if exact { coefficient.div_euclid(divisor) } else { 0 };
            whole = whole.add(&Poly::monomial(monomial.clone(), quotient))?;
            rest = rest.add(&Poly::monomial(monomial.clone(), coefficient - quotient * divisor))?;
        }
        if rest.as_constant().is_some() {
            return Some(whole);
        }
        let quotient = self.atoms.computed(Key::FloorDivide(rest.clone(), b.clone()), scope, |atom| {
            let low = atom.scale(divisor);
            let next = low.as_ref().and_then(|low| low.add(b));
            vec![
                low.and_then(|low| Fact::at_most(&low, &rest)),
                next.and_then(|next| Fact::less(&rest, &next)),
            ]
        });
        whole.add(&quotient)
    }

    /// Adds what a condition says where it is true (or, `holds` false, where it is not).
    pub fn assume(&mut self, condition: &Expr, holds: bool, state: &mut State) {
        match &*condition.kind {
            ExprKind::Unary { op: Unary::Not, operand, .. } => self.assume(operand, !holds, state),
            ExprKind::If { condition: first, then, orelse } => {
                let constant = |expr: &Expr| match *expr.kind {
                    ExprKind::Bool(value) => Some(value),
                    _ => None,
                };
                if holds && constant(orelse) == Some(false) {
                    self.assume(first, true, state);
                    self.assume(then, true, state);
                } else if !holds && constant(then) == Some(true) {
                    self.assume(first, false, state);
                    self.assume(orelse, false, state);
                }
            }
            ExprKind::Compare { op, left, right } => {
                let whole = |expr: &Expr| {
                    expr.ty
                        .scalar()
                        .is_some_and(|scalar| scalar.kind.is_integer() || scalar.kind == Kind::Bool)
                };
                if !whole(left) || !whole(right) {
                    return;
                }
                let (a, b) = (self.value(left, state), self.value(right, state));
                let difference = a.subtract(&b);
                state.facts.extend(match (op, holds) {
                    (Compare::Equal, true) | (Compare::NotEqual, false) => difference.map(Fact::Zero),
                    (Compare::Equal, false) | (Compare::NotEqual, true) => difference.map(Fact::NotZero),
                    (Compare::Less, true) | (Compare::GreaterEqual, false) => Fact::less(&a, &b),
                    (Compare::LessEqual, true) | (Compare::Greater, false) => Fact::at_most(&a, &b),
                    (Compare::Greater, true) | (Compare::LessEqual, false) => Fact::less(&b, &a),
                    (Compare::GreaterEqual, true) | (Compare::Less, false) => Fact::at_most(&b, &a),
                });
            }
            _ => {}
        }
    }
}

fn draws(expr: &Expr) -> bool {
    matches!(*expr.kind, ExprKind::Random { .. }) || operands(expr).into_iter().any(draws)
}
