//! Between which bounds an int lies while a nest of loops runs.
//!
//! An int is taken apart into a sum of loop variables with constant factors and of opaque rest terms. Its greatest value is found by
//! putting for each loop variable, from the innermost loop outwards, the end of its range that makes the sum greater: that end is
//! a sum of outer variables again, so that triangular loops come out exact (`i - j` with `j` in `range(i)` is at least 1).

use std::collections::BTreeMap;

use super::guard::{self, Bound, Guard, Leaf};
use super::loops::{Definition, Nest};
use crate::ir::{Binary, Compare, Expr, ExprKind, Flavour, Kind, Scalar, Type, Unary, Var, Variable};

/// Where a value lies; both ends included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    pub low: Bound,
    pub high: Bound,
    /// The loops that it varies with, as bits.
    pub loops: u64,
    /// Both ends are reached, or nearly so: no correlation between terms was lost.
    pub exact: bool,
}

/// constant + factors of loop variables + factors of rest terms
#[derive(Clone, Debug, Default)]
pub struct Linear {
    constant: i128,
    loops: BTreeMap<usize, i128>,
    invariants: BTreeMap<Leaf, i128>,
    rest: Vec<(Range, i128)>,
}

impl PartialOrd for Leaf {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Leaf {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let key = |leaf: &Self| match *leaf {
            Self::Var(var) => (var, 0),
            Self::Dim(var, axis) => (var, u16::from(axis) + 1),
        };
        key(self).cmp(&key(other))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Low,
    High,
}

impl End {
    fn other(self) -> Self {
        if self == Self::Low { Self::High } else { Self::Low }
    }
}

/// What an enclosing condition says of a loop's variable: it is at least (at most) this.
#[derive(Clone, Debug)]
struct Refinement {
    number: usize,
    end: End,
    value: Linear,
}

pub struct Bounds<'a> {
    pub nest: &'a Nest,
    pub guard: Guard,
    /// The guard may have conditions.
    pub conditions: bool,
    variables: &'a [Variable],
    visiting: Vec<Var>,
    /// Loops whose limits are being looked at: code that is never reached may lean on itself.
    limiting: Vec<usize>,
    known: BTreeMap<Var, Option<Range>>,
    refinements: Vec<Refinement>,
}

const fn full(kind: Kind) -> Option<(i128, i128)> {
    match kind {
        Kind::Bool => Some((0, 1)),
        Kind::I8 => Some((i8::MIN as i128, i8::MAX as i128)),
        Kind::I16 => Some((i16::MIN as i128, i16::MAX as i128)),
        Kind::I32 => Some((i32::MIN as i128, i32::MAX as i128)),
        Kind::U8 => Some((0, u8::MAX as i128)),
        Kind::U16 => Some((0, u16::MAX as i128)),
        Kind::U32 => Some((0, u32::MAX as i128)),
        _ => None,
    }
}

impl Linear {
    fn known(constant: i128) -> Self {
        Self { constant, ..Self::default() }
    }

    fn rest(range: Range) -> Self {
        Self { rest: vec![(range, 1)], ..Self::default() }
    }

    fn scaled(mut self, factor: i128) -> Option<Self> {
        self.constant = self.constant.checked_mul(factor)?;
        for value in self.loops.values_mut().chain(self.invariants.values_mut()) {
            *value = value.checked_mul(factor)?;
        }
        for (_, value) in &mut self.rest {
            *value = value.checked_mul(factor)?;
        }
        self.loops.retain(|_, factor| *factor != 0);
        self.invariants.retain(|_, factor| *factor != 0);
        self.rest.retain(|(_, factor)| *factor != 0);
        Some(self)
    }

    fn plus(mut self, other: Self) -> Option<Self> {
        self.constant = self.constant.checked_add(other.constant)?;
        for (number, factor) in other.loops {
            let sum = self.loops.entry(number).or_default();
            *sum = sum.checked_add(factor)?;
        }
        for (leaf, factor) in other.invariants {
            let sum = self.invariants.entry(leaf).or_default();
            *sum = sum.checked_add(factor)?;
        }
        self.rest.extend(other.rest);
        self.loops.retain(|_, factor| *factor != 0);
        self.invariants.retain(|_, factor| *factor != 0);
        Some(self)
    }

    fn constant(&self) -> Option<i128> {
        (self.loops.is_empty() && self.invariants.is_empty() && self.rest.is_empty()).then_some(self.constant)
    }
}

impl<'a> Bounds<'a> {
    pub fn new(nest: &'a Nest, variables: &'a [Variable], guard: Guard, conditions: bool) -> Self {
        Self {
            nest,
            guard,
            conditions,
            variables,
            visiting: Vec::new(),
            limiting: Vec::new(),
            known: BTreeMap::new(),
            refinements: Vec::new(),
        }
    }

    /// To go back to with `back`: what was found out since, and demanded of the guard for it, is forgotten together.
    pub fn mark(&self) -> (guard::Mark, BTreeMap<Var, Option<Range>>) {
        (self.guard.mark(), self.known.clone())
    }

    pub fn back(&mut self, (guard, known): (guard::Mark, BTreeMap<Var, Option<Range>>)) {
        self.guard.back(guard);
        self.known = known;
    }

    /// Where the value of an int or a bool lies, in any iteration in which it is computed. `None`: nothing is known.
    pub fn range(&mut self, expr: &Expr) -> Option<Range> {
        let linear = self.linear(expr)?;
        self.ends(&linear)
    }

    /// Demands that a range fits into the int type.
    pub fn demand_fits(&mut self, range: Range) {
        self.guard.demand(range.low, Compare::GreaterEqual, Bound::Known(i128::from(i64::MIN)));
        self.guard.demand(range.high, Compare::LessEqual, Bound::Known(i128::from(i64::MAX)));
    }

    /// The length of an array's axis, if it is the same all the time, or made in the loops of lengths that are known.
    pub fn length(&mut self, array: Var, axis: u8) -> Option<Range> {
        if self.nest.is_invariant(array) {
            let bound = self.guard.entry(Leaf::Dim(array, axis), Type::INT);
            return Some(Range { low: bound, high: bound, loops: 0, exact: true });
        }
        if self.visiting.contains(&array) || self.nest.exposed.contains(&array) {
            return None;
        }
        let [Definition::Value { value, .. }] = self.nest.definitions.get(&array)?.as_slice() else {
            return None;
        };
        let value = value.clone();
        self.visiting.push(array);
        let length = self.length_of(&value, axis);
        self.visiting.pop();
        length
    }

    fn length_of(&mut self, value: &Expr, axis: u8) -> Option<Range> {
        use crate::ir::Part;
        match &*value.kind {
            ExprKind::Var(source) => self.length(*source, axis),
            ExprKind::New { lengths, .. } => self.range(lengths.get(usize::from(axis))?),
            ExprKind::View { array, parts, .. } => {
                let mut source = 0;
                let mut own = 0;
                for part in parts {
                    match part {
                        Part::Index(_) => source += 1,
                        Part::NewAxis if own == axis => {
                            return Some(Range {
                                low: Bound::Known(1),
                                high: Bound::Known(1),
                                loops: 0,
                                exact: true,
                            });
                        }
                        Part::NewAxis => own += 1,
                        Part::Axis(number) if own == axis => return self.length(*array, *number),
                        Part::Slice { start: None, stop: None, step: None } if own == axis => {
                            return self.length(*array, source);
                        }
                        Part::Slice { .. } if own == axis => return None,
                        Part::Length(length) if own == axis => return self.range(length),
                        Part::Length(_) => own += 1,
                        Part::Real | Part::Imag => return self.length(*array, axis),
                        Part::Diagonal => return None,
                        Part::Axis(_) | Part::Slice { .. } => {
                            own += 1;
                            source += 1;
                        }
                    }
                }
                None
            }
            _ => None,
        }
    }

    /// While `condition` is known to be `truth`, its bounds on loop variables are used; `forget` ends that.
    pub fn assume(&mut self, condition: &Expr, truth: bool) -> usize {
        let mark = self.refinements.len();
        let before = self.mark();
        self.learn(condition, truth);
        // What was demanded to learn it is not worth the guard, or not to be had.
        if self.guard.hopeless || (!self.conditions && !self.guard.is_free()) {
            self.back(before);
            self.forget(mark);
        }
        mark
    }

    pub fn forget(&mut self, mark: usize) {
        self.refinements.truncate(mark);
    }

    fn learn(&mut self, condition: &Expr, truth: bool) {
        match &*condition.kind {
            ExprKind::Unary { op: Unary::Not, operand, .. } => self.learn(operand, !truth),
            ExprKind::If { condition: first, then, orelse } => {
                // `and` and `or`.
                if truth && *orelse.kind == ExprKind::Bool(false) {
                    self.learn(first, true);
                    self.learn(then, true);
                } else if !truth && *then.kind == ExprKind::Bool(true) {
                    self.learn(first, false);
                    self.learn(orelse, false);
                }
            }
            ExprKind::Compare { op, left, right } => {
                if !is_int(left.ty) || !is_int(right.ty) {
                    return;
                }
                let op = if truth { *op } else { opposite(*op) };
                let (Some(left), Some(right)) = (self.linear(left), self.linear(right)) else { return };
                // left - right, at most (at least) `slack`.
                let Some(difference) = right.scaled(-1).and_then(|right| left.plus(right)) else { return };
                let ends: &[(End, i128)] = match op {
                    Compare::Less => &[(End::High, -1)],
                    Compare::LessEqual => &[(End::High, 0)],
                    Compare::Greater => &[(End::Low, 1)],
                    Compare::GreaterEqual => &[(End::Low, 0)],
                    Compare::Equal => &[(End::High, 0), (End::Low, 0)],
                    Compare::NotEqual => &[],
                };
                for (end, slack) in ends {
                    self.refine(&difference, *end, *slack);
                }
            }
            _ => {}
        }
    }

    /// From `difference <= slack` (or `>=`): a bound on each loop variable that stands in it with factor 1 or -1.
    fn refine(&mut self, difference: &Linear, end: End, slack: i128) {
        for (number, factor) in &difference.loops {
            if factor.abs() != 1 {
                continue;
            }
            let mut others = difference.clone();
            others.loops.remove(number);
            // A bound by variables of loops further in would be put in the wrong order.
            if others.loops.keys().any(|other| other > number) {
                continue;
            }
            // factor * v + others <= slack
            let Some(value) =
                others.scaled(-factor).and_then(|rest| rest.plus(Linear::known(slack * factor)))
            else {
                continue;
            };
            let end = if *factor > 0 { end } else { end.other() };
            self.refinements.push(Refinement { number: *number, end, value });
        }
    }

    fn linear(&mut self, expr: &Expr) -> Option<Linear> {
        let Type::Scalar(scalar) = expr.ty else { return None };
        match &*expr.kind {
            ExprKind::Int(value) => return Some(Linear::known(*value)),
            ExprKind::Bool(value) => return Some(Linear::known(i128::from(*value))),
            ExprKind::Var(var) => {
                if let Some(linear) = self.variable(*var) {
                    return Some(linear);
                }
            }
            ExprKind::Dim { array, axis } => {
                return self.length(*array, *axis).map(|length| self.leaf_or(*array, *axis, length));
            }
            ExprKind::Cast { value, .. } => {
                let from = value.ty.scalar()?;
                if from.kind == Kind::Bool || from.kind.is_integer() && scalar == Scalar::INT {
                    return self.linear(value);
                }
            }
            ExprKind::Unary { op: Unary::Negative, operand, .. } if is_int(expr.ty) => {
                return self.linear(operand)?.scaled(-1);
            }
            ExprKind::Binary { op, left, right, .. } if is_int(expr.ty) => match op {
                Binary::Add => return self.linear(left)?.plus(self.linear(right)?),
                Binary::Subtract => {
                    let right = self.linear(right)?.scaled(-1)?;
                    return self.linear(left)?.plus(right);
                }
                Binary::Multiply => {
                    let (left, right) = (self.linear(left)?, self.linear(right)?);
                    if let Some(factor) = right.constant() {
                        return left.scaled(factor);
                    }
                    if let Some(factor) = left.constant() {
                        return right.scaled(factor);
                    }
                    let (left, right) = (self.ends(&left)?, self.ends(&right)?);
                    return Some(Linear::rest(self.product(left, right)));
                }
                Binary::LeftShift => {
                    let count = self.linear(right)?.constant()?;
                    let factor = (0..63).contains(&count).then(|| 1_i128 << count)?;
                    return self.linear(left)?.scaled(factor);
                }
                _ => {}
            },
            _ => {}
        }
        let range = self.opaque(expr, scalar)?;
        Some(match (range.low, range.high) {
            (Bound::Known(low), Bound::Known(high)) if low == high => Linear::known(low),
            _ => Linear::rest(range),
        })
    }

    fn leaf_or(&self, array: Var, axis: u8, length: Range) -> Linear {
        if self.nest.is_invariant(array) {
            Linear { invariants: BTreeMap::from([(Leaf::Dim(array, axis), 1)]), ..Linear::default() }
        } else {
            Linear::rest(length)
        }
    }

    fn variable(&mut self, var: Var) -> Option<Linear> {
        if self.nest.is_invariant(var) {
            let ty = self.variables.get(var.0 as usize)?.ty;
            let scalar = ty.scalar()?;
            // Only 64-bit ints of Python's have values that the guard can take as they are; narrower ones too.
            return (scalar.kind == Kind::Bool || scalar.kind.is_integer() && scalar.kind != Kind::U64)
                .then(|| Linear { invariants: BTreeMap::from([(Leaf::Var(var), 1)]), ..Linear::default() });
        }
        let nest = self.nest;
        if !nest.exposed.contains(&var) {
            match nest.definitions.get(&var).map(Vec::as_slice) {
                Some([Definition::Loop(number)]) => {
                    return Some(Linear { loops: BTreeMap::from([(*number, 1)]), ..Linear::default() });
                }
                // Each iteration of the loop in which it stands computes it before it is read.
                Some([Definition::Value { value, within: Some(within) }])
                    if is_int(value.ty)
                        && !nest.exposed_in(*within, var)
                        && !self.visiting.contains(&var) =>
                {
                    self.visiting.push(var);
                    let linear = self.linear(value);
                    self.visiting.pop();
                    return linear;
                }
                _ => {}
            }
        }
        None
    }

    /// The range of what is no sum.
    fn opaque(&mut self, expr: &Expr, scalar: Scalar) -> Option<Range> {
        let all = full(scalar.kind).map(|(low, high)| Range {
            low: Bound::Known(low),
            high: Bound::Known(high),
            loops: 0,
            exact: false,
        });
        let python = scalar.flavour == Flavour::Python;
        let better = match &*expr.kind {
            ExprKind::Var(var) => self.any_definition(*var),
            ExprKind::If { condition, then, orelse } => {
                let mark = self.assume(condition, true);
                let then = self.range(then);
                self.forget(mark);
                let mark = self.assume(condition, false);
                let orelse = self.range(orelse);
                self.forget(mark);
                then.zip(orelse).map(|(then, orelse)| self.union(then, orelse))
            }
            ExprKind::Unary { op: Unary::Absolute, operand, .. } if python => {
                self.range(operand).map(|value| {
                    let minus = self.guard.combine(Binary::Subtract, Bound::Known(0), value.low);
                    let high = self.guard.combine(Binary::Max, minus, value.high);
                    Range { low: Bound::Known(0), high, loops: value.loops, exact: false }
                })
            }
            ExprKind::Binary { op, left, right, .. } if python => self.binary(*op, left, right),
            _ => None,
        };
        better.or(all)
    }

    fn binary(&mut self, op: Binary, left: &Expr, right: &Expr) -> Option<Range> {
        match op {
            Binary::Modulo => {
                // Of the sign of the divisor, whatever the dividend.
                let divisor = self.range(right)?;
                if let Bound::Known(low) = divisor.low
                    && low > 0
                    && let Some(dividend) = self.range(left)
                    && let (Bound::Known(from), Bound::Known(to)) = (dividend.low, dividend.high)
                    && from >= 0
                    && to < low
                {
                    return Some(dividend);
                }
                let high = self.guard.combine(Binary::Subtract, divisor.high, Bound::Known(1));
                let high = self.guard.combine(Binary::Max, high, Bound::Known(0));
                let low = self.guard.combine(Binary::Add, divisor.low, Bound::Known(1));
                let low = self.guard.combine(Binary::Min, low, Bound::Known(0));
                Some(Range { low, high, loops: divisor.loops, exact: false })
            }
            Binary::FloorDivide => {
                let divisor = self.linear(right)?.constant()?;
                let value = self.range(left)?;
                if divisor <= 0 {
                    return None;
                }
                let low = self.guard.combine(Binary::FloorDivide, value.low, Bound::Known(divisor));
                let high = self.guard.combine(Binary::FloorDivide, value.high, Bound::Known(divisor));
                Some(Range { low, high, ..value })
            }
            Binary::RightShift => {
                let count = self.linear(right)?.constant()?;
                let divisor = (0..63).contains(&count).then(|| 1_i128 << count)?;
                let value = self.range(left)?;
                let low = self.guard.combine(Binary::FloorDivide, value.low, Bound::Known(divisor));
                let high = self.guard.combine(Binary::FloorDivide, value.high, Bound::Known(divisor));
                Some(Range { low, high, ..value })
            }
            Binary::And => {
                let mask = |this: &mut Self, side: &Expr| this.linear(side).and_then(|side| side.constant());
                let mask = mask(self, right).or_else(|| mask(self, left)).filter(|mask| *mask >= 0)?;
                Some(Range { low: Bound::Known(0), high: Bound::Known(mask), loops: u64::MAX, exact: false })
            }
            Binary::Min | Binary::Max => {
                let (left, right) = (self.range(left)?, self.range(right)?);
                Some(Range {
                    low: self.guard.combine(op, left.low, right.low),
                    high: self.guard.combine(op, left.high, right.high),
                    loops: left.loops | right.loops,
                    exact: left.exact && right.exact,
                })
            }
            Binary::Multiply => {
                let (left, right) = (self.range(left)?, self.range(right)?);
                Some(self.product(left, right))
            }
            _ => None,
        }
    }

    fn product(&mut self, left: Range, right: Range) -> Range {
        self.demand_fits(left);
        self.demand_fits(right);
        let exact = left.exact && right.exact && left.loops & right.loops == 0;
        let loops = left.loops | right.loops;
        let mut low = None;
        let mut high = None;
        for (first, second) in
            [(left.low, right.low), (left.low, right.high), (left.high, right.low), (left.high, right.high)]
        {
            let corner = self.guard.combine(Binary::Multiply, first, second);
            low = Some(low.map_or(corner, |low| self.guard.combine(Binary::Min, low, corner)));
            high = Some(high.map_or(corner, |high| self.guard.combine(Binary::Max, high, corner)));
        }
        let zero = Bound::Known(0);
        let range = Range { low: low.unwrap_or(zero), high: high.unwrap_or(zero), loops, exact };
        self.demand_fits(range);
        range
    }

    fn union(&mut self, left: Range, right: Range) -> Range {
        Range {
            low: self.guard.combine(Binary::Min, left.low, right.low),
            high: self.guard.combine(Binary::Max, left.high, right.high),
            loops: left.loops | right.loops,
            exact: left.exact && right.exact,
        }
    }

    /// The union over all that a variable is given, at any place; sums over the loops' iterations for accumulators.
    fn any_definition(&mut self, var: Var) -> Option<Range> {
        if let Some(range) = self.known.get(&var) {
            return *range;
        }
        if self.visiting.contains(&var) {
            return None;
        }
        // Conditions at the place where it is read say nothing of the places where it is written.
        let refinements = std::mem::take(&mut self.refinements);
        self.visiting.push(var);
        let range = self.definitions(var);
        self.visiting.pop();
        self.refinements = refinements;
        // Within a cycle the answer depends on where it was asked.
        if range.is_some() || self.visiting.is_empty() {
            self.known.insert(var, range);
        }
        range
    }

    fn definitions(&mut self, var: Var) -> Option<Range> {
        let nest = self.nest;
        let ty = self.variables.get(var.0 as usize)?.ty;
        if !is_int(ty) && ty.scalar()?.kind != Kind::Bool {
            return None;
        }
        let mut base: Option<Range> = None;
        if nest.exposed.contains(&var) {
            let bound = self.guard.entry(Leaf::Var(var), ty);
            base = Some(Range { low: bound, high: bound, loops: 0, exact: true });
        }
        let mut steps = Vec::new();
        for definition in nest.definitions.get(&var)? {
            let range = match definition {
                Definition::Unknown => return None,
                Definition::Loop(number) => {
                    let linear = Linear { loops: BTreeMap::from([(*number, 1)]), ..Linear::default() };
                    self.ends(&linear)?
                }
                Definition::Value { value, within } => {
                    if let Some((step, sign)) = step_of(value, var) {
                        let mut each = self.range(step)?;
                        if sign < 0 {
                            let low = self.guard.combine(Binary::Subtract, Bound::Known(0), each.high);
                            each.high = self.guard.combine(Binary::Subtract, Bound::Known(0), each.low);
                            each.low = low;
                        }
                        steps.push((each, (*within)?));
                        continue;
                    }
                    self.range(value)?
                }
            };
            base = Some(match base {
                Some(base) => self.union(base, range),
                None => range,
            });
        }
        let mut range = base?;
        for (each, within) in steps {
            let times = self.times(var, within)?;
            let (low, high) = (
                self.guard.combine(Binary::Min, each.low, Bound::Known(0)),
                self.guard.combine(Binary::Max, each.high, Bound::Known(0)),
            );
            let low = self.guard.combine(Binary::Multiply, low, times);
            let high = self.guard.combine(Binary::Multiply, high, times);
            // Parts of it are summed from zero where the loop runs in parallel.
            self.demand_fits(Range { low, high, loops: 0, exact: false });
            range.low = self.guard.combine(Binary::Add, range.low, low);
            range.high = self.guard.combine(Binary::Add, range.high, high);
        }
        Some(Range { loops: u64::MAX, exact: false, ..range })
    }

    /// How often at most a statement in loop `within` runs before `var` is given a new start.
    fn times(&mut self, var: Var, within: usize) -> Option<Bound> {
        let mut times = Bound::Known(1);
        let mut number = Some(within);
        while let Some(each) = number {
            // Each iteration of this loop begins by giving it a new value.
            if !self.nest.exposed_in(each, var) {
                break;
            }
            let count = self.count(each)?;
            times = self.guard.combine(Binary::Multiply, times, count);
            self.demand_fits(Range { low: Bound::Known(0), high: times, loops: 0, exact: false });
            number = self.nest.loops[each].parent;
        }
        Some(times)
    }

    /// Iterations of a loop, at most.
    fn count(&mut self, number: usize) -> Option<Bound> {
        let each = &self.nest.loops[number];
        let step = self.linear(&each.step)?.constant()?;
        let (start, stop) = self.limits(number)?;
        let length = if step > 0 { stop.plus(start.scaled(-1)?)? } else { start.plus(stop.scaled(-1)?)? };
        let range = self.ends(&length)?;
        Some(self.guard.combine(Binary::Max, range.high, Bound::Known(0)))
    }

    fn ends(&mut self, linear: &Linear) -> Option<Range> {
        let (low, loops, exact) = self.end(linear.clone(), End::Low)?;
        let (high, more, also) = self.end(linear.clone(), End::High)?;
        let varies = linear
            .loops
            .keys()
            .fold(0, |bits, number| bits | 1_u64.checked_shl(*number as u32).unwrap_or(u64::MAX));
        Some(Range { low, high, loops: loops | more | varies, exact: exact && also })
    }

    /// The least or greatest value of a sum.
    fn end(&mut self, mut linear: Linear, end: End) -> Option<(Bound, u64, bool)> {
        let mut exact = true;
        let mut budget = 64;
        while let Some((&number, &factor)) = linear.loops.iter().next_back() {
            budget -= 1;
            if budget == 0 {
                return None;
            }
            linear.loops.remove(&number);
            let end = if factor > 0 { end } else { end.other() };
            let (value, tight) = self.loop_end(number, end)?;
            exact &= tight;
            linear = linear.plus(value.scaled(factor)?)?;
        }
        let mut loops = 0;
        let mut sum = Bound::Known(linear.constant);
        // So that no sum of products wraps in 128 bits.
        let small = |factor: i128| factor.unsigned_abs() < 1 << 31;
        if !linear
            .invariants
            .values()
            .chain(linear.rest.iter().map(|(_, factor)| factor))
            .all(|factor| small(*factor))
        {
            return None;
        }
        for (leaf, factor) in linear.invariants {
            let ty = match leaf {
                Leaf::Var(var) => self.variables.get(var.0 as usize)?.ty,
                Leaf::Dim(..) => Type::INT,
            };
            let value = self.guard.entry(leaf, ty);
            let term = self.guard.combine(Binary::Multiply, value, Bound::Known(factor));
            sum = self.guard.combine(Binary::Add, sum, term);
        }
        for (range, factor) in linear.rest {
            exact &= range.exact && loops & range.loops == 0;
            loops |= range.loops;
            let end = if factor > 0 { end } else { end.other() };
            let bound = if end == End::Low { range.low } else { range.high };
            let term = self.guard.combine(Binary::Multiply, bound, Bound::Known(factor));
            sum = self.guard.combine(Binary::Add, sum, term);
        }
        Some((sum, loops, exact))
    }

    /// The first or last value that a loop's variable can have: as a sum of variables of loops further out.
    fn loop_end(&mut self, number: usize, end: End) -> Option<(Linear, bool)> {
        let refined = self.refinements.iter().rev().find(|fact| fact.number == number && fact.end == end);
        if let Some(fact) = refined {
            return Some((fact.value.clone(), true));
        }
        let each = self.nest.loops[number].clone();
        let step = self.linear(&each.step).and_then(|step| step.constant());
        let (start, stop) = self.limits(number)?;
        let mut inner = start.loops.keys().chain(stop.loops.keys());
        if inner.any(|other| *other >= number) {
            return None;
        }
        Some(match step {
            Some(step) if step > 0 => match end {
                End::Low => (start, true),
                End::High => (stop.plus(Linear::known(-1))?, step == 1),
            },
            Some(step) if step < 0 => match end {
                End::High => (start, true),
                End::Low => (stop.plus(Linear::known(1))?, step == -1),
            },
            _ => {
                let (start, stop) = (self.ends(&start)?, self.ends(&stop)?);
                (Linear::rest(self.union(start, stop)), false)
            }
        })
    }

    /// A loop's start and stop. Those of the outermost have the values of the entry, even if the nest assigns what they are made of.
    fn limits(&mut self, number: usize) -> Option<(Linear, Linear)> {
        let each = self.nest.loops[number].clone();
        if number == 0 {
            return self.at_entry(&each.start).zip(self.at_entry(&each.stop));
        }
        if self.limiting.contains(&number) {
            return None;
        }
        self.limiting.push(number);
        let start = self.linear(&each.start);
        let stop = self.linear(&each.stop);
        self.limiting.pop();
        start.zip(stop)
    }

    /// A constant or a variable, with the value that it has when the nest is entered.
    fn at_entry(&mut self, expr: &Expr) -> Option<Linear> {
        match &*expr.kind {
            ExprKind::Int(value) => Some(Linear::known(*value)),
            ExprKind::Var(var) => {
                Some(Linear { invariants: BTreeMap::from([(Leaf::Var(*var), 1)]), ..Linear::default() })
            }
            _ => None,
        }
    }
}

pub fn is_int(ty: Type) -> bool {
    ty == Type::INT
}

fn opposite(op: Compare) -> Compare {
    match op {
        Compare::Equal => Compare::NotEqual,
        Compare::NotEqual => Compare::Equal,
        Compare::Less => Compare::GreaterEqual,
        Compare::LessEqual => Compare::Greater,
        Compare::Greater => Compare::LessEqual,
        Compare::GreaterEqual => Compare::Less,
    }
}

/// `var + step` or `var - step`: the step and its sign.
fn step_of(value: &Expr, var: Var) -> Option<(&Expr, i8)> {
    let ExprKind::Binary { op, left, right, .. } = &*value.kind else { return None };
    let is_var = |side: &Expr| *side.kind == ExprKind::Var(var);
    match op {
        Binary::Add if is_var(left) => Some((right, 1)),
        Binary::Add if is_var(right) => Some((left, 1)),
        Binary::Subtract if is_var(left) => Some((right, -1)),
        _ => None,
    }
}
