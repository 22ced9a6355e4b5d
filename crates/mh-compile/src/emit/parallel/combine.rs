//! What the blocks left, put together behind the loop in their order.

use super::{Body, Left, Role, plain};
use crate::emit::expression::{float_predicate, int_predicate};
use crate::emit::function::{FunctionEmitter, NAN_MET, Operand};
use crate::ir::{Binary, Check, Compare, Flavour, Kind, ReductionKind, Scalar, Span, Type, Var};
use std::collections::BTreeMap;

impl FunctionEmitter<'_, '_> {
    /// What two parts make together; the first comes before the second.
    pub(super) fn merge(
        &mut self,
        role: ReductionKind,
        old: &Operand,
        new: &Operand,
        ty: Scalar,
        span: Span,
    ) -> Operand {
        let op = match role {
            ReductionKind::Sum if ty.kind == Kind::Bool => Binary::Or,
            ReductionKind::Product if ty.kind == Kind::Bool => Binary::And,
            ReductionKind::Sum => Binary::Add,
            ReductionKind::Product => Binary::Multiply,
            ReductionKind::Minimum => Binary::Minimum,
            ReductionKind::Maximum => Binary::Maximum,
            ReductionKind::And => Binary::And,
            ReductionKind::Or => Binary::Or,
            ReductionKind::Xor => Binary::Xor,
            ReductionKind::Latest => return new.clone(),
            ReductionKind::Less
            | ReductionKind::LessEqual
            | ReductionKind::Greater
            | ReductionKind::GreaterEqual
            | ReductionKind::UnlessLess
            | ReductionKind::UnlessLessEqual
            | ReductionKind::UnlessGreater
            | ReductionKind::UnlessGreaterEqual => {
                let taken = self.chosen(role, new, old, ty.kind);
                return self.select(&taken, new, old, ty.kind);
            }
        };
        self.binary(op, old, new, ty, Check::None, span)
    }

    /// Whether `old` does not compare so with `new`: where one of them is nan too.
    fn unless_compares(&mut self, role: ReductionKind, new: &str, old: &str, ty: &str) -> String {
        let predicate = match role {
            ReductionKind::UnlessLess => "uge",
            ReductionKind::UnlessLessEqual => "ugt",
            ReductionKind::UnlessGreater => "ule",
            _ => "ult",
        };
        self.value(&format!("fcmp {predicate} {ty} {old}, {new}"))
    }

    /// Whether the new value is taken.
    pub(super) fn chosen(&mut self, role: ReductionKind, new: &Operand, old: &Operand, kind: Kind) -> String {
        let op = match role {
            ReductionKind::Less => Compare::Less,
            ReductionKind::LessEqual => Compare::LessEqual,
            ReductionKind::Greater => Compare::Greater,
            _ => Compare::GreaterEqual,
        };
        let (new, old) = (new.one(), old.one());
        let ty = crate::emit::register(kind);
        if role.takes_nan() {
            return self.unless_compares(role, new, old, ty);
        }
        if kind.is_float() {
            self.value(&format!("fcmp {} {ty} {new}, {old}", float_predicate(op)))
        } else {
            self.value(&format!("icmp {} {ty} {new}, {old}", int_predicate(op, kind)))
        }
    }

    pub(super) fn select(
        &mut self,
        condition: &str,
        then: &Operand,
        orelse: &Operand,
        kind: Kind,
    ) -> Operand {
        let ty = crate::emit::register(kind);
        let mut one = |then: &str, orelse: &str| {
            self.value(&format!("select i1 {condition}, {ty} {then}, {ty} {orelse}"))
        };
        match (then, orelse) {
            (Operand::Pair(real, imag), Operand::Pair(other, part)) => {
                let real = one(real, other);
                Operand::Pair(real, one(imag, part))
            }
            _ => Operand::One(one(then.one(), orelse.one())),
        }
    }

    /// Behind the loop: what the blocks left, in their order, into the variables.
    pub(super) fn combine(&mut self, body: &Body, number: &str) {
        // The sums of ints, kept wide until the end: where a block around keeps them so, there.
        let mut wide = BTreeMap::new();
        let mut narrow = Vec::new();
        for (at, left) in body.left.iter().enumerate() {
            if left.kind != Kind::I128 {
                continue;
            }
            let around = self.wide.get(&left.var).cloned();
            let address = around.unwrap_or_else(|| {
                let address = self.alloca_scalar(Kind::I128);
                let value = self.read(left.var);
                let value = self.value(&format!("sext i64 {} to i128", value.one()));
                self.store(Kind::I128, &Operand::One(value), &address);
                narrow.push((left.var, address.clone()));
                address
            });
            wide.insert(at, address);
        }
        let blocks = plain(number);
        self.each(&blocks, Some(16), |this, turn| {
            let block = &turn.value;
            for (at, left) in body.left.iter().enumerate() {
                match left.role {
                    Role::Companion(_) => {}
                    Role::Last => {
                        let set = this.was_set(left, block);
                        this.where_it_holds(&set, |this| {
                            let new = this.kept(left, block);
                            this.assign(left.var, &new);
                        });
                    }
                    Role::Gathered(role) => this.combine_one(body, at, role, block, wide.get(&at)),
                }
            }
            this.last_that_counts(body, block);
        });
        for (var, address) in narrow {
            let total = self.load(Kind::I128, &address);
            self.assign_narrow(var, total.one(), body.span);
        }
    }

    pub(super) fn combine_one(
        &mut self,
        body: &Body,
        at: usize,
        role: ReductionKind,
        block: &str,
        wide: Option<&String>,
    ) {
        let left = &body.left[at];
        let new = self.kept(left, block);
        if let Some(address) = wide {
            let old = self.load(Kind::I128, address);
            let sum = self.value(&format!("add i128 {}, {}", old.one(), new.one()));
            self.store(Kind::I128, &Operand::One(sum), address);
            return;
        }
        let Type::Scalar(scalar) = self.variable_type(left.var) else { return };
        let old = self.read(left.var);
        let choice = matches!(
            role,
            ReductionKind::Less
                | ReductionKind::LessEqual
                | ReductionKind::Greater
                | ReductionKind::GreaterEqual
        ) || role.takes_nan();
        if !choice {
            let ty = Scalar { flavour: Flavour::NumPy, ..scalar };
            let both = self.merge(role, &old, &new, ty, body.span);
            self.assign(left.var, &both);
            return;
        }
        let taken = self.chosen(role, &new, &old, scalar.kind);
        let flag = self.flag(left, block);
        let set = self.value(&format!("icmp ne i8 {flag}, 0"));
        let taken = self.value(&format!("and i1 {taken}, {set}"));
        // Behind a nan nothing of what was before it counts.
        let met = self.value(&format!("icmp uge i8 {flag}, {NAN_MET}"));
        let taken = self.value(&format!("or i1 {taken}, {met}"));
        self.where_it_holds(&taken, |this| {
            this.assign(left.var, &new);
            this.also_nan(left.var, &flag);
            for companion in body.left.iter().filter(|other| other.role == Role::Companion(at)) {
                let new = this.kept(companion, block);
                this.assign(companion.var, &new);
            }
        });
    }

    /// A loop around may ask which variables were given a value: only where they are.
    fn where_it_holds(&mut self, condition: &str, then: impl FnOnce(&mut Self)) {
        let [take, on] = ["take", "on"].map(|name| self.label(name));
        self.branch(condition, &take, &on);
        self.begin(&take);
        then(self);
        self.jump(&on);
        self.begin(&on);
    }

    /// A loop around may ask, too, whether the variable has been nan meanwhile.
    fn also_nan(&mut self, var: Var, flag: &str) {
        if !self.nans.contains(&var) {
            return;
        }
        let Some(address) = self.touched.get(&var).cloned() else { return };
        let before = self.value(&format!("load i8, ptr {address}"));
        let both = self.value(&format!("or i8 {before}, {flag}"));
        self.line(&format!("store i8 {both}, ptr {address}"));
    }

    fn was_set(&mut self, left: &Left, block: &str) -> String {
        let flag = self.flag(left, block);
        self.value(&format!("icmp ne i8 {flag}, 0"))
    }

    fn flag(&mut self, left: &Left, block: &str) -> String {
        let address = self.value(&format!("getelementptr inbounds i8, ptr {}, i64 {block}", left.set));
        self.value(&format!("load i8, ptr {address}"))
    }

    pub(super) fn kept(&mut self, left: &Left, block: &str) -> Operand {
        let far = self.value(&format!("mul i64 {block}, {}", left.kind.size()));
        let address = self.value(&format!("getelementptr inbounds i8, ptr {}, i64 {far}", left.table));
        self.load(left.kind, &address)
    }
}

/// With what a block begins; `None`: with the value from before the loop.
pub(super) fn identity(role: ReductionKind, kind: Kind) -> Option<&'static str> {
    let float = kind.is_float() || kind.is_complex();
    match role {
        // x + -0.0 is x, also where x is -0.0.
        ReductionKind::Sum if float => Some("-0.0"),
        ReductionKind::Product if float => Some("1.0"),
        ReductionKind::Sum | ReductionKind::Or | ReductionKind::Xor => {
            Some(if kind == Kind::Bool { "false" } else { "0" })
        }
        ReductionKind::Product => Some(if kind == Kind::Bool { "true" } else { "1" }),
        ReductionKind::And => Some(if kind == Kind::Bool { "true" } else { "-1" }),
        _ if role.takes_nan() => Some("0x7FF8000000000000"),
        _ => None,
    }
}

pub(super) fn complete(kind: Kind, one: &str) -> Operand {
    if kind.is_complex() {
        // (1 + 0j) for products, (-0 - 0j) for sums.
        let imag = if one == "1.0" { "0.0" } else { one };
        Operand::Pair(one.into(), imag.into())
    } else {
        Operand::One(one.into())
    }
}
